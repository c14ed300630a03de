"""Figures of a comparison, one each for kinematics, kinetics, activation and metabolic cost: a colour for each case."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mjx_assist.eval.gait import angles, metrics
from mjx_assist.eval.gait.angles import MOMENT_SIGNS
from mjx_assist.eval.gait.metabolics import MODELS
from mjx_assist.eval.gait.stride_curves import angle_key, moment_key, muscle_key
from mjx_assist.eval.plots.cases import case_names, case_panel, legend, look
from mjx_assist.eval.plots.style import FAINT, HEALTHY, MODEL_TITLES, MUSCLE_TITLES, SOFT, cycle_axis, styled
from mjx_assist.eval.studies.compare import Walks
from mjx_assist.reference.published import BANDS, healthy_band

# curve -> title, unit, published band and the sign that turns it into the curve's
KINEMATICS = {
    angle_key(name): (angle.title, angle.label, angle.coordinate, angle.sign) for name, angle in angles.PANELS.items()
}
KINETICS = {
    **{
        moment_key(joint): (f"{joint.capitalize()} moment", f"{way} (N·m/kg)", f"{joint}_moment", sign)
        for joint, (sign, way) in zip(angles.LEG, MOMENT_SIGNS.values(), strict=True)
    },
    moment_key("ankle", biological=True): (
        "Ankle moment without device",
        f"{MOMENT_SIGNS['ankle_angle'][1]} (N·m/kg)",
        None,
        1,
    ),
    "grf_vertical_bw": ("Vertical ground reaction", "body weights", "grf_vertical", 1),
    "grf_anterior_bw": ("Fore-aft ground reaction", "body weights", "grf_anterior", 1),
}
_TORQUE = "_torque_nm"
_WIDTH = 7.0  # inches, a paper's page


@styled
def kinematics(walks: Sequence[Walks]) -> Figure:
    """Angles over the gait cycle, healthy bands behind."""
    return _curves(walks, KINEMATICS)


@styled
def kinetics(walks: Sequence[Walks]) -> Figure:
    """Net moments, the ankle's without the device, device torque and ground reaction over the gait cycle."""
    driven = [name for name in _curve_names(walks) if name.startswith("device_") and name.endswith(_TORQUE)]
    device = {name: _device_title(name) for name in driven}
    return _curves(walks, {**KINETICS, **device})


@styled
def activation(walks: Sequence[Walks]) -> Figure:
    """Activation of every muscle over the gait cycle."""
    ending = muscle_key("")
    muscles = [name.removesuffix(ending) for name in _curve_names(walks) if name.endswith(ending)]
    return _curves(
        walks, {muscle_key(m): (MUSCLE_TITLES.get(m, m), "activation", None, 1) for m in muscles}, from_zero=True
    )


@styled
def metabolic(walks: Sequence[Walks], rows: Sequence[dict], baseline: str) -> Figure:
    """Muscle power and cost of transport of every case at every speed, with 95 % limits, by both models."""
    known = {row["figure"] for row in rows}
    kinds = {
        "muscle_power_w_per_kg": "muscle power (W/kg)",
        "cost_of_transport_j_per_kg_m": "cost of transport (J/(kg·m))",
    }
    panels = {
        f"{model}_{kind}": (MODEL_TITLES[model], unit)
        for kind, unit in kinds.items()
        for model in MODELS
        if f"{model}_{kind}" in known
    }
    return _means(walks, rows, baseline, panels, max(1, len(panels) // len(kinds)))


@styled
def further(walks: Sequence[Walks], rows: Sequence[dict], baseline: str) -> Figure | None:
    """The figures of the table of metrics that no other figure shows, with 95 % limits; None without any."""
    known = {row["figure"] for row in rows}
    panels = {metric.name: (metric.title, metric.unit) for metric in metrics.drawn() if metric.name in known}
    return _means(walks, rows, baseline, panels, _across(len(panels))) if panels else None


def _means(walks: Sequence[Walks], rows: Sequence[dict], baseline: str, panels: dict, columns: int) -> Figure:
    """A panel of bars for each figure's (title, unit)."""
    lines = -(-len(panels) // columns)
    figure = Figure(figsize=(_WIDTH, 2.3 * lines + 0.4), layout="constrained")
    axes = figure.subplots(lines, columns, squeeze=False)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    for ax, (name, (title, unit)) in zip(axes.flat, panels.items(), strict=False):
        ax.set_label(name)
        _dots(ax, [row for row in rows if row["figure"] == name], baseline)
        ax.set(title=title, ylabel=unit, xlabel="speed asked (m/s)")
    legend(figure, walks, healthy=False)
    return figure


def _across(panels: int) -> int:
    """How many stand in a line."""
    return panels if panels <= 3 else 2 if panels == 4 else 3


def _device_title(name: str) -> tuple[str, str, None, int]:
    """Of a device's torque: "ankle plantarflexion", or the joint's own name."""
    about = name.removeprefix("device_").removesuffix(_TORQUE).replace("_", " ")
    return f"Device, {about.split()[0]}", f"{about.partition(' ')[2] or about} (N·m)", None, 1


def _curves(walks: Sequence[Walks], curves: dict, from_zero: bool = False) -> Figure:
    """One speed: a panel per curve in a grid. Several: a line per curve, a column per speed."""
    speeds = list(dict.fromkeys(part.speed_m_s for part in walks))
    several = len(speeds) > 1
    panels = [(name, speed) for name in curves for speed in speeds]
    columns = len(speeds) if several else _across(len(curves))
    lines = -(-len(panels) // columns)
    figure = Figure(figsize=(_WIDTH, (1.45 if several else 1.75) * lines + 0.7), layout="constrained")
    axes = figure.subplots(lines, columns, squeeze=False, sharey="row" if several else False)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    for index, (name, speed) in enumerate(panels):
        ax, (title, unit, band, sign) = axes.flat[index], curves[name]
        if band in BANDS:
            percent, mean, sd = healthy_band(band, speed)
            ax.fill_between(percent, sign * mean - sd, sign * mean + sd, color=HEALTHY, alpha=0.3, lw=0)
        case_panel(ax, [part for part in walks if part.speed_m_s == speed], name, case_names(walks))
        cycle_axis(ax, title, unit)
        ax.set_label(f"{title} {speed:g} m/s")
        if several:
            ax.set(title=f"{speed:g} m/s" if index < columns else "", ylabel=f"{title}\n{unit}")
            ax.label_outer()
        if from_zero:
            ax.set_ylim(bottom=0)
        if index + columns < len(panels):
            ax.set_xlabel("")
    figure.align_ylabels()
    legend(figure, walks, healthy=any(curve[2] for curve in curves.values()))
    return figure


def _dots(ax: Axes, rows: Sequence[dict], baseline: str) -> None:
    """Means with their limits, cases side by side at every speed; above, the difference to the baseline in percent."""
    cases = list(dict.fromkeys(row["case"] for row in rows))
    speeds = list(dict.fromkeys(row["speed_asked_m_s"] for row in rows))
    step = 0.7 / len(cases)
    for row in rows:
        if row["mean"] is None or not np.isfinite(row["mean"]):
            continue
        index = cases.index(row["case"])
        x, color = speeds.index(row["speed_asked_m_s"]) + step * (index - (len(cases) - 1) / 2), look(index)[0]
        known = row["mean_low"] is not None and np.isfinite(row["mean_low"])
        reach = [[row["mean"] - row["mean_low"]], [row["mean_high"] - row["mean"]]] if known else None
        ax.bar(x, row["mean"], 0.86 * step, color=color, alpha=0.75)
        ax.errorbar(x, row["mean"], reach, color="#202124", capsize=2.5, lw=1, ls="none")
        change = row.get("difference_percent")
        if row["case"] != baseline and change is not None and np.isfinite(change):
            sure = row["low"] is not None and row["low"] * row["high"] > 0
            top = row["mean_high"] if known else row["mean"]
            text = f"{change:+.1f} %" if sure else f"({change:+.1f} %)"
            style = {"color": "#202124" if sure else SOFT, "fontsize": 7, "rotation": 0 if len(rows) <= 4 else 90}
            ax.annotate(text, (x, top), (0, 3), textcoords="offset points", ha="center", **style)
    ax.set_xlim(-0.6, len(speeds) - 0.4)
    ax.set_xticks(range(len(speeds)), [f"{speed:g}" for speed in speeds])
    ax.set_ylim(*(1.25 * limit for limit in (min(0, ax.get_ylim()[0]), max(0, ax.get_ylim()[1]))))
    ax.grid(axis="y", color=FAINT, lw=0.5)


def _curve_names(walks: Sequence[Walks]) -> list[str]:
    return list(dict.fromkeys(name for part in walks for episode in part.episodes for name in episode.curves))
