"""A user's own motion as a reference gait: one or several strides, checked for all that usually goes wrong."""

import difflib
import itertools
import warnings
from pathlib import Path

import mujoco
import numpy as np
from scipy.signal import find_peaks

from mjx_assist.errors import UserError, unknown
from mjx_assist.files.opensim_table import SUFFIXES
from mjx_assist.model import anatomy
from mjx_assist.model.anatomy import Coordinate
from mjx_assist.reference import feet as foot_kinematics
from mjx_assist.reference.cycle import PHASES, ReferenceGait, complete, resample
from mjx_assist.reference.motion_files import read_motion_file

LEG = ("hip_flexion", "knee_angle", "ankle_angle")
NEEDED = ("pelvis_tilt", *(f"{joint}_{side}" for side in anatomy.SIDES for joint in LEG))
LENGTHS = ("pelvis_tx", "pelvis_ty", "pelvis_tz")  # in metres whatever the units of the angles
SAMPLE_RATES = (10.0, 5000.0)  # Hz
STRIDE_TIMES = (0.5, 4.0)  # s
WALKING_SPEEDS = (0.1, 4.0)  # m/s
BEYOND_LIMIT = 0.35  # rad, how far outside a joint's range a measured angle may lie
SMALLEST_SWING = 0.1  # rad (6 deg), what hips and knees move in any walking
CLOSING_GAP = 0.15  # rad, between the start and the end of a stride
SOLE_GAP = 0.10  # m, between the ground and the lowest point of the feet over the stride
LEAST_REACH = 0.1  # m, that a heel swings ahead of where it was behind the pelvis, at least
_SAY_SPEED = "Give it in m/s (in a .mot or .sto file: a header line such as speed=1.25)."
HARMONICS = 20  # of the stride, kept
TOE_HARMONICS = 10
TOES = tuple(f"mtp_angle_{side}" for side in anatomy.SIDES)
MOST_TOE_EXTENSION = 0.45  # rad
TOES_DOWN, TOES_UP = 0.03, 0.08  # m, a toe joint above the other one: toes on the ground, toes free
HEIGHT_HARMONICS = 6  # what a body's inertia lets the pelvis do within a stride


def load_motion(path, model: mujoco.MjModel) -> ReferenceGait:
    """The motion in a file as a reference gait at its own speed. Raises UserError for anything wrong.

    Columns (equally long; in anatomical signs: hip and ankle flexion positive, knee flexion negative, pelvis_tilt
    positive backwards, pelvis_list positive right side down, pelvis_rotation positive right side forward, hip adduction
    and internal rotation positive):
      q_pelvis_tilt, q_hip_flexion_r, q_knee_angle_r, q_ankle_angle_r and the three _l: needed
      q_pelvis_list, q_pelvis_rotation, q_pelvis_tz, q_hip_adduction_r, q_hip_rotation_r, q_subtalar_angle_r and _l:
      0 if absent, where the model has them
      q_mtp_angle_r, _l: if absent, toes bend to lie level under a rising heel
      q_pelvis_ty: m, from the stance foot on the ground if absent
      q_pelvis_tx: m, gives the speed if there is no ``speed``
      time: s, evenly spaced, instead of ``sample_rate``
    Fields (CSV: lines ``# name: value`` before the header; JSON: keys; npz: scalars):
      sample_rate (Hz), units ("rad" or "deg"; rad if absent), speed (m/s), and, where the file is not exactly one
      stride from right contact to right contact: stride_time (s), first_contact (s from the first sample).
    Without stride_time the whole file is one stride, whose next sample would be the first again. With it, all whole
    strides from first_contact on are averaged. A JSON may group its entries one level deep.
    """
    path = Path(path)
    columns, fields = read_motion_file(path)
    found = anatomy.coordinates(model)
    names = anatomy.names_of(found)
    rate = _sample_rate(path, columns, fields)
    values = _angles(path, columns, fields, found)
    speed = _speed(path, columns, fields, rate, len(values))
    if path.suffix.lower() in SUFFIXES and "stride_time" not in fields:
        stride, stride_time = _found_strides(path, values, names, rate, _feet(model, found, values))
    else:
        stride, stride_time = _one_stride(path, values, names, fields, rate)
    stride = resample(_smooth(stride, min(HARMONICS, (len(stride) - 1) // 2)), PHASES)
    stride[:, names.index("pelvis_tx")] = 0.0
    for side, toes in enumerate(TOES):
        if toes in names and f"q_{toes}" not in columns:
            stride[:, names.index(toes)] = _level_toes(_feet(model, found, stride))[:, side]
    height = names.index("pelvis_ty")
    if "q_pelvis_ty" in columns:
        _check_height(path, _feet(model, found, stride))
    else:
        stride[:, height] = 0.0
        stride[:, height] = _smooth(-_feet(model, found, stride).lowest.min(axis=1), HEIGHT_HARMONICS)
    qpos = anatomy.to_qpos(model, found, stride)
    return complete(model, np.array([speed]), np.array([1.0 / stride_time]), qpos[None])


def _number(path: Path, fields: dict, name: str, low: float, high: float, unit: str) -> float:
    value = fields[name]
    if not isinstance(value, float) or not low <= value <= high:
        raise UserError(f"{path}: {name} is {value!r}; it must be a number from {low:g} to {high:g} {unit}.")
    return value


def _missing(path: Path, name: str, present, why: str) -> UserError:
    near = difflib.get_close_matches(name, [str(p) for p in present], n=1, cutoff=0.6)
    hint = f" Is {near[0]!r} meant?" if near else ""
    return UserError(f"{path}: {name} is missing.{hint} {why}")


def _sample_rate(path: Path, columns: dict, fields: dict) -> float:
    stated = _number(path, fields, "sample_rate", *SAMPLE_RATES, "Hz") if "sample_rate" in fields else None
    if "time" not in columns:
        if stated is None:
            raise _missing(path, "sample_rate", fields, "Give it in Hz, or a column time in s.")
        return stated
    steps = np.diff(columns["time"])
    if len(steps) == 0 or steps.min() <= 0 or np.ptp(steps) > 0.1 * np.median(steps):
        raise UserError(f"{path}: time must rise in even steps.")
    rate = len(steps) / (columns["time"][-1] - columns["time"][0])
    if stated is not None and abs(rate / stated - 1) > 0.01:
        raise UserError(f"{path}: sample_rate is {stated:g} Hz, but time rises at {rate:.4g} Hz. Is time in seconds?")
    low, high = SAMPLE_RATES
    if not low <= rate <= high:
        raise UserError(f"{path}: time rises at {rate:.4g} Hz; {low:g} to {high:g} make sense. Is time in seconds?")
    return float(rate)


def _angles(path: Path, columns: dict, fields: dict, found: tuple[Coordinate, ...]) -> np.ndarray:
    """[N, A] in radians and metres, in the coordinates' order; absent optional ones are 0."""
    units = fields.get("units", "rad")
    if units not in ("rad", "deg"):
        raise unknown(f"{path}: units", units, ("rad", "deg"))
    names = anatomy.names_of(found)
    needed = [name for name in NEEDED if name in names]
    unused = [name for name in columns if name.startswith("q_") and name[2:] not in names]
    for name in needed:
        if f"q_{name}" not in columns:
            listed = ", ".join(f"q_{n}" for n in needed)
            raise _missing(path, f"q_{name}", unused or columns, f"Needed are {listed}.")
    if unused:
        warnings.warn(f"{path}: not used: {', '.join(unused)}.", stacklevel=3)
    values = np.zeros((len(next(iter(columns.values()))), len(names)))
    for place, (name, coordinate) in enumerate(zip(names, found, strict=True)):
        if f"q_{name}" in columns:
            scale = np.pi / 180 if units == "deg" and name not in LENGTHS else 1.0
            values[:, place] = columns[f"q_{name}"] * scale
            if name not in LENGTHS:
                _check_angle(path, coordinate, values[:, place], units)
    return values


def _check_angle(path: Path, coordinate: Coordinate, angle: np.ndarray, units: str) -> None:
    """Refuses degrees called radians, radians called degrees, and what the joint cannot do."""
    joint = coordinate.name
    low, high = coordinate.limits if np.isfinite(coordinate.limits).all() else (-1.0, 1.0)
    row = int(np.argmax(np.maximum(low - angle, angle - high)))
    if low - BEYOND_LIMIT <= angle[row] <= high + BEYOND_LIMIT:
        if joint.startswith(("hip", "knee")) and np.ptp(angle) < SMALLEST_SWING and units == "deg":
            moved = np.degrees(np.ptp(angle))
            raise UserError(f"{path}: q_{joint} moves by {moved:.2g} deg in all; are these radians? Then units: rad.")
        return
    given = np.degrees(angle[row]) if units == "deg" else angle[row]
    limits = f"the joint's range is {low:.2f} to {high:.2f} rad"
    message = f"{path}: q_{joint}, row {row + 1} is {given:.4g} {units}; {limits}."
    if units == "rad" and np.abs(angle).max() > np.pi:
        message += " Are these degrees? Then units: deg."
    elif low - BEYOND_LIMIT <= -angle.max() and -angle.min() <= high + BEYOND_LIMIT:
        message += " Is the sign turned? Knee flexion is negative, pelvis_tilt positive backwards."
    raise UserError(message)


def _speed(path: Path, columns: dict, fields: dict, rate: float, samples: int) -> float:
    if "speed" in fields:
        return _number(path, fields, "speed", *WALKING_SPEEDS, "m/s")
    if "q_pelvis_tx" not in columns:
        raise _missing(path, "speed", fields, f"{_SAY_SPEED} Or a column q_pelvis_tx in m.")
    standing = np.ptp(columns["q_pelvis_tx"]) * rate < WALKING_SPEEDS[0] * samples
    if standing:
        raise _missing(path, "speed", fields, f"q_pelvis_tx stands still (a treadmill?). {_SAY_SPEED}")
    walked = columns["q_pelvis_tx"][-1] - columns["q_pelvis_tx"][0]
    return _number(path, {"speed": float(walked * rate / (samples - 1))}, "speed", *WALKING_SPEEDS, "m/s (q_pelvis_tx)")


def _one_stride(
    path: Path, values: np.ndarray, names: tuple[str, ...], fields: dict, rate: float
) -> tuple[np.ndarray, float]:
    """(periodic poses [any P, A] over one stride, its time in s)."""
    samples = len(values)
    if "stride_time" not in fields:
        if "first_contact" in fields:
            raise _missing(path, "stride_time", fields, "first_contact needs it.")
        stride_time = samples / rate
        if not STRIDE_TIMES[0] <= stride_time <= STRIDE_TIMES[1]:
            raise UserError(
                f"{path}: {samples} samples at {rate:g} Hz make a stride of {stride_time:.3g} s; "
                f"{STRIDE_TIMES[0]:g} to {STRIDE_TIMES[1]:g} s make sense. Correct sample_rate, or give stride_time "
                "if the file holds more than one stride."
            )
        _check_closed(path, names, values[0] - (2 * values[-1] - values[-2]), "")
        return values, stride_time
    stride_time = _number(path, fields, "stride_time", *STRIDE_TIMES, "s")
    duration = (samples - 1) / rate
    first = _number(path, {"first_contact": 0.0} | fields, "first_contact", 0.0, duration, "s")
    strides = int((duration - first) / stride_time + 1e-6)
    if strides < 1:
        raise UserError(f"{path}: {duration:.3g} s hold no whole stride of {stride_time:g} s from {first:g} s on.")
    begins = (first + np.arange(strides + 1) * stride_time) * rate
    return _mean_stride(path, values, names, begins), stride_time


def _found_strides(
    path: Path, values: np.ndarray, names: tuple[str, ...], rate: float, feet: foot_kinematics.FeetPose
) -> tuple[np.ndarray, float]:
    """Strides between right initial contacts, found where the heel is farthest ahead (Zeni et al. 2008, Gait Posture).

    With fewer than two contacts the whole file must be one stride; it is turned to begin with its contact.
    """
    ahead = feet.heel[:, 0, 0] - feet.pelvis[:, 0]
    contacts, _ = find_peaks(ahead, distance=max(1, round(STRIDE_TIMES[0] * rate)), prominence=LEAST_REACH)
    if len(contacts) < 2:
        stride, stride_time = _one_stride(path, values, names, {}, rate)
        return np.roll(stride, -int(np.argmax(ahead)), axis=0), stride_time
    stride_time = float(np.diff(contacts).mean() / rate)
    _number(path, {"stride_time": stride_time}, "stride_time", *STRIDE_TIMES, "s (found from the right heel)")
    return _mean_stride(path, values, names, contacts.astype(float)), stride_time


def _mean_stride(path: Path, values: np.ndarray, names: tuple[str, ...], begins: np.ndarray) -> np.ndarray:
    """[PHASES, A] mean of the strides between successive ``begins`` (in samples), each closed."""
    samples = len(values)
    progress = np.arange(PHASES + 1) / PHASES
    cycles = []
    for stride, (begin, end) in enumerate(itertools.pairwise(begins)):
        at = begin + progress * (end - begin)
        cycle = np.stack([np.interp(at, np.arange(samples), column) for column in values.T], axis=-1)
        gap = cycle[-1] - cycle[0]
        _check_closed(path, names, gap, f" (stride {stride + 1})")
        cycles.append((cycle - gap * (progress[:, None] - 0.5))[:-1])
    return np.mean(cycles, axis=0)


def _check_closed(path: Path, names: tuple[str, ...], gap: np.ndarray, which: str) -> None:
    angles = np.where([name in LENGTHS for name in names], 0.0, np.abs(gap))
    worst = int(np.argmax(angles))
    if angles[worst] > CLOSING_GAP:
        raise UserError(
            f"{path}: not periodic{which}: q_{names[worst]} ends {np.degrees(angles[worst]):.0f} deg from where it "
            f"starts, allowed are {np.degrees(CLOSING_GAP):.0f}. Give stride_time and first_contact of a whole stride."
        )


def _feet(model: mujoco.MjModel, found: tuple[Coordinate, ...], stride: np.ndarray) -> foot_kinematics.FeetPose:
    return foot_kinematics.feet(model, anatomy.to_qpos(model, found, stride))


def _check_height(path: Path, feet: foot_kinematics.FeetPose) -> None:
    """Refuses a pelvis height that leaves the feet in the air or in the ground."""
    lowest = feet.lowest.min()
    if abs(lowest) > SOLE_GAP:
        raise UserError(
            f"{path}: q_pelvis_ty puts the lowest foot at {lowest:.3f} m; the ground is at 0. "
            "Leave q_pelvis_ty out to have it computed."
        )


def _level_toes(feet: foot_kinematics.FeetPose) -> np.ndarray:
    """[P, 2] toe angles (r, l) that keep the toes of a low foot level while its heel rises."""
    above = feet.toe_joint - feet.toe_joint.min(axis=1, keepdims=True)
    down = np.clip((TOES_UP - above) / (TOES_UP - TOES_DOWN), 0.0, 1.0)
    return _smooth(down * np.clip(-feet.pitch, 0.0, MOST_TOE_EXTENSION), TOE_HARMONICS)


def _smooth(curves: np.ndarray, harmonics: int) -> np.ndarray:
    """Periodic curves [P, ...] without the harmonics above a number."""
    spectrum = np.fft.rfft(curves, axis=0)
    spectrum[harmonics + 1 :] = 0.0
    return np.fft.irfft(spectrum, len(curves), axis=0)
