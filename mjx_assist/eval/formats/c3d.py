"""A laboratory's .c3d by ezc3d: force plates, and joint angles of Plug-in Gait where it holds them; no markers."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.eval.formats.combine import Part
from mjx_assist.eval.formats.laboratory import plates as force_plates
from mjx_assist.eval.formats.laboratory.plates import Plate
from mjx_assist.files import opensim_labels
from mjx_assist.files.untrusted import read_bytes

_MAGIC = 0x50  # the second byte of every C3D file
# Plug-in Gait's angle (without its side): our coordinate and its sign, of each of the angle's three components.
_ANGLES: dict[str, tuple[tuple[str, float], ...]] = {
    "PelvisAngles": (("pelvis_tilt", -1.0), ("pelvis_list", -1.0), ("pelvis_rotation", 1.0)),
    "HipAngles": (("hip_flexion", 1.0), ("hip_adduction", 1.0), ("hip_rotation", 1.0)),
    "KneeAngles": (("knee_angle", -1.0),),
    "AnkleAngles": (("ankle_angle", 1.0),),
}
_LABEL = re.compile(r"(?:.*:)?(?P<side>[RL])(?P<angle>\w+Angles)")
_UNREADABLE = (OSError, RuntimeError, ValueError, IndexError, KeyError, MemoryError)
_METRES = {"mm": 0.001, "cm": 0.01, "m": 1.0, "Nmm": 0.001, "Nm": 1.0, "N.m": 1.0, "N.mm": 0.001}


def read_c3d(path: Path) -> Part:
    """Forces and angles of a .c3d, time from its first frame on. Raises UserError for one that holds neither."""
    content = _content(path)
    point, first = content["parameters"]["POINT"], content["header"]
    rate = float(point["RATE"]["value"][0])
    plates, notes = _plates(path, content["data"].get("platform", []))
    loaded = np.arange(len(plates[0].force)) / float(first["analogs"]["frame_rate"]) if plates else None
    angles = _angles(path, content)
    markers = len(point["LABELS"]["value"]) - sum(_place(label) is not None for label in point["LABELS"]["value"])
    if markers > 0:
        notes.append(f"{path}: not used: {markers} markers and other points")
    if not angles and loaded is None:
        raise UserError(f"{path}: holds neither force plates nor joint angles (LHipAngles, ...); markers are not used.")
    if not angles:
        return Part(str(path), {"time": loaded}, tuple(notes), True, tuple(plates))
    time, angles = _known(path, rate, angles)
    opensim_labels.check_angles(path, angles, False, "its angles")
    fields = {"time": time, "joint_names": tuple(angles), "qpos": np.stack(list(angles.values()), axis=1)}
    return Part(str(path), fields, tuple(notes), True, tuple(plates), plates_time=loaded)


def _content(path: Path) -> Any:
    try:
        import ezc3d
    except ImportError:
        raise UserError(f"{path}: reading .c3d needs ezc3d: pip install 'mjx-assist[c3d]'.") from None
    begin = read_bytes(path, str(path))[:2]
    if len(begin) < 2 or begin[1] != _MAGIC:
        raise UserError(f"{path}: is not a C3D file: its second byte is not 0x50.")
    try:
        return ezc3d.c3d(str(path), extract_forceplat_data=True)
    except _UNREADABLE as error:
        raise UserError(f"{path}: is not a C3D file that ezc3d can read ({error}).") from None


def _plates(path: Path, platforms: list) -> tuple[list[Plate], list[str]]:
    plates = []
    for number, platform in enumerate(platforms, start=1):
        length = _METRES.get(platform["unit_position"], 1.0)
        torque = _METRES.get(platform["unit_moment"], 1.0)
        arrays = platform["force"], length * platform["center_of_pressure"], torque * platform["Tz"]
        force, point, free = (np.nan_to_num(array.T) for array in arrays)
        if np.abs(force).max(initial=0.0) > force_plates.LOADED:
            plates.append(Plate(str(number), None, force, point, free))
    return force_plates.mended(str(path), plates) if plates else ([], [])


def _place(label: str) -> tuple[str, str] | None:
    """(side r or l, Plug-in Gait's angle) of a point's label."""
    found = _LABEL.fullmatch(label.strip())
    return (found["side"].lower(), found["angle"]) if found and found["angle"] in _ANGLES else None


def _angles(path: Path, content: Any) -> dict[str, np.ndarray]:
    """rad by coordinate, NaN in frames in which a point is not valid; the pelvis' are those of the right side."""
    point = content["parameters"]["POINT"]
    units = "".join(point.get("ANGLE_UNITS", {"value": ["deg"]})["value"]).strip().lower()
    scale = 1.0 if units.startswith("rad") else np.pi / 180
    residuals = content["data"]["meta_points"]["residuals"][0]
    found: dict[str, np.ndarray] = {}
    for column, label in enumerate(point["LABELS"]["value"]):
        place = _place(label)
        if place is None or place == ("l", "PelvisAngles"):
            continue
        values = np.where(residuals[column] < 0, np.nan, content["data"]["points"][:3, column])
        for component, (name, sign) in zip(values, _ANGLES[place[1]], strict=False):
            found[name if name.startswith("pelvis") else f"{name}_{place[0]}"] = sign * scale * component
    return found


def _known(path: Path, rate: float, angles: dict[str, np.ndarray]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Time and angles of the stretch in which all are known. Raises UserError for a gap within."""
    known = np.all(np.isfinite(list(angles.values())), axis=0).reshape(-1)
    if not known.any():
        raise UserError(f"{path}: there is no frame in which all of {', '.join(angles)} are known.")
    begin, end = int(np.argmax(known)), len(known) - int(np.argmax(known[::-1]))
    if not known[begin:end].all():
        at = begin + int(np.argmin(known[begin:end]))
        name = next(name for name, column in angles.items() if not np.isfinite(column[at]))
        raise UserError(
            f"{path}: {name} is not known at {at / rate:.3f} s (frame {at + 1}); fill the gap, or give a part."
        )
    return np.arange(begin, end) / rate, {name: column[begin:end] for name, column in angles.items()}
