"""Plain JSON data: what JSON can hold, and a file of it."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from mjx_assist.files.atomic import write_text


def write_json(path: str | Path, content: Any) -> None:
    """Write JSON to a file, whole or not at all (straight into what is not a plain file, such as /dev/stdout).

    Raises:
        UserError: it cannot be written.
    """
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def plain(value: Any) -> Any:
    """The same tree in JSON's own types; numbers that are not finite become None."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value
