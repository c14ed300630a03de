"""Panels of the feet on the ground, and of how alike strides and legs are: force, centre of pressure, symmetry."""

import numpy as np
from matplotlib.axes import Axes

from mjx_assist.eval.gait import cycles, events, metrics
from mjx_assist.eval.gait.stride_curves import HEEL_HEIGHT, PRESSURE, PRESSURE_OUTWARD
from mjx_assist.eval.plots.curves import finite, running_mean
from mjx_assist.eval.plots.style import (
    COLORS,
    DASHES,
    FAINT,
    FOURTH,
    HEALTHY,
    INK,
    MARKERS,
    SOFT,
    THIRD,
    both_legs,
    corner,
    cycle_axis,
    healthy,
    say,
)
from mjx_assist.eval.replay.record import SIDES, GaitRecord

SYMMETRY_BARS = {
    "stance_percent": "stance time",
    "step_time_s": "step time",
    "step_length_m": "step length",
    "grf_peak_bw": "peak force",
}
_OTHER_AXIS = 0.5  # inches that an axis at the right takes
ALIKE_PERCENT = 12.0  # symmetry index up to which legs count as alike; see report/verdict/rules.py for the source


def force_panel(ax: Axes, gait, quantity: str) -> None:
    """Vertical or fore-aft ground reaction over the healthy band, body weights."""
    vertical = quantity == "grf_vertical"
    healthy(ax, gait.band, quantity, gait.metrics)
    both_legs(ax, gait.curve(f"{quantity}_bw"), gait.metrics)
    title = "Vertical ground reaction" if vertical else "Fore-aft ground reaction"
    cycle_axis(ax, title, "force (BW)" if vertical else "forward force (BW)")
    peak = gait.metrics["both"]["grf_peak_bw"]
    if vertical and peak is not None:
        ax.text(0.98, 0.97, f"peak {peak:.2f} BW", transform=ax.transAxes, ha="right", va="top", fontsize=7, color=SOFT)


def pressure_panel(ax: Axes, gait) -> None:
    """Path of the centre of pressure along the ground, from where the flat foot's heel stands: over the cycle, or from
    above where legs can swing sideways."""
    forward = gait.curve(PRESSURE)
    if PRESSURE_OUTWARD not in gait.curves:
        both_legs(ax, forward, gait.metrics)
        cycle_axis(ax, "Centre of pressure", "ahead of the heel (cm)")
        return
    sideways = gait.curve(PRESSURE_OUTWARD)
    for foot, side in enumerate(SIDES):
        path = sideways["mean"][:, foot], forward["mean"][:, foot]
        ax.plot(*path, color=COLORS[side], ls=DASHES[side])
    ax.set(title="Centre of pressure", xlabel="to the foot's outside (cm)", ylabel="ahead of the heel (cm)")


def clearance_panel(ax: Axes, gait) -> None:
    """Height of the heel body's origin above its lowest point, cm."""
    both_legs(ax, gait.curve(HEEL_HEIGHT), gait.metrics)
    cycle_axis(ax, "Foot clearance", "heel height (cm)")


def symmetry_panel(ax: Axes, gait) -> None:
    """Symmetry indexes, %, with what counts as alike shaded."""
    index = gait.metrics["symmetry"]["index_percent"]
    values = [index.get(key) for key in SYMMETRY_BARS]
    if all(value is None for value in values):
        say(ax, "needs strides of both legs")
        ax.set(title="Left-right symmetry", xticks=[], yticks=[])
        return
    told = gait.metrics.get("one_sided") or {}  # nobody asks such a body to be symmetric
    if not told:
        ax.axvspan(-ALIKE_PERCENT, ALIKE_PERCENT, color=HEALTHY, alpha=0.25, lw=0)
    ax.axvline(0, color=INK, lw=0.8)
    sizes = [0 if value is None else value for value in values]
    colors = [COLORS["right" if size > 0 else "left"] for size in sizes]
    bars = ax.barh(range(len(sizes)), sizes, 0.45, color=colors)
    texts = ["not available" if value is None else f"{value:+.1f} %" for value in values]
    ax.bar_label(bars, texts, fontsize=7, color=SOFT, padding=3)
    reach = max(2 * ALIKE_PERCENT, 1.4 * max(abs(size) for size in sizes))
    left, right = ("left", "right") if not told else (_of_side(told, "left"), _of_side(told, "right"))
    title = "Left-right differences" if told else "Left-right symmetry"
    ax.set(title=title, xlim=(-reach, reach), xlabel=f"← {left}   larger (%)   {right} →")
    for i, name in enumerate(SYMMETRY_BARS.values()):
        ax.text(-0.97 * reach, i - 0.42, name, va="center", fontsize=7)
    ax.set(yticks=[], ylim=(len(sizes) - 0.5, -0.8))


def _of_side(told: dict, side: str) -> str:
    """ "prosthetic" or "sound"."""
    return "prosthetic" if told["prosthetic_side"] == side else "sound"


def stride_panel(ax: Axes, gait) -> None:
    """Every stride's duration against when it began: drift and variability of both legs."""
    title = "Stride to stride"
    durations = []
    for record in gait.records:
        for stride in events.strides(record):
            start, duration = record.time[stride.start], record.time[stride.end] - record.time[stride.start]
            durations.append(duration)
            style = {"ms": 2.6, "mew": 0, "alpha": 0.75, "ls": "none"}
            ax.plot(start, duration, MARKERS[stride.side], color=COLORS[stride.side], **style)
    if not durations:
        say(ax, "no complete stride")
    else:
        mean, sd = float(np.mean(durations)), float(np.std(durations, ddof=min(1, len(durations) - 1)))
        ax.axhspan(mean - sd, mean + sd, color=FAINT, alpha=0.4, lw=0, zorder=0)
        corner(ax, f"CV {100 * sd / mean:.1f} %")
        ax.set_ylim(min(*durations, 0.9 * mean), max(*durations, 1.1 * mean))
    ax.set(title=title, xlabel="time (s)", ylabel="stride time (s)")


def figure_panel(ax: Axes, gait, metric: metrics.StrideMetric) -> None:
    """A figure of every stride against when the stride began, with each leg's mean and SD."""
    told = []
    for side in SIDES:
        start, values = np.concatenate([_over_time(record, metric.name, side) for record in gait.records], axis=1)
        if not values.size:
            continue
        mean, sd, color = values.mean(), values.std(ddof=min(1, values.size - 1)), COLORS[side]
        ax.axhspan(mean - sd, mean + sd, color=color, alpha=0.13, lw=0, zorder=0)
        ax.axhline(mean, color=color, ls=DASHES[side], lw=0.9)
        ax.plot(start, values, MARKERS[side], color=color, ms=2.6, mew=0, alpha=0.75, ls="none")
        told.append(f"{side} {mean:.3g} ± {sd:.2g}")
    if told:
        corner(ax, "\n".join(told))
    else:
        say(ax, "no complete stride")
    ax.set(title=metric.title, xlabel="time (s)", ylabel=metric.unit)


def _over_time(record: GaitRecord, figure: str, side: str) -> np.ndarray:
    """[2, n] s when each of a leg's strides began, and its figure; those that have it."""
    values = metrics.figures(record).get(figure)
    strides = [] if values is None else zip(events.strides(record), values, strict=True)
    pairs = [(record.time[s.start], value) for s, value in strides if s.side == side and np.isfinite(value)]
    return np.array(pairs, float).reshape(-1, 2).T


def speed_panel(ax: Axes, gait) -> None:
    """Forward pelvis speed of every episode, averaged over a second; the first one bold, with what was asked."""
    for record in reversed(gait.records):
        speed = cycles.joint_series(record, record.qvel, "pelvis_tx")[:, 0]
        bold = record is gait.first
        if bold:
            ax.plot(record.time, speed, color=FAINT, lw=0.5)
            ax.plot(record.time, record.target_velocity, color=INK, lw=1.1, ls=(0, (4, 1.5)), label="asked")
        time, mean = _running_mean(record.time, speed, seconds=1.0)
        style = {"color": THIRD, "lw": 1.6, "label": "1 s mean"} if bold else {"color": HEALTHY, "lw": 0.7}
        ax.plot(time, mean, **style)
        if record.fell:
            ax.plot(time[-1], mean[-1], "x", color=COLORS["left"], ms=7, mew=2)
    ax.set(title="Walking speed", xlabel="time (s)", ylabel="speed (m/s)", ylim=(0, None))
    ax.set_xlim(0, max(record.time[-1] for record in gait.records))
    ax.legend(loc="lower right", ncols=2)


def learning_panel(ax: Axes, gait) -> None:
    """Reward and mean episode length over control steps: of each update faint, over several bold.

    An update in which hardly an episode ended says little of how long they are, and nothing where none did.
    """
    ax.set(title="Learning", xlabel="control steps (millions)")
    keys = ("control_steps", "reward", "episode_length")
    steps, reward, length = (
        np.array([np.nan if row.get(key) is None else row[key] for row in gait.learning_curve], float) for key in keys
    )
    box = ax.get_position()
    other = box.width * _OTHER_AXIS * ax.figure.dpi / ax.bbox.width
    ax.set_position((box.x0, box.y0, box.width - other, box.height))
    twin = ax.twinx()
    twin.spines["right"].set_visible(True)
    length = np.where(length > 0, length, np.nan)
    for axis, values, color, dash in ((ax, length, THIRD, "-"), (twin, reward, FOURTH, (0, (4, 1)))):
        x, y = finite(steps / 1e6, values)
        axis.plot(x, y, color=color, lw=0.5, alpha=0.3)
        axis.plot(x, running_mean(y), color=color, lw=1.4, ls=dash)
    ax.set_ylabel("episode length (steps)", color=THIRD)
    twin.set_ylabel("reward (dashed)", color=FOURTH)
    ax.set_ylim(0, None)


def _running_mean(time: np.ndarray, values: np.ndarray, seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean over a window of ``seconds``, at the window's middle; the series itself when it is shorter."""
    if time.size < 2 or time[-1] - time[0] < seconds:
        return time, values
    width = max(1, round(seconds / float(np.median(np.diff(time)))))
    total = np.concatenate([[0.0], np.cumsum(values)])
    mean = (total[width:] - total[:-width]) / width
    return time[width // 2 :][: mean.size], mean
