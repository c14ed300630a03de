"""One process at a time: a lock that the system takes back when its holder ends, however it ends."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from mjx_assist.errors import UserError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt


@contextlib.contextmanager
def locked(path: Path, refusal: Callable[[str], str]) -> Iterator[None]:
    """Hold the lock file ``path`` for the block. Where the file system knows no locks, nothing is locked.

    Raises:
        UserError: another process holds it: ``refusal`` of that process' id.
    """
    with _opened(path) as file:
        if file is None:
            yield
            return
        if not _take(file):
            file.seek(0)
            raise UserError(refusal(file.read(20).decode(errors="replace").strip() or "another"))
        file.truncate(0)
        file.write(f"{os.getpid()}\n".encode())
        file.flush()
        yield


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO | None]:
    """The file; None where it cannot be made: what writes in that folder says so."""
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("ab+"))
        except OSError:
            file = None
        yield file


def _take(file: BinaryIO) -> bool:
    """Whether the lock is ours now, or cannot be had by anyone."""
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            file.seek(1024)  # Windows locks bytes: one after those that are read
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True
