"""Files and folders that are whole or not there; what the file system refuses is a `UserError`.

The one room for this: nothing else in the package moves a finished file into its place.
"""

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from mjx_assist.errors import UserError


def check_writable(path: str | Path, folder: bool) -> None:
    """Before the work is done: raise `UserError` if a folder is given where a file is meant, or a file for a folder."""
    path = Path(path)
    if folder and path.exists() and not path.is_dir():
        raise UserError(f"{str(path)!r} is a file; give the name of a folder.")
    if not folder and path.is_dir():
        raise UserError(f"{str(path)!r} is a folder; give the name of a file.")


def check_replaceable(path: Path, what: str, ours: Callable[[Path], bool]) -> None:
    """Before the work is done: raise `UserError` if something at ``path`` is not ``ours``, which ``what`` names."""
    if path.exists() and not ours(path):
        raise UserError(f"-o {str(path)!r} exists and is not {what}; it is left as it is.")


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[BinaryIO]:
    """A binary stream that becomes ``path`` only when the block ends well; a failure to write is a UserError."""
    path = Path(path)
    temporary = _beside(path, "part")
    with _in_words(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("xb") as stream:
                yield stream
            os.replace(temporary, path)
        finally:
            _remove(temporary)


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file so that a reader sees the old one or the new one, never half; a failure is a UserError.

    What is there and is not a plain file, such as /dev/stdout, is written to as it is.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        with _in_words(path):
            path.write_bytes(content)
        return
    with replacing(path) as stream:
        stream.write(content)


def write_text(path: str | Path, text: str) -> None:
    """`write_bytes` of a text in UTF-8."""
    write_bytes(path, text.encode())


@contextlib.contextmanager
def replacing_folder(
    path: Path, what: str, ours: Callable[[Path], bool], failure: Callable[[str], str]
) -> Iterator[Path]:
    """An empty folder that becomes ``path`` only when the block ends well; what was there stays until then.

    ``what``, ``ours``: what may be replaced, in words and as a question; ``failure``: the sentence for a reason of the
    file system's.

    Raises:
        UserError: something is there that is not ours, or the folder cannot be written.
    """
    check_replaceable(path, what, ours)
    fresh = _beside(path, "part")
    with _in_words(path, failure):
        try:
            fresh.mkdir(parents=True)
            yield fresh
            _swap(fresh, path)
        finally:
            _remove(fresh)


def replace_link(link: Path, folder: Path) -> None:
    """Make ``link`` lead to ``folder``, below its own, in one step: a reader sees the old one or the new one.

    Raises:
        UserError: it cannot be made.
    """
    temporary = _beside(link, "part")
    with _in_words(link):
        try:
            temporary.symlink_to(folder.relative_to(link.parent))
            os.replace(temporary, link)
        finally:
            _remove(temporary)


def _swap(fresh: Path, path: Path) -> None:
    """Move a folder into the place of another, which comes back if that fails: only files can be replaced at once."""
    if not path.exists():
        os.replace(fresh, path)
        return
    before = _beside(path, "old")
    os.replace(path, before)
    try:
        os.replace(fresh, path)
    except OSError:
        os.replace(before, path)
        raise
    _remove(before)


def _beside(path: Path, ending: str) -> Path:
    """A hidden name in the same folder that nobody else has, another process or host included."""
    return path.parent / f".{path.name}.{secrets.token_hex(4)}.{ending}"


def _remove(path: Path) -> None:
    """A leftover, as far as that can be; of a link not what it leads to."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        path.unlink()


@contextlib.contextmanager
def _in_words(path: Path, failure: Callable[[str], str] | None = None) -> Iterator[None]:
    """An OSError of the block as a UserError that gives its reason."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(failure(reason) if failure else f"{path}: cannot be written ({reason}).") from error
