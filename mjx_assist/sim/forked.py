"""A process that was forked from one in which JAX had run: JAX waits there for threads that a fork does not have."""

import os

from mjx_assist.errors import UserError

_begun_in: list[int] = []  # id of the process that made the first env


def check() -> None:
    """To be called before JAX is used for an env.

    Raises:
        UserError: another process, which this one was forked from, has done so before.
    """
    if not _begun_in:
        _begun_in.append(os.getpid())
    if _begun_in[0] != os.getpid():
        raise UserError(
            f"this process was forked from process {_begun_in[0]}, in which JAX had begun; it would wait for ever for "
            "threads that a fork does not have. Start workers with start_method='spawn' or 'forkserver', or make the "
            "first env in the workers."
        )
