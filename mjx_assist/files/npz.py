"""Entries of a foreign npz as plain arrays. Nothing pickled is run: one named entry of plain data may be read."""

import io
import pickle
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.files import untrusted

LARGEST_PICKLE = 20_000_000  # bytes of an entry of plain data
_ARRAY_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray")
_PLAIN_KINDS = "biufSU"  # NumPy's kinds of numbers and text


def read_npz(path: Path, described_by: tuple[str, ...] = ()) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """(arrays by name, plain data of the entries ``described_by``: dicts, lists, numbers, text and arrays of them).

    Raises UserError for a file that is no npz, for other entries with pickled objects, and for objects within those
    entries that are not such plain data.
    """
    opened = {name: partial(_plain_data, path, name) for name in described_by}
    found = untrusted.read_npz(path, str(path), opened)
    arrays = {name: value for name, value in found.items() if isinstance(value, np.ndarray)}
    return arrays, {name: value for name, value in found.items() if name not in arrays}


def _plain_data(path: Path, name: str, content: bytes) -> Any:
    if len(content) > LARGEST_PICKLE:
        raise UserError(f"{path}: {name} has {len(content):,} bytes of pickled data; {LARGEST_PICKLE:,} are read.")
    try:
        found = _unwrapped(_PlainUnpickler(_after_header(content)).load())
    except UserError as error:
        raise UserError(
            f"{path}: {name} holds more than plain data ({error}), which is not opened; leave it out."
        ) from None
    except Exception as error:  # a damaged pickle raises whatever its opcodes come to
        raise UserError(f"{path}: {name} cannot be read ({type(error).__name__}); leave it out.") from None
    return found[0] if isinstance(found, list) and len(found) == 1 else found


def _after_header(content: bytes) -> io.BytesIO:
    """An .npy's bytes after its header."""
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    read(stream)
    return stream


def _unwrapped(value: Any, known: dict[int, Any] | None = None) -> Any:
    """The same with every `_Array` as what it holds; what is in it many times is visited once."""
    known = {} if known is None else known
    if id(value) not in known:
        if isinstance(value, _Array):
            found = _unwrapped(value.value, known)
        elif isinstance(value, dict):
            found = {key: _unwrapped(part, known) for key, part in value.items()}
        elif isinstance(value, list | tuple):
            found = [_unwrapped(part, known) for part in value]
        else:
            return value
        known[id(value)] = found
    return known[id(value)]


class _PlainUnpickler(pickle.Unpickler):
    """Unpickles what needs no code: containers, numbers, text, and arrays and scalars of NumPy's own plain kinds."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        """Only what rebuilds NumPy's plain values, each as a function of ours. Raises UserError for any other."""
        if module_name in _ARRAY_MODULES and global_name == "_reconstruct":
            return _empty_array
        if module_name in _ARRAY_MODULES and global_name == "scalar":
            return _scalar
        if (module_name, global_name) == ("numpy", "dtype"):
            return _dtype
        if (module_name, global_name) == ("numpy", "ndarray"):
            return "ndarray"  # a word, not the class: only handed on to _empty_array
        raise UserError(f"{module_name}.{global_name}")


class _Array:
    """What a pickled array's state is put into: an array of a plain kind, or a list of objects."""

    value: Any = ()

    def __setstate__(self, state: tuple) -> None:
        _, shape, dtype, columns_first, data = state
        if isinstance(data, list):
            self.value = data
        else:
            self.value = np.frombuffer(data, _checked(dtype)).reshape(shape, order="F" if columns_first else "C")


def _empty_array(*_: Any) -> _Array:
    return _Array()


def _dtype(text: str, *_: Any) -> "_Dtype":
    return _Dtype(text)


class _Dtype:
    """A dtype by its text; the byte order comes as its state."""

    def __init__(self, text: str):
        self.text: str = str(text)
        self.order: Literal["<", ">"] = "<"

    def __setstate__(self, state: tuple) -> None:
        self.order = ">" if state[1] == ">" else "<"


def _checked(dtype: _Dtype) -> np.dtype:
    found = np.dtype(dtype.text).newbyteorder(dtype.order)
    if found.kind not in _PLAIN_KINDS:
        raise UserError(f"dtype {found}")
    return found


def _scalar(dtype: _Dtype, data: bytes) -> Any:
    return np.frombuffer(data, _checked(dtype))[0].item()
