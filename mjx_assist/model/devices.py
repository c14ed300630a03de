"""What each device of assist_sim is: which joints it drives, how, with what torque, how heavy; `shipped` has all."""

import json
from typing import Any

import mujoco
import numpy as np

from mjx_assist.model.assembly import AS_COMPOSED, NO_DEVICE, available, device_mass, full_model
from mjx_assist.model.names import actuator_names, is_muscle, joint_names
from mjx_assist.model.reduction import reduce_model
from mjx_assist.paths import data_path

EXOSKELETON, PROSTHESIS = "exoskeleton", "prosthesis"
PASSIVE, MOTOR, SERVO = "passive", "motor", "servo"
_FILE = "devices.json"
_SMALLEST = "myolegs22"
_SMALL = 1e-6  # N*m or m: no torque, no arm
Facts = dict[str, Any]


def facts(human: str, device: str) -> Facts:
    """A device as the human wears it: ``kind``, ``mass_kg`` (on this human; 0 where what it replaces is heavier),
    ``drives`` (a dict for each of its actuators)."""
    bare, worn = (full_model(human, put_on, AS_COMPOSED) for put_on in (NO_DEVICE, device))
    bodies = {worn.body(i).name for i in range(worn.nbody)}
    replaces = any(bare.body(i).name not in bodies for i in range(bare.nbody))
    model = reduce_model(human, device).model
    return {
        "device": device,
        "human": human,
        "kind": PROSTHESIS if replaces else EXOSKELETON,
        "mass_kg": round(device_mass(human, device), 2),
        "drives": [_drive(model, int(actuator)) for actuator in np.flatnonzero(~is_muscle(model))],
    }


def _drive(model: mujoco.MjModel, actuator: int) -> Facts:
    """An actuator's joint, kind and torques about that joint (N*m, in the joint's sign) at the ends of its control
    range, with the model in its reference pose; null where the range has no end."""
    ends = [_torque(model, actuator, end) for end in model.actuator_ctrlrange[actuator]]
    limited = bool(model.actuator_ctrllimited[actuator])
    servo = model.actuator_biastype[actuator] != mujoco.mjtBias.mjBIAS_NONE
    return {
        "actuator": actuator_names(model)[actuator],
        "joint": joint_names(model)[ends[0][0]],
        "kind": SERVO if servo else MOTOR,
        "torque_nm": sorted(round(torque, 1) + 0.0 for _, torque in ends) if limited else None,
    }


def _torque(model: mujoco.MjModel, actuator: int, control: float) -> tuple[int, float]:
    """(the joint with the largest moment arm, the torque about it, N*m) under a control that is held."""
    data = mujoco.MjData(model)
    data.ctrl[actuator] = control
    if (state := model.actuator_actadr[actuator]) >= 0:
        data.act[state] = control  # a filter that has settled
    mujoco.mj_forward(model, data)
    arms = np.zeros(model.nv)
    first, count = data.moment_rowadr[actuator], data.moment_rownnz[actuator]
    arms[data.moment_colind[first : first + count]] = data.actuator_moment[first : first + count]
    joint = int(np.abs(arms).argmax())
    return joint, float(data.actuator_force[actuator] * arms[joint])


def shipped() -> list[Facts]:
    """The facts of every device on one human that wears it (models/devices.json; models/build_devices.py)."""
    path = data_path("models", _FILE)
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


def first_wearers() -> dict[str, str]:
    """Device -> a human that can wear it, `_SMALLEST` where it can."""
    found: dict[str, str] = {}
    for human, worn in sorted(available().items(), key=lambda pair: pair[0] != _SMALLEST):
        for device in worn:
            if device != NO_DEVICE:
                found.setdefault(device, human)
    return found


HEADER = ("device", "kind", "mass kg", "drives", "torque N*m")


def cells(row: Facts) -> tuple[str, ...]:
    """A device's line under `HEADER`."""
    drives = [f"{drive['joint']} ({drive['kind']})" for drive in row["drives"]]
    torque = [_range(drive["torque_nm"]) for drive in row["drives"]]
    return (
        row["device"],
        row["kind"],
        f"{row['mass_kg']:g}",
        ", ".join(drives) or PASSIVE,
        ", ".join(dict.fromkeys(torque)) or "-",
    )


def _range(torque: list[float] | None) -> str:
    if torque is None:
        return "no limit"
    low, high = torque
    return "none at rest" if high - low < _SMALL else f"{low:g} to {high:g}"
