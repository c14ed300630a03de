"""Where the walkers of a curriculum are over training, and how well they do there: panels of training_plots.FIGURES."""

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm

from mjx_assist.eval.plots.curves import Curves, running_mean, step_unit, together

SHARES, ENDED, PROMOTED = "env/level_share/", "env/level_ended/", "env/level_promoted/"
LEVELS_MAP, SUCCESS_MAP = "viridis_r", "YlGnBu"  # dark is high
BINS = 60  # of the axis of control steps, in each of which episodes are counted


def draw_shares(ax: Axes, runs: Sequence[Curves]) -> None:
    """How the walkers are spread over the levels, stacked from the lowest up; of several runs the mean."""
    unit = step_unit(runs)[0]
    shares = []
    for k in range(_levels(runs)):
        curves = [(run.steps * unit, running_mean(_column(run, f"{SHARES}{k}"))) for run in runs]
        x, y = together(curves)
        shares.append(y.mean(axis=0))
    norm = BoundaryNorm(np.arange(len(shares) + 1) - 0.5, 256)
    colors = matplotlib.colormaps[LEVELS_MAP](norm(np.arange(len(shares))))
    ax.stackplot(x, shares, colors=colors, edgecolor="white", linewidth=0.3)
    ax.set(ylim=(0, 1))
    _bar(ax, ScalarMappable(norm, LEVELS_MAP), ticks=_ticks(len(shares)), label="level")


def draw_success(ax: Axes, runs: Sequence[Curves]) -> None:
    """Of the episodes that ended at a level, the share that lifted their walker; white where none ended."""
    factor = step_unit(runs)[0]
    edges = np.linspace(0, max(run.steps[-1] for run in runs), 1 + min(BINS, max(run.steps.size for run in runs)))
    ended, promoted = (
        np.sum([[_binned(run, f"{name}{k}", edges) for k in range(_levels(runs))] for run in runs], axis=0)
        for name in (ENDED, PROMOTED)
    )
    rate = np.divide(promoted, ended, out=np.full(ended.shape, np.nan), where=ended > 0)
    mesh = ax.pcolormesh(edges * factor, np.arange(_levels(runs) + 1) - 0.5, rate, cmap=SUCCESS_MAP, vmin=0, vmax=1)
    mesh.set_rasterized(True)
    ax.set(yticks=_ticks(_levels(runs)))
    _bar(ax, mesh, ticks=[0, 0.5, 1], label="share")


def _levels(runs: Sequence[Curves]) -> int:
    return max(sum(name.startswith(SHARES) for name in run.columns) for run in runs)


def _column(run: Curves, name: str) -> np.ndarray:
    """A column with 0 where the log has nothing."""
    return np.nan_to_num(run.columns.get(name, np.zeros(run.steps.size)))


def _binned(run: Curves, name: str, edges: np.ndarray) -> np.ndarray:
    """Sums of a column in each bin; the last control step of an update says in which it is."""
    return np.histogram(run.steps, edges, weights=_column(run, name))[0]


def _ticks(levels: int) -> range:
    """About five of the levels."""
    return range(0, levels, -(-levels // 6))


def _bar(ax: Axes, colors: Any, ticks: Sequence[float], label: str) -> None:
    bar = ax.figure.colorbar(colors, ax=ax, ticks=ticks, aspect=25, pad=0.02)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)
    bar.ax.set_title(label, fontsize=7.5, loc="left")
