"""Facts of the verdict about curves over the gait cycle: angles, moments, ground reaction against healthy ones.

Each leg counts by itself, so that a limp does not hide in a mean."""

from collections.abc import Callable, Iterator

import numpy as np

from mjx_assist.eval.gait import angles
from mjx_assist.eval.gait.healthy import force_peaks
from mjx_assist.eval.gait.loading import LOADING_PERCENT, MIDSTANCE_PERCENT
from mjx_assist.eval.replay.record import SIDES

_WAYS = ("vertical", "anterior")
_PEAKS = {
    "loading": "vertical in loading",
    "valley": "the vertical valley",
    "push_off": "vertical in push-off",
    "braking": "backward, braking",
    "propulsive": "forward, propelling",
}


def curve_facts(metrics: dict, band: Callable) -> dict:
    """By name with the unit; what cannot be told is missing."""
    return {
        **_profile_facts(metrics, band),
        **_shape_facts(metrics),
        **_moment_facts(metrics),
        **_ground_facts(metrics, band),
        **_calf_facts(metrics, band),
        **_foot_facts(metrics, band),
    }


def of_legs(metrics: dict, figure: str) -> list[float]:
    """A figure's means of the legs that have it (a prosthesis replaces a joint)."""
    return [value for side in SIDES if (value := metrics[side].get(figure)) is not None]


def _profile_facts(metrics: dict, band: Callable) -> dict:
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


def _shape_facts(metrics: dict) -> dict:
    """The leg's angle that correlates least with the healthy one (0 where it does not move), and the angle, pelvis
    included, that is farthest from it in healthy SDs."""
    shapes = [(0.0 if r is None else r, name) for name, r in _against_healthy(metrics, "correlation", angles.LEG)]
    known = [name for name, far in _against_healthy(metrics, "distance_sd", angles.LEG) if far is not None]
    far = [(far, name) for name, far in _against_healthy(metrics, "distance_sd", angles.SAGITTAL) if far is not None]
    shapes = [(r, name) for r, name in shapes if name in known]
    if not shapes or not far:
        return {}
    return {
        **dict(zip(("shape_worst_r", "shape_worst"), min(shapes), strict=True)),
        **dict(zip(("angle_worst_sd", "angle_farthest"), max(far), strict=True)),
    }


def _moment_facts(metrics: dict) -> dict:
    """The moments that are least of the cycle within 2 SD of the healthy mean, and farthest from it at any place."""
    moments = [f"{name}_moment" for name in angles.LEG]
    inside = [
        (share, name) for name, share in _against_healthy(metrics, "within_2sd_percent", moments) if share is not None
    ]
    spikes = [(far, name) for name, far in _against_healthy(metrics, "largest_sd", moments) if far is not None]
    if not inside or not spikes:
        return {}
    return {
        **dict(zip(("moment_within_percent", "moment_worst"), min(inside), strict=True)),
        **dict(zip(("moment_spike_sd", "moment_spike"), max(spikes), strict=True)),
    }


def _against_healthy(metrics: dict, figure: str, names) -> Iterator[tuple[str, float | None]]:
    """("left knee moment", value) of a figure of `healthy_summary`."""
    healthy = metrics.get("healthy") or {}
    for side in SIDES:
        values = (healthy.get(side) or {}).get(figure) or {}
        yield from ((f"{side} {name.replace('_', ' ')}", values[name]) for name in names if name in values)


def _ground_facts(metrics: dict, band: Callable) -> dict:
    """Peaks and valley of the averaged ground reaction against those of the healthy curves, in their SDs there."""
    grid, bands = np.linspace(0, 100, 101), [band(f"grf_{way}", metrics["speed_asked_m_s"]) for way in _WAYS]
    (up, up_sd), (ahead, ahead_sd) = ([np.interp(grid, percent, part) for part in more] for percent, *more in bands)
    healthy = force_peaks(up, ahead)
    rows, own = [], {}
    for side in SIDES:
        peaks = ((metrics.get("healthy") or {}).get(side) or {}).get("grf_peaks_bw") or {}
        for name, value in peaks.items():
            if value is None:
                continue
            curve, sd = (ahead, ahead_sd) if name in ("braking", "propulsive") else (up, up_sd)
            at = np.abs(curve - healthy[name] * (-1 if name == "braking" else 1)).argmin()
            rows.append((abs(value - healthy[name]) / sd[at], _PEAKS[name], value, healthy[name], sd[at]))
            own.setdefault(name, []).append(value)
    if not rows:
        return {}
    names = ("grf_worst_sd", "worst_peak", "worst_peak_bw", "worst_peak_healthy_bw", "worst_peak_sd_bw")
    mean = {f"grf_{name}_bw": float(np.mean(own[name])) for name in ("loading", "valley", "push_off")}
    return {**mean, **dict(zip(names, max(rows), strict=True))}


def _calf_facts(metrics: dict, band: Callable) -> dict:
    """How far the plantarflexing moment in mid-stance is below the healthy one, SD, in the leg that has less."""
    values = of_legs(metrics, "ankle_plantarflexion_moment_midstance_nm_per_kg")
    if not values:
        return {}
    percent, mean, sd = (np.asarray(part, float) for part in band("ankle_moment", metrics["speed_asked_m_s"]))
    healthy, spread = (float(np.interp(MIDSTANCE_PERCENT, percent, part)) for part in (-mean, sd))
    own = min(values)
    return {
        "calf_moment_nm_per_kg": own,
        "calf_moment_healthy_nm_per_kg": healthy,
        "calf_moment_healthy_sd_nm_per_kg": spread,
        "calf_moment_short_sd": (healthy - own) / spread if spread > 0 else np.nan,
    }


def _foot_facts(metrics: dict, band: Callable) -> dict:
    """Fastest plantarflexion in loading of the worse leg, over that of the healthy mean curve."""
    values = of_legs(metrics, "ankle_loading_plantarflexion_rate_deg_per_s")
    stride = metrics["both"]["stride_time_s"]
    if not values or not stride:
        return {}
    percent, mean = (np.asarray(part, float) for part in band("ankle_angle", metrics["speed_asked_m_s"])[:2])
    rate = -np.gradient(mean, percent / 100 * stride)
    healthy = float(rate[percent <= LOADING_PERCENT].max())
    return {
        "foot_drop_deg_per_s": max(values),
        "foot_drop_healthy_deg_per_s": healthy,
        "foot_drop_ratio": max(values) / healthy if healthy > 0 else np.nan,
    }
