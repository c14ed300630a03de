"""What the device did: torque, its timing, work and smoothness, agreement of the legs, share of the joint's work.

Figures per driven joint, from the strides that events.py finds; what cannot be told is NaN."""

from collections.abc import Sequence

import numpy as np
from scipy.integrate import trapezoid

from mjx_assist.eval.gait import cycles, events, kinetics
from mjx_assist.eval.replay.record import SIDES, GaitRecord

PUSH_OFF_PERCENT = (40.0, 65.0)  # of the gait cycle: heel rise to just after toe-off
_FINE = 1001  # points per cycle where work is integrated
_HARMONICS, _LOUD = 20, 0.05  # of the cycle, and of the spectrum at zero: where the spectral arc ends


def device_summary(records: Sequence[GaitRecord]) -> dict:
    """Device figures by driven joint for ``right``, ``left`` and ``both``; a leg that it does not drive is all NaN.

    Of each leg: torque_max_nm, the largest torque of all samples; torque_peak_*, means over strides of the stride's
    largest |torque|; its timing in the cycle and swing_torque_fraction (peak after the mean toe-off over peak), from
    the stride-averaged |torque|; work per stride, all of it and in push-off; power_peak_w_per_kg, mean over strides.

    joint_positive_work_fraction: the device's positive work over the joint's (of inverse dynamics: muscles, device and
    passive structures together). Torque and work are per kg of the person, without the device.
    torque_spectral_arc_length: smoothness of each stride's |torque|, mean over strides (Balasubramanian et al. 2012,
    IEEE Trans Biomed Eng 59:2126, eq. 4, cut as in their 2015, J Neuroeng Rehabil 12:112: the spectrum over its value
    at zero, up to the last harmonic of the cycle, 20 at most, where it is 0.05). Below zero; nearer to it is smoother.

    ``both`` is the mean of the legs (torque_max_nm: the larger). ``left_right`` compares their stride-averaged torques,
    each on its own cycle: correlation (Pearson) and nrmse (RMS difference over the mean of the peaks), 1 and 0 for legs
    that are helped alike.
    """
    return {joint: _joint(records, joint) for joint in cycles.driven_joints(records[0])}


def torque_peak(record: GaitRecord, joint: str) -> np.ndarray:
    """[n strides] N*m/kg, the largest |torque| about a driven joint."""
    return cycles.over_strides(record, np.abs(cycles.device_torque(record, joint)) / record.person_mass, np.max)


def positive_work(record: GaitRecord, joint: str) -> np.ndarray:
    """[n strides] J/kg that the device gives to a joint."""
    return kinetics.integral(record, np.maximum(cycles.device_power(record, joint), 0))


def negative_work(record: GaitRecord, joint: str) -> np.ndarray:
    """[n strides] J/kg, not above 0, that it takes from a joint."""
    return kinetics.integral(record, np.minimum(cycles.device_power(record, joint), 0))


def _joint(records: Sequence[GaitRecord], joint: str) -> dict:
    sides = {side: _leg(records, joint, foot) for foot, side in enumerate(SIDES)}
    both = {figure: cycles.mean([leg[figure] for leg in sides.values()]) for figure in sides["right"]}
    both["torque_max_nm"] = np.fmax(*(leg["torque_max_nm"] for leg in sides.values()))
    return {**sides, "both": both, "left_right": _agreement(records, joint)}


def _leg(records: Sequence[GaitRecord], joint: str, foot: int) -> dict:
    """One leg's figures about one joint."""

    def per_stride(series) -> np.ndarray:
        return np.concatenate([cycles.stride_cycles(record, series(record), _FINE)[foot] for record in records])

    torque = per_stride(lambda record: cycles.device_torque(record, joint))
    power = per_stride(lambda record: cycles.device_power(record, joint))
    joint_power = per_stride(lambda r: cycles.joint_series(r, r.joint_power, joint) / r.person_mass)
    strides = [(r, stride) for r in records for stride in events.strides(r) if stride.side == SIDES[foot]]
    duration = np.array([r.time[stride.end] - r.time[stride.start] for r, stride in strides])
    stance = [(r.time[stride.toe_off] - r.time[stride.start]) for r, stride in strides] / duration
    percent = np.linspace(0, 100, _FINE)
    size = np.abs(torque)
    average = size.mean(axis=0) if len(size) else np.full(_FINE, np.nan)
    swing = percent > 100 * cycles.mean(stance)
    push_off = (percent >= PUSH_OFF_PERCENT[0]) & (percent <= PUSH_OFF_PERCENT[1])
    idle = not average.max() > 0

    def work(part: np.ndarray, window: slice | np.ndarray = slice(None)) -> float:
        return cycles.mean(trapezoid(part[:, window], percent[window] / 100, axis=1) * duration)

    gain, loss = np.maximum(power, 0), np.minimum(power, 0)
    peak = cycles.mean(size.max(axis=1))
    joint_work = work(np.maximum(joint_power, 0))
    return {
        "torque_max_nm": max(np.abs(cycles.device_torque(record, joint)[:, foot]).max() for record in records),
        "torque_peak_nm": peak,
        "torque_peak_nm_per_kg": peak / records[0].person_mass,
        "torque_peak_timing_percent": np.nan if idle else percent[average.argmax()],
        "swing_torque_fraction": np.nan if idle or not swing.any() else average[swing].max() / average.max(),
        "positive_work_j_per_kg": work(gain),
        "negative_work_j_per_kg": work(loss),
        "push_off_positive_work_j_per_kg": work(gain, push_off),
        "joint_positive_work_fraction": work(gain) / joint_work if joint_work > 0 else np.nan,
        "power_peak_w_per_kg": cycles.mean(power.max(axis=1)),
        "torque_spectral_arc_length": cycles.mean([_spectral_arc_length(stride) for stride in size]),
    }


def _spectral_arc_length(profile: np.ndarray) -> float:
    """Spectral arc length of one cycle [points] of |torque|, whose ends are one instant; NaN if all are zero."""
    if not profile.max() > 0:
        return float("nan")
    padded = 16 * _FINE
    harmonic = np.arange(padded // 2 + 1) * (_FINE - 1) / padded
    spectrum = np.abs(np.fft.rfft(profile[:-1], padded))[harmonic <= _HARMONICS]
    spectrum = spectrum / spectrum[0]
    end = np.flatnonzero(spectrum >= _LOUD)[-1] + 1
    return -float(np.hypot(np.diff(spectrum[:end]), 1 / (end - 1)).sum())


def _agreement(records: Sequence[GaitRecord], joint: str) -> dict:
    """How alike the legs' stride-averaged torques are."""
    right, left = cycles.pooled_average(records, lambda record: cycles.device_torque(record, joint))["mean"].T
    peak = (np.abs(right).max() + np.abs(left).max()) / 2
    vary = min(np.ptp(right), np.ptp(left)) > 0
    return {
        "correlation": np.corrcoef(right, left)[0, 1] if vary else np.nan,
        "nrmse": np.sqrt(((right - left) ** 2).mean()) / peak if peak > 0 else np.nan,
    }
