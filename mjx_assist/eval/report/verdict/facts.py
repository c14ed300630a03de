"""What the verdict's rules are about: a gait's figures against healthy ones, by name with the unit.

All the arithmetic of the verdict, but for curves (curves.py); thresholds and words are in rules.py."""

from collections.abc import Callable

import numpy as np
from scipy.integrate import trapezoid

from mjx_assist.eval.gait import angles, emg
from mjx_assist.eval.gait.device import PUSH_OFF_PERCENT
from mjx_assist.eval.gait.metabolics import MODELS, STANDING_W_PER_KG
from mjx_assist.eval.gait.one_sided import PEOPLE, PROSTHETIC, PUSH_OFF, SOUND
from mjx_assist.eval.plots.style import MUSCLE_TITLES
from mjx_assist.eval.replay.record import SIDES
from mjx_assist.eval.report.verdict.curves import curve_facts, of_legs

# The figures in which legs are to be alike.
LIMBS = {
    "stance_percent": "stance",
    "step_time_s": "step time",
    "step_length_m": "step length",
    "grf_peak_bw": "peak vertical force",
}
# W/kg that people take beyond standing at 1.25 m/s (docs/metabolics.md), at other speeds in the proportion of Ralston's
# (1958, Int Z angew Physiol 17:277) gross power less standing.
PEOPLE_W_PER_KG, PEOPLE_SPEED_M_S = (2.1, 2.8), 1.25
_RALSTON = (2.02, 1.33)  # W/kg, and W/kg per (m/s)^2: his 29 and 0.0053 cal/(min kg), speeds in m/min
# Muscles that walking cannot do without, whose timing all sources agree on.
TIMED = ("soleus", "gastroc", "tibant", "rectfem", "hamstrings", "glutmax", "vasti", "iliopsoas")
MODEL_SPELLINGS = {"gastroc": ("gasmed", "gaslat"), "rectfem": ("recfem",), "hamstrings": ("semimem", "semiten")}


def facts(metrics: dict, band: Callable, baseline: dict | None = None, full_model: dict | None = None) -> dict:
    """What the rules and their sentences are about, by name with its unit; what cannot be told is missing or None.

    ``metrics`` and ``baseline`` (the same walker with zero torque): from ``metrics.summarize``; ``band``:
    ``reference.healthy_band``; ``full_model``: ``metrics.episode_summary`` of an episode on the unreduced model.
    """
    speed, requested = metrics["speed_m_s"], metrics["speed_asked_m_s"]
    healthy = {}  # a walk of unknown speed is compared with nobody's
    if requested is not None:
        healthy = curve_facts(metrics, band) | _power_facts(metrics, band) | _device_facts(metrics, band)
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
        **_stop_facts(metrics),
        **_pressure_facts(metrics),
        **_timing_facts(metrics),
        **(_sharing_facts(metrics) if metrics.get("one_sided") else _symmetry_facts(metrics)),
        **_level_facts(metrics),
        **_metabolic_facts(metrics, baseline),
        **_full_model_facts(full_model),
    }


def _stop_facts(metrics: dict) -> dict:
    """The joint whose limit is loaded most, mean of the strides' peaks of the worse leg."""
    peaks = [
        (metrics[side].get(f"{name}_stop_load_peak_nm_per_kg"), f"{side} {name}")
        for side in SIDES
        for name in angles.LEG
    ]
    known = [(peak, name, peak * metrics["person_mass_kg"]) for peak, name in peaks if peak is not None]
    return dict(zip(("stop_peak_nm_per_kg", "stop_joint", "stop_peak_nm"), max(known), strict=True)) if known else {}


def _pressure_facts(metrics: dict) -> dict:
    back = of_legs(metrics, "pressure_backward_m")
    return {"pressure_backward_mm": 1000 * max(back)} if back else {}


def _timing_facts(metrics: dict) -> dict:
    """The muscle of `TIMED` whose activity agrees least with when people's is on, in its worse leg."""
    measured = metrics.get("emg") or {}
    rows: list[tuple[float, str, str]] = []
    for muscle in {name for timed in TIMED for name in (timed, *MODEL_SPELLINGS.get(timed, ()))} & set(measured):
        figures = measured[muscle]
        for side in SIDES:
            agreement = figures[side]["timing_agreement_percent"]
            if agreement is not None:
                rows.append((agreement, muscle, side))
    if not rows:
        return {}
    agreement, muscle, side = min(rows)
    own, published = measured[muscle][side], emg.PUBLISHED_TIMING[muscle]
    return {
        "timing_worst_percent": agreement,
        "timing_muscle": f"{side} {MUSCLE_TITLES.get(muscle, muscle).lower()}",
        "timing_on": _span(own["onset_percent"], own["offset_percent"], own["on_percent"]),
        "timing_published_on": _span(published[0], published[1], None),
    }


def _span(onset: float | None, offset: float | None, share: float | None) -> str:
    """ "from 27 to 65 % of the cycle", "never" or "always"."""
    if onset is None or offset is None:
        return "always" if share else "never"
    return f"from {onset:.0f} to {offset:.0f} % of the cycle"


def _power_facts(metrics: dict, band: Callable) -> dict:
    """The joint whose positive work is farthest from the healthy mean curve's: W/kg, both legs."""
    both, requested = metrics["both"], metrics["speed_asked_m_s"]
    rows = []
    for name in angles.LEG:
        work = both.get(f"{name}_positive_work_j_per_kg")
        if work is None or not both["stride_time_s"]:
            continue
        percent, power = (np.asarray(part, float) for part in band(f"{name}_power", requested)[:2])
        healthy = len(SIDES) * trapezoid(np.maximum(power, 0), percent / 100)
        own = len(SIDES) * work / both["stride_time_s"]
        rows.append((abs(own - healthy), name, own, healthy))
    names = ("power_worst_off_w_per_kg", "power_worst", "power_worst_w_per_kg", "power_worst_healthy_w_per_kg")
    return dict(zip(names, max(rows), strict=True)) if rows else {}


def _symmetry_facts(metrics: dict) -> dict:
    index = metrics["symmetry"]["index_percent"]
    known = {name: index[name] for name in LIMBS if index.get(name) is not None}
    if not known:
        return {}
    worst = max(known, key=lambda name: abs(known[name]))
    return {"asymmetry_percent": abs(known[worst]), "asymmetry_of": LIMBS[worst]}


def _sharing_facts(metrics: dict) -> dict:
    """How a body with one prosthesis loads its legs, and how far that is from people with such a one, in their SDs."""
    told = metrics["one_sided"]
    sides = {"prosthetic_side": told["prosthetic_side"], "sound_side": told["sound_side"]}
    people, ratio = PEOPLE.get(told["level"]) or {}, told["ratio"]
    off = [abs(ratio[name] - mean) / sd for name, (mean, sd) in people.items() if ratio.get(name) is not None]
    sound, prosthetic = told[SOUND], told[PROSTHETIC]
    figures = {
        "step_ratio": ratio["step_length_m"],
        "stance_ratio": ratio["stance_time_s"],
        "sound_first_peak_bw": sound["grf_loading_peak_bw"],
        "sound_push_off_j_per_kg": sound[PUSH_OFF],
        "prosthetic_push_off_j_per_kg": prosthetic[PUSH_OFF],
    }
    known = len(off) == len(people) > 0 and all(value is not None for value in figures.values())
    return {**sides, **figures, **({"sharing_off_sd": max(off)} if known else {})}


def _level_facts(metrics: dict) -> dict:
    """Muscles' power, mean of `MODELS`, and how far it is out of people's range at that speed."""
    powers = [(metrics.get("metabolic") or {}).get(model, {}).get("power_w_per_kg") for model in MODELS]
    speed = metrics["speed_m_s"]
    if None in powers or not speed or not metrics["both"]["strides"]:
        return {}
    own = float(np.mean(powers))
    low, high = (bound * _beyond_standing(speed) / _beyond_standing(PEOPLE_SPEED_M_S) for bound in PEOPLE_W_PER_KG)
    return {
        "muscle_power_w_per_kg": own,
        "people_low_w_per_kg": low,
        "people_high_w_per_kg": high,
        "muscle_power_off_w_per_kg": max(low - own, own - high, 0.0),
    }


def _beyond_standing(speed: float) -> float:
    """W/kg of walking less standing (Ralston 1958)."""
    return _RALSTON[0] + _RALSTON[1] * speed**2 - STANDING_W_PER_KG


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
    """Change of the muscles' metabolic power against zero torque, mean of `MODELS`, %."""
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
        for model in MODELS
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
