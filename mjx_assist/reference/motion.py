"""A user's own motion as a reference gait: one or several strides, checked for all that usually goes wrong."""

import difflib
import warnings
from pathlib import Path

import mujoco
import numpy as np

from mjx_assist.errors import UserError, unknown
from mjx_assist.model import anatomy
from mjx_assist.model.anatomy import Coordinate
from mjx_assist.reference import feet as foot_kinematics
from mjx_assist.reference import likeness, resampling, way
from mjx_assist.reference.cycle import PHASES, ReferenceGait, complete, resample
from mjx_assist.reference.motion_files import read_motion_file
from mjx_assist.reference.strides import LENGTHS, Strides, found_strides, given_strides

LEG = ("hip_flexion", "knee_angle", "ankle_angle")
_SWINGING = tuple(f"{joint}_{side}" for side in anatomy.SIDES for joint in ("hip_flexion", "knee_angle"))
NEEDED = ("pelvis_tilt", *(f"{joint}_{side}" for side in anatomy.SIDES for joint in LEG))
SAMPLE_RATES = (10.0, 5000.0)  # Hz
WALKING_SPEEDS = (0.1, 4.0)  # m/s
BEYOND_LIMIT = 0.35  # rad, how far outside a joint's range a measured angle may lie
SMALLEST_SWING = 0.1  # rad (6 deg), what hips and knees move in any walking
SOLE_GAP = 0.10  # m, between the ground and the lowest point of the feet over the stride
LONGEST_STRIDE = 2.4  # leg lengths; walking at 2 m/s has 2.1
STANDING_PELVIS = 0.3  # m; a pelvis_ty that stays below is measured from standing, not from the ground
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
    columns = _evenly(path, columns)
    found = anatomy.coordinates(model)
    names = anatomy.names_of(found)
    rate = _sample_rate(path, columns, fields)
    columns = _along_x(path, columns, fields, rate)
    values = _angles(path, columns, fields, found)
    strides = _strides(path, values, names, fields, rate, _feet(model, found, values))
    speed = _speed(path, columns, fields, rate, strides)
    _check_length(path, model, speed * strides.time)
    stride = resample(_smooth(strides.mean, min(HARMONICS, (len(strides.mean) - 1) // 2)), PHASES)
    _tell_signs(path, names, stride, speed)
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
    return complete(model, np.array([speed]), np.array([1.0 / strides.time]), qpos[None])


def _number(path: Path, fields: dict, name: str, low: float, high: float, unit: str) -> float:
    value = fields[name]
    if not isinstance(value, float) or not low <= value <= high:
        raise UserError(f"{path}: {name} is {value!r}; it must be a number from {low:g} to {high:g} {unit}.")
    return value


def _missing(path: Path, name: str, present, why: str) -> UserError:
    near = difflib.get_close_matches(name, [str(p) for p in present], n=1, cutoff=0.6)
    hint = f" Is {near[0]!r} meant?" if near else ""
    return UserError(f"{path}: {name} is missing.{hint} {why}")


def _evenly(path: Path, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The columns at even times; told where they were not. Raises UserError where time falls, or a gap is too long."""
    time = columns.get("time")
    if time is None:
        return columns
    rising = np.append(True, np.diff(time) > 0)
    if (np.diff(time) < 0).any() or rising.sum() < 2:
        row = int(np.argmax(np.diff(time) < 0)) + 2
        raise UserError(
            f"{path}: time must rise; row {row} is at {time[row - 1]:g} s, the one before at {time[row - 2]:g} s. "
            "Does the file hold several trials? Give one in a file."
        )
    columns = {name: column[rising] for name, column in columns.items()}
    time = columns["time"]
    even = resampling.even_time(str(path), time)
    if even is None:
        return columns
    warnings.warn(f"{path}: {resampling.told(time, even)}.", stacklevel=3)
    return {n: even if n == "time" else resampling.smooth(even, time, c) for n, c in columns.items()}


def _along_x(path: Path, columns: dict[str, np.ndarray], fields: dict, rate: float) -> dict[str, np.ndarray]:
    """The columns of the walk turned onto x, the way that it takes."""
    degrees = fields.get("units") == "deg"

    def in_radians(name: str) -> float:
        return np.pi / 180 if degrees and name not in LENGTHS else 1.0

    coordinates = {n[2:]: c * in_radians(n[2:]) for n, c in columns.items() if n.startswith("q_")}
    if not {"pelvis_tx", "pelvis_tz", "pelvis_rotation"} & set(coordinates):
        return columns
    time = np.arange(len(next(iter(columns.values())))) / rate
    found = way.way(time, coordinates, str(path))
    if found.speed < 0:
        raise UserError(f"{path}: walks backwards ({-found.speed:.2f} m/s against where the pelvis faces).")
    turned = way.turned(coordinates, found.yaw)
    if turned is coordinates:
        return columns
    warnings.warn(f"{path}: walks {np.degrees(found.yaw):.0f} deg from x, to the left: turned onto x.", stacklevel=3)
    return columns | {f"q_{n}": c / in_radians(n) for n, c in turned.items() if n.startswith("pelvis")}


def _sample_rate(path: Path, columns: dict, fields: dict) -> float:
    stated = _number(path, fields, "sample_rate", *SAMPLE_RATES, "Hz") if "sample_rate" in fields else None
    if "time" not in columns:
        if stated is None:
            raise _missing(path, "sample_rate", fields, "Give it in Hz, or a column time in s.")
        return stated
    rate = (len(columns["time"]) - 1) / (columns["time"][-1] - columns["time"][0])
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
            if name in TOES and not _reachable(coordinate, values[:, place]):
                warnings.warn(
                    f"{path}: q_{name} is beyond the joint's range: not used, toes are computed.", stacklevel=3
                )
                del columns[f"q_{name}"]
                values[:, place] = 0.0
            elif name not in LENGTHS:
                _check_angle(path, coordinate, values[:, place], units)
    if "q_pelvis_ty" in columns and np.abs(columns["q_pelvis_ty"]).max() < STANDING_PELVIS:
        del columns["q_pelvis_ty"]
        warnings.warn(f"{path}: q_pelvis_ty is not measured from the ground: not used, it is computed.", stacklevel=3)
    return values


def _reachable(coordinate: Coordinate, angle: np.ndarray) -> bool:
    low, high = coordinate.limits if np.isfinite(coordinate.limits).all() else (-1.0, 1.0)
    return bool(low - BEYOND_LIMIT <= angle.min() and angle.max() <= high + BEYOND_LIMIT)


def _check_angle(path: Path, coordinate: Coordinate, angle: np.ndarray, units: str) -> None:
    """Refuses degrees called radians, radians called degrees, and what the joint cannot do."""
    joint = coordinate.name
    low, high = coordinate.limits if np.isfinite(coordinate.limits).all() else (-1.0, 1.0)
    row = int(np.argmax(np.maximum(low - angle, angle - high)))
    if low - BEYOND_LIMIT <= angle[row] <= high + BEYOND_LIMIT:
        if joint in _SWINGING and np.ptp(angle) < SMALLEST_SWING:
            moved = np.degrees(np.ptp(angle))
            hint = "are these radians? Then units: rad." if units == "deg" and moved > 0 else "nobody walks so."
            raise UserError(f"{path}: q_{joint} moves by {moved:.2g} deg in all; {hint}")
        return
    given = np.degrees(angle[row]) if units == "deg" else angle[row]
    limits = f"the joint's range is {low:.2f} to {high:.2f} rad"
    message = f"{path}: q_{joint}, row {row + 1} is {given:.4g} {units}; {limits}."
    if units == "rad" and np.abs(angle).max() > np.pi:
        message += " Are these degrees? Then units: deg."
    elif low - BEYOND_LIMIT <= -angle.max() and -angle.min() <= high + BEYOND_LIMIT:
        message += " Is the sign turned? Knee flexion is negative, pelvis_tilt positive backwards."
    raise UserError(message)


def _strides(
    path: Path, values: np.ndarray, names: tuple[str, ...], fields: dict, rate: float, feet: foot_kinematics.FeetPose
) -> Strides:
    if "stride_time" in fields:
        return given_strides(path, values, names, fields, rate)
    if "first_contact" in fields:
        raise _missing(path, "stride_time", fields, "first_contact needs it.")
    return found_strides(path, values, names, rate, feet.heel[:, 0, 0] - feet.pelvis[:, 0])


def _speed(path: Path, columns: dict, fields: dict, rate: float, strides: Strides) -> float:
    """m/s: the file's word, else that of the pelvis over the strides that are used."""
    if "speed" in fields:
        return _number(path, fields, "speed", *WALKING_SPEEDS, "m/s")
    if "q_pelvis_tx" not in columns:
        raise _missing(path, "speed", fields, f"{_SAY_SPEED} Or a column q_pelvis_tx in m.")
    walked = np.interp(np.array(strides.edges), np.arange(len(columns["q_pelvis_tx"])), columns["q_pelvis_tx"])
    speed = float(np.diff(walked, axis=1).sum() / np.diff(strides.edges, axis=1).sum() * rate)
    if abs(speed) < WALKING_SPEEDS[0]:
        raise _missing(path, "speed", fields, f"q_pelvis_tx stands still (a treadmill?). {_SAY_SPEED}")
    return _number(path, {"speed": speed}, "speed", *WALKING_SPEEDS, "m/s (q_pelvis_tx)")


def _check_length(path: Path, model: mujoco.MjModel, length: float) -> None:
    """Refuses strides that no legs reach: a wrong speed or rate, or several strides taken for one."""
    leg = foot_kinematics.leg_length(model)
    if length > LONGEST_STRIDE * leg:
        raise UserError(
            f"{path}: a stride is {length:.2f} m long, {length / leg:.1f} lengths of the model's leg; people's are at "
            f"most {LONGEST_STRIDE:g}. Is speed right? Does the file hold several strides? Then give stride_time and "
            "first_contact."
        )


def _tell_signs(path: Path, names: tuple[str, ...], stride: np.ndarray, speed: float) -> None:
    """Warn of angles that are healthy walking's upside down."""
    legs = {
        side: {n: np.degrees(stride[:, names.index(f"{n}_{side}")]) for n in LEG if f"{n}_{side}" in names}
        for side in anatomy.SIDES
    }
    for words in likeness.upside_down_words(legs, speed):
        warnings.warn(f"{path}: {words}.", stacklevel=3)


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
