"""The stress figure: a small panel for each disturbance, the share of seeds that stood against its size."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from mjx_assist.eval.plots.style import COLORS, FAINT, SOFT, corner, styled
from mjx_assist.eval.studies import stress


@styled
def survival(found: Sequence[dict], title: str) -> Figure:
    """Points with Wilson's 95 % interval shaded; the dotted line is the share at which a size counts as borne."""
    figure = Figure(figsize=(7.4, 4.3), layout="constrained")
    panels = stress.by_sweep(found)
    sweeps = [sweep for sweep in stress.SWEEPS if sweep.name in panels]
    axes = figure.subplots(2, -(-len(panels) // 2), sharey=True)
    for ax in axes.flat[len(sweeps) :]:
        ax.set_axis_off()
    for ax, sweep in zip(axes.flat, sweeps, strict=False):
        points = panels[sweep.name]
        size = [point["size"] for point in points]
        share, low, high = (
            100 * np.array([point[key] for point in points], float)
            for key in ("survived", "survived_low", "survived_high")
        )
        share = share / [point["seeds"] or np.nan for point in points]  # a gap where no walk met it
        ax.fill_between(size, low, high, color=COLORS["right"], alpha=0.18, lw=0)
        ax.plot(size, share, color=COLORS["right"], marker="o", ms=3.5, clip_on=False)
        ax.axhline(100 * stress.BEARS, color=SOFT, lw=0.8, ls=":")
        ax.set(title=sweep.title, xlabel=sweep.unit, ylim=(-4, 104), xlim=(size[0], size[-1]))
        ax.grid(color=FAINT, lw=0.5)
        largest = stress.borne(points)
        corner(ax, "borne: none" if largest is None else f"borne: {largest:g}")
    for ax in axes[:, 0]:
        ax.set_ylabel("seeds that stood (%)")
    figure.suptitle(title, fontsize=8, color=SOFT, x=0.01, ha="left")
    return figure
