"""What the verdict's rules are about: a gait's figures against healthy ones, by name with the unit.

All the arithmetic of the verdict; thresholds and words are in verdict.py."""

from collections.abc import Callable

import numpy as np
from scipy.integrate import trapezoid

from mjx_assist.eval.gait import angles
from mjx_assist.eval.gait.device import PUSH_OFF_PERCENT
from mjx_assist.eval.replay.record import SIDES

MIDSTANCE_PERCENT = 30.0  # the vertical ground reaction's valley lies about here
# The figures in which legs are to be alike.
LIMBS = {
    "stance_percent": "stance",
    "step_time_s": "step time",
    "step_length_m": "step length",
    "grf_peak_bw": "peak vertical force",
}


def facts(metrics: dict, band: Callable, baseline: dict | None = None, full_model: dict | None = None) -> dict:
    """What the rules and their sentences are about, by name with its unit; what cannot be told is missing or None.

    ``metrics`` and ``baseline`` (the same walker with zero torque): from ``metrics.summarize``; ``band``:
    ``reference.healthy_band``; ``full_model``: ``metrics.episode_summary`` of an episode on the unreduced model.
    """
    speed, requested = metrics["speed_m_s"], metrics["speed_asked_m_s"]
    healthy = {}  # a walk of unknown speed is compared with nobody's
    if requested is not None:
        healthy = {
            **_angle_facts(metrics, band),
            **_moment_facts(metrics, band),
            **_ground_facts(metrics["both"], requested, band),
            **_device_facts(metrics, band),
        }
    falls = [episode["time_s"] for episode in metrics["per_episode"] if episode["fell"]]
    return {
        "episodes": metrics["episodes"],
        "falls": metrics["falls"],
        # an episode that ends before its first complete stride tells nothing but a fall
        "fall_percent": 100 * metrics["falls"] / metrics["episodes"] if falls or metrics["both"]["strides"] else None,
        "first_fall_s": min(falls, default=None),
        "time_s": metrics["time_s"],
        "speed_m_s": speed,
        "speed_asked_m_s": requested,
        "speed_error_m_s": None if speed is None or requested is None else abs(speed - requested),
        **healthy,
        **_symmetry_facts(metrics),
        **_metabolic_facts(metrics, baseline),
        **_full_model_facts(full_model),
    }


def _angle_facts(metrics: dict, band: Callable) -> dict:
    """Gait profile score against the one that the published SDs give a healthy person (root mean square)."""
    healthy = metrics.get("healthy") or {}
    profile = {name: value for name, value in (healthy.get("map_deg") or {}).items() if value is not None}
    gps = healthy.get("gps_deg")
    if gps is None or not profile:
        return {}
    requested = metrics["speed_asked_m_s"]
    spreads = [np.mean(np.square(band(angles.MEASURED[name].coordinate, requested)[2])) for name in profile]
    own, worst = float(np.sqrt(np.mean(spreads))), max(profile, key=lambda name: profile[name])
    return {
        "gps_deg": gps,
        "gps_healthy_deg": own,
        "gps_excess_deg": gps - own,
        "worst_angle": worst.replace("_", " "),
        "worst_angle_deg": profile[worst],
    }


def _moment_facts(metrics: dict, band: Callable) -> dict:
    """The moment that is farthest from the healthy mean, in root mean square SDs over the cycle."""
    rmse = (metrics.get("healthy") or {}).get("rmse") or {}
    rows = []
    for joint in angles.LEG:
        value = rmse.get(f"{joint}_moment_nm_per_kg")
        spread = np.sqrt(np.mean(np.square(band(f"{joint}_moment", metrics["speed_asked_m_s"])[2])))
        if value is not None and spread > 0:
            rows.append((value / spread, joint, value, float(spread)))
    names = ("moment_worst_sd", "worst_moment", "worst_moment_nm_per_kg", "worst_moment_healthy_nm_per_kg")
    return dict(zip(names, max(rows), strict=True)) if rows else {}


def _ground_facts(both: dict, requested: float, band: Callable) -> dict:
    """The peaks of the vertical and fore-aft ground reaction against those of the healthy curves, in their SDs."""
    percent = np.asarray(band("grf_vertical", requested)[0], float)
    up, ahead = (np.array(band(name, requested)[1:], float) for name in ("grf_vertical", "grf_anterior"))
    early, late = percent <= MIDSTANCE_PERCENT, (percent > MIDSTANCE_PERCENT) & (percent < 80)
    healthy = {  # figure of metrics -> what it is called, and the healthy curve (mean, SD) that it is the maximum of
        "grf_loading_peak_bw": ("vertical in loading", up[:, early]),
        "grf_push_off_peak_bw": ("vertical in push-off", up[:, late]),
        "grf_braking_peak_bw": ("backward, braking", ahead[:, early] * [[-1], [1]]),
        "grf_propulsive_peak_bw": ("forward, propelling", ahead[:, late]),
    }
    rows = []
    for name, (what, (mean, sd)) in healthy.items():
        if both.get(name) is None:
            continue
        at = mean.argmax()
        rows.append((abs(both[name] - mean[at]) / sd[at], what, both[name], mean[at], sd[at]))
    if not rows:
        return {}
    names = ("grf_worst_sd", "worst_peak", "worst_peak_bw", "worst_peak_healthy_bw", "worst_peak_sd_bw")
    peaks = {"grf_loading_bw": both["grf_loading_peak_bw"], "grf_push_off_bw": both["grf_push_off_peak_bw"]}
    return {**peaks, **dict(zip(names, max(rows), strict=True))}


def _symmetry_facts(metrics: dict) -> dict:
    index = metrics["symmetry"]["index_percent"]
    known = {name: index[name] for name in LIMBS if index.get(name) is not None}
    if not known:
        return {}
    worst = max(known, key=lambda name: abs(known[name]))
    return {"asymmetry_percent": abs(known[worst]), "asymmetry_of": LIMBS[worst]}


def _device_facts(metrics: dict, band: Callable) -> dict:
    """Work of all driven joints: W/kg of both legs, and each push-off's share of the healthy ankle's."""
    works = ("push_off_positive_work_j_per_kg", "positive_work_j_per_kg", "negative_work_j_per_kg")
    stride = metrics["both"]["stride_time_s"]
    legs = [joint[side] for joint in metrics["device"].values() for side in SIDES if joint[side][works[0]] is not None]
    if not legs or not stride:
        return {}
    push_off, positive, negative = (sum(leg[work] for leg in legs) for work in works)
    percent, power, _ = (np.asarray(part, float) for part in band("ankle_power", metrics["speed_asked_m_s"]))
    window = (percent >= PUSH_OFF_PERCENT[0]) & (percent <= PUSH_OFF_PERCENT[1])
    healthy = trapezoid(np.maximum(power, 0)[window], percent[window] / 100) * stride
    each = push_off / len(SIDES)
    return {
        "device_push_off_j_per_kg": each,
        "device_share_percent": 100 * each / healthy if healthy > 0 else np.nan,
        "device_positive_w_per_kg": positive / stride,
        "device_negative_w_per_kg": -negative / stride,
        "device_net_w_per_kg": (positive + negative) / stride,
    }


def _metabolic_facts(metrics: dict, baseline: dict | None) -> dict:
    """Change of the muscles' metabolic power against zero torque, mean of the metabolic models, %."""
    with_device, without = metrics.get("metabolic"), (baseline or {}).get("metabolic")
    if (
        not baseline
        or not with_device
        or not without
        or not (metrics["both"]["strides"] and baseline["both"]["strides"])
    ):
        return {}
    changes = [
        100 * (with_device[model]["power_w_per_kg"] / without[model]["power_w_per_kg"] - 1)
        for model in with_device
        if (without.get(model) or {}).get("power_w_per_kg") and with_device[model]["power_w_per_kg"] is not None
    ]
    return {"metabolic_change_percent": float(np.mean(changes))} if changes else {}


def _full_model_facts(episode: dict | None) -> dict:
    if not episode:
        return {}
    return {
        "full_model_falls": float(episode["fell"]),
        "full_model_time_s": episode["time_s"],
        "full_model_speed_m_s": episode["mean_speed_m_s"] or float("nan"),
    }
