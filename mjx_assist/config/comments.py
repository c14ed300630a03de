"""Comments in a user's JSON: keys that begin with ``//``, in any group, and an editor's ``$schema``. They say nothing
to the program, and what it writes itself has none."""

from pathlib import Path
from typing import Any

from mjx_assist.errors import UserError
from mjx_assist.files import untrusted

COMMENT, SCHEMA_KEY = "//", "$schema"


def without_comments(node: Any) -> Any:
    """Plain JSON data without the keys that are comments."""
    if isinstance(node, dict):
        return {key: without_comments(value) for key, value in node.items() if not is_comment(key)}
    return [without_comments(value) for value in node] if isinstance(node, list) else node


def is_comment(key: str) -> bool:
    """Whether a key is one."""
    return key.startswith(COMMENT) or key == SCHEMA_KEY


def read_json(path: Path, what: str) -> dict:
    """The object in a user's JSON file, without its comments; `UserError` where there is none."""
    if not path.is_file():
        raise UserError(f"{what} {str(path)!r} does not exist.")
    tree = without_comments(untrusted.read_json(path, f"{what} {str(path)!r}"))
    if not isinstance(tree, dict):
        raise UserError(f"{what} {str(path)!r} must hold one JSON object.")
    return tree
