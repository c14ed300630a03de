"""Where things lie: the shipped data, the user's cache, and the names of a run's files."""

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
    """The user's folder for what can be made again: built models, compiled programs."""
    return Path(platformdirs.user_cache_dir("mjx-assist", appauthor=False))
