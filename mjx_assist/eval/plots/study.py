"""Figures of a study: every training's cost over its speed, and what differs between sides."""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mjx_assist.eval.plots.cases import DASHES, PALETTE
from mjx_assist.eval.plots.style import FAINT, INK, MODEL_TITLES, SOFT, say, styled
from mjx_assist.eval.studies.cohort import TRAITS
from mjx_assist.eval.studies.conclusions import COST, KEY_MODEL, POWER, sure

_PANEL = 3.1  # inches


@styled
def over_speed(result: dict) -> Figure:
    """Muscle power (above) and cost of transport (below) of every walk, a column per physics, a line per training."""
    physics = result["physics"]
    figure = Figure(figsize=(max(_PANEL * len(physics), 5.0), 5.2), layout="constrained")
    axes = figure.subplots(2, len(physics), squeeze=False, sharex=True, sharey="row")
    for column, name in enumerate(physics):
        rows = [row for row in result["policies"] if row["physics"] == name]
        _costs(axes[0, column], result, rows, KEY_MODEL + POWER)
        _costs(axes[1, column], result, rows, KEY_MODEL + COST)
        axes[0, column].set_title(name)
        axes[1, column].set_xlabel("speed reached (m/s)")
    axes[0, 0].set_ylabel("muscle power (W/kg)")
    axes[1, 0].set_ylabel("cost of transport (J/(kg·m))")
    handles = [Line2D([], [], label=side, **_look(i)) for i, side in enumerate(_sides(result))]
    handles.append(Line2D([], [], color=INK, marker="D", ms=5, ls="none", label=f"at {result['at_speed_m_s']:g} m/s"))
    figure.legend(handles=handles, loc="outside upper left", ncols=min(4, len(handles)))
    return figure


@styled
def differences(result: dict) -> Figure:
    """Every pair's difference in percent with its interval, a line for each physics; a panel per metabolic model."""
    ends = [row["figure"] for row in result["differences"] if row["figure"].endswith(COST)]
    figures = [name for name in dict.fromkeys(ends) if name.removesuffix(COST) in MODEL_TITLES]
    places = [(r["side"], r["against"], r["physics"]) for r in result["differences"]]
    places = sorted(dict.fromkeys(places), key=lambda p: (p[:2], result["physics"].index(p[2])))
    height = 0.27 * max(3, len(places)) + 1.2
    figure = Figure(figsize=(5.0 + 1.7 * max(1, len(figures)), height), layout="constrained")
    axes = figure.subplots(1, max(1, len(figures)), squeeze=False, sharey=True)[0]
    if not any(row["percent"] is not None for row in result["differences"]):
        say(axes[0], "nothing can be compared at that speed")
    for ax, name in zip(axes, figures, strict=False):
        for row in (row for row in result["differences"] if row["figure"] == name):
            _interval(ax, places.index((row["side"], row["against"], row["physics"])), row)
        ax.axvline(0, color=INK, lw=0.8, zorder=1)
        ax.grid(axis="x", color=FAINT, lw=0.5)
        title = textwrap.fill(MODEL_TITLES[name.removesuffix(COST)], 16)
        ax.set(title=title, ylim=(len(places) - 0.4, -0.6))
    figure.supxlabel("cost of transport, difference (%)", fontsize="medium")
    axes[0].set_yticks(
        range(len(places)), [f"{side} against {against}, {physics}" for side, against, physics in places]
    )
    return figure


@styled
def people(result: dict) -> Figure:
    """Who gains: a row per pair of sides in the first physics. People by their difference with its interval over

    trainings, the mean over people as a band; the same differences against height, mass and strength.
    """
    figure_of = KEY_MODEL + COST
    rows = [r for r in result["differences"] if (r["figure"], r["physics"]) == (figure_of, result["physics"][0])]
    figure = Figure(
        figsize=(9.6, max(1, len(rows)) * max(2.3, 0.16 * len(result["people"]) + 1.1)), layout="constrained"
    )
    grid = figure.subplots(max(1, len(rows)), 1 + len(TRAITS), squeeze=False, width_ratios=[1.5] + [1.0] * len(TRAITS))
    for axes, row in zip(grid, rows, strict=False):
        _who(axes[0], row)
        for ax, (trait, title) in zip(axes[1:], TRAITS.items(), strict=True):
            _trait(ax, result, row, trait)
            ax.set_xlabel(title)
        axes[1].set_ylabel("difference (%)")
    return figure


def _who(ax: Axes, row: dict) -> None:
    each = sorted(row["each"], key=lambda one: one["percent"])
    for line, one in enumerate(each):
        low, high = (one[f"difference_{end}"] for end in ("low", "high"))
        told = low is not None and low * high > 0
        if low is not None:
            ax.plot([_percent(low, one), _percent(high, one)], [line, line], color=INK if told else SOFT, lw=1.2)
        ax.plot(one["percent"], line, "o", color=INK if told else SOFT, ms=5, mfc=INK if told else "white")
    if row["percent_low"] is not None:
        ax.axvspan(row["percent_low"], row["percent_high"], color=PALETTE[0], alpha=0.15, lw=0)
    if row["percent"] is not None:
        ax.axvline(row["percent"], color=PALETTE[0], lw=1.2)
    else:
        say(ax, "nobody can be compared at that speed")
    ax.axvline(0, color=INK, lw=0.8)
    ax.set_yticks(range(len(each)), [one["person"] for one in each])
    ax.set(title=f"{row['side']} against {row['against']}", xlabel="cost of transport, difference (%)")


def _trait(ax: Axes, result: dict, row: dict, trait: str) -> None:
    known = {each["person"]: each[trait] for each in result["people"]}
    for one in row["each"]:
        ax.plot(known[one["person"]], one["percent"], "o", color=PALETTE[0], ms=5, mec="white", mew=0.6)
    ax.axhline(0, color=INK, lw=0.8)
    ax.grid(color=FAINT, lw=0.5)
    if trait in row["ranks"]:
        told = row["ranks"][trait]
        limits = "" if told["low"] is None else f" [{told['low']:.2f}, {told['high']:.2f}]"
        ax.set_title(f"rank correlation {told['r']:.2f}{limits}", fontsize="small")


def _percent(difference: float, one: dict) -> float:
    return 100 * difference / one["against"]


def _costs(ax: Axes, result: dict, rows: Sequence[dict], name: str) -> None:
    """A thin line through a training's means at each speed asked, a diamond where its cost is read off."""
    at, drawn = result["at_speed_m_s"], False
    for row in rows:
        look = _look(_sides(result).index(row["side"]))
        x, y = _means(row["points"], name, result["resting_w_per_kg"])
        ax.plot(x, y, **{**look, "lw": 0.9}, marker=".", ms=4, alpha=0.7)
        drawn = drawn or bool(len(x))
        if row["figures"].get(name) is not None:
            ax.plot(at, row["figures"][name], color=look["color"], marker="D", ms=4.5, mec="white", mew=0.6, zorder=4)
    ax.axvline(at, color=SOFT, lw=0.8, ls=":")
    ax.grid(color=FAINT, lw=0.5)
    if not drawn:
        say(ax, "no walk to the end")


def _means(points: Sequence[dict], name: str, resting: float) -> tuple[np.ndarray, np.ndarray]:
    """Speeds reached and costs, means over the episodes of each speed asked."""
    x, y = [], []
    for asked in sorted({point["speed_asked_m_s"] for point in points}):
        here = [point for point in points if point["speed_asked_m_s"] == asked]
        speed = np.mean([point["speed_m_s"] for point in here])
        power = np.mean([point[name.replace(COST, POWER)] for point in here])
        x.append(speed)
        y.append((power + resting) / speed if name.endswith(COST) else power)
    return np.array(x), np.array(y)


def _interval(ax: Axes, line: int, row: dict) -> None:
    if row["percent"] is None:
        return
    color = INK if sure(row) else SOFT
    if row["percent_low"] is not None:
        ax.plot([row["percent_low"], row["percent_high"]], [line, line], color=color, lw=1.2)
    ax.plot(row["percent"], line, color=color, marker="o", ms=5, mfc=color if sure(row) else "white")


def _sides(result: dict) -> list[str]:
    return [side["side"] for side in result["sides"]]


def _look(index: int) -> dict:
    return {"color": PALETTE[index % len(PALETTE)], "ls": DASHES[index % len(DASHES)]}
