"""Panels of joints: angles, moments, powers; and of the device: torque, power, work."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from mjx_assist.eval.gait import angles, cycles
from mjx_assist.eval.gait.angles import JOINT_TITLES, MOMENT_SIGNS
from mjx_assist.eval.gait.stride_curves import angle_key, device_power_key, moment_key, power_key, torque_key
from mjx_assist.eval.plots.style import (
    COLORS,
    DASHES,
    INK,
    SOFT,
    both_legs,
    corner,
    cycle_axis,
    healthy,
    say,
)
from mjx_assist.eval.replay.record import SIDES

WORK_BARS = (
    ("push_off_positive_work_j_per_kg", "in push-off"),
    ("positive_work_j_per_kg", "positive"),
    ("negative_work_j_per_kg", "negative"),
)


def angle_panel(ax: Axes, gait, name: str) -> None:
    """One angle of both legs over the healthy band, the left leg's as the right one would see it.

    The corner tells how a sagittal one follows its own reference.
    """
    angle = angles.MEASURED[name]
    healthy(ax, gait.band, angle.coordinate, gait.metrics, angle.sign)
    both_legs(ax, gait.curve(angle_key(name)), gait.metrics)
    cycle_axis(ax, angle.title, angle.label)
    both = gait.metrics["both"]
    correlation, rmse = both["corr_reference"].get(name), both["rmse_deg"].get(name)
    if rmse is not None:
        corner(ax, f"r = {'–' if correlation is None else f'{correlation:.2f}'}\nRMSE {rmse:.1f}°")


def moment_panel(ax: Axes, gait, joint: str) -> None:
    """Net moment about a joint over the healthy band, and the body's own part where the device drives the joint."""
    sign, direction = MOMENT_SIGNS[joint]
    name = JOINT_TITLES[joint]
    healthy(ax, gait.band, f"{name}_moment", gait.metrics, sign)
    _net_and_biological(ax, gait, joint, *(moment_key(name, own) for own in (False, True)))
    cycle_axis(ax, f"{name.capitalize()} moment", f"{direction} (N·m/kg)")


def frontal_moment_panel(ax: Axes, gait, name: str) -> None:
    """Net moment about a joint's axis from front to back; there is no published band of it here."""
    angle = angles.MEASURED[name]
    both_legs(ax, gait.curve(f"{angle.negative}_moment_nm_per_kg"), gait.metrics)
    cycle_axis(ax, f"{angle.title.split()[0]} moment, frontal", f"{angle.words[1].split()[-1]} (N·m/kg)")


def power_panel(ax: Axes, gait, joint: str) -> None:
    """Net power at a joint over the healthy band, and the body's own part where the device drives the joint."""
    name = JOINT_TITLES[joint]
    healthy(ax, gait.band, f"{name}_power", gait.metrics)
    _net_and_biological(ax, gait, joint, *(power_key(name, own) for own in (False, True)))
    cycle_axis(ax, f"{name.capitalize()} power", "power (W/kg)")


def _net_and_biological(ax: Axes, gait, joint: str, net: str, biological: str) -> None:
    average = gait.curve(net)
    both_legs(ax, average, gait.metrics)
    if joint not in cycles.driven_joints(gait.first) or not any(average["strides"]):
        return
    own = gait.curve(biological)
    for foot, side in enumerate(SIDES):
        ax.plot(own["percent"], own["mean"][:, foot], color=COLORS[side], ls=DASHES[side], lw=0.8)
    handles = [Line2D([], [], color=INK, lw=1.6), Line2D([], [], color=INK, lw=0.8)]
    style = {"loc": "lower right", "bbox_to_anchor": (1.05, 1), "labelspacing": 0.1, "fontsize": 7}
    style |= {"handlelength": 0.8, "handletextpad": 0.4}
    ax.legend(handles, ["net", "biological"], **style)


def device_panel(ax: Axes, gait, joint: str, power: bool) -> None:
    """Device torque (N*m, extending positive) or power (W/kg, positive when it gives) about a joint."""
    direction = MOMENT_SIGNS.get(joint, (1, "joint's own sign,"))[1]
    name = JOINT_TITLES.get(joint, joint.replace("_", " "))
    both_legs(ax, gait.curve(device_power_key(joint) if power else torque_key(joint)), gait.metrics)
    label = "power (W/kg)" if power else f"{direction} torque (N·m)"
    cycle_axis(ax, f"Device {'power' if power else 'torque'}, {name}", label)


def work_panel(ax: Axes, gait, joint: str) -> None:
    """Work of the device per stride and leg: in push-off, positive and negative, J/kg."""
    device = gait.metrics["device"][joint]
    for foot, side in enumerate(SIDES):
        values = [device[side][key] for key, _ in WORK_BARS]
        if any(value is None for value in values):
            continue
        place = np.arange(len(values)) + (foot - 0.5) * 0.38
        hatch = {"right": "", "left": "///"}[side]
        bars = ax.bar(place, values, 0.36, color=COLORS[side], hatch=hatch, edgecolor="white", lw=0.5)
        ax.bar_label(bars, [f"{value:.3f}" for value in values], fontsize=7, color=SOFT, padding=1.5, rotation=90)
    if not ax.patches:
        say(ax, "no complete stride")
    ax.use_sticky_edges = False  # room for the numbers on both sides of zero
    ax.margins(y=0.3)
    ax.axhline(0, color=INK, lw=0.8)
    ax.set(title=f"Device work, {JOINT_TITLES.get(joint, joint)}", ylabel="work per stride (J/kg)")
    ax.set_xticks(range(len(WORK_BARS)), [label for _, label in WORK_BARS])
    ax.tick_params(axis="x", length=0)
