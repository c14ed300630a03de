"""A user's JSON file as plain data, without its comments: keys that begin with ``//``, and an editor's ``$schema``."""

import json
from pathlib import Path
from typing import Any

from mjx_assist.errors import UserError

COMMENT, SCHEMA_KEY = "//", "$schema"


def read_json(path: str | Path, what: str) -> Any:
    """What the file says. ``what`` names it in an error, such as "study file".

    Raises:
        UserError: it cannot be read, or is not JSON.
    """
    return without_comments(commented(path, what))


def commented(path: str | Path, what: str) -> Any:
    """The same with its comments."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UserError(f"{what} {str(path)!r}: cannot be read ({error.strerror or error}).") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{what} {str(path)!r} is not JSON: {error}.") from None


def without_comments(node: Any) -> Any:
    """Plain JSON data without the keys that are comments."""
    if isinstance(node, dict):
        return {
            key: without_comments(value)
            for key, value in node.items()
            if not key.startswith(COMMENT) and key != SCHEMA_KEY
        }
    return [without_comments(value) for value in node] if isinstance(node, list) else node
