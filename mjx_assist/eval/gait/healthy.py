"""How far a gait is from healthy walking at the same speed: RMSE, correlation, movement analysis profile, GPS.

Healthy walking is reference/published.py's (Schwartz et al. 2008), in the model's coordinates."""

from collections.abc import Callable, Sequence

import numpy as np

from mjx_assist.eval.gait import angles, cycles, kinetics
from mjx_assist.eval.gait.cycles import FORWARD, VERTICAL
from mjx_assist.eval.replay.record import SIDES, GaitRecord
from mjx_assist.reference.published import healthy_band

Series = Callable[[GaitRecord], np.ndarray]
STILL = 1e-9  # less than this is rounding, not movement
LEAST_SD = 0.5  # of the root mean square over the cycle: where a published SD is smaller, it is below what is measured
MIDSTANCE_PERCENT, LATE_PERCENT = 30, 80  # the vertical force's valley lies about the first; swing lasts from about 60


def healthy_summary(records: Sequence[GaitRecord], speed: float) -> dict:
    """Deviation from healthy walking at ``speed`` m/s; the top level is both legs, ``right`` and ``left`` each one.

    Of the stride-averaged curve and the published mean, over 0 to 100 %, by quantity; of both legs, their mean:
    rmse (the unit ends each key), correlation (Pearson), and in published standard deviations distance_sd (rmse over
    the root mean square of the SD: 1 for healthy people) and largest_sd (the same of the largest difference);
    within_2sd_percent, the share of the cycle within twice the SD of that place, or of `LEAST_SD` of the root mean
    square where people differ by less. Moments and powers are those of inverse dynamics.

    grf_peaks_bw: of the averaged ground reaction, `force_peaks`.

    map_deg, the movement analysis profile (Baker et al. 2009, Gait Posture 30:265): per angle the gait variable score,
    a stride's RMS difference from the published mean, averaged over strides. gps_deg, the gait profile score: RMS of
    the profile; of both legs, over both legs' scores with the pelvis counted once (the left's cycle). Only the angles
    of gps_angles count: Baker's nine, less foot progression, less what a planar model lacks; so a GPS compares models
    with the same angles.
    """
    known = angles.angles_of(records[0])
    legs = _averages(records, speed, known)
    profiles = [leg["map_deg"] for leg in legs]
    pelvis_once = [profiles[foot][name] for name in known for foot in ((1,) if name.startswith("pelvis") else (0, 1))]
    both = {key: {name: cycles.mean([leg[key][name] for leg in legs]) for name in legs[0][key]} for key in legs[0]}
    return {
        "speed_m_s": speed,
        **both,
        "gps_deg": gait_profile_score(pelvis_once),
        "gps_angles": [name for name, score in both["map_deg"].items() if np.isfinite(score)],
        **{
            side: {**leg, "gps_deg": gait_profile_score(list(leg["map_deg"].values()))}
            for side, leg in zip(SIDES, legs, strict=True)
        },
    }


def force_peaks(vertical: np.ndarray, ahead: np.ndarray) -> dict[str, float]:
    """Body weights: peaks of curves [101] over the cycle, vertical and forward, each where people have it.

    ``loading`` and ``push_off``: before and after `MIDSTANCE_PERCENT`; ``valley`` between these two; ``braking``
    (backward, positive) and ``propulsive``.
    """
    early, late = slice(0, MIDSTANCE_PERCENT + 1), slice(MIDSTANCE_PERCENT + 1, LATE_PERCENT)
    first, last = vertical[early].argmax(), MIDSTANCE_PERCENT + 1 + vertical[late].argmax()
    return {
        "loading": float(vertical[first]),
        "push_off": float(vertical[last]),
        "valley": float(vertical[first : last + 1].min()),
        "braking": float(-ahead[early].min()),
        "propulsive": float(ahead[late].max()),
    }


def gait_variable_score(curves: np.ndarray, published: np.ndarray) -> np.ndarray:
    """[n] RMS difference of curves [n, points] from a published mean [points] (Baker et al. 2009), in their unit."""
    return np.sqrt(((curves - published) ** 2).mean(axis=1))


def gait_profile_score(scores: Sequence[float]) -> float:
    """RMS of the known gait variable scores (Baker et al. 2009), deg; NaN when there are none."""
    known = np.array([score for score in scores if np.isfinite(score)])
    return float(np.sqrt((known**2).mean())) if known.size else float("nan")


def pearson(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's correlation of two curves; NaN where one of them does not vary or is not known."""
    return float(np.corrcoef(a, b)[0, 1]) if min(np.ptp(a), np.ptp(b)) > STILL else float("nan")


def curves(known: dict[str, angles.Angle]) -> dict[str, tuple[str, str, Series]]:
    """Every compared quantity: its published name, its unit as a key's end, and its [T, 2] series from a record."""
    table: dict[str, tuple[str, str, Series]] = {
        name: (angle.coordinate, angle.unit, lambda record, angle=angle: angles.model_angle(record, angle))
        for name, angle in known.items()
    }
    for name in angles.LEG:
        table[f"{name}_moment"] = (f"{name}_moment", "nm_per_kg", lambda r, name=name: kinetics.moment(r, name))
        table[f"{name}_power"] = (f"{name}_power", "w_per_kg", lambda r, name=name: kinetics.power(r, name))
    for name, axis in (("grf_vertical", VERTICAL), ("grf_anterior", FORWARD)):
        table[name] = (name, "bw", lambda record, axis=axis: cycles.ground_force(record, axis))
    return table


def _averages(records: Sequence[GaitRecord], speed: float, known: dict[str, angles.Angle]) -> list[dict]:
    """Of (right, left): what `healthy_summary` tells of a leg, but for the profile score."""
    legs: list[dict] = [{**{name: {} for name in (*_COMPARED, "map_deg")}} for _ in SIDES]
    means: dict[str, list[np.ndarray]] = {}
    for name, (quantity, unit, series) in curves(known).items():
        published, sd = healthy_band(quantity, speed)[1:] if np.isfinite(speed) else np.full((2, 101), np.nan)
        pairs = [cycles.stride_cycles(record, series(record)) for record in records]
        for foot, leg in enumerate(legs):
            strides = np.concatenate([pair[foot] for pair in pairs])
            average = strides.mean(axis=0) if len(strides) else np.full(published.size, np.nan)
            means.setdefault(name, []).append(average)
            for figure, value in _against(average, published, sd).items():
                leg[figure][f"{name}_{unit}" if figure == "rmse" else name] = value
            if name in known:
                leg["map_deg"][name] = cycles.mean(gait_variable_score(strides, published))
    for foot, leg in enumerate(legs):
        leg["grf_peaks_bw"] = force_peaks(means["grf_vertical"][foot], means["grf_anterior"][foot])
    return legs


_COMPARED = ("rmse", "correlation", "distance_sd", "largest_sd", "within_2sd_percent")


def _against(average: np.ndarray, published: np.ndarray, sd: np.ndarray) -> dict[str, float]:
    """The figures `_COMPARED` of an averaged curve against a published mean and SD, [101] each."""
    off, spread = np.abs(average - published), np.sqrt((sd**2).mean())
    rmse = float(np.sqrt((off**2).mean()))
    inside = off <= 2 * np.maximum(sd, LEAST_SD * spread)
    of_spread = 1 / spread if spread > 0 else np.nan
    figures = (
        rmse,
        pearson(average, published),
        rmse * of_spread,
        float(off.max()) * of_spread,
        100 * inside.mean() if np.isfinite(off).all() else np.nan,
    )
    return dict(zip(_COMPARED, map(float, figures), strict=True))
