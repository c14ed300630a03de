"""Is a file one of MyoAssist's, and what it is in our words."""

from pathlib import Path
from typing import Any

from mjx_assist.config.comments import read_json
from mjx_assist.errors import UserError, note
from mjx_assist.myoassist import vocabulary as words
from mjx_assist.myoassist.task import as_task, only_a_task
from mjx_assist.myoassist.translation import Overrides, Translation, translate


def recognised(tree: dict[str, Any]) -> bool:
    """Whether plain data is a config of MyoAssist's: it has keys that only those have."""
    groups = [(tree, words.MARKS[""]), (tree, words.MARKS["env_params"])]
    groups += [(tree.get(name), words.MARKS[name]) for name in words.GROUPS]
    return only_a_task(tree) or any(key in group for group, keys in groups if isinstance(group, dict) for key in keys)


def load(path: str | Path, overrides: Overrides = (), task_alone: bool = False) -> Translation | None:
    """The translation of a file, with keys of theirs or ours changed; of its task alone; None for other files.

    Raises:
        UserError: it cannot be read.
    """
    path = Path(path)
    tree = read_json(path, "config file")
    if not recognised(tree):
        return None
    if only_a_task(tree) and not task_alone:
        note(f"{path}: names a human, a device and a terrain alone; all else is as ours (--as-mjx).")
    try:
        return as_task(tree, overrides, path) if task_alone or only_a_task(tree) else translate(tree, overrides, path)
    except (TypeError, KeyError, ValueError, AttributeError, IndexError) as error:  # values of another kind than theirs
        raise UserError(
            f"config file {str(path)!r} is MyoAssist's, but a value in it is not of the kind that MyoAssist has there: "
            f"{type(error).__name__}, {error}."
        ) from None
