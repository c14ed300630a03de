"""The gait record in OpenSim's files: coordinates and ground reactions as .mot, muscles and moments as .sto.

OpenSim's world is (forward, up, right), the record's (forward, left, up). opensim_reading.py has the way back."""

from functools import cache
from pathlib import Path

import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.eval.formats.headers import header_of
from mjx_assist.eval.replay.record import SIDES, GaitRecord
from mjx_assist.files.atomic import write_text
from mjx_assist.files.opensim_table import Table, is_length, table_text

# Of a whole record in a folder.
KINEMATICS, GROUND_REACTION, FORCES = "kinematics.mot", "ground_reaction.mot", "forces.sto"
_FEET = {"right": "", "left": "1_"}  # prefixes of a foot's columns, as in OpenSim's examples
MUSCLE = {  # record field: column of a muscle, an OpenSim state or output path
    "activation": "/forceset/{}/activation",
    "excitation": "/forceset/{}|excitation",
    "muscle_force": "/forceset/{}|tendon_force",
    "muscle_active_force": "/forceset/{}|active_fiber_force",
    "muscle_length": "/forceset/{}/path|length",
    "muscle_velocity": "/forceset/{}/path|lengthening_speed",
}
DEVICE = "/forceset/{}|actuation"
MOMENTS = {"joint_moment": "", "device_moment": "_device", "passive_moment": "_passive", "limit_moment": "_limit"}


def to_opensim(vectors: np.ndarray) -> np.ndarray:
    """[..., 3] (forward, left, up) as (forward, up, right)."""
    return np.stack([vectors[..., 0], vectors[..., 2], -vectors[..., 1]], axis=-1)


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
        columns |= {form.format(muscle): getattr(record, field)[:, place] for field, form in MUSCLE.items()}
    signs = coordinate_signs(record.human, record.device, record.joint_names)
    for place, (name, joint) in enumerate(zip(record.device_names, record.device_joints, strict=True)):
        sign = signs[record.joint_names.index(joint)]
        columns[DEVICE.format(name)] = sign * record.device_torque[:, place]
    for place, joint in enumerate(record.joint_names):
        for field in MOMENTS:
            columns[_moment_label(joint, field)] = signs[place] * getattr(record, field)[:, place]
        columns[f"{joint}_power"] = record.joint_power[:, place]
    _write(path, "Forces", Table(header_of(record), False, record.time, columns))


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
    return f"{joint}{MOMENTS[field]}_{'force' if is_length(joint) else 'moment'}"
