"""Logs of JSON lines, which a killed run or a full disk may have left half written."""

import json
import logging
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mjx_assist.files.untrusted import parse_json, read_bytes

log = logging.getLogger(__name__)


def read_rows(path: Path, until: int | None = None, keys: Sequence[str] = ()) -> list[dict]:
    """Rows of a log, up to an update; none where there is no file. All have numbers under ``keys``.

    What is no such row (half a line, garbage, two lines in one) is left out, and that is said.

    Raises:
        UserError: it is no plain file, or cannot be read.
    """
    if not path.exists():
        return []
    lines = read_bytes(path, f"log {str(path)!r}").decode("utf-8", errors="replace").splitlines()
    rows = [row for line in lines if line.strip() for row in [_row(line, keys)]]
    damaged = [number for number, row in enumerate(rows, 1) if row is None]
    if damaged and damaged != [len(rows)]:  # a last line was being written when a run was killed
        log.warning("%s: %d lines cannot be read and are left out, first line %d", path, len(damaged), damaged[0])
    whole = [row for row in rows if row is not None]
    return [row for row in whole if until is None or row.get("update", math.inf) <= until]


def append_row(path: Path, row: dict) -> None:
    """Add a row in one write, on a line of its own also after one that was cut short. Raises ``OSError``."""
    with open(path, "ab+") as file:
        begun = file.tell() > 0 and _last_byte(path) != b"\n"
        line = (b"\n" if begun else b"") + json.dumps(row).encode() + b"\n"
        file.flush()
        size = file.tell()
        try:
            if os.write(file.fileno(), line) < len(line):
                raise OSError(28, os.strerror(28), str(path))
        except OSError:
            os.truncate(path, size)
            raise


def _last_byte(path: Path) -> bytes:
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1)


def _row(line: str, keys: Sequence[str]) -> dict[str, Any] | None:
    """The row of a line; None for anything but an object of numbers (or null) with its control steps."""
    try:
        row = parse_json(line)
    except ValueError:
        return None
    if not isinstance(row, dict) or not all(_is_figure(value) for value in row.values()):
        return None
    if any(row.get(key) is None for key in keys):
        return None
    return row if any(isinstance(row.get(key), int | float) for key in ("update", "control_steps")) else None


def _is_figure(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float)
