"""Files that are whole or not there."""

import contextlib
import os
from pathlib import Path

from mjx_assist.errors import UserError


def check_writable(path: str | Path, folder: bool) -> None:
    """Before the work is done: raise `UserError` if a folder is given where a file is meant, or a file for a folder."""
    path = Path(path)
    if folder and path.exists() and not path.is_dir():
        raise UserError(f"{str(path)!r} is a file; give the name of a folder.")
    if not folder and path.is_dir():
        raise UserError(f"{str(path)!r} is a folder; give the name of a file.")


def write_atomic(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old one or the new one, never half."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text)
    os.replace(temporary, path)


@contextlib.contextmanager
def replacing(path: str | Path):
    """A binary stream that becomes ``path`` only when the block ends well; a failure to write is a UserError."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as stream:
            yield stream
        os.replace(temporary, path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror or error}).") from error
    finally:
        if temporary.exists():
            temporary.unlink()
