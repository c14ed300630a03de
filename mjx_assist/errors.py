"""The one exception that means "the user can mend this", the sentence that helps to mend it, and notes besides."""

import difflib
import sys
from collections.abc import Iterable
from functools import cache


class UserError(Exception):
    """A mistake in what the user gave: the command line prints it without a traceback and exits with 2."""


def unknown(what: str, value: str, allowed: Iterable[str]) -> UserError:
    """The error for a name that does not exist: names it, its nearest match, and what is allowed."""
    names = sorted(str(name) for name in allowed)
    near = difflib.get_close_matches(str(value), names, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return UserError(f"{what}: {value!r} is unknown.{hint} Allowed: {', '.join(names)}.")


@cache
def note(sentence: str) -> None:
    """A sentence that the user must know and that ends nothing, on stderr; once in a process."""
    print(sentence, file=sys.stderr, flush=True)
