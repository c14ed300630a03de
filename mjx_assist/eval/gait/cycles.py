"""Quantities of a gait record as (right, left) series, and their averages over the gait cycle, 0 to 100 %.

Series are [T, 2] arrays in the units of gait reports; a side that has no such quantity is NaN."""

from collections.abc import Callable, Iterable

import numpy as np
from scipy.signal import butter, sosfiltfilt

from mjx_assist.eval.gait import events
from mjx_assist.eval.replay.record import SIDES, GaitRecord

SUFFIXES = ("_r", "_l")
ALL_MUSCLES = "all_muscles"
FORWARD, LATERAL, VERTICAL = 0, 1, 2  # axes of ground_reaction and foot_position: forward, left, up
# 99 % of the power of walking's ground reaction lies below 15 Hz (Antonsson & Mann 1985, J Biomech 18:39), so gait
# laboratories low-pass force plates at about 20 Hz; above it there is only the ringing of an impact.
GRF_CUTOFF_HZ = 20.0
_TWO_PASSES = (2**0.5 - 1) ** 0.25  # cutoff of a 2nd-order Butterworth run both ways (Winter 2009, section 3.4.4.2)


def low_pass(series: np.ndarray, dt: float, cutoff: float = GRF_CUTOFF_HZ) -> np.ndarray:
    """[T, ...] filtered along T: zero-lag 4th-order Butterworth, -3 dB at ``cutoff`` Hz (2nd order, both ways).

    Unchanged where the sampling cannot carry the cutoff or there are too few samples.
    """
    relative = 2 * dt * cutoff / _TWO_PASSES  # of the Nyquist frequency
    padding = 9
    if not relative < 1 or len(series) <= padding:
        return series
    return sosfiltfilt(butter(2, relative, output="sos"), series, axis=0, padlen=padding)


def base_name(name: str) -> str:
    """A joint's or muscle's name without its side."""
    return name[:-2] if name.endswith(SUFFIXES) else name


def side_of(name: str) -> int:
    """0 right, 1 left; what has no side follows the right leg's cycle."""
    return int(name.endswith("_l"))


def joint_series(record: GaitRecord, array: np.ndarray, joint: str) -> np.ndarray:
    """[T, 2] a joint's columns of a [T, J] array; one without sides gives its column twice, an amputated one NaN."""
    pair = [joint + suffix if joint + suffix in record.joint_names else joint for suffix in SUFFIXES]
    missing = np.full(record.time.size, np.nan)
    return np.stack([record.column(array, n) if n in record.joint_names else missing for n in pair], axis=1)


def leg_series(record: GaitRecord, array: np.ndarray, joint: str) -> np.ndarray:
    """[T, 2] `joint_series` of positions or moments; the left leg's as a right one's of the mirrored walker.

    Adduction is adduction on both sides then, though both hips of a model may turn about one axis.
    """
    return joint_series(record, array * record.joint_sign, joint)


def ground_force(record: GaitRecord, axis: int = VERTICAL, filtered: bool = True) -> np.ndarray:
    """[T, 2] body weights, low-pass filtered unless asked otherwise."""
    return _filtered_force(record)[:, :, axis] if filtered else record.ground_reaction[:, :, axis] / record.body_weight


@events.once_per_record
def _filtered_force(record: GaitRecord) -> np.ndarray:
    force = low_pass(record.ground_reaction / record.body_weight, record.sample_dt)
    force.flags.writeable = False
    return force


def foot_height(record: GaitRecord) -> np.ndarray:
    """[T, 2] m, heel-body origins over the ground under them, above the lowest point each reaches."""
    height = record.foot_position[:, :, VERTICAL] - record.foot_ground
    return height - height.min(axis=0)


def muscle_series(record: GaitRecord, array: np.ndarray, muscle: str) -> np.ndarray:
    """[T, 2] of a [T, M] array's columns of a muscle named without its side."""
    series = np.full((record.time.size, 2), np.nan)
    for column, name in enumerate(record.muscle_names):
        if base_name(name) == muscle:
            series[:, side_of(name)] = array[:, column]
    return series


def activation(record: GaitRecord, muscle: str) -> np.ndarray:
    """[T, 2] 0..1 of a muscle named without its side."""
    return muscle_series(record, record.activation, muscle)


def muscles(record: GaitRecord) -> list[str]:
    """Muscle names without sides, in the record's order."""
    return list(dict.fromkeys(base_name(name) for name in record.muscle_names))


def activation_mean(record: GaitRecord, muscle: str) -> np.ndarray:
    """[n strides] mean activation of a muscle named without its side, or of `ALL_MUSCLES`."""
    if muscle == ALL_MUSCLES:
        return np.mean([activation_mean(record, name) for name in muscles(record)], axis=0)
    return over_strides(record, activation(record, muscle), np.mean)


def driven_joints(record: GaitRecord) -> list[str]:
    """Joints that the device drives, named without sides."""
    return list(dict.fromkeys(base_name(joint) for joint in record.device_joints))


def device_torque(record: GaitRecord, joint: str) -> np.ndarray:
    """[T, 2] N*m of the device about a joint named without its side, in that joint's sign."""
    series = np.full((record.time.size, 2), np.nan)
    for column, driven in enumerate(record.device_joints):
        if base_name(driven) == joint:
            side = side_of(driven)
            series[:, side] = np.nan_to_num(series[:, side]) + record.device_torque[:, column]
    return series


def device_power(record: GaitRecord, joint: str) -> np.ndarray:
    """[T, 2] W/kg that the device gives (positive) to a joint, or takes from it."""
    return device_torque(record, joint) * joint_series(record, record.joint_velocity, joint) / record.person_mass


def over_strides(record: GaitRecord, series: np.ndarray, figure: Callable[[np.ndarray], float]) -> np.ndarray:
    """[n strides] ``figure`` of a [T, 2] series over each stride, its own leg's column; in the order of ``strides``."""
    parts = (series[s.start : s.end, SIDES.index(s.side)] for s in events.strides(record))
    return np.array([figure(part) for part in parts], float)


def mean(values) -> float:
    """Mean of the finite values, NaN when there are none."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else float("nan")


def sd(values) -> float:
    """Sample SD of the finite values, NaN for fewer than two."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    return float(values.std(ddof=1)) if values.size > 1 else float("nan")


def stride_cycles(record: GaitRecord, series: np.ndarray, points: int = 101) -> tuple[np.ndarray, np.ndarray]:
    """([n_right, points], [n_left, points]): each leg's column of a [T, 2] series over each of its strides."""
    fraction = np.linspace(0, 1, points)
    legs = []
    for foot, side in enumerate(SIDES):
        edges = np.array([(s.start, s.end) for s in events.strides(record) if s.side == side], int).reshape(-1, 2)
        start, end = record.time[edges].T[..., None]
        legs.append(np.interp(start + fraction * (end - start), record.time, series[:, foot]))
    return legs[0], legs[1]


def stride_average(record: GaitRecord, series: np.ndarray) -> dict[str, np.ndarray]:
    """Mean and SD over an episode's strides of a [T, 2] (right, left) series; see ``pooled_average``."""
    return pooled_average([record], lambda _: series)


def pooled_average(records: Iterable[GaitRecord], quantity: Callable[[GaitRecord], np.ndarray]) -> dict:
    """Mean and SD over all strides of all records of ``quantity(record)``, a [T, 2] series.

    Returns percent [101], mean [101, 2], sd [101, 2] (sample SD; 0 for one stride), strides (n_right, n_left).
    A leg without strides is NaN, and so is a percent at which less than half of its strides have a value (a centre of
    pressure in swing).
    """
    cycles = [stride_cycles(record, quantity(record)) for record in records]
    legs = [np.concatenate([pair[foot] for pair in cycles]) for foot in range(2)]
    mean, sd = zip(*map(mean_and_sd, legs), strict=True)
    return {
        "percent": np.linspace(0, 100, 101),
        "mean": np.stack(mean, axis=1),
        "sd": np.stack(sd, axis=1),
        "strides": tuple(len(leg) for leg in legs),
    }


def mean_and_sd(strides: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[points] each of [n, points]: mean and sample SD (0 for one) of the strides known there; NaN unless most are."""
    known = np.isfinite(strides)
    number = np.where(known.sum(axis=0) > len(strides) / 2, known.sum(axis=0), np.nan)
    mean = np.where(known, strides, 0).sum(axis=0) / number
    squares = (np.where(known, strides - mean, 0) ** 2).sum(axis=0)
    return mean, np.sqrt(squares / np.maximum(number - 1, 1))
