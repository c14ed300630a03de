"""Figures of the challenge: what stood and how near to the asked speed, row by row; how the gait follows the speed."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mjx_assist.eval.plots.cases import PALETTE
from mjx_assist.eval.plots.style import FAINT, HEALTHY, INK, SOFT, STANCE, say, styled
from mjx_assist.reference.healthy import WALK_RATIO

MARKERS = ("o", "s", "^", "D", "v", "P")
_TITLES = {"speeds": "Speed", "slopes": "Slope", "terrain": "Ground", "pushes": "Pushes"}
_TITLES |= {"turns": "Turning", "standing": "Starting and stopping"}
_TITLES |= {"commands": "Changing speed", "models": "Unreduced model"}
_ROW = 0.21  # inches


@styled
def overview(policies: Sequence[dict]) -> Figure:
    """Share of seeds that stood with its interval, and the speed error: a line for each row, a colour per policy."""
    names = _rows(policies)
    place = _places(names)
    figure = Figure(figsize=(7.4, _ROW * (max(place.values()) + 2) + 0.9), layout="constrained")
    stood, error = figure.subplots(1, 2, sharey=True, width_ratios=(1.25, 1))
    for index, policy in enumerate(policies):
        shift = 0.5 * (index - (len(policies) - 1) / 2) / len(policies)
        for row in policy["rows"]:
            at = place[row["group"], row["row"]] + shift
            _stood(stood, row, at, index)
            if row["speed_error_m_s"] is not None:
                error.plot(row["speed_error_m_s"], at, **_look(index, row["met"]))
    for row in (row for policy in policies for row in policy["rows"]):
        at = place[row["group"], row["row"]]
        targets = ((stood, 100 * row["target"]["share"]), (error, row["target"]["speed_error"]))
        for ax, target in targets:
            if target is not None:
                ax.plot([target] * 2, [at - 0.42, at + 0.42], color=INK, lw=1.1, zorder=1.5)
    stood.set(xlim=(-3, 103), xlabel="seeds that stood (%), Wilson's 95 % interval")
    error.set(xlabel="speed error (m/s)")
    error.set_xlim(0, max(0.2, 1.08 * error.get_xlim()[1]))
    stood.set_yticks(list(place.values()), [name for _, name in place])
    stood.set_ylim(max(place.values()) + 0.8, -1.4)
    for ax in (stood, error):
        ax.grid(axis="x", color=FAINT, lw=0.5)
        ax.tick_params(axis="y", length=0)
        for group in dict.fromkeys(group for group, _ in names):
            lines = [place[name] for name in names if name[0] == group]
            ax.axhspan(min(lines) - 0.5, max(lines) + 0.5, color=STANCE, lw=0, zorder=0)
            if ax is stood:
                ax.text(-3, min(lines) - 0.62, _TITLES.get(group, group), fontsize=7.5, color=SOFT, weight="bold")
    _legend(figure, policies)
    return figure


@styled
def gait(policies: Sequence[dict]) -> Figure:
    """Stride length and cadence of the rows of constant speed, against the speed that was reached."""
    figure = Figure(figsize=(7.4, 2.9), layout="constrained")
    length, cadence = figure.subplots(1, 2)
    speed = np.linspace(0.6, 2.0, 100)
    length.plot(speed, 2 * np.sqrt(60 * WALK_RATIO * speed), color=HEALTHY, lw=3, zorder=1)
    cadence.plot(speed, np.sqrt(60 * speed / WALK_RATIO), color=HEALTHY, lw=3, zorder=1)
    drawn = False
    for index, policy in enumerate(policies):
        rows = [row for row in policy["rows"] if row["group"] == "speeds" and row["stride_length_m"] is not None]
        for ax, figure_name in ((length, "stride_length_m"), (cadence, "cadence_steps_per_min")):
            for row in rows:
                ax.plot(row["speed_m_s"], row[figure_name], **_look(index, row["met"]))
                drawn = True
    length.set(title="Stride length", xlabel="speed reached (m/s)", ylabel="m")
    cadence.set(title="Cadence", xlabel="speed reached (m/s)", ylabel="steps/min")
    for ax in (length, cadence):
        ax.grid(color=FAINT, lw=0.5)
        if not drawn:
            say(ax, "no strides")
    known = Line2D([], [], color=HEALTHY, lw=3, label=f"healthy: walk ratio {WALK_RATIO:g} m per step/min")
    _legend(figure, policies, [known])
    return figure


def _rows(policies: Sequence[dict]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((row["group"], row["row"]) for policy in policies for row in policy["rows"]))


def _places(names: Sequence[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """Where each row's line lies, with room for a title before each group."""
    place, at, group = {}, 0.0, None
    for name in names:
        at += 0.0 if group is None else 1.0 if name[0] == group else 2.0
        group = name[0]
        place[name] = at
    return place


def _stood(ax: Axes, row: dict, at: float, index: int) -> None:
    share = 100 * row["survived"] / row["seeds"]
    reach = [[share - 100 * row["survived_low"]], [100 * row["survived_high"] - share]]
    ax.errorbar(share, at, xerr=np.maximum(reach, 0), color=_colour(index), lw=1, capsize=2, zorder=2)
    ax.plot(share, at, **_look(index, row["met"]))


def _look(index: int, met: bool) -> dict:
    """A policy's marker: full where the row is met, hollow where it is not."""
    face = _colour(index) if met else "white"
    look = {"marker": MARKERS[index % len(MARKERS)], "ls": "none", "ms": 5, "mew": 1.2, "zorder": 3}
    return {**look, "mec": _colour(index), "mfc": face}


def _colour(index: int) -> str:
    return PALETTE[index % len(PALETTE)]


def _legend(figure: Figure, policies: Sequence[dict], more: Sequence[Line2D] = ()) -> None:
    handles = [Line2D([], [], label=policy["name"], **_look(i, True)) for i, policy in enumerate(policies)]
    hollow = {**_look(0, False), "mec": SOFT}
    handles += [Line2D([], [], label="row not met", **hollow), *more]
    if not more:
        handles.append(Line2D([], [], color=INK, lw=1.1, label="asked", marker="|", ls="none", ms=8))
    figure.legend(handles=handles, loc="outside upper left", ncols=min(4, len(handles)))
