"""Draw docs/images/controllers.png: the published torque profiles, and what a device makes of one at 30 Hz."""

import dataclasses
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from mjx_assist.config.device import PUBLISHED
from mjx_assist.eval.gait import cycles
from mjx_assist.eval.plots.style import COLORS, FAINT, SOFT, THIRD, cycle_axis, styled
from mjx_assist.eval.replay.controller import with_controller
from mjx_assist.eval.replay.replay import replay
from mjx_assist.paths import data_path
from mjx_assist.policy import bundle as bundles
from mjx_assist.sim.device import curves
from mjx_assist.sim.device.controller import curve_of


@styled
def draw(path: Path) -> None:
    percent = np.linspace(0, 100, 1001)
    figure = Figure(figsize=(9.2, 2.7), layout="constrained")
    parameters, splines, followed = figure.subplots(1, 3)
    profile = PUBLISHED["profile"][0]
    torque = -curves.evaluate(curve_of(profile), percent)
    parameters.plot(percent, torque, color=COLORS["right"])
    _parameters(parameters, profile)
    cycle_axis(parameters, "Four parameters (Zhang 2017)", "plantarflexion (N·m/kg)")
    for spline, sign, name, colour in zip(
        PUBLISHED["spline"],
        (-1, -1),
        ("ankle, plantarflexion", "hip, extension"),
        (COLORS["right"], THIRD),
        strict=True,
    ):
        splines.plot(percent, sign * curves.evaluate(curve_of(spline), percent), color=colour, label=name)
        splines.plot(spline.percent, sign * np.array(spline.torque), "o", ms=3, color=colour)
    cycle_axis(splines, "Splines: a quarter of the joint's moment", "N·m/kg")
    splines.set_ylim(top=0.4)
    splines.legend(loc="upper left")
    bundle = with_controller(bundles.load(data_path("models", "policies", "walk22_exo")), "profile")
    quarter = dataclasses.replace(profile, peak_torque=-0.2)
    env = dataclasses.replace(bundle.config.env_params, device_controller=quarter)
    bundle = dataclasses.replace(bundle, config=dataclasses.replace(bundle.config, env_params=env))
    _follow(followed, bundle, percent, -curves.evaluate(curve_of(quarter), percent))
    figure.savefig(path, dpi=130, facecolor="white")


def _parameters(ax, profile) -> None:
    """The four parameters as arrows."""
    peak, height = profile.peak_time_percent, -profile.peak_torque
    onset, end = peak - profile.rise_time_percent, peak + profile.fall_time_percent
    ax.set_ylim(-0.12, 0.66)
    for begin, stop, y, text in (
        (onset, peak, -0.05, f"rise {profile.rise_time_percent:g}"),
        (peak, end, -0.1, f"fall {profile.fall_time_percent:g}"),
        (0, peak, height + 0.035, f"peak time {peak:g} %"),
    ):
        ax.annotate("", (stop, y), (begin, y), arrowprops={"arrowstyle": "<->", "color": SOFT, "lw": 0.8})
        ax.text((begin + stop) / 2, y + 0.008, text, ha="center", fontsize=6.5, color=SOFT)
    ax.annotate("", (peak, height), (peak, 0), arrowprops={"arrowstyle": "<->", "color": SOFT, "lw": 0.8})
    ax.text(peak - 1.5, 0.2, f"peak {height:g} N·m/kg", rotation=90, ha="right", va="center", fontsize=6.5, color=SOFT)
    ax.axhline(0, color=FAINT, lw=0.8)


def _follow(ax, bundle, percent, wanted) -> None:
    """Measured device torque of walking strides, each on the cycle between its own heel strikes, and the profile."""
    record = replay(bundle, steps=600)
    torque = -cycles.device_torque(record, "ankle_angle") / record.person_mass
    for strides, side in zip(cycles.stride_cycles(record, torque), COLORS, strict=True):
        for stride in strides:
            ax.plot(np.linspace(0, 100, stride.size), stride, color=COLORS[side], lw=0.4, alpha=0.6)
    ax.plot(percent, wanted, color="#202124", lw=1.4, label="asked")
    ax.plot([], [], color=COLORS["right"], lw=0.8, label="right strides")
    ax.plot([], [], color=COLORS["left"], lw=0.8, label="left strides")
    cycle_axis(ax, "What the device applies at 30 Hz", "plantarflexion (N·m/kg)")
    ax.legend(loc="upper left")


if __name__ == "__main__":
    draw(Path(__file__).parent / "images" / "controllers.png")
