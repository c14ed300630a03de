"""Draws docs/images/metrics_emg.png: when a policy's muscles are active over the cycle, against published timing."""

import sys
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from mjx_assist.eval.gait import cycles, emg
from mjx_assist.eval.replay.replay import replay
from mjx_assist.paths import data_path
from mjx_assist.policy import bundle

COLORS = {"right": "#0072B2", "left": "#D55E00"}
PUBLISHED = "#C9CDD2"
NAMES = {
    "tibant": "Tibialis anterior",
    "edl": "Ext. digitorum longus",
    "soleus": "Soleus",
    "gastroc": "Gastrocnemius",
    "fdl": "Flex. digitorum longus",
    "vasti": "Vasti",
    "rectfem": "Rectus femoris",
    "hamstrings": "Hamstrings",
    "bifemsh": "Biceps femoris, short",
    "iliopsoas": "Iliopsoas",
    "glutmax": "Gluteus maximus",
}


def bars(ax, flags, y, height, colour):
    """A bar wherever one of 100 flags is set."""
    edges = np.flatnonzero(np.diff(np.r_[False, flags, False].astype(int)))
    for start, end in edges.reshape(-1, 2):
        ax.barh(y, end - start, height, start, color=colour, linewidth=0)


def draw(record, path):
    """One row per muscle: published timing as a wide grey bar, each leg's activity on it."""
    with matplotlib.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(7, 4.2), layout="constrained")
        ax = figure.add_subplot()
        percent = np.arange(100)
        for row, muscle in enumerate(NAMES):
            onset, offset = emg.PUBLISHED_TIMING[muscle]
            bars(ax, (percent - onset) % 100 < (offset - onset) % 100, row, 0.78, PUBLISHED)
            mean = cycles.stride_average(record, cycles.activation(record, muscle))["mean"]
            for foot, colour in enumerate(COLORS.values()):
                bars(ax, emg.active(mean[:-1, foot]), row - 0.17 + 0.34 * foot, 0.2, colour)
        for colour, label in (
            (PUBLISHED, "published EMG (Perry 1992)"),
            *((c, f"{s} leg") for s, c in COLORS.items()),
        ):
            ax.barh(0, 0, color=colour, label=label)
        ax.set_yticks(range(len(NAMES)), NAMES.values())
        ax.invert_yaxis()
        ax.set_xlim(0, 100)
        ax.set_xlabel("gait cycle (%), 0 is initial contact")
        ax.tick_params(axis="y", length=0)
        figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=8)
        figure.savefig(path, dpi=130)


if __name__ == "__main__":
    policy = bundle.load(data_path("models", "policies", "walk22_exo"))
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "images"
    draw(replay(policy, steps=1000), folder / "metrics_emg.png")
