"""MyoAssist's three scores of a walk with a device, 0 to 1: stability, symmetry, plausibility.

Definitions: neumovelab/myoassist, tools/score_exo_policy.py (commit 03d8600); strides here are those of events.py."""

from collections.abc import Sequence

import numpy as np
from scipy.signal import find_peaks

from mjx_assist.eval.gait import cycles, events
from mjx_assist.eval.replay.record import SIDES, GaitRecord

# Fractions of the gait cycle in which torque helps: the ankle from the earliest optimised onset to toe-off (Zhang et
# al. 2017, Science 356:1280); MyoAssist calls the hip's provisional, and has none for other joints.
ASSIST_WINDOW = {"ankle_angle": (0.20, 0.65), "hip_flexion": (0.00, 0.20)}
PEAK_BAND_NM_PER_KG = (0.15, 0.80)  # Mooney & Herr 2016 to Zhang et al. 2017
_PHASES = np.arange(100) / 100
_PROMINENT = 0.25  # of the profile's range: what counts as a peak of its own


def score_summary(records: Sequence[GaitRecord]) -> dict:
    """``stability``, ``symmetry``, ``plausibility`` and their mean ``total``, NaN where a score does not apply.

    Each is the mean of parts from 0 (bad) to 1 (good), named in ``parts``. Stability: error of the mean speed (good
    0.05, bad 0.40 m/s), SD of the pelvis' height (0.01, 0.06 m), coefficient of variation of the stride time (0.03,
    0.25), stance (0.55 to 0.65 of the cycle, worthless 0.15 beyond). Symmetry, of the legs' |torque| on their own
    cycles: ratios of peak and of impulse, gap between the peaks (0.03, 0.20 of a cycle), correlation. Plausibility,
    mean of the legs: peak within ASSIST_WINDOW (worthless 0.15 beyond), share of the impulse within it, share of the
    impulse in swing (0.05, 0.40), peak within PEAK_BAND_NM_PER_KG (worthless 0.25 beyond), a single peak, scatter
    over strides (mean SD over peak: 0.10, 0.60), rise and fall over the peak (2.5, 8.0; 2 for a single pulse).

    Torque is about the joint, also of a device that pulls a cable (MyoAssist leaves the peak out there). Symmetry and
    plausibility need torque on both legs, and take the first driven joint that has a window.
    """
    joint = next((joint for joint in cycles.driven_joints(records[0]) if joint in ASSIST_WINDOW), None)
    parts: dict[str, dict] = {"stability": _stability(records), "symmetry": {}, "plausibility": {}}
    legs = [leg for foot in range(2) if joint and (leg := _leg(records, joint, foot)) is not None]
    if joint and len(legs) == 2:
        sides = [_plausibility(leg, *ASSIST_WINDOW[joint]) for leg in legs]
        parts["symmetry"] = _symmetry(legs[0], legs[1])
        parts["plausibility"] = {name: float(np.mean([side[name] for side in sides])) for name in sides[0]}
    scores = {name: float(np.mean(list(part.values()))) if part else np.nan for name, part in parts.items()}
    return {**scores, "total": float(np.mean(list(scores.values()))), "joint": joint, "parts": parts}


def lower_is_better(value: float, good: float, bad: float) -> float:
    """1 up to ``good``, 0 from ``bad``, straight between."""
    return float(np.clip((bad - value) / (bad - good), 0, 1))


def within(value: float, low: float, high: float, width: float) -> float:
    """1 from ``low`` to ``high``, falling straight to 0 at ``width`` beyond either."""
    return lower_is_better(max(low - value, value - high), 0.0, width)


def _stability(records: Sequence[GaitRecord]) -> dict[str, float]:
    strides = [(r, stride) for r in records for stride in events.strides(r)]
    if not strides:
        return {}
    duration = np.array([r.time[stride.end] - r.time[stride.start] for r, stride in strides])
    stance = np.array([r.time[stride.toe_off] - r.time[stride.start] for r, stride in strides]) / duration
    error, height = [], []
    for r in records:
        place, up = (cycles.joint_series(r, r.qpos, name)[:, 0] for name in ("pelvis_tx", "pelvis_ty"))
        speed = (place[-1] - place[0]) / (r.time[-1] - r.time[0])
        error.append(abs(speed - r.target_velocity.mean()))
        height.append(up.std())
    return {
        "speed": lower_is_better(float(np.mean(error)), 0.05, 0.40),
        "pelvis_height": lower_is_better(float(np.mean(height)), 0.010, 0.060),
        "stride_time": lower_is_better(duration.std() / duration.mean(), 0.03, 0.25),
        "stance": within(stance.mean(), 0.55, 0.65, 0.15),
    }


def _leg(records: Sequence[GaitRecord], joint: str, foot: int) -> dict | None:
    """|torque| cycles [n, 100] N*m of one leg, durations [n] s, stance [100] and body mass; None without any torque."""

    def per_stride(series) -> np.ndarray:
        return np.concatenate([cycles.stride_cycles(r, series(r))[foot] for r in records])[:, :-1]

    torque = np.abs(per_stride(lambda r: cycles.device_torque(r, joint)))
    if not torque.size or not torque.max() > 0:
        return None
    strides = [(r, stride) for r in records for stride in events.strides(r) if stride.side == SIDES[foot]]
    return {
        "cycles": torque,
        "mean": torque.mean(axis=0),
        "duration": np.array([r.time[stride.end] - r.time[stride.start] for r, stride in strides]),
        "stance": per_stride(lambda r: events.contact(r).astype(float)).mean(axis=0) > 0.5,
        "body_mass": records[0].person_mass,
    }


def _symmetry(right: dict, left: dict) -> dict[str, float]:
    def ratio(a: float, b: float) -> float:
        return float(min(a, b) / max(a, b))

    impulse = [(leg["cycles"].mean(axis=1) * leg["duration"]).mean() for leg in (right, left)]
    gap = abs(right["mean"].argmax() - left["mean"].argmax()) / len(_PHASES)
    varies = min(np.ptp(right["mean"]), np.ptp(left["mean"])) > 0
    correlation = np.corrcoef(right["mean"], left["mean"])[0, 1] if varies else 0.0
    return {
        "peak": ratio(right["mean"].max(), left["mean"].max()),
        "impulse": ratio(*impulse),
        "timing": lower_is_better(min(gap, 1 - gap), 0.03, 0.20),
        "correlation": float(np.clip(correlation, 0, 1)),
    }


def _plausibility(leg: dict, low: float, high: float) -> dict[str, float]:
    mean = leg["mean"]
    peak, total = mean.max(), mean.sum()
    window = (low <= _PHASES) & (high > _PHASES)
    return {
        "timing": within(float(_PHASES[mean.argmax()]), low, high, 0.15),
        "in_window": float(mean[window].sum() / total),
        "swing": lower_is_better(mean[~leg["stance"]].sum() / total, 0.05, 0.40),
        "peak": within(peak / leg["body_mass"], *PEAK_BAND_NM_PER_KG, 0.25),
        "single_peak": float(_peaks(mean) == 1),
        "repeatable": lower_is_better(leg["cycles"].std(axis=0).mean() / peak, 0.10, 0.60),
        "smooth": lower_is_better(np.abs(np.diff(mean)).sum() / peak, 2.5, 8.0),
    }


def _peaks(profile: np.ndarray) -> int:
    """Number of prominent peaks of a profile that begins again where it ends."""
    found, _ = find_peaks(np.tile(profile, 3), prominence=_PROMINENT * np.ptp(profile))
    return int(((found >= profile.size) & (found < 2 * profile.size)).sum())
