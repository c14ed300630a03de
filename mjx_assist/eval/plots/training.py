"""Curves of training, from the logs of one run or of several with their mean and spread. No JAX.

What is measured, in which unit and beside what, is the table `FIGURES`; everything below it draws.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from mjx_assist.config.rewards import RewardWeights
from mjx_assist.errors import UserError
from mjx_assist.eval.plots import curriculum
from mjx_assist.eval.plots.curves import Curves, finite, load, running_mean, step_unit, together
from mjx_assist.eval.plots.style import FAINT, INK, STYLE, png
from mjx_assist.files.atomic import write_bytes
from mjx_assist.myoassist import train_log
from mjx_assist.paths import EVALUATION_LOG, TRAIN_LOG

PLOTS = "plots"  # a run's own folder for them
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # Okabe & Ito
COLUMNS = 3


@dataclass(frozen=True)
class Panel:
    """One set of axes: the log's columns that ``keys`` (a name or a pattern) names, times ``scale``.

    ``draw(axes, runs)`` takes the place of curves.
    """

    keys: str
    title: str
    unit: str
    scale: float = 1.0
    log: bool = False
    lowest: float | None = None
    highest: float | None = None
    draw: Callable[[Axes, Sequence[Curves]], None] | None = None


_TERMS = tuple(
    Panel(f"env/{name}", name.removesuffix("_rewards").replace("_", " "), "reward per control step")
    for name in RewardWeights().terms
)
# Figure -> its log and panels.
FIGURES: dict[str, tuple[str, tuple[Panel, ...]]] = {
    "learning": (
        TRAIN_LOG,
        (
            Panel("reward", "Reward", "per control step"),
            Panel("episode_length", "Episode length", "control steps", lowest=0.0),
            Panel("episode_return", "Return", "reward per episode"),
            Panel("env/tracking_error", "Distance from the reference gait", "RMS, imitated joints (deg)", 180 / np.pi),
            Panel("env/velocity_error", "Distance from the speed asked", "mean (m/s)"),
            Panel("explained_variance", "Explained variance", "of returns by the critic", lowest=-0.25, highest=1.0),
        ),
    ),
    "reward_terms": (TRAIN_LOG, (*_TERMS, Panel("env/*:*", "Terms of your own", "reward per control step"))),
    "optimisation": (
        TRAIN_LOG,
        (
            Panel("kl/*", "KL divergence of an update", "nats, by head", lowest=0.0),
            Panel("learning_rate", "Learning rate", "Adam's step size", log=True),
            Panel("entropy", "Entropy of the policy", "nats"),
            Panel("clip_fraction", "Clipped samples", "share", lowest=0.0),
            Panel("value_loss", "Value loss", "mean squared error", log=True),
            Panel("grad_norm", "Gradient", "norm before clipping", log=True),
        ),
    ),
    "curriculum": (
        TRAIN_LOG,
        (
            Panel("env/level", "Level", "mean of the walkers", lowest=0.0),
            Panel("env/level_share/*", "Walkers at each level", "share", draw=curriculum.draw_shares),
            Panel("env/level_ended/*", "Success by level", "level", draw=curriculum.draw_success),
            Panel("env/curriculum/*_target_velocity", "Range of commanded speeds", "m/s"),
            Panel("env/curriculum/*_heading_rate", "Range of commanded turns", "rad/s"),
            Panel("env/curriculum/terrain_amplitude", "Height of the terrain", "share", lowest=0.0),
            Panel("env/curriculum/randomization.*", "Randomization", "share of the range", lowest=0.0),
            Panel("env/curriculum/device_torque_limit", "Torque of the device", "share", lowest=0.0),
            Panel("env/curriculum/reward_keys_and_weights.*", "Weights of the reward", "or factor on the weights"),
            Panel("env/curriculum/out_of_trajectory_threshold", "Largest distance from the reference", "rad or m"),
            Panel("env/curriculum/safe_height", "Lowest pelvis", "m"),
        ),
    ),
    "speed": (
        TRAIN_LOG,
        (
            Panel("steps_per_s", "Speed of training", "control steps/s", lowest=0.0),
            Panel("wall_s", "Time", "minutes", 1 / 60, lowest=0.0),
            Panel("env/not_finite", "Non-finite resets", "per million control steps", 1e6, lowest=0.0),
        ),
    ),
    "evaluation": (
        EVALUATION_LOG,
        (
            Panel("walking_time_s", "Walking time", "s per episode", lowest=0.0),
            Panel("correlation/*", "Correlation with the reference gait", "Pearson's r", lowest=-1.0, highest=1.0),
            Panel("rmse_deg/*", "Distance from the reference gait", "RMSE (deg)", lowest=0.0),
            Panel("speed_m_s", "Walking speed", "m/s", lowest=0.0),
            Panel("distance_m", "Distance walked", "m per episode", lowest=0.0),
            Panel("falls", "Falls", "episodes", lowest=0.0),
        ),
    ),
}


def runs_in(path: str | Path) -> list[Path]:
    """The run at ``path``, or the runs in that folder (``--seeds`` makes such a one).

    Raises:
        UserError: there is none.
    """
    path = Path(path)
    if (path / TRAIN_LOG).is_file() or train_log.find(path):
        return [path]
    runs = sorted({log.parent for name in (TRAIN_LOG, train_log.NAME) for log in path.glob(f"*/{name}")})
    if not runs:
        raise UserError(f"{str(path)!r} is not a training run, nor a folder of runs: there is no {TRAIN_LOG}.")
    return runs


def draw(runs: Sequence[Path], out: Path, title: str = "") -> list[Path]:
    """Write a PNG for each of `FIGURES` that the runs have something for into ``out``; returns them.

    Raises:
        UserError: a picture cannot be written.
    """
    pictures = []
    for name, (log, panels) in FIGURES.items():
        curves = [made for run in runs if (made := load(run, log))]
        figure = draw_figure(curves, panels, title or _heading(curves)) if curves else None
        if figure is not None:
            pictures.append(out / f"{name}.png")
            write_bytes(pictures[-1], png(figure))
    return pictures


def draw_figure(runs: Sequence[Curves], panels: Sequence[Panel], title: str) -> Figure | None:
    """The panels for which a run has numbers, up to three in a row; None if there are none."""
    shown = [panel for panel in panels if any(_names(runs, panel))]
    if not shown:
        return None
    columns = min(COLUMNS, len(shown)) if len(shown) != 4 else 2
    lines = -(-len(shown) // columns)
    with matplotlib.rc_context(STYLE):
        figure = Figure(
            figsize=(4.6 * columns, 2.9 * lines + 0.5), layout=ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08)
        )
        axes = list(figure.subplots(lines, columns, squeeze=False).flat)
        for panel, ax in zip(shown, axes, strict=False):
            draw_panel(ax, runs, panel)
        for i, ax in enumerate(axes):
            ax.set_visible(i < len(shown))
            if i % columns and len({panel.unit for panel in shown}) == 1:
                ax.set_ylabel("")
            if i + columns >= len(shown) and i < len(shown):
                ax.set_xlabel(f"control steps ({step_unit(runs)[1]})")
        figure.suptitle(title, x=0.008, ha="left", fontsize=11, fontweight="bold")
        if len(runs) > 1:
            handles = {h.get_label(): h for ax in axes for h in ax.lines if h.get_label() in {r.name for r in runs}}
            handles |= {"mean ± 1 SD": axes[0].plot([], [], color=INK, lw=2)[0]}
            figure.legend(
                handles.values(), handles.keys(), loc="outside lower left", ncols=min(6, len(handles)), fontsize=8
            )
        return figure


def draw_panel(ax: Axes, runs: Sequence[Curves], panel: Panel) -> None:
    """One panel: the curve of each run; of several columns each has its colour, of one column each run."""
    ax.set(title=panel.title, ylabel=panel.unit)
    ax.set_xlim(0, 1.02 * step_unit(runs)[0] * max(run.steps[-1] for run in runs))
    if panel.draw:
        panel.draw(ax, [run for run in runs if _names([run], panel)])
        return
    names = _names(runs, panel)
    for color, name in zip(_colours(len(names)), names, strict=True):
        label = _label(name) if len(names) > 1 or "*" in panel.keys else None
        known = [(run, run.columns[name] * panel.scale) for run in runs if name in run.columns]
        if len(runs) == 1:
            _one_run(ax, *known[0], color, label)
        else:
            _many_runs(ax, known, runs, INK if label is None else color, label)
    if panel.log and all((run.columns[name] > 0).any() for run in runs for name in names if name in run.columns):
        ax.set_yscale("log")
    elif panel.lowest is not None or panel.highest is not None:
        _limit(ax, panel)
    if panel.keys == "kl/*" and runs[0].target_kl:
        ax.axhline(runs[0].target_kl, color=INK, lw=0.9, ls=":", label="target of all heads")
    ax.grid(axis="y", color=FAINT, lw=0.5, alpha=0.7)
    if ax.get_legend_handles_labels()[1] and "*" in panel.keys:
        ax.legend(loc="best")


def _one_run(ax: Axes, run: Curves, values: np.ndarray, color: str, label: str | None) -> None:
    """Every update faint, their running mean bold, its last value at the title's right."""
    x, y = finite(run.steps * step_unit([run])[0], values)
    smooth = running_mean(y)
    if smooth is not y:
        ax.plot(x, y, color=color, lw=0.5, alpha=0.35)
    ax.plot(x, smooth, color=color, label=label, marker="o" if x.size <= 30 else None, ms=3)
    if label is None and x.size:
        ax.set_title(f"{smooth[-1]:,.4g}", loc="right", fontsize=8, color="#5F6368")


def _many_runs(ax: Axes, known: list, runs: Sequence[Curves], color: str, label: str | None) -> None:
    """Mean and standard deviation where all runs have values; a panel of one column has a thin line per run too."""
    unit = step_unit(runs)[0]
    curves = [finite(run.steps * unit, values) for run, values in known]
    curves = [(x, running_mean(y)) for x, y in curves]
    if label is None:
        for (run, _), (x, y) in zip(known, curves, strict=True):
            number = [other.name for other in runs].index(run.name)
            ax.plot(x, y, color=PALETTE[number % len(PALETTE)], lw=0.8, alpha=0.8, label=run.name)
    curves = [(x, y) for x, y in curves if x.size]
    if len(curves) < 2:
        return
    grid, values = together(curves)
    mean, sd = values.mean(axis=0), values.std(axis=0, ddof=1)
    ax.fill_between(grid, mean - sd, mean + sd, color=color, alpha=0.18, lw=0)
    ax.plot(grid, mean, color=color, lw=2, label=label)
    if label is None:
        ax.set_title(_spread(mean[-1], sd[-1]), loc="right", fontsize=8, color="#5F6368")


def _limit(ax: Axes, panel: Panel) -> None:
    """Keep the panel's bounds in sight: nothing is shown beyond ``lowest``, and ``highest`` is where it can end."""
    low, high = ax.get_ylim()
    if panel.lowest is not None:
        low = max(low, panel.lowest) if panel.highest is not None else panel.lowest
    if panel.highest is not None:
        high = panel.highest + 0.03 * (panel.highest - low)
    ax.set_ylim(low, max(high, low + 1e-9))


def _names(runs: Sequence[Curves], panel: Panel) -> list[str]:
    """Columns of a panel that hold numbers."""
    return list(
        dict.fromkeys(
            name
            for run in runs
            for name, values in run.columns.items()
            if _named(panel.keys, name) and np.isfinite(values).any()
        )
    )


def _named(keys: str, name: str) -> bool:
    """Whether the pattern names the column; its ``*`` is within one part of the name, between slashes."""
    return fnmatchcase(name, keys) and name.count("/") == keys.count("/")


def _label(name: str) -> str:
    return name.replace(".", "/").rpartition("/")[2].replace("_", " ")


def _colours(count: int) -> list[str]:
    return [PALETTE[i % len(PALETTE)] for i in range(count)]


def _heading(runs: Sequence[Curves]) -> str:
    if len(runs) > 1:
        return f"{len(runs)} runs"
    return f"{runs[0].name}: {runs[0].steps[-1]:,.0f} control steps"


def _spread(mean: float, sd: float) -> str:
    """Mean and standard deviation to two digits of the latter."""
    if sd == 0:
        return f"{mean:,.4g}"
    places = max(0, 1 - math.floor(math.log10(sd)))
    return f"{mean:,.{places}f} ± {sd:,.{places}f}"
