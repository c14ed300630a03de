"""The gait record as MyoAssist's gait_evaluated_data.json, and back.

Layout as MyoAssist's GaitData writes and its analysis reads it: every sample of a series is a list of numbers."""

import json
import re
from pathlib import Path

import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.eval.formats.combine import Part
from mjx_assist.eval.formats.headers import fields_of_header, header_of
from mjx_assist.eval.replay.record import SIDES, GaitRecord
from mjx_assist.files import sheets, untrusted
from mjx_assist.files.atomic import write_text
from mjx_assist.paths import SESSION_CONFIG

MYOASSIST_RATE = 30.0  # Hz, its control rate, at which it samples; the file does not say
_FLOOR, _FEET = "terrain", ("calcn_r_geom_1", "calcn_l_geom_1")
_SIDE = re.compile(r"(?:^|_)([rl])(?:_|$)")
_DIGITS = 9


def write_json(record: GaitRecord, path: Path) -> None:
    """``series_data`` and ``metadata``; what the format has no place for goes into ``metadata`` or is left out.

    A muscle's force is negative tension, as MuJoCo has it. A foot's contact is one force at its centre of pressure,
    in MuJoCo's contact frame of flat ground (up, left, backward). A device's ``ctrl`` is not recorded: NaN.
    """
    joints = {
        name: {"qpos": _column(record.qpos[:, j]), "qvel": _column(record.qvel[:, j])}
        for j, name in enumerate(record.joint_names)
    }
    actuators = {}
    for m, name in enumerate(record.muscle_names):
        actuators[name] = {
            "force": _column(-record.muscle_force[:, m]),
            "velocity": _column(record.muscle_velocity[:, m]),
            "ctrl": _column(record.excitation[:, m]),
            "activation": _column(record.activation[:, m]),
        }
    for d, name in enumerate(record.device_names):
        speed = record.qvel[:, record.joint_names.index(record.device_joints[d])]
        unknown = np.full(record.time.size, np.nan)
        actuators[name] = {
            "force": _column(record.device_torque[:, d]),
            "velocity": _column(speed),
            "ctrl": _column(unknown),
        }
    series = {
        "joint_data": joints,
        "actuator_data": actuators,
        "sensor_data": _sensors(record),
        "physics_data": {"contacts": {"data": _contacts(record)}},
        "target_data": {"target_velocity": _column(record.target_velocity)},
    }
    metadata = {"data_length": record.time.size, "sample_rate": 1.0 / record.sample_dt, "start_time": record.time[0]}
    text = json.dumps({"series_data": series, "metadata": metadata | header_of(record)})
    write_text(path, text)


def read_json(path: Path) -> Part:
    """What such a file holds. Time is its samples at ``metadata.sample_rate``, else at the control rate of a
    session_config.json in the folder or above, else at MyoAssist's 30 Hz (told). Raises UserError for anything else.
    """
    try:
        tree = untrusted.parse_json(sheets.read_text(path))
    except ValueError as error:
        raise UserError(f"{path}: is not JSON, or is truncated ({error}).") from None
    series = tree.get("series_data") if isinstance(tree, dict) else None
    if not isinstance(series, dict) or not series.get("joint_data"):
        raise UserError(f"{path}: is not MyoAssist's gait data: it has no series_data with joint_data.")
    try:
        metadata = {name: str(value) for name, value in (tree.get("metadata") or {}).items()}
        return _part(path, series, metadata)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{path}: is not MyoAssist's gait data: {type(error).__name__} {error}.") from None


def is_motion(path: Path) -> bool:
    """Whether a JSON is a training reference (q_<joint>, perhaps in groups), not a replayed walk."""
    try:
        tree = untrusted.parse_json(sheets.read_text(path))
    except (UserError, ValueError):
        return False
    groups = [tree, *tree.values()] if isinstance(tree, dict) else []
    return any(str(name).startswith("q_") for group in groups if isinstance(group, dict) for name in group)


def _part(path: Path, series: dict, metadata: dict[str, str]) -> Part:
    fields, notes = fields_of_header(metadata, str(path)), []
    device_joints = fields.pop("device_joints", ())
    fields.pop("muscle_names", None)
    joints = series["joint_data"]
    fields["joint_names"] = tuple(joints)
    fields["qpos"] = _table([joints[name]["qpos"] for name in joints], path, "qpos")
    if all("qvel" in part for part in joints.values()):
        fields["qvel"] = _table([joints[name]["qvel"] for name in joints], path, "qvel")
    samples = len(fields["qpos"])
    rate = _rate(path, metadata, notes)
    fields["time"] = float(metadata.get("start_time", 0.0)) + np.arange(samples) / rate
    _take_actuators(series.get("actuator_data") or {}, device_joints, fields, path, notes)
    sensors = {name: np.array(part["data"], float) for name, part in (series.get("sensor_data") or {}).items()}
    if sensors:
        fields["sensors"] = np.concatenate(list(sensors.values()), axis=1)
        fields["sensor_names"] = tuple(n for name, part in sensors.items() for n in _names(name, part.shape[1]))
    target = (series.get("target_data") or {}).get("target_velocity")
    if target:
        fields["target_velocity"] = np.array(target, float)[:, 0]
    contacts = ((series.get("physics_data") or {}).get("contacts") or {}).get("data")
    if contacts and any(contacts):
        _take_contacts(contacts, fields)
    elif all(f"{side}_{part}" in sensors for side in "rl" for part in ("foot", "toes")):
        load = [sensors[f"{side}_foot"][:, 0] + sensors[f"{side}_toes"][:, 0] for side in "rl"]
        fields["ground_reaction"] = np.zeros((samples, 2, 3))
        fields["ground_reaction"][:, :, 2] = np.stack(load, axis=1)
        notes.append(f"{path}: vertical ground reaction from the touch sensors; no horizontal one")
    return Part(str(path), fields, tuple(notes))


def _rate(path: Path, metadata: dict[str, str], notes: list[str]) -> float:
    if "sample_rate" in metadata:
        rate = float(metadata["sample_rate"])
        if not 0 < rate < np.inf:
            raise UserError(f"{path}: metadata.sample_rate is {rate:g}; it must be positive.")
        return rate
    for folder in (path.parent, path.parent.parent):
        if (folder / SESSION_CONFIG).is_file():
            try:
                tree = untrusted.read_json(folder / SESSION_CONFIG, str(folder / SESSION_CONFIG))
                rate = float(tree["env_params"]["control_framerate"])
            except (UserError, ValueError, KeyError, TypeError):
                continue
            if not 0 < rate < np.inf:
                continue
            notes.append(f"{path}: {rate:g} samples per second, from {folder / SESSION_CONFIG}")
            return rate
    notes.append(f"{path}: does not say its rate; MyoAssist's {MYOASSIST_RATE:g} samples per second assumed")
    return MYOASSIST_RATE


def _take_actuators(actuators: dict, device_joints: tuple, fields: dict, path: Path, notes: list[str]) -> None:
    """Muscles and device; which joint a device drives is told only by files that this program wrote."""
    muscle = [n for n, part in actuators.items() if "activation" in part or not _is_device(n)]
    device = [n for n in actuators if n not in muscle]
    if muscle:
        fields["muscle_names"] = tuple(muscle)
        fields["muscle_force"] = -_table([actuators[n]["force"] for n in muscle], path, "force")
        fields["muscle_velocity"] = _table([actuators[n]["velocity"] for n in muscle], path, "velocity")
        fields["excitation"] = _table([actuators[n]["ctrl"] for n in muscle], path, "ctrl")
        if all("activation" in actuators[n] for n in muscle):
            fields["activation"] = _table([actuators[n]["activation"] for n in muscle], path, "activation")
    if device and not device_joints:
        device_joints = tuple(_device_joint(n, fields["joint_names"]) for n in device)
        notes.append(f"{path}: {', '.join(device)} taken to drive {', '.join(map(str, device_joints))}")
    if device and all(device_joints):
        fields["device_names"], fields["device_joints"] = tuple(device), tuple(device_joints)
        fields["device_torque"] = _table([actuators[n]["force"] for n in device], path, "force")


def _is_device(name: str) -> bool:
    """MyoAssist's devices are Exo_R, osl_ankle_torque_actuator and their like; its muscles have Latin names."""
    return "exo" in name.lower() or "actuator" in name.lower()


def _device_joint(name: str, joints: tuple[str, ...]) -> str | None:
    """The ankle on the actuator's side: MyoAssist's exoskeletons drive ankles."""
    side = _SIDE.search(name.lower())
    matches = [joint for joint in joints if "ankle_angle" in joint and (not side or joint.endswith(f"_{side[1]}"))]
    return matches[0] if matches else None


def _take_contacts(contacts: list, fields: dict) -> None:
    """Ground reaction and centre of pressure from contacts on flat ground, whose frame is MuJoCo's (up, left, back)."""
    force, moment = np.zeros((len(contacts), 2, 3)), np.zeros((len(contacts), 2, 2))
    twist = np.zeros((len(contacts), 2))
    for sample, those in enumerate(contacts):
        for contact in those:
            sides = [_SIDE.search(str(contact[geom]).lower()) for geom in ("geom1", "geom2")]
            found = sides[0] or sides[1]
            if found is None or (sides[0] is None) == (sides[1] is None):
                continue  # between the feet, or no foot at all
            foot = "rl".index(found[1])
            sign = 1.0 if sides[1] else -1.0  # the force is on the second geom
            (up, left, back), (x, y) = contact["force"], contact["pos"][:2]
            own = np.array([-sign * back, sign * left, up])
            force[sample, foot] += own
            moment[sample, foot] += up * x, up * y
            twist[sample, foot] += contact.get("torque", (0.0,))[0] + x * own[1] - y * own[0]
    load = force[:, :, 2:]
    center = np.divide(moment, load, out=np.full_like(moment, np.nan), where=load > 0)
    fields["ground_reaction"] = force
    fields["center_of_pressure"] = np.concatenate([center, 0.0 * center[:, :, :1]], axis=2)
    lever = np.nan_to_num(center)
    fields["free_moment"] = twist - (lever[:, :, 0] * force[:, :, 1] - lever[:, :, 1] * force[:, :, 0])


def _contacts(record: GaitRecord) -> list[list[dict]]:
    """Each sample's loaded feet as contacts of the flat floor with a foot."""
    samples = []
    for force, center, twist in zip(record.ground_reaction, record.center_of_pressure, record.free_moment, strict=True):
        samples.append(
            [
                {
                    "pos": _rounded(center[foot]),
                    "force": _rounded((force[foot][2], force[foot][1], -force[foot][0])),
                    "torque": _rounded((twist[foot], 0.0, 0.0)),
                    "geom1": _FLOOR,
                    "geom2": _FEET[foot],
                }
                for foot in range(len(SIDES))
                if force[foot][2] > 0 and np.isfinite(center[foot]).all()
            ]
        )
    return samples


def _sensors(record: GaitRecord) -> dict:
    """Sensors by name; those that a record has as name.x, name.y, ... are vectors again."""
    groups: dict[str, list[int]] = {}
    for column, name in enumerate(record.sensor_names):
        groups.setdefault(name[:-2] if name[-2:] in (".x", ".y", ".z", ".w") else name, []).append(column)
    return {name: {"data": [_rounded(row) for row in record.sensors[:, columns]]} for name, columns in groups.items()}


def _names(name: str, size: int) -> list[str]:
    return [name] if size == 1 else [f"{name}.{axis}" for axis in "xyzw"[:size]]


def _column(series: np.ndarray) -> list[list[float]]:
    return [_rounded((value,)) for value in series]


def _rounded(values) -> list[float]:
    return [float(f"{value:.{_DIGITS}g}") for value in values]


def _table(columns: list, path: Path, what: str) -> np.ndarray:
    """[T, N] from N series of one-number lists (or plain numbers)."""
    lengths = {len(column) for column in columns}
    if len(lengths) != 1:
        raise UserError(f"{path}: the series of {what} differ in length: {', '.join(map(str, sorted(lengths)))}.")
    return np.stack([np.array(column, float).reshape(len(column), -1)[:, 0] for column in columns], axis=1)
