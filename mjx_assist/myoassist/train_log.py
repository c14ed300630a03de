"""The log of a session of MyoAssist's, ``train_log.json``, as rows of ours.

Its sums of single reward terms are left out: they count what a rollout had paid so far once for each episode that ends,
so they are no reward of an episode, nor of a step."""

import math
from datetime import datetime
from pathlib import Path
from typing import Any

from mjx_assist.errors import UserError
from mjx_assist.files.untrusted import read_json

NAME = "train_log.json"
# Theirs -> ours, and the factor between; known once there was an update.
_OF_UPDATES = {
    "learning_rate": ("learning_rate", 1.0),
    "approx_kl": ("kl/all", 1.0),
    "entropy_loss": ("entropy", -1.0),
    "clip_fraction": ("clip_fraction", 1.0),
    "value_loss": ("value_loss", 1.0),
    "explained_variance": ("explained_variance", 1.0),
}
_TIME = "%Y%m%d-%H%M%S.%f"


def find(session: Path) -> Path | None:
    """The log of a session's folder, if it has one."""
    path = session / NAME
    return path if path.is_file() else None


def rows(path: Path) -> list[dict[str, float | None]]:
    """A row for each of the log's, in our columns; what is not known there is None.

    ``reward`` is a control step's: an episode's over its length, since the log has no other.

    Raises:
        UserError: it is no such log, or cannot be read.
    """
    what = f"log {str(path)!r}"
    try:
        theirs = read_json(path, what)["log_datas"]
        made = [_row(row) for row in theirs]
        counts = [float(row["num_timesteps"]) for row in theirs]
        times = [datetime.strptime(row["time"], _TIME).timestamp() for row in theirs]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{what}: is not MyoAssist's: {type(error).__name__}, {error}.") from None
    for i, row in enumerate(made):
        row["wall_s"] = times[i] - times[0]
        steps, seconds = (several[i] - several[max(0, i - 1)] for several in (counts, times))
        row["steps_per_s"] = steps / seconds if seconds else None
    return made


def _row(row: dict[str, Any]) -> dict[str, float | None]:
    length, earned = float(row["average_num_timestep"]), float(row["average_reward_per_episode"])
    ended, updated = length > 0, row["n_updates"] >= 0
    made: dict[str, float | None] = {
        "control_steps": float(row["num_timesteps"]),
        "episode_length": length if ended else None,
        "episode_return": earned if ended else None,
        "reward": earned / length if ended else None,
    }
    for key, (ours, factor) in _OF_UPDATES.items():
        value = factor * float(row[key])
        made[ours] = value if updated and math.isfinite(value) else None
    return made
