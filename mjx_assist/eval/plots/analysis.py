"""Figures of one walk in full: angles and sensors over time, every stride, angles by speed, force and drive of muscles.

What an `analyze_results` of MyoAssist's holds beside the averages, which are in the report."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from mjx_assist.eval.gait import cycles, events
from mjx_assist.eval.gait.angles import SAGITTAL, Angle, model_angle
from mjx_assist.eval.plots.style import COLORS, DASHES, INK, corner, cycle_axis, say, styled
from mjx_assist.eval.replay.record import SIDES, GaitRecord

_MAP, _LEGS = "viridis", "right solid, left dashed"
_ACROSS = 4  # panels beside each other


@styled
def over_time(record: GaitRecord) -> Figure:
    """Sagittal angles (deg), the pelvis' height and speed (m, m/s) and every sensor that moved over time (s)."""
    rows: list[tuple[str, list[np.ndarray]]] = []
    for angle in SAGITTAL.values():
        rows.append((angle.title + f", {angle.label}", list(_angle(record, angle).T)))
    for joint, title in (("pelvis_ty", "Pelvis, height (m)"), ("pelvis_tx", "Pelvis, forward (m)")):
        rows.append((title, [record.column(record.qpos, joint)]))
    rows.append(("Speed (m/s), asked dashed", [record.column(record.qvel, "pelvis_tx"), record.target_velocity]))
    sensors = zip(record.sensor_names, record.sensors.T, strict=True)
    rows += [(f"Sensor {name}", [column]) for name, column in sensors if np.ptp(column) > 0]
    figure = Figure((9.0, 0.95 * len(rows) + 0.6), layout="constrained")
    for ax, (title, curves) in zip(figure.subplots(len(rows), 1, sharex=True), rows, strict=True):
        for curve, side in zip(curves, SIDES, strict=False):
            color = COLORS[side] if len(curves) > 1 else INK
            ax.plot(record.time, curve, color=color, ls=DASHES[side], lw=1.0)
        ax.set_title(title)
    corner(figure.axes[0], _LEGS)
    figure.axes[-1].set_xlabel("time (s)")
    return figure


@styled
def every_stride(record: GaitRecord) -> Figure:
    """Each sagittal angle (deg) over each stride, a thin line a stride, a side a row."""
    figure = Figure((9.0, 4.6), layout="constrained")
    axes = figure.subplots(2, len(SAGITTAL), sharex=True, sharey="col")
    for column, angle in enumerate(SAGITTAL.values()):
        legs = cycles.stride_cycles(record, _angle(record, angle))
        for row, (side, strides) in enumerate(zip(SIDES, legs, strict=True)):
            ax = axes[row, column]
            _strides(ax, strides, lambda _, side=side: COLORS[side])
            cycle_axis(ax, f"{angle.title}, {side}: {len(strides)} strides", angle.label)
    return figure


@styled
def by_speed(record: GaitRecord) -> Figure:
    """Each sagittal angle (deg) over each stride of both legs, coloured by the stride's speed (m/s)."""
    speed = cycles.stride_cycles(record, np.repeat(record.column(record.qvel, "pelvis_tx")[:, None], 2, axis=1))
    means = np.concatenate([leg.mean(axis=1) for leg in speed])
    slowest, fastest = (float(means.min()), float(means.max())) if means.size else (0.0, 1.0)
    scale = Normalize(slowest, fastest)
    colors = ScalarMappable(scale, _MAP)
    figure = Figure((9.0, 2.9), layout="constrained")
    axes = figure.subplots(1, len(SAGITTAL))
    for ax, angle in zip(axes, SAGITTAL.values(), strict=True):
        both = np.concatenate(cycles.stride_cycles(record, _angle(record, angle)))
        _strides(ax, both, lambda n: colors.to_rgba(means[n]))
        cycle_axis(ax, angle.title, angle.label)
    figure.colorbar(colors, ax=axes, label="speed of the stride (m/s)")
    return figure


@styled
def of_muscles(record: GaitRecord, series: np.ndarray, label: str) -> Figure:
    """Mean and SD over the strides of each side's muscles: a ``[T, M]`` series, such as force (N) or excitation."""
    names = cycles.muscles(record)
    rows = -(-len(names) // _ACROSS)
    figure = Figure((9.0, 1.75 * rows + 0.4), layout="constrained")
    axes = figure.subplots(rows, _ACROSS, sharex=True, squeeze=False).ravel()
    for ax, name in zip(axes, names, strict=False):
        average = cycles.stride_average(record, cycles.muscle_series(record, series, name))
        for foot, side in enumerate(SIDES):
            mean, sd = average["mean"][:, foot], average["sd"][:, foot]
            ax.fill_between(average["percent"], mean - sd, mean + sd, color=COLORS[side], alpha=0.18, lw=0)
            ax.plot(average["percent"], mean, color=COLORS[side], ls=DASHES[side], lw=1.2)
        cycle_axis(ax, name, label)
    corner(axes[min(_ACROSS, len(names)) - 1], _LEGS)
    for ax in axes[len(names) :]:
        ax.set_visible(False)
    if not events.strides(record):
        say(axes[0], "no complete stride")
    return figure


def _angle(record: GaitRecord, angle: Angle) -> np.ndarray:
    """``[T, 2]`` deg in the reports' sign."""
    return angle.sign * model_angle(record, angle)


def _strides(ax: Axes, strides: np.ndarray, color: Callable[[int], object]) -> None:
    """Strides ``[n, points]`` over the cycle."""
    for number, stride in enumerate(strides):
        ax.plot(np.linspace(0, 100, strides.shape[1]), stride, color=color(number), lw=0.7, alpha=0.8)
    if not len(strides):
        say(ax, "no complete stride")
