"""Columns of a run's logs as arrays, smoothed, averaged over runs, and their axis of control steps. No drawing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mjx_assist import config as configs
from mjx_assist.config.schema import PPOParams
from mjx_assist.files.logs import read_rows
from mjx_assist.myoassist import train_log
from mjx_assist.paths import SESSION_CONFIG, TRAIN_LOG

SMOOTH = 0.02  # of a curve: the window of its running mean
GRID = 400  # points where runs are averaged
EPISODE_MEANS = ("episode_length", "episode_return")  # not known in an update in which no episode ended


@dataclass(frozen=True)
class Curves:
    """One log of one run: columns ``[rows]`` by name, with NaN where a row has none."""

    name: str
    columns: dict[str, np.ndarray]
    target_kl: float

    @property
    def steps(self) -> np.ndarray:
        return self.columns["control_steps"]


def load(run: Path, log: str) -> Curves | None:
    """A log's numbers, also of a session of MyoAssist's; None for a log without rows."""
    theirs = train_log.find(run) if log == TRAIN_LOG else None
    rows = train_log.rows(theirs) if theirs else read_rows(run / log, keys=("control_steps",))
    if not rows:
        return None
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: np.array([_number(row.get(name)) for row in rows]) for name in names}
    for name in EPISODE_MEANS:
        if name in columns and "episodes" in columns:
            columns[name] = np.where(columns["episodes"] > 0, columns[name], np.nan)
    config = run / SESSION_CONFIG
    ours = config.is_file() and not theirs
    ppo = configs.load(config).ppo_params if ours else PPOParams(target_kl=0.0)
    return Curves(run.name, columns, ppo.target_kl)


def finite(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The points that are numbers."""
    numbers = np.isfinite(y)
    return x[numbers], y[numbers]


def running_mean(y: np.ndarray) -> np.ndarray:
    """Over a window of ``SMOOTH`` of the curve around each point (less at its ends); a short curve as it is."""
    if y.size < 1 / SMOOTH:
        return y
    half = max(1, round(0.5 * SMOOTH * y.size))
    total = np.concatenate([[0.0], np.cumsum(y)])
    index = np.arange(y.size)
    start, end = np.maximum(index - half, 0), np.minimum(index + half + 1, y.size)
    return (total[end] - total[start]) / (end - start)


def together(curves: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Points ``[GRID]`` where all curves (x, y) have values, and their values ``[curves, GRID]`` there."""
    grid = np.linspace(max(x[0] for x, _ in curves), min(x[-1] for x, _ in curves), GRID)
    return grid, np.array([np.interp(grid, x, y) for x, y in curves])


def step_unit(runs: Sequence[Curves]) -> tuple[float, str]:
    """Of the axis of control steps: factor and name."""
    longest = max(run.steps[-1] for run in runs)
    return (1e-6, "millions") if longest >= 2e5 else (1e-3, "thousands")


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else np.nan
