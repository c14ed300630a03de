"""Plain JSON data: what JSON can hold, and a file of it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mjx_assist.files.atomic import write_text

_NUMBERS = re.compile(r"\[\n([-+.\w,\s]*?)\n\s*\]")  # a text has neither quotes around it here nor lines in it


def write_json(path: str | Path, content: Any) -> None:
    """Write JSON to a file, whole or not at all (straight into what is not a plain file, such as /dev/stdout).

    Raises:
        UserError: it cannot be written.
    """
    write_text(path, json_text(content))


def json_text(content: Any, default: Callable[[Any], Any] | None = None) -> str:
    """JSON with an entry a line, a list of numbers in one; ``default``: what becomes of what JSON does not know."""
    text = json.dumps(content, indent=1, default=default, allow_nan=False)
    return _NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text) + "\n"


def plain(value: Any) -> Any:
    """The same tree in JSON's own types; numbers that are not finite become None."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value
