"""Angles, joint moments and powers, and the ground reaction of every stride.

Moments and powers per kg of body mass (Winter 2009, chapters 5 and 6); ground reaction in body weights, 20 Hz."""

import numpy as np
from scipy.integrate import cumulative_trapezoid

from mjx_assist.eval.gait import angles, cycles, events
from mjx_assist.eval.gait.cycles import FORWARD, joint_series
from mjx_assist.eval.replay.record import SIDES, GaitRecord


def angle_figures(record: GaitRecord) -> dict[str, np.ndarray]:
    """[n] per stride: ``<angle>_range_deg`` and the largest angle each way, ``<direction>_peak_deg``.

    A peak is the largest angle in the direction that it names, below 0 where the joint never gets there.
    """
    result = {}
    for name, angle in angles.angles_of(record).items():
        degrees = angle.sign * angles.model_angle(record, angle)
        result[f"{name}_range_deg"] = cycles.over_strides(record, degrees, np.ptp)
        result |= _both_ways(record, degrees, angle, "peak_deg")
    return result


def moment_figures(record: GaitRecord) -> dict[str, np.ndarray]:
    """[n] per stride: the largest moment each way at hip, knee and ankle, N*m/kg, unfiltered.

    ``<direction>_moment_peak_nm_per_kg`` is muscles and device together (what inverse dynamics finds, less passive
    tissue), ``<direction>_biological_moment_peak_nm_per_kg`` muscles alone; named by what the moment does.
    """
    result = {}
    for name in angles.LEG:
        angle = angles.SAGITTAL[name]
        net = angle.sign * moment(record, name)
        result |= _both_ways(record, net, angle, "moment_peak_nm_per_kg")
        biological = angle.sign * moment(record, name, biological=True)
        result |= _both_ways(record, biological, angle, "biological_moment_peak_nm_per_kg")
    return result


def power_figures(record: GaitRecord) -> dict[str, np.ndarray]:
    """[n] per stride of hip, knee and ankle: work done and taken, J/kg, and the extremes of power, W/kg.

    Power is moment times angular velocity; positive and negative work are the integrals of its positive and negative
    part over the stride (Winter 2009, section 6.0.5). ``biological``: muscles alone; else muscles and device.
    """
    result = {}
    for name in angles.LEG:
        for kind in ("", "biological_"):
            watts = power(record, name, biological=bool(kind))
            gain, loss = np.maximum(watts, 0), np.minimum(watts, 0)
            result[f"{name}_{kind}positive_work_j_per_kg"] = integral(record, gain)
            result[f"{name}_{kind}negative_work_j_per_kg"] = integral(record, loss)
            result[f"{name}_{kind}power_peak_w_per_kg"] = cycles.over_strides(record, watts, np.max)
            result[f"{name}_{kind}power_lowest_w_per_kg"] = cycles.over_strides(record, watts, np.min)
    return result


def ground_figures(record: GaitRecord) -> dict[str, np.ndarray]:
    """[n] per stride: vertical and fore-aft ground reaction of the stride's own foot, low-pass filtered at 20 Hz.

    Vertical: largest of all, in the first and in the second half of stance, lowest between these two; steepest rise in
    the first half. Fore-aft: largest braking and propulsive force, both positive. Impulses are integrals over the
    stride, BW*s: of the vertical force, of the braking part (negative) and of the propulsive part (positive).
    """
    vertical, raw = cycles.ground_force(record), cycles.ground_force(record, filtered=False)
    ahead = cycles.ground_force(record, FORWARD)
    slope = np.gradient(vertical, record.time, axis=0) if record.time.size > 1 else vertical
    halves = np.array([_halves(s, vertical, slope) for s in events.strides(record)]).reshape(-1, 4)
    return {
        "grf_peak_bw": cycles.over_strides(record, vertical, np.max),
        "grf_peak_unfiltered_bw": cycles.over_strides(record, raw, np.max),
        "grf_loading_peak_bw": halves[:, 0],
        "grf_push_off_peak_bw": halves[:, 1],
        "grf_valley_bw": halves[:, 2],
        "grf_loading_rate_bw_per_s": halves[:, 3],
        "grf_vertical_impulse_bw_s": integral(record, vertical),
        "grf_braking_peak_bw": cycles.over_strides(record, -ahead, np.max),
        "grf_propulsive_peak_bw": cycles.over_strides(record, ahead, np.max),
        "grf_braking_impulse_bw_s": integral(record, np.minimum(ahead, 0)),
        "grf_propulsive_impulse_bw_s": integral(record, np.maximum(ahead, 0)),
    }


def moment(record: GaitRecord, name: str, biological: bool = False) -> np.ndarray:
    """[T, 2] N*m/kg about a joint of ``angles.LEG`` in the model's sign: muscles and device, or muscles alone."""
    array = record.joint_moment - record.device_moment if biological else record.joint_moment
    return joint_series(record, array, angles.SAGITTAL[name].coordinate) / record.body_mass


def power(record: GaitRecord, name: str, biological: bool = False) -> np.ndarray:
    """[T, 2] W/kg given to a joint of ``angles.LEG`` by muscles and device, or by muscles alone."""
    velocity = joint_series(record, record.joint_velocity, angles.SAGITTAL[name].coordinate)
    return moment(record, name, biological) * velocity


def integral(record: GaitRecord, series: np.ndarray) -> np.ndarray:
    """[n strides] integral over time of a [T, 2] series over each stride, by the trapezoidal rule."""
    so_far = cumulative_trapezoid(series, record.time, axis=0, initial=0)
    return np.array([np.diff(so_far[[s.start, s.end], SIDES.index(s.side)])[0] for s in events.strides(record)], float)


def _both_ways(record: GaitRecord, series: np.ndarray, angle: angles.Angle, what: str) -> dict[str, np.ndarray]:
    """Largest value of each stride towards ``angle.positive`` and towards ``angle.negative``."""
    return {
        f"{angle.positive}_{what}": cycles.over_strides(record, series, np.max),
        f"{angle.negative}_{what}": cycles.over_strides(record, -series, np.max),
    }


def _halves(stride: events.Stride, vertical: np.ndarray, slope: np.ndarray) -> tuple[float, float, float, float]:
    """Peaks of the first and second half of stance, the valley between them, the steepest rise of the first half."""
    foot, middle = SIDES.index(stride.side), (stride.start + stride.toe_off) // 2 + 1
    loading, push_off = vertical[stride.start : middle, foot], vertical[middle : stride.toe_off + 1, foot]
    valley = np.concatenate([loading[loading.argmax() :], push_off[: push_off.argmax() + 1]]).min()
    return loading.max(), push_off.max(), valley, slope[stride.start : middle, foot].max()
