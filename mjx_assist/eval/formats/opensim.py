"""The gait record in OpenSim's files, and back: coordinates and ground reactions as .mot, muscles and moments as .sto.

OpenSim's world is (forward, up, right), the record's (forward, left, up)."""

import re
from functools import cache
from pathlib import Path

import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.eval.formats.combine import Part, fields_of_header, header_of
from mjx_assist.eval.replay.record import SIDES, GaitRecord
from mjx_assist.files.atomic import write_text
from mjx_assist.files.opensim_table import Table, is_length, read_table, table_text, turned_knees

# Of a whole record in a folder.
KINEMATICS, GROUND_REACTION, FORCES = "kinematics.mot", "ground_reaction.mot", "forces.sto"
# Prefixes of a foot's columns: ours, and those of OpenSim's own tools, which are read too.
_FEET = {"right": "", "left": "1_"}
_FOOT_COLUMN = re.compile(r"^(?P<before>\d+_)?ground_(?P<kind>force|torque)_(?:(?P<side>[rl])_)?(?P<rest>[vp]?[xyz])$")
_MUSCLE = {  # record field: column of a muscle, an OpenSim state or output path
    "activation": "/forceset/{}/activation",
    "excitation": "/forceset/{}|excitation",
    "muscle_force": "/forceset/{}|tendon_force",
    "muscle_active_force": "/forceset/{}|active_fiber_force",
    "muscle_length": "/forceset/{}/path|length",
    "muscle_velocity": "/forceset/{}/path|lengthening_speed",
}
_DEVICE = "/forceset/{}|actuation"
_MOMENTS = {"joint_moment": "", "device_moment": "_device", "passive_moment": "_passive", "limit_moment": "_limit"}


def to_opensim(vectors: np.ndarray) -> np.ndarray:
    """[..., 3] (forward, left, up) as (forward, up, right)."""
    return np.stack([vectors[..., 0], vectors[..., 2], -vectors[..., 1]], axis=-1)


def from_opensim(vectors: np.ndarray) -> np.ndarray:
    """[..., 3] (forward, up, right) as (forward, left, up)."""
    return np.stack([vectors[..., 0], -vectors[..., 2], vectors[..., 1]], axis=-1)


def write_kinematics(record: GaitRecord, path: Path) -> None:
    """Joint coordinates: degrees and metres, in OpenSim's signs (``coordinate_signs``)."""
    signs = coordinate_signs(record.human, record.device, record.joint_names)
    values = record.qpos * signs
    columns = {
        joint: column if is_length(joint) else np.degrees(column)
        for joint, column in zip(record.joint_names, values.T, strict=True)
    }
    _write(path, "Coordinates", Table(_scalars(record), True, record.time, columns))


def write_ground_reaction(record: GaitRecord, path: Path) -> None:
    """External loads: force N, its point m (0 where the foot is unloaded) and free torque N*m; left has prefix 1_."""
    force = to_opensim(record.ground_reaction)
    point = np.nan_to_num(to_opensim(record.center_of_pressure))
    columns: dict[str, np.ndarray] = {}
    for foot, side in enumerate(SIDES):
        for letter, vector in (("v", force), ("p", point)):
            for axis, name in enumerate("xyz"):
                columns[f"{_FEET[side]}ground_force_{letter}{name}"] = vector[:, foot, axis]
    for foot, side in enumerate(SIDES):
        torque = (np.zeros(record.time.size), record.free_moment[:, foot], np.zeros(record.time.size))
        columns |= {f"{_FEET[side]}ground_torque_{name}": torque[axis] for axis, name in enumerate("xyz")}
    _write(path, "Ground reactions", Table(_scalars(record), False, record.time, columns))


def write_forces(record: GaitRecord, path: Path) -> None:
    """Muscles, device, joint moments and powers in one storage file.

    ``<joint>_moment`` (``_force`` of a translation) is of muscles and device together, ``<joint>_power`` (W) of these
    and the passive structures; ``<joint>_device_moment``, ``_passive_moment`` and ``_limit_moment`` are the record's.
    Signs are those of the coordinates.
    """
    columns: dict[str, np.ndarray] = {}
    for place, muscle in enumerate(record.muscle_names):
        columns |= {form.format(muscle): getattr(record, field)[:, place] for field, form in _MUSCLE.items()}
    signs = coordinate_signs(record.human, record.device, record.joint_names)
    for place, (name, joint) in enumerate(zip(record.device_names, record.device_joints, strict=True)):
        sign = signs[record.joint_names.index(joint)]
        columns[_DEVICE.format(name)] = sign * record.device_torque[:, place]
    for place, joint in enumerate(record.joint_names):
        for field in _MOMENTS:
            columns[_moment_label(joint, field)] = signs[place] * getattr(record, field)[:, place]
        columns[f"{joint}_power"] = record.joint_power[:, place]
    _write(path, "Forces", Table(header_of(record), False, record.time, columns))


def read_opensim(path: Path) -> Part:
    """What a .mot or .sto holds, known by its columns, not by its name. Raises UserError where that is nothing.

    Moments without passive ones beside them are those of inverse dynamics, which have them in.
    """
    table = read_table(path)
    fields = {"time": table.time, **fields_of_header(table.fields, str(path))}
    human, device = fields.get("human", "unknown"), fields.get("device", "unknown")
    left = dict(table.columns)
    _take_feet(path, left, fields)
    _take_muscles(left, fields)
    device_columns = [label for label in left if re.fullmatch(r"/forceset/.+\|actuation", label)]
    moments = {label: place for label in left if (place := _moment_of(label))}
    joints = tuple(dict.fromkeys(joint for joint, _ in moments.values()))
    signs = dict(zip(joints, coordinate_signs(human, device, joints), strict=True))
    if device_columns and len(fields.get("device_joints", ())) == len(device_columns):
        fields["device_names"] = tuple(label[len("/forceset/") : -len("|actuation")] for label in device_columns)
        driven = fields["device_joints"]
        values = [left.pop(label) * signs.get(joint, 1.0) for label, joint in zip(device_columns, driven, strict=True)]
        fields["device_torque"] = np.stack(values, axis=1)
    else:
        fields.pop("device_joints", None)
    for field in _MOMENTS:
        mine = {joint: left.pop(label) * signs[joint] for label, (joint, kind) in moments.items() if kind == field}
        if mine:
            fields[field] = np.stack(list(mine.values()), axis=1)
            fields["joint_names"] = tuple(mine)
    if "joint_moment" in fields:
        fields.setdefault("passive_moment", np.zeros_like(fields["joint_moment"]))
    for label in [label for label in left if label.endswith("_power")]:
        del left[label]
    unused = _take_coordinates(table, left, fields, human, device)
    if len(fields) == 1:
        raise UserError(f"{path}: holds neither coordinates nor ground reactions, muscles or moments.")
    return Part(str(path), fields, (f"{path}: not used: {', '.join(unused)}",) if unused else ())


def coordinate_signs(human: str, device: str, joints: tuple[str, ...]) -> np.ndarray:
    """[J] sign that turns a model's joint into OpenSim's coordinate of that name, as gait2392 has them.

    Hip and ankle flexion, adduction and internal rotation are positive, knee flexion negative, on both sides. 1 for
    joints that are no such coordinate, and for all of a human that is not known.
    """
    signs = _signs(human, device)
    return np.array([signs.get(joint, 1.0) for joint in joints])


@cache
def _signs(human: str, device: str) -> dict[str, float]:
    """Sign by joint; empty for a human that is not known. The composed model tells, its compilation takes a second."""
    from mjx_assist.model import anatomy
    from mjx_assist.model.assembly import AS_COMPOSED, full_model

    try:
        model = full_model(human, device, AS_COMPOSED)
    except UserError:
        return {}
    return {
        model.joint(joint).name: float(sign)
        for coordinate in anatomy.coordinates(model)
        for joint, sign in zip(coordinate.joints, coordinate.sign, strict=True)
    }


def _scalars(record: GaitRecord) -> dict[str, str]:
    """The header without muscles and device, which a table of ground reactions does not hold."""
    return {name: value for name, value in header_of(record).items() if not name.startswith(("muscle_", "device_j"))}


def _write(path: Path, name: str, table: Table) -> None:
    write_text(path, table_text(name, table))


def _moment_label(joint: str, field: str) -> str:
    return f"{joint}{_MOMENTS[field]}_{'force' if is_length(joint) else 'moment'}"


def _moment_of(label: str) -> tuple[str, str] | None:
    """(joint, record field) of a moment's column."""
    found = re.fullmatch(r"([^/|]+?)(_device|_passive|_limit)?_(moment|force)", label)
    if not found or (found[3] == "force") != is_length(found[1]):
        return None
    return found[1], {suffix: field for field, suffix in _MOMENTS.items()}[found[2] or ""]


def _take_feet(path: Path, left: dict, fields: dict) -> None:
    """Ground reaction, centre of pressure and free moment out of ``left`` into ``fields``."""
    places = {label: found for label in left if (found := _FOOT_COLUMN.match(label))}
    if not places:
        return
    values = {name: np.zeros((fields["time"].size, 2, 3)) for name in ("v", "p", "torque")}
    missing = {(foot, kind, axis) for foot in (0, 1) for kind in "vp" for axis in "xyz"}
    for label, found in places.items():
        foot = int(found["side"] == "l" or found["before"] == "1_")
        kind = found["rest"][:-1] or "torque"
        axis = found["rest"][-1]
        missing.discard((foot, kind, axis))
        values[kind][:, foot, "xyz".index(axis)] = left.pop(label)
    if missing:
        named = [f"{_FEET[SIDES[foot]]}ground_force_{kind}{axis}" for foot, kind, axis in sorted(missing)]
        raise UserError(f"{path}: lacks {', '.join(named)}.")
    force = from_opensim(values["v"])
    fields["ground_reaction"] = force
    fields["center_of_pressure"] = np.where(force[:, :, 2:] > 0, from_opensim(values["p"]), np.nan)
    fields["free_moment"] = from_opensim(values["torque"])[:, :, 2]


def _take_muscles(left: dict, fields: dict) -> None:
    for field, form in _MUSCLE.items():
        before, after = form.split("{}")
        found = {name: label for label in left if (name := _between(label, before, after))}
        if not found:
            continue
        names = fields.setdefault("muscle_names", tuple(found))
        if set(names) != set(found):
            raise UserError(f"muscles with {field}: {', '.join(found)}; others: {', '.join(names)}.")
        fields[field] = np.stack([left.pop(found[name]) for name in names], axis=1)
    if not any(field in fields for field in _MUSCLE):
        fields.pop("muscle_names", None)


def _between(label: str, before: str, after: str) -> str:
    """The name between a label's known ends; empty where the label is another."""
    inner = label[len(before) : len(label) - len(after)]
    return inner if label == before + inner + after and not set("/|") & set(inner) else ""


def _take_coordinates(table: Table, left: dict, fields: dict, human: str, device: str) -> list[str]:
    """Joint angles (and speeds, of a states file) into ``fields``; labels that are no coordinates are returned.

    Of a human that is not known they get gait2392's signs.
    """
    found: dict[str, dict[str, np.ndarray]] = {"value": {}, "speed": {}}
    unused = []
    for label, column in left.items():
        parts = label.split("/")
        if "/" not in label and "|" not in label and "qpos" not in fields and "ground_reaction" not in fields:
            found["value"][label] = column
        elif label.startswith("/jointset/") and parts[-1] in found:
            found[parts[-1]][parts[-2]] = column
        else:
            unused.append(label)
    joints = tuple(found["value"])
    if not joints:
        return unused
    signs = coordinate_signs(human, device, joints)
    if human == "unknown":
        turned = turned_knees(found["value"])
        signs = np.where(np.isin(joints, turned), -1.0, signs)
    turn = [1.0 if is_length(joint) or not table.degrees else np.pi / 180 for joint in joints]
    fields["joint_names"] = joints
    fields["qpos"] = np.stack(list(found["value"].values()), axis=1) * signs * turn
    if set(found["speed"]) == set(joints):
        fields["qvel"] = np.stack([found["speed"][joint] for joint in joints], axis=1) * signs * turn
    return unused
