"""Draws docs/images/metabolics.png: metabolic power of the shipped policy over the gait cycle and against people."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from mjx_assist.eval.gait import cycles
from mjx_assist.eval.gait.metabolics import metabolic_summary, muscle_power
from mjx_assist.eval.plots.style import STYLE
from mjx_assist.eval.replay.replay import replay
from mjx_assist.paths import data_path
from mjx_assist.policy import bundle

MODELS = {"umberger2010": "Umberger (2010)", "bhargava2004": "Bhargava et al. (2004)"}
MEASURED = (3.3, 4.0)  # W/kg, people walking at 1.25 m/s, gross
LARGEST = 7  # muscles with a colour of their own


def main() -> None:
    record = replay(bundle.load(data_path("models", "policies", "walk22_exo")), steps=1000)
    summary, watts = metabolic_summary([record]), muscle_power(record)
    right = [i for i, name in enumerate(record.muscle_names) if name.endswith("_r")]
    order = sorted(right, key=lambda i: -watts["umberger2010"][:, i].mean())
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, 3, figsize=(9.5, 3.2), width_ratios=(2, 2, 1.3), layout="constrained")
        axes[1].sharey(axes[0])
        for ax, (model, title) in zip(axes, MODELS.items(), strict=False):
            curves = {i: _cycle(record, watts[model][:, i]) for i in order}
            top = [curves[i] for i in order[:LARGEST]] + [sum(curves[i] for i in order[LARGEST:])]
            names = [cycles.base_name(record.muscle_names[i]) for i in order[:LARGEST]] + ["others"]
            colours = [*plt.get_cmap("tab10").colors[:LARGEST], "#C9CDD2"]
            ax.stackplot(np.arange(101), *top, labels=names, colors=colours, linewidth=0)
            ax.set(title=f"{title}, right leg", xlabel="gait cycle (%)", xlim=(0, 100), ylim=(0, None))
        axes[0].set_ylabel("metabolic power (W/kg)")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=LARGEST + 1)
        ax = axes[2]
        place = np.arange(2)
        middle = np.mean(MEASURED)
        basal = [summary[model]["basal_w_per_kg"] for model in MODELS]
        muscles = [summary[model]["power_w_per_kg"] for model in MODELS]
        ax.bar(2, middle, 0.55, color="#9AA0A6", yerr=middle - MEASURED[0], capsize=4)
        ax.bar(place, basal, 0.55, color="#5F6368", label="resting")
        ax.bar(place, muscles, 0.55, basal, color="#0072B2", label="muscles")
        ax.set(title="Whole body (W/kg)", xticks=range(3), xticklabels=["Umberger", "Bhargava", "people"])
        ax.legend(loc="upper right")
        figure.savefig(Path(__file__).parent / "images" / "metabolics.png", dpi=150)


def _cycle(record, power: np.ndarray) -> np.ndarray:
    """[101] W/kg over the right leg's cycle."""
    series = np.stack([power, power], axis=1) / record.person_mass
    return cycles.stride_average(record, series)["mean"][:, 0]


if __name__ == "__main__":
    main()
