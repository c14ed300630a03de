"""Plots of a reduction: moment arms of each muscle over the joints it crosses, motions as the couplings stiffen."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import mujoco
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mjx_assist.config.words import REDUCED
from mjx_assist.eval.plots.style import COLORS, FAINT, HEALTHY, STYLE, png
from mjx_assist.files.atomic import write_bytes
from mjx_assist.model.assembly import AS_COMPOSED, full_model
from mjx_assist.model.human_key import short
from mjx_assist.model.muscles.paths import by_driver, full_lengths, reduced_lengths, settled
from mjx_assist.model.reduction import ReducedModel

_SAMPLES = 41
_OTHERS = (0.2, 0.5, 0.8)  # where the other joints are in their walking ranges while one moves
_LEAST = 1e-3  # m: joints over which a muscle has never more than this are left out
_ALIKE = 3e-4  # m, between left and right: then the right one stands for both
_COLUMNS, _PANELS = 7, 42  # of a page
_FULL, _REDUCED = "#B0B5BA", COLORS["right"]
_MOTION_COLOURS = ("#D55E00", "#E69F00", "#56B4E9", "#009E73")  # from the softest couplings to the stiffest


@dataclass(frozen=True)
class ArmCurves:
    """Moment arms of one muscle over one joint, mm; a curve for each place of the other joints."""

    muscle: str
    joint: str
    angle: np.ndarray  # [samples] deg
    full: np.ndarray  # [curves, samples]
    reduced: np.ndarray


def write_plots(reduced: ReducedModel, report: dict[str, Any], folder: Path) -> list[Path]:
    """Write moment_arms_<page>.png and, if the report has motions, convergence.png. Returns what was written."""
    figures = {
        f"moment_arms_{page}.png": figure
        for page, figure in enumerate(moment_arm_pages(reduced, report["walking_range_rad"]), start=1)
    }
    if report.get("convergence"):
        title = f"{short(reduced.human)} with {reduced.device}"
        figures["convergence.png"] = convergence_figure(report["convergence"], title)
    paths = []
    for name, figure in figures.items():
        write_bytes(folder / name, png(figure))
        paths.append(folder / name)
    return paths


def moment_arm_pages(reduced: ReducedModel, walking_range: dict[str, Sequence[float]]) -> list[Figure]:
    """Figures of up to 42 panels, a panel for each muscle and joint; left ones only where they differ from right."""
    curves = distinct(arm_curves(reduced, walking_range))
    pages = [curves[k : k + _PANELS] for k in range(0, len(curves), _PANELS)]
    title = f"{short(reduced.human)} with {reduced.device}: moment arms over the walking range (mm)"
    numbers = [f", {n} of {len(pages)}" if len(pages) > 1 else "" for n in range(1, len(pages) + 1)]
    return [_arm_page(page, title + number) for page, number in zip(pages, numbers, strict=True)]


def arm_curves(reduced: ReducedModel, walking_range: dict[str, Sequence[float]]) -> list[ArmCurves]:
    """Of every actuator on a tendon and every joint that changes its length, in the model's order."""
    model, full = reduced.model, full_model(reduced.human, reduced.device, AS_COMPOSED)
    actuators = np.flatnonzero(model.actuator_trntype == mujoco.mjtTrn.mjTRN_TENDON)
    names = [model.actuator(int(a)).name for a in actuators]
    own = [int(model.actuator_trnid[a, 0]) for a in actuators]
    theirs = [int(full.actuator(name).trnid[0]) for name in names]
    columns = {name: int(model.joint(name).qposadr[0]) for name in walking_range}
    found = {}
    for joint, (least, most) in walking_range.items():
        poses = np.repeat(model.qpos0[None], len(_OTHERS) * _SAMPLES, axis=0)
        for name, (low, high) in walking_range.items():
            poses[:, columns[name]] = np.repeat(low + np.array(_OTHERS) * (high - low), _SAMPLES)
        poses[:, columns[joint]] = np.tile(np.linspace(least, most, _SAMPLES), len(_OTHERS))
        poses = settled(model, poses)
        slopes = (
            full_lengths(full, reduced.coupling, poses, theirs)[1],
            reduced_lengths(model, poses, own)[1],
        )
        arms = [-1e3 * by_driver(model, poses, slope)[..., columns[joint]].T for slope in slopes]
        angle = np.degrees(np.linspace(least, most, _SAMPLES))
        for k, name in enumerate(names):
            pair = [arm[k].reshape(len(_OTHERS), _SAMPLES) for arm in arms]
            if max(np.abs(arm).max() for arm in pair) > 1e3 * _LEAST:
                found[k, columns[joint]] = ArmCurves(name, joint, angle, *pair)
    return [found[key] for key in sorted(found)]


def distinct(curves: Sequence[ArmCurves]) -> list[ArmCurves]:
    """Without those that look like an earlier one of another muscle over another joint: the other leg's."""
    kept: list[ArmCurves] = []
    for one in curves:
        if not any(one.muscle != other.muscle and one.joint != other.joint and _alike(one, other) for other in kept):
            kept.append(one)
    return kept


def _alike(one: ArmCurves, other: ArmCurves) -> bool:
    return all(np.abs(a - b).max() < 1e3 * _ALIKE for a, b in ((one.full, other.full), (one.reduced, other.reduced)))


def _arm_page(curves: Sequence[ArmCurves], title: str) -> Figure:
    with matplotlib.rc_context({**STYLE, "font.size": 7.5, "axes.titlesize": 8, "axes.labelsize": 7.5}):
        rows = -(-len(curves) // _COLUMNS)
        figure = Figure(figsize=(2.15 * _COLUMNS, 1.75 * rows + 0.7), layout="constrained")
        panels = list(figure.subplots(rows, _COLUMNS, squeeze=False).flat)
        for axes, one in zip(panels, curves, strict=False):
            _arm_panel(axes, one)
        for axes in panels[len(curves) :]:
            axes.set_axis_off()
        handles = [Line2D([], [], color=_FULL, lw=3.5), Line2D([], [], color=_REDUCED, lw=1.2)]
        figure.suptitle(title, fontsize=10, x=0.01, ha="left")
        labels = ["full model", "reduced model; three curves: the other joints at 20, 50 and 80 % of their ranges"]
        figure.legend(handles, labels, loc="outside lower left", ncols=2, fontsize=8.5)
    return figure


def _arm_panel(axes: Axes, curves: ArmCurves) -> None:
    axes.plot(curves.angle, curves.full.T, color=_FULL, lw=3.5, solid_capstyle="butt")
    axes.plot(curves.angle, curves.reduced.T, color=_REDUCED, lw=1.0)
    low, high = min(curves.full.min(), curves.reduced.min()), max(curves.full.max(), curves.reduced.max())
    middle, reach = (low + high) / 2, max(0.6 * (high - low), 4.0)  # mm: a flat curve looks flat
    rmse = float(np.sqrt(((curves.full - curves.reduced) ** 2).mean()))
    axes.set(title=f"{curves.muscle}", ylim=(middle - reach, middle + 1.3 * reach), xlim=curves.angle[[0, -1]])
    axes.set_xlabel(f"{curves.joint} (deg)", labelpad=1)
    if low < 0 < high:
        axes.axhline(0, color=FAINT, lw=0.7, zorder=0.5)
    text = "exact" if rmse < 1e-3 else f"RMSE {rmse:.2g}"
    axes.text(0.97, 0.95, text, transform=axes.transAxes, ha="right", va="top", fontsize=7, color="#5F6368")


def convergence_figure(convergence: dict[str, Any], title: str) -> Figure:
    """Per motion, the joint that differs most over time, and below it the difference over the time constant."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(4.6 * len(convergence), 6.4), layout="constrained")
        cells = figure.subplots(2, len(convergence), squeeze=False, height_ratios=(1.5, 1))
        for (name, motion), (above, below) in zip(convergence.items(), cells.T, strict=True):
            _motion_panel(above, name, motion["shown"])
            _difference_panel(below, motion["rows"])
        colors = _MOTION_COLOURS[: len(motion["rows"])]
        handles = [Line2D([], [], color="#202124", lw=2.6), *(Line2D([], [], color=c, lw=1.6) for c in colors)]
        constants = [f"full, couplings of {row['time_constant_ms']:g} ms" for row in motion["rows"]]
        figure.legend(handles, [REDUCED, *constants], loc="outside lower center", ncols=5, fontsize=8.5)
        figure.suptitle(
            f"{title}: the full model approaches the reduced one as its couplings become rigid", fontsize=11
        )
    return figure


def _motion_panel(axes: Axes, name: str, shown: dict[str, Any]) -> None:
    time = 1e3 * np.array(shown["time_s"])
    axes.plot(time, shown["reduced_deg"], color="#202124", lw=2.6)
    for color, curve in zip(_MOTION_COLOURS, shown["full_deg"].values(), strict=False):
        axes.plot(time, np.array(curve, float), color=color, lw=1.6)
    axes.set(title=name, xlabel="time (ms)", ylabel=f"{shown['joint']} (deg)", xlim=time[[0, -1]])


def _difference_panel(axes: Axes, rows: Sequence[dict[str, Any]]) -> None:
    constants = [row["time_constant_ms"] for row in rows]
    differences = np.array([row["difference_deg"] for row in rows], float)
    axes.axhspan(0.01, 1.0, color="#E6F4EA", zorder=0)
    axes.plot(constants, differences, color=HEALTHY, lw=1.2, zorder=1)
    axes.scatter(constants, differences, color=_MOTION_COLOURS[: len(rows)], s=36, zorder=2)
    for row, x, y in zip(rows, constants, differences, strict=True):
        slips = f"bones {row['bone_slip_mm']:.2g} mm\npoints {row['point_slip_mm']:.2g} mm"
        text = f"{y:.2g}°\n{slips}"
        axes.annotate(text, (x, y), (0, 7), textcoords="offset points", ha="center", fontsize=7.5, color="#5F6368")
    top = np.nanmax([*differences, 1.0])
    axes.set(xscale="log", yscale="log", xlim=(28, 1.4), ylim=(min(0.05, 0.5 * np.nanmin(differences)), 20 * top))
    axes.set_xticks(constants, [f"{c:g}" for c in constants])
    axes.minorticks_off()
    axes.set(xlabel="time constant of the couplings (ms)", ylabel="largest difference (deg)")
