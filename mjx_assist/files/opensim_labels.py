"""What the labels and the first line of an OpenSim table say that it holds: coordinates, their speeds, or neither.

Also whether numbers can be joint angles at all, whatever a header says.
"""

import dataclasses
import re
from pathlib import Path

import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.files.opensim_table import Table, is_length

# Coordinates of OpenSim's leg and full-body models (gait2392, gait10dof18musc, Rajagopal, Hamner) and ours.
_LEG = "hip_flexion|hip_adduction|hip_rotation|knee_(angle|adduction|rotation)|(ankle|subtalar|mtp)_angle"
_ARM = "arm_flex|arm_add|arm_rot|elbow_flex|pro_sup|wrist_flex|wrist_dev"
_COORDINATE = re.compile(
    rf"(pelvis_(tilt|list|rotation|t[xyz])|(\w+_)?({_LEG})_[rl](_beta)?|({_ARM})_[rl]"
    r"|lumbar_(extension|bending|rotation)|(knee|patella)\w*_[rl]_?(translation|rotation)\d|knee_t[xyz]_[rl])"
)
_STATE = re.compile(r"(?:.*/)?([^/]+)/(value|speed)")  # /jointset/hip_r/hip_flexion_r/value, hip_r/hip_flexion_r/value
_OLD_SPEED = "_u"  # of a coordinate in the states files of OpenSim 3
# What a first line says of columns that are labelled as coordinates but are none: OpenSim's analyses and tools.
_QUANTITIES = {
    "speeds|velocities|kinematics_u": "joint velocities",
    "accelerations|kinematics_dudt": "joint accelerations",
    "errors?": "errors of inverse kinematics",
    "controls|excitations": "controls",
    "emg": "EMG",
    "powers?": "powers",
    "moments?|torques?|forces?|actuation|reactions?|optimization": "forces or moments",
    "lengths?|moment ?arms?": "lengths or moment arms",
}
_ANALYSIS = re.compile(r"kinematics_(u|dudt)$", re.IGNORECASE)  # ends of names that OpenSim gives its files
# rad, farther than any person's joint turns; an ankle that is 90 deg when standing is beyond it.
_FARTHEST = {"hip_flexion": 2.5, "knee_angle": 2.9, "ankle_angle": 1.45, "pelvis_tilt": 1.6}
_SMALLEST_SWING = 0.1  # rad (6 deg), what hips and knees move in any walking


@dataclasses.dataclass(frozen=True)
class Coordinates:
    """Values and speeds by coordinate, in the file's units, and the labels of all other columns."""

    values: dict[str, np.ndarray]
    speeds: dict[str, np.ndarray]
    others: tuple[str, ...]


def coordinates(path: Path, table: Table, own: bool = False) -> Coordinates:
    """The coordinates of a table: plain labels, or the states of OpenSim 3 and 4.

    ``own``: written by this program, whose models may have other joints. Raises UserError where the first line says
    that these are other quantities, and where the numbers cannot be the angles that the header makes them.
    """
    known = re.compile(r"[^/|.]+") if own else _COORDINATE
    values: dict[str, np.ndarray] = {}
    speeds: dict[str, np.ndarray] = {}
    others = []
    for label, column in table.columns.items():
        state = _STATE.fullmatch(label)
        if state:
            (values if state[2] == "value" else speeds)[state[1]] = column
        elif label.endswith(_OLD_SPEED) and label[: -len(_OLD_SPEED)] in table.columns:
            speeds[label[: -len(_OLD_SPEED)]] = column
        elif known.fullmatch(label):
            values[label] = column
        else:
            others.append(label)
    if values and not own:
        _check_quantity(path, table)
        check_angles(path, values, table.degrees, table.rule)
    return Coordinates(values, speeds, tuple(others))


def nothing_known(path: Path, table: Table, wanted: str) -> UserError:
    """The refusal of a table of other quantities: what it is by its first line and labels, what is needed."""
    labels = list(table.columns)
    shown = ", ".join(labels[:4]) + (", ..." if len(labels) > 4 else "")
    what = _quantity(table.name)
    says = f"its first line says {table.name!r}" + (f" ({what})" if what else "") if table.name else "it has no name"
    return UserError(f"{path}: holds no {wanted}: {says}, its columns are {shown}.")


def check_angles(path: Path, columns: dict[str, np.ndarray], degrees: bool, rule: str) -> None:
    """Raises UserError for angles that no joint reaches, and for a walk in radians that is called degrees."""
    unit, scale = ("deg", np.pi / 180) if degrees else ("rad", 1.0)
    for name, column in columns.items():
        farthest = next((limit for stem, limit in _FARTHEST.items() if stem in name), None)
        if farthest is None or not np.isfinite(column).any():
            continue
        row = int(np.nanargmax(np.abs(column)))
        if abs(column[row]) * scale > farthest:
            remedy = (
                "Are these speeds, or has the angle another zero?"
                if degrees
                else "If they are degrees, write a line inDegrees=yes into the header."
            )
            raise UserError(
                f"{path}: {name}, sample {row + 1} is {column[row]:g}, taken for {unit} ({rule}); no joint turns so "
                f"far. {remedy}"
            )
    legs = [column for name, column in columns.items() if "hip_flexion" in name or "knee_angle" in name]
    swing = max((float(np.ptp(column)) for column in legs), default=0.0)
    if degrees and _SMALLEST_SWING < swing < np.degrees(_SMALLEST_SWING) and max(np.abs(c).max() for c in legs) < 2.5:
        raise UserError(
            f"{path}: hips and knees move by {swing:.2g} deg in all, taken for degrees ({rule}). "
            "If they are radians, write a line inDegrees=no into the header."
        )


def _check_quantity(path: Path, table: Table) -> None:
    what = _quantity(table.name) or (_quantity(path.stem) if _ANALYSIS.search(path.stem) else "")
    if what and not any(_STATE.fullmatch(label) for label in table.columns):
        raise UserError(
            f"{path}: holds {what}, by its first line {table.name!r} or its name; joint angles are needed, a table "
            "'Coordinates'. If these are angles, correct that line, and rename the file."
        )


def _quantity(name: str) -> str:
    """In words, what a first line tells that is not joint angles; empty where it tells none."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)  # ActuatorForces
    whole_word = r"(?<![a-z])({})(?![a-z])"
    return next((w for word, w in _QUANTITIES.items() if re.search(whole_word.format(word), name, re.IGNORECASE)), "")


def scaled(coordinates: dict[str, np.ndarray], degrees: bool) -> dict[str, np.ndarray]:
    """The same in radians and metres."""
    return {n: np.radians(c) if degrees and not is_length(n) else c for n, c in coordinates.items()}
