"""How alike the strides of a leg are, and how alike the legs: SD and CV, symmetry indexes, cross-correlation."""

from collections.abc import Sequence

import numpy as np

from mjx_assist.eval.gait import angles, cycles, healthy, metrics
from mjx_assist.eval.replay.record import SIDES, GaitRecord


def variability_summary(records: Sequence[GaitRecord], rows: Sequence[Sequence[dict]]) -> dict:
    """``<figure>`` names with ``sd`` and ``cv_percent``: stride-to-stride spread within a leg and an episode, of the
    figures whose row in the table says so (``spread``).

    ``rows`` are each record's stride rows. SD: pooled over legs and episodes, so that neither asymmetry nor episodes at
    other speeds count as variability; CV = 100 SD / mean (Hausdorff 2005, J Neuroeng Rehabil 2:19). mean_sd_deg, by
    angle: SD over strides at each percent of the cycle, averaged over the cycle (MeanSD, Dingwell & Marin 2006,
    J Biomech 39:444), mean of the legs.
    """
    groups = [[row for row in episode if row["side"] == side] for episode in rows for side in SIDES]
    measured = {name for group in groups for row in group for name in row}
    present = [metric.name for metric in metrics.METRICS.values() if metric.spread and metric.name in measured]
    averages = {
        name: cycles.pooled_average(records, lambda record, angle=angle: angles.model_angle(record, angle))
        for name, angle in angles.angles_of(records[0]).items()
    }
    return {
        "strides": sum(len(group) for group in groups),
        **{name: _spread([np.array([row[name] for row in group], float) for group in groups]) for name in present},
        "mean_sd_deg": {
            name: cycles.mean([average["sd"][:, foot].mean() for foot in range(2) if average["strides"][foot] > 1])
            for name, average in averages.items()
        },
    }


def symmetry_summary(records: Sequence[GaitRecord], means: dict[str, dict]) -> dict:
    """Left against right, from each leg's mean figures and stride-averaged curves on its own cycle.

    index_percent, of the figures whose row in the table says so (``symmetry``): Robinson, Herzog & Nigg (1987, J Manip
    Physiol Ther 10:172), 100 (R - L) / (0.5 (R + L)); 0 for equal legs. angle_correlation: Pearson's r of the legs'
    curves. cross_correlation, of angles, moments and ground reaction: the largest r over all shifts around the cycle,
    and lag_percent, how much later the left leg's curve is at that shift (Wren et al. 2006, J Biomech 39:2714).
    """
    known = angles.angles_of(records[0])
    table = healthy.curves(known)
    averages = {
        name: cycles.pooled_average(records, series)["mean"]
        for name, (_, _, series) in table.items()
        if not name.startswith("pelvis") and not name.endswith("power")
    }
    return {
        "index_percent": {
            name: symmetry_index(*(means[side][name] for side in SIDES))
            for name, metric in metrics.METRICS.items()
            if metric.symmetry and name in means["right"]
        },
        "angle_correlation": {name: healthy.pearson(*averages[name].T) for name in angles.LEG},
        "cross_correlation": {name: cross_correlation(*average[:-1].T) for name, average in averages.items()},
    }


def symmetry_index(right: float, left: float) -> float:
    """100 (R - L) / (0.5 (R + L)) (Robinson, Herzog & Nigg 1987); NaN where both are zero."""
    return 200 * (right - left) / (right + left) if right + left else float("nan")


def cross_correlation(right: np.ndarray, left: np.ndarray) -> dict[str, float]:
    """Largest Pearson's r of two curves of one cycle over all circular shifts, and the shift, -50 to 50 % of it."""
    if not min(np.ptp(right), np.ptp(left)) > 1e-9:
        return {"r": float("nan"), "lag_percent": float("nan")}
    a, b = right - right.mean(), left - left.mean()
    product = np.fft.irfft(np.fft.rfft(b) * np.conj(np.fft.rfft(a)), a.size) / np.sqrt((a @ a) * (b @ b))
    lag = int(product.argmax())
    lag -= a.size if 2 * lag > a.size else 0
    return {"r": float(product.max()), "lag_percent": 100.0 * lag / a.size}


def _spread(groups: Sequence[np.ndarray]) -> dict[str, float]:
    """Pooled SD of the finite values within groups, and its ratio to the mean of all."""
    groups = [group[np.isfinite(group)] for group in groups]
    freedom = sum(max(group.size - 1, 0) for group in groups)
    squares = sum(((group - group.mean()) ** 2).sum() for group in groups if group.size)
    sd = float(np.sqrt(squares / freedom)) if freedom else float("nan")
    mean = cycles.mean(np.concatenate(groups)) if groups else float("nan")
    return {"sd": sd, "cv_percent": 100 * sd / abs(mean) if mean else float("nan")}
