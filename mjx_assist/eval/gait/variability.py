"""How alike the strides of a leg are, and how alike the legs: SD and CV, symmetry indexes; curves are in curves.py."""

from collections.abc import Sequence

import numpy as np

from mjx_assist.eval.gait import cycles, metrics
from mjx_assist.eval.replay.record import SIDES


def variability_summary(rows: Sequence[Sequence[dict]]) -> dict:
    """``<figure>`` names with ``sd`` and ``cv_percent``: stride-to-stride spread within a leg and an episode, of the
    figures whose row in the table says so (``spread``).

    ``rows`` are each record's stride rows. SD: pooled over legs and episodes, so that neither asymmetry nor episodes at
    other speeds count as variability; CV = 100 SD / mean (Hausdorff 2005, J Neuroeng Rehabil 2:19).
    """
    groups = [[row for row in episode if row["side"] == side] for episode in rows for side in SIDES]
    measured = {name for group in groups for row in group for name in row}
    present = [metric.name for metric in metrics.METRICS.values() if metric.spread and metric.name in measured]
    return {
        "strides": sum(len(group) for group in groups),
        **{name: _spread([np.array([row[name] for row in group], float) for group in groups]) for name in present},
    }


def symmetry_summary(means: dict[str, dict]) -> dict:
    """Left against right, from each leg's mean figures.

    index_percent, of the figures whose row in the table says so (``symmetry``): Robinson, Herzog & Nigg (1987, J Manip
    Physiol Ther 10:172), 100 (R - L) / (0.5 (R + L)); 0 for equal legs.
    """
    return {
        "index_percent": {
            name: symmetry_index(*(means[side][name] for side in SIDES))
            for name, metric in metrics.METRICS.items()
            if metric.symmetry and name in means["right"]
        },
    }


def symmetry_index(right: float, left: float) -> float:
    """100 (R - L) / (0.5 (R + L)) (Robinson, Herzog & Nigg 1987); NaN where both are zero."""
    return 200 * (right - left) / (right + left) if right + left else float("nan")


def _spread(groups: Sequence[np.ndarray]) -> dict[str, float]:
    """Pooled SD of the finite values within groups, and its ratio to the mean of all."""
    groups = [group[np.isfinite(group)] for group in groups]
    freedom = sum(max(group.size - 1, 0) for group in groups)
    squares = sum(((group - group.mean()) ** 2).sum() for group in groups if group.size)
    sd = float(np.sqrt(squares / freedom)) if freedom else float("nan")
    mean = cycles.mean(np.concatenate(groups)) if groups else float("nan")
    return {"sd": sd, "cv_percent": 100 * sd / abs(mean) if mean else float("nan")}
