"""Angles, joint moments and powers, and the ground reaction of every stride: [n] in the order of ``events.strides``.

Moments and powers are those of inverse dynamics (muscles, device, passive structures and joint limits), per kg of the
person without the device (Winter 2009, chapters 5 and 6); ground reaction in weights of both, 20 Hz."""

import numpy as np
from scipy.integrate import cumulative_trapezoid

from mjx_assist.eval.gait import angles, cycles, events
from mjx_assist.eval.gait.cycles import FORWARD, leg_series
from mjx_assist.eval.replay.record import SIDES, GaitRecord


def angle_range(record: GaitRecord, name: str) -> np.ndarray:
    """deg, largest less smallest of an angle of ``angles.MEASURED``."""
    return cycles.over_strides(record, _degrees(record, name), np.ptp)


def angle_peak(record: GaitRecord, name: str, sign: int) -> np.ndarray:
    """deg, the largest towards ``positive`` (1) or ``negative`` (-1) of the angle; below 0: it never gets there."""
    return cycles.over_strides(record, sign * _degrees(record, name), np.max)


def moment_peak(record: GaitRecord, name: str, sign: int, biological: bool = False) -> np.ndarray:
    """N*m/kg, the largest towards ``positive`` (1) or ``negative`` (-1) of the angle, unfiltered.

    What inverse dynamics finds, or its biological part: without the device's.
    """
    towards = angles.MEASURED[name].sign * moment(record, name, biological)
    return cycles.over_strides(record, sign * towards, np.max)


def positive_work(record: GaitRecord, name: str, biological: bool = False) -> np.ndarray:
    """J/kg, integral of the positive part of a joint's power (Winter 2009, section 6.0.5)."""
    return integral(record, np.maximum(power(record, name, biological), 0))


def negative_work(record: GaitRecord, name: str, biological: bool = False) -> np.ndarray:
    """J/kg, integral of the negative part of a joint's power, at most 0."""
    return integral(record, np.minimum(power(record, name, biological), 0))


def power_peak(record: GaitRecord, name: str, biological: bool = False) -> np.ndarray:
    """W/kg, largest power of a joint."""
    return cycles.over_strides(record, power(record, name, biological), np.max)


def power_lowest(record: GaitRecord, name: str, biological: bool = False) -> np.ndarray:
    """W/kg, lowest power of a joint."""
    return cycles.over_strides(record, power(record, name, biological), np.min)


def force_peak(record: GaitRecord) -> np.ndarray:
    """BW, largest vertical force."""
    return cycles.over_strides(record, cycles.ground_force(record), np.max)


def force_peak_unfiltered(record: GaitRecord) -> np.ndarray:
    """BW, largest sample of the vertical force."""
    return cycles.over_strides(record, cycles.ground_force(record, filtered=False), np.max)


def loading_peak(record: GaitRecord) -> np.ndarray:
    """BW, largest vertical force in the first half of stance."""
    return _halves(record)[:, 0]


def push_off_peak(record: GaitRecord) -> np.ndarray:
    """BW, largest vertical force in the second half of stance."""
    return _halves(record)[:, 1]


def valley(record: GaitRecord) -> np.ndarray:
    """BW, lowest vertical force between these two."""
    return _halves(record)[:, 2]


def loading_rate(record: GaitRecord) -> np.ndarray:
    """BW/s, steepest rise of the vertical force in the first half of stance."""
    return _halves(record)[:, 3]


def vertical_impulse(record: GaitRecord) -> np.ndarray:
    """BW*s, integral of the vertical force over the stride."""
    return integral(record, cycles.ground_force(record))


def braking_peak(record: GaitRecord) -> np.ndarray:
    """BW, largest backward force, positive."""
    return cycles.over_strides(record, -cycles.ground_force(record, FORWARD), np.max)


def propulsive_peak(record: GaitRecord) -> np.ndarray:
    """BW, largest forward force."""
    return cycles.over_strides(record, cycles.ground_force(record, FORWARD), np.max)


def braking_impulse(record: GaitRecord) -> np.ndarray:
    """BW*s, integral of the backward part of the fore-aft force, at most 0."""
    return integral(record, np.minimum(cycles.ground_force(record, FORWARD), 0))


def propulsive_impulse(record: GaitRecord) -> np.ndarray:
    """BW*s, integral of the forward part of the fore-aft force."""
    return integral(record, np.maximum(cycles.ground_force(record, FORWARD), 0))


def moment(record: GaitRecord, name: str, biological: bool = False) -> np.ndarray:
    """[T, 2] N*m/kg about a joint of ``angles.MEASURED`` in the model's sign: muscles, device and passive structures

    together, as inverse dynamics finds; or the biological part of it, without the device.
    """
    return joint_moment(record, angles.MEASURED[name].coordinate, biological)


def joint_moment(record: GaitRecord, joint: str, biological: bool = False) -> np.ndarray:
    """[T, 2] N*m/kg, `moment` about any joint named without its side."""
    array = record.net_moment - record.device_moment if biological else record.net_moment
    return leg_series(record, array, joint) / record.person_mass


@events.once_per_record
def power(record: GaitRecord, name: str, biological: bool = False) -> np.ndarray:
    """[T, 2] W/kg that `moment` gives to a joint of ``angles.LEG``."""
    velocity = leg_series(record, record.joint_velocity, angles.SAGITTAL[name].coordinate)
    return moment(record, name, biological) * velocity


def integral(record: GaitRecord, series: np.ndarray) -> np.ndarray:
    """[n strides] integral over time of a [T, 2] series over each stride, by the trapezoidal rule."""
    so_far = cumulative_trapezoid(series, record.time, axis=0, initial=0)
    return np.array([np.diff(so_far[[s.start, s.end], SIDES.index(s.side)])[0] for s in events.strides(record)], float)


def _degrees(record: GaitRecord, name: str) -> np.ndarray:
    """[T, 2] of an angle in the sign of gait laboratories."""
    angle = angles.MEASURED[name]
    return angle.sign * angles.model_angle(record, angle)


@events.once_per_record
def _halves(record: GaitRecord) -> np.ndarray:
    """[n, 4]: `_stance_parts` of every stride."""
    vertical = cycles.ground_force(record)
    slope = np.gradient(vertical, record.time, axis=0) if record.time.size > 1 else vertical
    return np.array([_stance_parts(s, vertical, slope) for s in events.strides(record)]).reshape(-1, 4)


def _stance_parts(stride: events.Stride, vertical: np.ndarray, slope: np.ndarray) -> tuple[float, float, float, float]:
    """Peaks of the first and second half of stance, the valley between them, the steepest rise of the first half."""
    foot, middle = SIDES.index(stride.side), (stride.start + stride.toe_off) // 2 + 1
    loading, push_off = vertical[stride.start : middle, foot], vertical[middle : stride.toe_off + 1, foot]
    valley = np.concatenate([loading[loading.argmax() :], push_off[: push_off.argmax() + 1]]).min()
    return loading.max(), push_off.max(), valley, slope[stride.start : middle, foot].max()
