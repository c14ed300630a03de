"""Panels of muscles: activation over the cycle with the published EMG timing, metabolic power of each."""

import numpy as np
from matplotlib.axes import Axes

from mjx_assist.eval.gait import cycles
from mjx_assist.eval.gait.stride_curves import muscle_key
from mjx_assist.eval.plots.style import COLORS, EMG, MODEL_TITLES, MUSCLE_TITLES, both_legs, cycle_axis
from mjx_assist.eval.replay.record import SIDES

_MOST_BARS = 24  # a model with more muscles shows its hungriest


def muscle_panel(ax: Axes, gait, muscle: str) -> None:
    """One muscle's activation in both legs; a bar on top where the EMG of healthy people is on."""
    both_legs(ax, gait.curve(muscle_key(muscle)), gait.metrics)
    for start, end in published_bursts((gait.metrics.get("emg") or {}).get(muscle) or {}):
        ax.axvspan(start, end, ymin=0.93, ymax=0.985, color=EMG, lw=0)
    cycle_axis(ax, MUSCLE_TITLES.get(muscle, muscle), "activation")
    ax.set(ylim=(0, 1.2), yticks=[0, 0.5, 1])


def published_bursts(timing: dict) -> list[tuple[float, float]]:
    """(start, end) in % of the cycle of a muscle's published EMG; a burst through initial contact comes in two."""
    onset, offset = timing.get("published_onset_percent"), timing.get("published_offset_percent")
    if onset is None or offset is None:
        return []
    return [(onset, offset)] if onset <= offset else [(0.0, offset), (onset, 100.0)]


def energy_panel(ax: Axes, gait, model: str) -> None:
    """Metabolic power of every muscle, W per kg of body mass, right and left, largest first."""
    power = gait.metrics["metabolic"][model]["per_muscle"]
    bases = dict.fromkeys(cycles.base_name(name) for name in power)
    pairs = {base: [power.get(f"{base}{suffix}") or 0.0 for suffix in cycles.SUFFIXES] for base in bases}
    largest = sorted(pairs, key=lambda base: -sum(pairs[base]))[:_MOST_BARS]
    for foot, side in enumerate(SIDES):
        place = np.arange(len(largest)) + (foot - 0.5) * 0.4
        hatch = {"right": "", "left": "///"}[side]
        values = [pairs[base][foot] for base in largest]
        ax.bar(place, values, 0.38, color=COLORS[side], hatch=hatch, edgecolor="white", lw=0.4)
    names = [MUSCLE_TITLES.get(base, base) for base in largest]
    ax.set_xticks(range(len(names)), names, rotation=32, ha="right", rotation_mode="anchor")
    ax.tick_params(axis="x", length=0)
    ax.set(ylabel="power (W/kg of body)", title=f"Power of muscles, {MODEL_TITLES.get(model, model)}")
    ax.margins(x=0.01)
