"""Published effects beside simulated ones: a panel for each experiment, a line for each of its claims."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mjx_assist.eval.plots.cases import PALETTE
from mjx_assist.eval.plots.style import FAINT, HEALTHY, INK, say, styled

_LINE = 0.34  # inches


@styled
def effects(result: dict) -> Figure:
    """Difference in percent of the cost: grey as published (± SD), coloured as simulated (95 % over walks)."""
    rows = result["experiments"]
    heights = [len(row["claims"]) + 1.6 for row in rows] or [2.0]
    figure = Figure(figsize=(7.6, _LINE * sum(heights) + 0.9), layout="constrained")
    axes = figure.subplots(max(1, len(rows)), squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    if not rows:
        say(axes[0], "no experiment was walked")
    for ax, row in zip(axes, rows, strict=False):
        _panel(ax, row)
    handles = [
        Line2D([], [], color=HEALTHY, marker="D", ls="-", lw=3, alpha=0.8, label="published, ± SD"),
        Line2D([], [], color=PALETTE[0], marker="o", label="simulated: the published sign"),
        Line2D([], [], color=PALETTE[1], marker="o", label="simulated: the other sign"),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=3)
    axes[-1].set_xlabel("cost of the first against the second condition (%)")
    return figure


def _panel(ax: Axes, row: dict) -> None:
    claims = row["claims"]
    for place, claim in enumerate(claims):
        if claim["percent"] is not None:
            spread = claim["spread"] or 0.0
            ax.plot([claim["percent"] - spread, claim["percent"] + spread], [place, place], color=HEALTHY, lw=4)
            ax.plot(claim["percent"], place, "D", color=HEALTHY, ms=6, mec=INK, mew=0.5)
        found = claim["simulated_percent"]
        if found["mean"] is None:
            ax.annotate("fell ", (0, place), color=PALETTE[1], va="center", ha="right", fontsize=7)
            continue
        color = PALETTE[0] if claim["sign"] else PALETTE[1]
        if found["low"] is not None:
            ax.plot([found["low"], found["high"]], [place, place], color=color, lw=1.3)
        ax.plot(found["mean"], place, "o", color=color, ms=5)
    ax.axvline(0, color=INK, lw=0.8, zorder=1)
    ax.grid(axis="x", color=FAINT, lw=0.5)
    ax.set(ylim=(len(claims) - 0.4, -0.6), title=row["title"])
    ax.set_yticks(range(len(claims)), [f"{claim['lower']} < {claim['than']}" for claim in claims])
