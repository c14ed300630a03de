"""Kernels: which compiler there is, what it makes of a source, and the cache of what it made.

An entry's name tells source, flags, compiler and the CPU's features, and it ends in a checksum: one that is half
written, damaged, somebody else's or of another machine is made again and never loaded.
"""

import ctypes
import functools
import hashlib
import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

import jax

from mjx_assist.errors import UserError
from mjx_assist.files.atomic import write_bytes
from mjx_assist.paths import cache_folder
from mjx_assist.processes import python

COMPILER_VARIABLE = "MJX_ASSIST_CC"
_LANGUAGE = ("-x", "c++", "-std=c++17", "-fno-exceptions", "-fno-rtti", "-fPIC", "-shared")
# Sums may be reordered, but what is not a number stays so: a walker that blew up is found by it.
_ARITHMETIC = ("-fno-math-errno", "-fno-trapping-math", "-fassociative-math", "-freciprocal-math", "-fno-signed-zeros")
_DIGEST = hashlib.sha256


class BuildError(UserError):
    """No compiler, or it failed: in a sentence that says what was tried."""


def digest(text: str) -> str:
    """A short name for a text that no other text has."""
    return _DIGEST(text.encode()).hexdigest()[:32]


def compiler() -> list[str] | None:
    """The command of a C++ compiler: `COMPILER_VARIABLE`'s, else ziglang's clang, else the system's; None: none."""
    if own := os.environ.get(COMPILER_VARIABLE):
        return shlex.split(own)
    if importlib.util.find_spec("ziglang"):
        return python("-m", "ziglang", "cc")
    found = next((path for name in ("c++", "g++", "clang++") if (path := shutil.which(name))), None)
    return [found] if found else None


@functools.cache
def cpu() -> tuple[str, frozenset[str]]:
    """The machine's architecture and what its CPU can do, in the system's words."""
    features: set[str] = set()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = (
            line.split(":", 1)
            for line in info.read_text(errors="replace", encoding="utf-8").splitlines()
            if ":" in line
        )
        features = {f for key, value in lines if key.strip() in ("flags", "Features") for f in value.split()}
    return f"{platform.system()} {platform.machine()} {platform.processor()}", frozenset(features)


def lanes(bits: int) -> int:
    """How many walkers fit one vector."""
    features = cpu()[1]
    wide = 512 if {"avx512f", "avx512dq"} <= features else 256 if "avx2" in features else 128
    return wide // bits


def build(source: str, bits: int = 32, folder: Path | None = None) -> ctypes.CDLL:
    """The kernel of a C++ source, loaded; compiled where the cache (``folder``) does not hold it.

    Raises:
        BuildError: there is no compiler, or it refuses.
    """
    command = compiler()
    if command is None:
        raise BuildError(
            f"no C++ compiler: pip install ziglang, or install a system compiler, or set {COMPILER_VARIABLE}."
        )
    options = _options(command, bits)
    told = [source, *command, *options, _version(tuple(command)), cpu()[0], *sorted(cpu()[1]), jax.__version__]
    key = _DIGEST("\0".join(told).encode()).hexdigest()
    path = (folder or cache_folder() / "kernels") / f"{key[:32]}.so"
    if not _whole(path, key):
        content = _compiled(source, [*command, *options])
        write_bytes(path, content + _seal(content, key))
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise BuildError(f"{path} does not load: {error}.") from None


def _options(command: list[str], bits: int) -> list[str]:
    native = "-mcpu=native" if "ziglang" in command or "aarch64" in cpu()[0] else "-march=native"
    vectors = ["-mprefer-vector-width=512"] if lanes(32) == 16 and "ziglang" not in command else []
    width = [f"-DW={lanes(bits)}", *(["-DF64"] if bits == 64 else ["-DXLA_HANDLER", f"-I{jax.ffi.include_dir()}"])]
    return [*_LANGUAGE, "-O2", native, *vectors, *_ARITHMETIC, "-ffp-contract=fast", *width]


@functools.cache
def _version(command: tuple[str, ...]) -> str:
    try:
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise BuildError(f"the compiler {shlex.join(command)!r} does not start: {error}.") from None
    return done.stdout


def _compiled(source: str, command: list[str]) -> bytes:
    with tempfile.TemporaryDirectory() as scratch:
        code, made = Path(scratch, "kernel.cpp"), Path(scratch, "kernel.so")
        code.write_text(source, encoding="utf-8")
        try:
            done = subprocess.run(
                [*command, "-o", str(made), str(code)], capture_output=True, text=True, cwd=scratch, timeout=900
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise BuildError(f"the compiler {shlex.join(command[:4])!r} does not start: {error}.") from None
        if done.returncode or not made.is_file():
            said = next(iter(done.stderr.strip().splitlines()), f"exit code {done.returncode}")
            raise BuildError(f"the compiler {shlex.join(command[:4])!r} failed: {said}")
        return made.read_bytes()


def _seal(content: bytes, key: str) -> bytes:
    return _DIGEST(content + key.encode()).digest()


def _whole(path: Path, key: str) -> bool:
    """Whether the cache's entry is ours, and as it was written."""
    try:
        entry = path.read_bytes()
        own = not hasattr(os, "getuid") or path.stat().st_uid == os.getuid()
    except OSError:
        return False
    size = _DIGEST().digest_size
    return own and len(entry) > size and entry[-size:] == _seal(entry[:-size], key)
