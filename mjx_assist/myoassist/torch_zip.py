"""Tensors of a Stable-Baselines3 zip, without PyTorch and without running what is pickled in it."""

import io
import json
import math
import pickle
import zipfile
import zlib
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from mjx_assist.errors import UserError

POLICY, DATA = "policy.pth", "data"
LARGEST = 500_000_000  # bytes of a file within
_UNREADABLE = (zipfile.BadZipFile, EOFError, OSError, ValueError, RuntimeError, NotImplementedError, zlib.error)
_FLOATS = "<f4"


def read(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """(the policy's tensors by name, what the zip says in plain JSON: pickled values of it are left as text).

    Raises:
        UserError: it is no such zip, or holds anything but 32-bit tensors by name.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if POLICY not in names:
                raise UserError(f"{str(path)!r} is no Stable-Baselines3 policy: it has no {POLICY}.")
            told = json.loads(_member(path, archive, DATA)) if DATA in names else {}
            with zipfile.ZipFile(io.BytesIO(_member(path, archive, POLICY))) as tensors:
                return _tensors(path, tensors), told if isinstance(told, dict) else {}
    except _UNREADABLE as error:
        raise UserError(f"{str(path)!r} is no Stable-Baselines3 policy: {error}.") from None


def _member(path: Path, archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > LARGEST:
        raise UserError(f"{str(path)!r}: {name} is larger than the {LARGEST:,} bytes that are read.")
    return archive.read(name)


def _tensors(path: Path, archive: zipfile.ZipFile) -> dict[str, np.ndarray]:
    pickles = [name for name in archive.namelist() if name.rpartition("/")[2] == "data.pkl"]
    if len(pickles) != 1:
        raise UserError(f"{str(path)!r}: {POLICY} has no data.pkl; it is of another PyTorch than 1.6 or later.")
    root = pickles[0].removesuffix("data.pkl")
    order = f"{root}byteorder"
    if order in archive.namelist() and archive.read(order) != b"little":
        raise UserError(f"{str(path)!r}: {POLICY} was written on a big-endian machine, which is not read.")
    try:
        found = _TensorUnpickler(
            _member(path, archive, pickles[0]), lambda key: _member(path, archive, f"{root}data/{key}")
        )
        named = found.load()
    except UserError as error:
        raise UserError(f"{str(path)!r}: {POLICY} holds more than tensors ({error}), which is not opened.") from None
    except Exception as error:  # a damaged pickle raises whatever its opcodes come to
        raise UserError(f"{str(path)!r}: {POLICY} cannot be read ({type(error).__name__} {error}).") from None
    if not isinstance(named, dict) or not all(isinstance(x, np.ndarray) for x in named.values()):
        raise UserError(f"{str(path)!r}: {POLICY} does not hold tensors by name.")
    return dict(named)


class _TensorUnpickler(pickle.Unpickler):
    """Unpickles tensors by name: four globals, each of which is here a function of ours, or plain."""

    def __init__(self, content: bytes, storage: Any):
        super().__init__(io.BytesIO(content))
        self._storage = storage

    def find_class(self, module_name: str, global_name: str) -> Any:
        """Raises UserError for any other global."""
        allowed = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _tensor,
            ("torch._utils", "_rebuild_parameter"): _parameter,
            ("torch", "FloatStorage"): _FLOATS,
        }
        if (module_name, global_name) not in allowed:
            raise UserError(f"{module_name}.{global_name}")
        return allowed[module_name, global_name]

    def persistent_load(self, pid: Any) -> np.ndarray:
        """The numbers of a storage, ``[n]``."""
        kind, dtype, key, _, count = pid
        if kind != "storage" or dtype != _FLOATS or not str(key).isdecimal():
            raise UserError(f"storage {kind!r} {dtype!r} {key!r}")
        return np.frombuffer(self._storage(key), _FLOATS, count=int(count))


def _tensor(storage: np.ndarray, offset: int, size: tuple, stride: tuple, *_: Any) -> np.ndarray:
    """A tensor over a storage, checked to lie within it."""
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if min((offset, *size, *stride), default=0) < 0 or (math.prod(size) and last >= storage.size):
        raise UserError(f"a tensor {size} beyond its storage of {storage.size}")
    index = np.full(size, offset)
    for axis, (n, step) in enumerate(zip(size, stride, strict=True)):
        index = index + (np.arange(n) * step).reshape([-1 if a == axis else 1 for a in range(len(size))])
    return storage[index].astype(np.float32)


def _parameter(tensor: np.ndarray, *_: Any) -> np.ndarray:
    return tensor
