"""What a single number of a config may be; relations between several are in checks.py.

A limit stands on its field (``num_envs: Annotated[int, POSITIVE]``) and holds for every number in it. A field without
one may hold any finite number.
"""

import dataclasses
import math
import operator
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from annotated_types import Interval

from mjx_assist.errors import UserError, unknown


@dataclass(frozen=True)
class Limit(Interval):
    """Bounds of a number, with the words for one out of them: it must ``words``."""

    words: str

    def holds(self, number: float) -> bool:
        checks = ((operator.gt, self.gt), (operator.ge, self.ge), (operator.lt, self.lt), (operator.le, self.le))
        return all(bound is None or compares(number, bound) for compares, bound in checks)


@dataclass(frozen=True)
class OneOf:
    """The words that a text can be."""

    words: tuple[str, ...]


POSITIVE = Limit("be positive", gt=0)
NOT_NEGATIVE = Limit("be 0 or more", ge=0)
SHARE = Limit("lie in 0..1", ge=0, le=1)
ACTION = Limit("lie in -1..1", ge=-1, le=1)
SEED = Limit("lie in 0..4294967295", ge=0, lt=2**32)
COUNT = Limit("lie in 1..2147483647", ge=1, lt=2**31)  # what an index of 32 bits reaches
TOTAL = Limit("lie in 1..9007199254740992", ge=1, le=2**53)  # whole numbers that a float of 64 bits tells apart
RATE = Limit("lie in 1..20000 Hz", ge=1, le=20_000)
THREADS = Limit("lie in 0..4096", ge=0, le=4096)
TURN = Limit("lie in -3..3 rad/s (45 degrees/s are 0.785)", ge=-3, le=3)
LAYER = Limit("lie in 1..65536", ge=1, le=65_536)


def check(group: Any, where: str = "") -> None:
    """Check every number of a config, or of a group of it (a dataclass) whose place is ``where``, and every text that
    is one of some words.

    Raises:
        UserError: a number that is not finite (JSON knows NaN), or out of its limit; another word.
    """
    for key, value, mark in leaves(group, where):
        if isinstance(mark, OneOf) and isinstance(value, str) and value not in mark.words:
            raise unknown(f"config key {key!r}", value, mark.words)
        if isinstance(value, str | bool):
            continue
        if not math.isfinite(value):
            raise UserError(f"config key {key!r}: must be a finite number, got {value}.")
        if isinstance(mark, Limit) and not mark.holds(value):
            raise UserError(f"config key {key!r}: must {mark.words}, got {value}.")


def leaves(
    node: Any, key: str = "", mark: Limit | OneOf | None = None
) -> Iterator[tuple[str, Any, Limit | OneOf | None]]:
    """(dotted key, number or text, its limit or words) of a config's dataclasses, dicts and lists, in their order."""
    if dataclasses.is_dataclass(node):
        hints = typing.get_type_hints(type(node), include_extras=True)
        for name in (field.name for field in dataclasses.fields(node)):
            yield from leaves(getattr(node, name), f"{key}.{name}" if key else name, mark_of(hints[name]))
    elif isinstance(node, dict):
        for name, child in node.items():
            yield from leaves(child, f"{key}.{name}" if key else name, mark)
    elif isinstance(node, list | tuple):
        for i, child in enumerate(node):
            yield from leaves(child, f"{key}[{i}]", mark)
    elif isinstance(node, int | float | str):
        yield key, node, mark


def numbers(node: Any) -> Iterator[tuple[str, float, Limit | None]]:
    """(dotted key, number, its limit) of every number in a config."""
    for key, value, mark in leaves(node):
        if not isinstance(value, str | bool):
            yield key, value, mark if isinstance(mark, Limit) else None


def mark_of(kind: Any) -> Limit | OneOf | None:
    """What a field's type is annotated with: the limit of its numbers, or the words that its text can be."""
    return next((part for part in getattr(kind, "__metadata__", ()) if isinstance(part, Limit | OneOf)), None)
