"""Reduced models kept on disk, so that a composition is built once on a machine: MJCF text and couplings, as JSON.

Keyed by whatever shapes a model: versions, this package's code, the recipe, and a user's file with all it includes.
"""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

FOLDER_VARIABLE = "MJX_ASSIST_CACHE"
_LIBRARIES = ("mujoco", "assist_sim", "myo_sim", "numpy", "scipy")
_MODULES = (  # of this folder: all that sim/reduction.py imports, which a test compares
    *("assembly", "build_cache", "convergence", "coupling", "dynamics_fidelity", "fidelity", "folding", "foot_balance"),
    *("foot_contact", "foot_fidelity", "foot_load", "foot_shape", "inertia", "linear_program", "loops", "mjcf"),
    *("muscle_paths", "own_model", "path_fit", "path_samples", "reduction", "roots", "skeleton", "sole"),
    *("sphere_fit", "terrain", "terrain_kinds", "verdicts"),
)
_CODE = tuple((Path(__file__).parent / f"{module}.py").read_bytes() for module in _MODULES)  # as this process runs it


def folder() -> Path:
    """Where built models are kept: ``$MJX_ASSIST_CACHE``, or ``mjx-assist/models`` in the user's cache folder."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mjx-assist" / "models"


def key(*parts: bytes) -> str:
    """A name for what is built from ``parts`` with the installed libraries and this code, 20 hex digits."""
    digest = hashlib.sha256()
    versions = [f"{library} {version(library)}".encode() for library in _LIBRARIES]
    for part in (*versions, *_CODE, *parts):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()[:20]


def fetch(name: str, key: str, build: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The JSON-able content kept under ``key``, or a fresh ``build()``, which is kept.

    A damaged entry is built again. Two processes may build the same one: each replaces the file as a whole. Where
    nothing can be written, nothing is kept.
    """
    path = folder() / f"{re.sub(r'[^A-Za-z0-9_-]+', '-', name)}-{key}.json"
    kept = _read(path)
    if kept is not None:
        return kept
    content = build()
    _write(path, content)
    return content


def _read(path: Path) -> dict[str, Any] | None:
    try:
        checksum, _, text = path.read_text().partition("\n")
    except (OSError, UnicodeDecodeError):
        return None
    return json.loads(text) if checksum == _checksum(text) else None


def _write(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
    except OSError:
        return
    try:
        with os.fdopen(handle, "w") as file:
            file.write(f"{_checksum(text)}\n{text}")
        os.replace(part, path)
    except OSError:
        Path(part).unlink(missing_ok=True)


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
