"""One page that shows walkers over people: angles, moments, powers, forces, muscles' on and off, centre of pressure.

A colour for each case of a comparison, so that two policies stand as before and after."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mjx_assist.eval.gait import angles, emg
from mjx_assist.eval.gait.stride_curves import PRESSURE, muscle_key, power_key
from mjx_assist.eval.plots.cases import case_names, case_panel, legend, look
from mjx_assist.eval.plots.compare import KINEMATICS, KINETICS
from mjx_assist.eval.plots.muscles import published_bursts
from mjx_assist.eval.plots.style import EMG, HEALTHY, MUSCLE_TITLES, cycle_axis, styled
from mjx_assist.eval.studies.compare import Walks
from mjx_assist.reference.published import healthy_band

SPEED = 1.25  # m/s, that people's figures are best known at; of several speeds the nearest is drawn
POWERS = {power_key(name): (f"{name.capitalize()} power", "W/kg", f"{name}_power", 1) for name in angles.LEG}
_MOMENTS = {name: curve for name, curve in KINETICS.items() if curve[2] and name.endswith("moment_nm_per_kg")}
_FORCES = {name: KINETICS[name] for name in ("grf_vertical_bw", "grf_anterior_bw")}
ROWS = (
    tuple(KINEMATICS.items()),
    (*_MOMENTS.items(), ("grf_vertical_bw", _FORCES["grf_vertical_bw"])),
    (*POWERS.items(), ("grf_anterior_bw", _FORCES["grf_anterior_bw"])),
)


@styled
def people(walks: Sequence[Walks]) -> Figure:
    """Stride-averaged curves of every case over published ones (mean ± SD, and ± 2 SD), at the speed nearest `SPEED`.

    The last row: when each muscle is on (`emg.active` of its mean activation), under a bar where people's EMG is; and
    the centre of pressure along the ground, from where the flat foot's heel stands.
    """
    speed = min({part.speed_m_s for part in walks}, key=lambda speed: abs(speed - SPEED))
    here = [part for part in walks if part.speed_m_s == speed]
    muscles = _muscles(here)
    low = 1.0 + 0.25 * len(muscles)
    figure = Figure(figsize=(7, 5.6 + low), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=[5.2, low])
    upper, lower = parts
    axes = upper.subplots(len(ROWS), 4)
    for row, curves in enumerate(ROWS):
        for column, (name, (title, unit, band, sign)) in enumerate(curves):
            ax = axes[row, column]
            percent, mean, sd = healthy_band(band, speed)
            for reach, alpha in ((2, 0.18), (1, 0.3)):
                ax.fill_between(
                    percent, sign * mean - reach * sd, sign * mean + reach * sd, color=HEALTHY, alpha=alpha, lw=0
                )
            case_panel(ax, here, name, case_names(walks))
            cycle_axis(ax, title.replace("ground reaction", "force"), unit)
            ax.set_xticks([0, 50, 100])
            if row < len(ROWS) - 1:
                ax.set_xlabel("")
    on, ax = lower.subplots(1, 2, width_ratios=[3, 1.2])
    _on_off(on, here, muscles, case_names(walks))
    on.set_title(f"Muscles on at {speed:g} m/s (dark: people's EMG, Perry 1992)")
    case_panel(ax, here, PRESSURE, case_names(walks))
    cycle_axis(ax, "Centre of pressure", "ahead of the heel (cm)")
    legend(figure, walks, healthy=True)
    return figure


def on_spans(profile: np.ndarray) -> list[tuple[float, float]]:
    """(start, length) in % of the cycle of the stretches in which a mean activation [101] counts as activity."""
    on = emg.active(profile[:-1])
    edges = np.diff(np.concatenate([[0], on.astype(int), [0]]))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [(float(start), float(end - start)) for start, end in zip(starts, ends, strict=True)]


def _on_off(ax: Axes, walks: Sequence[Walks], muscles: Sequence[str], cases: Sequence[str]) -> None:
    """A line for each muscle: people's bar on top, a bar for each case below it."""
    height = 0.8 / (1 + len(walks))
    for line, muscle in enumerate(muscles):
        onset, offset = emg.PUBLISHED_TIMING[muscle]
        timing = {"published_onset_percent": onset, "published_offset_percent": offset}
        published = [(start, end - start) for start, end in published_bursts(timing)]
        ax.broken_barh(published, (line - 0.4, height), color=EMG)
        for place, part in enumerate(walks, start=1):
            strides = part.strides(muscle_key(muscle))
            strides = strides[np.isfinite(strides).all(axis=1)]
            spans = on_spans(strides.mean(axis=0)) if len(strides) else []
            ax.broken_barh(spans, (line - 0.4 + place * height, height), color=look(cases.index(part.case))[0])
    ax.set_yticks(range(len(muscles)), [MUSCLE_TITLES.get(muscle, muscle) for muscle in muscles])
    ax.set_ylim(len(muscles) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    cycle_axis(ax, "", "")


def _muscles(walks: Sequence[Walks]) -> list[str]:
    """Muscles that every case has and whose timing is published."""
    curves = [set(part.episodes[0].curves) for part in walks]
    return [muscle for muscle in emg.PUBLISHED_TIMING if all(muscle_key(muscle) in names for names in curves)]
