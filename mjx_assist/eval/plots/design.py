"""Figures of a search over a family of devices: the objective over each parameter and pair, the front, the torque."""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from mjx_assist.config.design_study import FIGURES
from mjx_assist.eval.plots.cases import PALETTE
from mjx_assist.eval.plots.style import FAINT, INK, SOFT, cycle_axis, say, styled

TITLES = {
    "peak_torque": "peak torque",
    "peak_time_percent": "peak time (% of gait cycle)",
    "rise_time_percent": "rise time (% of gait cycle)",
    "fall_time_percent": "fall time (% of gait cycle)",
    "stiffness_nm_per_rad": "stiffness (N·m/rad)",
    "rest_angle_rad": "rest angle (rad)",
    "torque_limit_nm": "torque limit (N·m)",
    "power_limit_w": "power limit (W)",
    "delay_s": "delay (s)",
    "bandwidth_hz": "bandwidth (Hz)",
    "foot_mass_kg": "mass on each foot (kg)",
    "shank_mass_kg": "mass on each shank (kg)",
    "waist_mass_kg": "mass at the waist (kg)",
}
_PANEL = (2.5, 2.3)  # inches
_MOST_PAIRS = 6


@styled
def lines(result: dict) -> Figure:
    """The objective over each parameter, the others at the best design, its 95 % band; every design as a dot."""
    surfaces = result["surfaces"]
    names = surfaces["names"] if surfaces else ["none"]
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(_PANEL[0] * columns + 0.6, _PANEL[1] * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    for ax in axes[len(names) :]:
        ax.set_visible(False)
    if not surfaces:
        say(axes[0], "too few designs that keep the constraints")
        return figure
    good, value = np.array(result["walked"]["good"]), np.array(result["walked"]["value"], float)
    parameters = [p["name"] for p in result["parameters"]]
    for ax, name in zip(axes, names, strict=False):
        line = surfaces["lines"][name]
        at, mean, sd = (np.array(line[key], float) for key in ("at", "mean", "sd"))
        design = _designs(result)[:, parameters.index(name)]
        ax.plot(design[good], value[good], ".", color=SOFT, ms=2, alpha=0.35, zorder=1)
        ax.fill_between(at, mean - 1.96 * sd, mean + 1.96 * sd, color=PALETTE[0], alpha=0.25, lw=0)
        ax.plot(at, mean, color=PALETTE[0])
        ax.axvline(result["best"][0]["design"][name], color=INK, lw=0.9, ls=":")
        ax.set_xlabel(title(name, result))
        ax.grid(color=FAINT, lw=0.5)
    shown = value[good]
    low = min(shown.min(), *(min(surfaces["lines"][name]["mean"]) for name in names))
    axes[0].set_ylim(low - 0.05 * np.ptp(shown), np.percentile(shown, 98))
    figure.supylabel(textwrap.fill(objective_title(result), 34), fontsize="medium")
    return figure


@styled
def pairs(result: dict) -> Figure | None:
    """The objective over pairs of parameters as contours, the best design as a cross; None for one parameter."""
    shown = (result["surfaces"] or {"pairs": []})["pairs"][:_MOST_PAIRS]
    if not shown:
        return None
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(3.1 * columns, 2.7 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    names = result["surfaces"]["names"]
    for ax in axes[len(shown) :]:
        ax.set_visible(False)
    for ax, pair in zip(axes, shown, strict=False):
        filled = ax.contourf(pair["x_at"], pair["y_at"], pair["mean"], levels=12, cmap="viridis")
        figure.colorbar(filled, ax=ax, shrink=0.9)
        best = [result["best"][0]["design"][names[pair[axis]]] for axis in ("x", "y")]
        ax.plot(*best, "x", color="white", ms=8, mew=2.2, clip_on=False)
        ax.set(xlabel=title(names[pair["x"]], result), ylabel=title(names[pair["y"]], result))
    figure.suptitle(objective_title(result), x=0.01, ha="left", fontsize="medium")
    return figure


@styled
def front(result: dict) -> Figure:
    """What each design saves against the device's power; the front of those that no other beats in both."""
    figure = Figure(figsize=(5.2, 3.4), layout="constrained")
    ax = figure.subplots()
    if not result["front"] or not result["nothing"]:
        say(ax, "no device without torque to compare with")
        return figure
    means, good = result["walked"]["means"], np.array(result["walked"]["good"])
    base = result["nothing"]["net_cost_of_transport"]["mean"]
    cost, power = (np.array(means[name], float) for name in ("net_cost_of_transport", "device_power_w_per_kg"))
    ax.plot(power[good], 100 * (1 - cost[good] / base), ".", color=SOFT, ms=3, alpha=0.4, label="designs")
    rows = result["front"]
    x, y = ([row[key] for row in rows] for key in ("device_power_w_per_kg", "saving_percent"))
    ax.step(x, y, where="post", color=PALETTE[1], label="front")
    ax.axhline(0, color=FAINT, lw=0.8)
    ax.set(xlabel="positive power of the device (W/kg)", ylabel="metabolic cost saved against no torque (%)")
    ax.legend(loc="lower right")
    return figure


@styled
def torque(percent: Sequence[float], curves: dict[str, Sequence[float]]) -> Figure:
    """Torque over the gait cycle of the best design: what was asked, and what was applied in a replay."""
    figure = Figure(figsize=(4.6, 2.6), layout="constrained")
    ax = figure.subplots()
    for i, (name, curve) in enumerate(curves.items()):
        ax.plot(percent, curve, color=PALETTE[i], label=name)
    cycle_axis(ax, "", "torque (N·m)")
    ax.legend()
    return figure


def title(name: str, result: dict) -> str:
    return f"{TITLES[name]} ({result['torque_unit'].replace('*', '·')})" if name == "peak_torque" else TITLES[name]


def objective_title(result: dict) -> str:
    """The objective in words."""
    weights = result["objective"]
    if len(weights) == 1:
        title, unit = FIGURES[next(iter(weights))]
        return f"{title} ({unit})" if unit else title
    return " + ".join(f"{weight:g} {name}" for name, weight in weights.items())


def _designs(result: dict) -> np.ndarray:
    """``[n, parameters]`` in the parameters' units."""
    low, high = (np.array([p[end] for p in result["parameters"]], float) for end in ("low", "high"))
    return low + (high - low) * np.array(result["walked"]["unit"], float)
