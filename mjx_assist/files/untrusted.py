"""The one reader of users' JSON and npz: whatever is in the file, it is data of a sane size or a `UserError`.

No pickle is opened, nothing larger than a limit is read or made, and no key is given twice.
"""

import json
import math
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mjx_assist.errors import UserError

MOST_BYTES = 2**31  # of a file, and of what an npz unpacks to
MOST_TEXT = 2**28  # bytes of a JSON file
MOST_DIGITS = 300  # of a whole number: one that a float can hold
DEEPEST = 100  # nesting of JSON
_ZIPS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what NumPy writes
_DAMAGED = (OSError, EOFError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error)


def read_bytes(path: Path, what: str, most: int = MOST_BYTES) -> bytes:
    """The content of a plain file. ``what`` begins the sentence of the `UserError` for anything else."""
    try:
        if not path.exists():
            raise UserError(f"{what}: there is no such file.")
        if not path.is_file():
            raise UserError(f"{what}: is not a plain file; give the name of one.")
        if (size := path.stat().st_size) > most:
            raise UserError(f"{what}: is {size:,} bytes long; at most {most:,} are read.")
        return path.read_bytes()
    except (OSError, ValueError) as error:  # also names that are too long, or hold a null byte
        raise UserError(f"{what}: cannot be read ({getattr(error, 'strerror', None) or error}).") from None


def read_json(path: str | Path, what: str) -> Any:
    """The data of a JSON file in UTF-8 (with or without a byte order mark).

    Raises:
        UserError: anything that `parse_json` refuses, or no plain file.
    """
    content = read_bytes(Path(path), what, MOST_TEXT)
    try:
        return parse_json(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UserError(f"{what} is not JSON: not text in UTF-8 ({error.reason} at byte {error.start}).") from None
    except ValueError as error:
        raise UserError(f"{what} is not JSON: {error}.") from None


def parse_json(text: str) -> Any:
    """JSON as Python data; NaN and Infinity pass, for the callers to name.

    Raises:
        ValueError: no JSON, a key given twice, nested too deeply, a number that no float can hold.
    """
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_int=_whole, parse_float=_real)
    except RecursionError:
        raise ValueError(f"it is nested more than {DEEPEST} deep") from None
    if _depth(value) > DEEPEST:
        raise ValueError(f"it is nested more than {DEEPEST} deep")
    return value


def read_npz(
    path: str | Path, what: str, opened: Mapping[str, Callable[[bytes], Any]] | None = None
) -> dict[str, np.ndarray]:
    """The arrays of an npz file by their names. A pickle is given, in bytes, to ``opened``'s function of its name.

    Raises:
        UserError: no such file, no npz, pickles, encryption, a compression that NumPy does not write, an array whose
            size is not that of its data, or more than `MOST_BYTES`.
    """
    path = Path(path)
    try:
        if path.exists() and not path.is_file():
            raise UserError(f"{what}: is not a plain file; give the name of one.")
        with zipfile.ZipFile(path) as archive:
            _check_archive(archive)
            return {_array_name(info): _array(archive, info, opened or {}) for info in archive.infolist()}
    except FileNotFoundError:
        raise UserError(f"{what}: there is no such file.") from None
    except _DAMAGED as error:
        raise UserError(f"{what}: cannot be read ({getattr(error, 'strerror', None) or error}).") from None


def _check_archive(archive: zipfile.ZipFile) -> None:
    names = [info.filename for info in archive.infolist()]
    if len(set(names)) < len(names):
        raise ValueError("it holds an array twice")
    for info in archive.infolist():
        if info.flag_bits & 1:
            raise ValueError(f"{info.filename} is encrypted")
        if info.compress_type not in _ZIPS:
            raise ValueError(f"{info.filename} is compressed in a way that NumPy does not write")
    if (total := sum(info.file_size for info in archive.infolist())) > MOST_BYTES:
        raise ValueError(f"it unpacks to {total:,} bytes; at most {MOST_BYTES:,} are read")


def _array_name(info: zipfile.ZipInfo) -> str:
    return info.filename.removesuffix(".npy")


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, opened: Mapping[str, Callable[[bytes], Any]]) -> Any:
    """One array, its header checked against the size of its data before room is made for it."""
    with archive.open(info) as stream:
        version = np.lib.format.read_magic(stream)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = header(stream)
        if dtype.hasobject:
            if (name := _array_name(info)) in opened:
                return opened[name](archive.read(info))
            raise ValueError(
                f"{name} holds pickled objects, which can run code and are not opened; save plain arrays with np.savez"
            )
        room = info.file_size - stream.tell()
        if math.prod(shape) * dtype.itemsize != room or any(size < 0 for size in shape):
            raise ValueError(f"{_array_name(info)} says that it has shape {shape}, and holds {room} bytes")
    with archive.open(info) as stream:
        return np.lib.format.read_array(stream, allow_pickle=False)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"key {next(name for name in names if names.count(name) > 1)!r} is given twice")
    return made


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a whole number of {len(digits)} digits; at most {MOST_DIGITS} can be read")
    return int(digits)


def _real(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"{digits[:40]} is larger than any number that can be computed with")
    return value


def _depth(value: Any) -> int:
    deepest, level = 0, [value] if isinstance(value, dict | list) else []
    while level and deepest <= DEEPEST:
        children = (v for node in level for v in (node.values() if isinstance(node, dict) else node))
        level, deepest = [v for v in children if isinstance(v, dict | list)], deepest + 1
        level = [v for v in level if v]
    return deepest
