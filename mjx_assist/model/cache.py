"""Reduced models kept on disk, so that a composition is built once on a machine: MJCF text and couplings, as JSON.

Keyed by whatever shapes a model: versions, the code that builds it, the recipe, a user's file with all it includes.
"""

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mjx_assist.errors import UserError
from mjx_assist.files.atomic import write_text
from mjx_assist.paths import cache_folder

FOLDER_VARIABLE = "MJX_ASSIST_CACHE"
_LIBRARIES = ("mujoco", "assist_sim", "myo_sim", "numpy", "scipy")
_FOLDERS = ("model", "terrain")  # of the package: where all that shapes a model lies, which a test compares
_CODE = tuple(  # as this process runs it
    file.read_bytes() for name in _FOLDERS for file in sorted((Path(__file__).parents[1] / name).rglob("*.py"))
)


def folder() -> Path:
    """Where built models are kept: ``$MJX_ASSIST_CACHE``, or ``models`` in the user's cache folder."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen)
    return cache_folder() / "models"


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
        checksum, _, text = path.read_text(encoding="utf-8").partition("\n")
    except (OSError, UnicodeDecodeError):
        return None
    return json.loads(text) if checksum == _checksum(text) else None


def _write(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content)
    with contextlib.suppress(UserError):
        write_text(path, f"{_checksum(text)}\n{text}")


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
