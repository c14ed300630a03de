"""Where things lie: the shipped data, the user's cache, and the names of a run's files."""

import tempfile
from functools import cache
from pathlib import Path

import platformdirs

SESSION_CONFIG = "session_config.json"  # MyoAssist's is called so too
TRAIN_LOG, EVALUATION_LOG = "train_log.jsonl", "evaluation_log.jsonl"
CHECKPOINTS, POLICY_FOLDER, BEST, LOCK = "checkpoints", "policy", "best", ".lock"
_PACKAGE = Path(__file__).resolve().parent


def data_path(*parts: str) -> Path:
    """Path of a shipped file, e.g. ``data_path("configs", "walk22_exo.json")``; it need not exist.

    It lies beside the package in a checkout, inside it in a wheel.
    """
    inside = _PACKAGE / "_data"
    return (inside if inside.is_dir() else _PACKAGE.parent).joinpath(*parts)


def cache_folder() -> Path:
    """The user's folder for what can be made again: built models, compiled programs.

    A user without a home has one until the program ends.
    """
    chosen = Path(platformdirs.user_cache_dir("mjx-assist", appauthor=False))
    return chosen if chosen.is_absolute() else Path(_until_the_end().name)


@cache
def _until_the_end() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="mjx-assist-")


def expanded(path: str | Path) -> Path:
    """A path with ``~`` filled in; as it is where the user has no home."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)
