"""Gait figures on matplotlib's Figure objects (no pyplot, no global state): the composite and its panels.

Right is blue, left vermilion, healthy grey; curves are means over strides with one SD, stance is shaded."""

import io
from collections.abc import Callable, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from mjx_assist.eval import cycles
from mjx_assist.eval.record import SIDES, GaitRecord

COLOURS = {"right": "#0072B2", "left": "#D55E00"}  # Okabe & Ito's palette, safe for colour-blind readers
HEALTHY, INK, FAINT, THIRD = "#9AA0A6", "#202124", "#C9CDD2", "#009E73"
STANCE = "#F3F4F6"
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.edgecolor": "#80868B",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": "#5F6368",
    "ytick.color": "#5F6368",
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "legend.fontsize": 8,
}
# Healthy gait, (percent, mean, sd) in the model's signs, from a speed in m/s and one of: hip_flexion, knee_angle,
# ankle_angle, pelvis_tilt (deg), grf_vertical, grf_anterior (BW), hip_moment, knee_moment, ankle_moment (N*m/kg)
Band = Callable[[str, float], tuple[np.ndarray, np.ndarray, np.ndarray]]

# Drawn sign against the model's, so that flexion, dorsiflexion and forward tilt point up as in gait laboratories.
ANGLE_PANELS = {
    "pelvis_tilt": (-1, "Pelvis tilt", "forward tilt (deg)"),
    "hip": (1, "Hip", "flexion (deg)"),
    "knee": (-1, "Knee", "flexion (deg)"),
    "ankle": (1, "Ankle", "dorsiflexion (deg)"),
}
# The same for moments and device torques, by joint: positive extends, or pushes the foot down.
MOMENT_SIGNS = {
    "hip_flexion": (-1, "extension"),
    "knee_angle": (1, "extension"),
    "ankle_angle": (-1, "plantarflexion"),
}
JOINT_TITLES = {"hip_flexion": "hip", "knee_angle": "knee", "ankle_angle": "ankle"}
MUSCLE_TITLES = {
    "hamstrings": "Hamstrings",
    "bifemsh": "Biceps femoris, short",
    "edl": "Ext. digitorum longus",
    "fdl": "Flex. digitorum longus",
    "glutmax": "Gluteus maximus",
    "iliopsoas": "Iliopsoas",
    "rectfem": "Rectus femoris",
    "vasti": "Vasti",
    "gastroc": "Gastrocnemius",
    "soleus": "Soleus",
    "tibant": "Tibialis anterior",
}
_MUSCLES_PER_ROW = 6
_PAIRED = {tuple: HandlerTuple(ndivide=None, pad=0)}  # two patches side by side under one label
_DASHES = ("-", (0, (4, 1.5)), (0, (1, 1.2)))  # one per joint where a device drives several


def png(figure: Figure, dpi: int = 110) -> bytes:
    """A figure as a PNG file's bytes."""
    stream = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(stream, format="png", dpi=dpi, facecolor="white")
    return stream.getvalue()


def composite(
    records: Sequence[GaitRecord], metrics: dict, learning_curve: Sequence[dict] | None, band: Band, title: str = ""
) -> Figure:
    """The one figure that shows a walker: 12 lettered panels and, below them, one small panel per muscle.

    ``metrics`` is what ``summarize(records)`` gives; ``learning_curve`` rows of train_log.jsonl or None.
    """
    with matplotlib.rc_context(STYLE):
        muscles = cycles.muscles(records[0])
        muscle_rows = max(1, -(-len(muscles) // _MUSCLES_PER_ROW))
        heights = (10.2, 2.1 * muscle_rows)  # inches
        figure = Figure(figsize=(16, sum(heights)), layout="constrained")
        figure.get_layout_engine().set(w_pad=0.06, h_pad=0.06, hspace=0.03, wspace=0.03)
        top, bottom = figure.subfigures(2, 1, height_ratios=heights)
        axes = list(top.subplots(3, 4).flat)
        for name, ax in zip(ANGLE_PANELS, axes[:4], strict=True):
            angle_panel(ax, records, metrics, name, band)
        force_panel(axes[4], records, metrics, "grf_vertical", band)
        force_panel(axes[5], records, metrics, "grf_anterior", band)
        moment_panel(axes[6], records, metrics, band)
        clearance_panel(axes[7], records, metrics)
        device_panel(axes[8], records, metrics, power=False)
        device_panel(axes[9], records, metrics, power=True)
        speed_panel(axes[10], records)
        learning_panel(axes[11], learning_curve)
        cells = list(bottom.subplots(muscle_rows, _MUSCLES_PER_ROW, sharex=True, sharey=True, squeeze=False).flat)
        for muscle, ax in zip(muscles, cells, strict=False):
            muscle_panel(ax, records, metrics, muscle)
        for ax in cells[len(muscles) :]:
            ax.set_axis_off()
        for row in range(muscle_rows):
            cells[row * _MUSCLES_PER_ROW].set_ylabel("activation")
        for ax in cells[max(0, len(muscles) - _MUSCLES_PER_ROW) : len(muscles)]:
            ax.set_xlabel("gait cycle (%)")
            ax.tick_params(labelbottom=True)
        for letter, ax in zip("ABCDEFGHIJKLM", [*axes, cells[0]], strict=True):
            ax.set_title(f"$\\mathbf{{{letter}}}$   {ax.get_title(loc='left')}")
        figure.legend(*_legend(), loc="outside upper right", ncols=6, fontsize=9.5, handler_map=_PAIRED)
        if title:
            figure.suptitle(title, x=0.008, ha="left", fontsize=13, fontweight="bold")
        return figure


def angle_panel(ax: Axes, records: Sequence[GaitRecord], metrics: dict, name: str, band: Band) -> None:
    """One joint angle of both legs over the healthy band; the corner tells how it follows its own reference."""
    sign, title, label = ANGLE_PANELS[name]
    _healthy(ax, band, cycles.ANGLES[name], metrics, sign)
    average = cycles.pooled_average(records, lambda record: sign * cycles.joint_angle(record, name))
    _both_legs(ax, average, metrics)
    _cycle_axis(ax, title, label)
    correlation, error = metrics["both"]["corr_reference"][name], metrics["both"]["rmse_deg"][name]
    if correlation is not None and error is not None:
        _corner(ax, f"r = {correlation:.2f}, RMSE {error:.1f}°")


def force_panel(ax: Axes, records: Sequence[GaitRecord], metrics: dict, quantity: str, band: Band) -> None:
    """Vertical or fore-aft ground reaction, body weights, low-pass filtered."""
    axis, title = {
        "grf_vertical": (cycles.VERTICAL, "Vertical ground reaction"),
        "grf_anterior": (cycles.FORWARD, "Fore-aft ground reaction"),
    }[quantity]
    _healthy(ax, band, quantity, metrics, 1)
    _both_legs(ax, cycles.pooled_average(records, lambda record: cycles.ground_force(record, axis)), metrics)
    _cycle_axis(ax, title, "force (BW)" if quantity == "grf_vertical" else "forward force (BW)")
    if quantity == "grf_vertical" and metrics["both"]["grf_peak_bw"] is not None:
        _corner(ax, f"peak {metrics['both']['grf_peak_bw']:.2f} BW")


def moment_panel(ax: Axes, records: Sequence[GaitRecord], metrics: dict, band: Band) -> None:
    """Moment of muscles and device together about the joint that the device drives (else the ankle), N*m/kg."""
    joint = next(iter(cycles.driven_joints(records[0])), "ankle_angle")
    sign, direction = MOMENT_SIGNS.get(joint, (1, "joint's positive direction"))
    if joint in JOINT_TITLES:
        _healthy(ax, band, f"{JOINT_TITLES[joint]}_moment", metrics, sign)

    def moment(array: str) -> Callable[[GaitRecord], np.ndarray]:
        return lambda r: sign * cycles.joint_series(r, getattr(r, array), joint) / r.body_mass

    _both_legs(ax, cycles.pooled_average(records, moment("joint_moment")), metrics)
    if records[0].device_names:
        device = cycles.pooled_average(records, moment("device_moment"))
        _both_legs(ax, {**device, "sd": 0 * device["sd"]}, metrics, linestyle=_DASHES[1], linewidth=1.3)
        handles = [Line2D([], [], color=INK, lw=1.8), Line2D([], [], color=INK, lw=1.3, ls=_DASHES[1])]
        ax.legend(handles, ["muscles + device", "device"], loc="best")
    name = JOINT_TITLES.get(joint, joint)
    _cycle_axis(ax, f"{name.capitalize()} moment", f"{direction} (N·m/kg)")


def clearance_panel(ax: Axes, records: Sequence[GaitRecord], metrics: dict) -> None:
    """Height of the heel body's origin above its lowest point, cm."""
    _both_legs(ax, cycles.pooled_average(records, lambda record: 100 * cycles.foot_height(record)), metrics)
    _cycle_axis(ax, "Foot clearance", "heel height (cm)")


def device_panel(ax: Axes, records: Sequence[GaitRecord], metrics: dict, power: bool) -> None:
    """Device torque (N*m, extending positive) or power (W/kg, positive when it gives) about every joint it drives."""
    joints = cycles.driven_joints(records[0])
    directions = {MOMENT_SIGNS.get(joint, (1, "joint's positive direction"))[1] for joint in joints}
    for joint, dashes in zip(joints, (_DASHES * len(joints))[: len(joints)], strict=True):
        sign = MOMENT_SIGNS.get(joint, (1, ""))[0]
        series = cycles.device_power if power else lambda r, j, sign=sign: sign * cycles.device_torque(r, j)
        average = cycles.pooled_average(records, lambda r, joint=joint, series=series: series(r, joint))
        _both_legs(ax, average, metrics, linestyle=dashes)
    if len(joints) > 1:
        handles = [Line2D([], [], color=INK, ls=_DASHES[i % len(_DASHES)]) for i in range(len(joints))]
        ax.legend(handles, [JOINT_TITLES.get(joint, joint) for joint in joints], loc="best")
    direction = directions.pop() if len(directions) == 1 else "extending"
    label = "power (W/kg)" if power else f"{direction} torque (N·m)"
    _cycle_axis(ax, f"Device {'power' if power else 'torque'}", label)
    if not joints:
        _say(ax, "no device")


def muscle_panel(ax: Axes, records: Sequence[GaitRecord], metrics: dict, muscle: str) -> None:
    """One muscle's activation in both legs."""
    _both_legs(ax, cycles.pooled_average(records, lambda record: cycles.activation(record, muscle)), metrics)
    _cycle_axis(ax, MUSCLE_TITLES.get(muscle, muscle), "")
    ax.set(ylim=(0, 1), xlabel="", yticks=[0, 0.5, 1])


def speed_panel(ax: Axes, records: Sequence[GaitRecord]) -> None:
    """Forward pelvis speed of every episode, averaged over a second; the first one bold, with what was asked."""
    for record in reversed(records):
        speed = record.column(record.qvel, "pelvis_tx")
        bold = record is records[0]
        if bold:
            ax.plot(record.time, speed, color=FAINT, lw=0.6)
            ax.plot(record.time, record.target_velocity, color=INK, lw=1.2, ls=_DASHES[1], label="asked")
        time, mean = _running_mean(record.time, speed, seconds=1.0)
        style = {"color": THIRD, "lw": 1.8, "label": "1 s mean"} if bold else {"color": HEALTHY, "lw": 0.7}
        ax.plot(time, mean, **style)
        if record.fell:
            ax.plot(time[-1], mean[-1], "x", color=COLOURS["left"], ms=7, mew=2)
    ax.set(title="Walking speed", xlabel="time (s)", ylabel="speed (m/s)", ylim=(0, None))
    ax.set_xlim(0, max(record.time[-1] for record in records))
    ax.legend(loc="lower right", ncols=2)


def learning_panel(ax: Axes, learning_curve: Sequence[dict] | None) -> None:
    """Reward and mean episode length over control steps."""
    ax.set(title="Learning", xlabel="control steps (millions)")
    if not learning_curve:
        ax.set(xticks=[], yticks=[])
        _say(ax, "no training log")
        return
    steps, reward, length = (
        np.array([np.nan if row.get(key) is None else row[key] for row in learning_curve], float)
        for key in ("control_steps", "reward", "episode_length")
    )
    twin = ax.twinx()
    twin.spines["right"].set_visible(True)
    ax.plot(steps / 1e6, length, color=THIRD)
    twin.plot(steps / 1e6, reward, color="#8E44AD", lw=1.3)
    ax.set_ylabel("episode length (control steps)", color=THIRD)
    twin.set_ylabel("reward", color="#8E44AD")
    ax.set_ylim(0, None)


def _both_legs(ax: Axes, average: dict, metrics: dict, linestyle="-", linewidth: float = 1.8) -> None:
    """Mean and SD of each leg over the cycle, stance shaded up to toe-off, a line at each leg's own."""
    if not any(average["strides"]):
        _say(ax, "no complete stride")
        return
    stance = metrics["both"]["stance_percent"]
    ax.axvspan(0, stance, color=STANCE, zorder=0, lw=0)
    for foot, side in enumerate(SIDES):
        mean, sd, colour = average["mean"][:, foot], average["sd"][:, foot], COLOURS[side]
        ax.fill_between(average["percent"], mean - sd, mean + sd, color=colour, alpha=0.18, lw=0)
        ax.plot(average["percent"], mean, color=colour, ls=linestyle, lw=linewidth)
        if metrics[side]["stance_percent"] is not None:
            ax.axvline(metrics[side]["stance_percent"], color=colour, lw=0.8, ls=":")


def _healthy(ax: Axes, band: Band, quantity: str, metrics: dict, sign: int) -> None:
    """The healthy mean and SD at the speed that was asked."""
    percent, mean, sd = (np.asarray(part, float) for part in band(quantity, metrics["speed_asked_m_s"]))
    ax.fill_between(percent, sign * mean - sd, sign * mean + sd, color=HEALTHY, alpha=0.32, lw=0)
    ax.plot(percent, sign * mean, color=HEALTHY, lw=1.2)


def _cycle_axis(ax: Axes, title: str, label: str) -> None:
    ax.set(title=title, ylabel=label, xlabel="gait cycle (%)", xlim=(0, 100), xticks=[0, 20, 40, 60, 80, 100])
    if ax.get_ylim()[0] < 0 < ax.get_ylim()[1]:
        ax.axhline(0, color=FAINT, lw=0.8, zorder=0.5)


def _corner(ax: Axes, text: str) -> None:
    """A small figure at the title's right."""
    ax.text(1, 1.02, text, transform=ax.transAxes, ha="right", va="bottom", fontsize=8, color="#5F6368")


def _say(ax: Axes, text: str) -> None:
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85}
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color="#5F6368", fontsize=10, bbox=box)


def _running_mean(time: np.ndarray, values: np.ndarray, seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean over a window of ``seconds``, at the window's middle; the series itself when it is shorter."""
    if time.size < 2 or time[-1] - time[0] < seconds:
        return time, values
    width = max(1, round(seconds / float(np.median(np.diff(time)))))
    total = np.concatenate([[0.0], np.cumsum(values)])
    mean = (total[width:] - total[:-width]) / width
    return time[width // 2 :][: mean.size], mean


def _legend() -> tuple[list, list[str]]:
    """What the colours mean, once for all panels."""
    entries = {
        "right": Line2D([], [], color=COLOURS["right"], lw=2),
        "left": Line2D([], [], color=COLOURS["left"], lw=2),
        "± 1 SD over strides": tuple(Patch(color=COLOURS[side], alpha=0.3, lw=0) for side in SIDES),
        "healthy ± 1 SD": Patch(color=HEALTHY, alpha=0.5, lw=0),
        "stance": Patch(facecolor=STANCE, edgecolor=FAINT, lw=0.6),
        "toe-off": Line2D([], [], color=INK, lw=0.8, ls=":"),
    }
    return list(entries.values()), list(entries)
