"""The motors of a device: which joint each drives, and the control that makes a wanted torque about it."""

import re
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.model.names import SIDE_WORDS, actuator_names, is_muscle, joint_names

_SAMPLES = 41  # angles at which a cable's moment arm is measured
_DEGREE = 6  # of the polynomial through them
_NO_ARM = 1e-4  # m or gear: with less than this no torque can be made
_DYNAMICS = (mujoco.mjtDyn.mjDYN_NONE, mujoco.mjtDyn.mjDYN_FILTER, mujoco.mjtDyn.mjDYN_FILTEREXACT)


@dataclass(frozen=True, eq=False)
class Motors:
    """A device's D motors, in actuator order.

    ``joint`` [D]: the coordinate that each drives (of several the one with the largest moment arm); ``side`` [D]: 0
    right, 1 left; ``gain`` [D]: force or torque per unit of control; ``arm`` [degree + 1, D]: its moment arm over the
    joint's angle, a polynomial (highest power first) good within ``angle_range`` [2, D] rad; ``low``, ``high`` [D]:
    control limits. ``mask`` [nu]: is an actuator a motor; ``place`` [nu]: which.
    """

    joint_names: tuple[str, ...]
    joint: np.ndarray
    side: np.ndarray
    gain: np.ndarray
    arm: np.ndarray
    angle_range: np.ndarray
    low: np.ndarray
    high: np.ndarray
    mask: np.ndarray
    place: np.ndarray


def controls(motors: Motors, torque: Any, angle: Any, xp: Any = np) -> Any:
    """Controls ``[D]`` that make ``torque`` ``[D]`` N*m at joint angles ``[D]`` rad, as far as the motors can.

    A motor that can push one way only stays off when the other way is wanted. One with a filter follows with its lag.
    """
    arm = _arm(motors, angle, xp)
    usable = xp.abs(arm) > _NO_ARM
    control = torque / (motors.gain * xp.where(usable, arm, 1.0))
    return xp.clip(xp.where(usable, control, 0.0), motors.low, motors.high)


def torques(motors: Motors, control: Any, angle: Any, xp: Any = np) -> Any:
    """Torque ``[..., D]`` N*m about each motor's joint that controls ``[..., D]`` ask for at joint angles (rad)."""
    return motors.gain * control * _arm(motors, angle, xp)


def _arm(motors: Motors, angle: Any, xp: Any) -> Any:
    """Moment arms ``[..., D]`` at joint angles, held to the range in which the polynomials are good."""
    angle = xp.clip(angle, motors.angle_range[0], motors.angle_range[1])
    arm = xp.zeros_like(angle)
    for coefficient in motors.arm:
        arm = arm * angle + coefficient
    return arm


def make_motors(model: mujoco.MjModel) -> Motors:
    """The motors of a reduced model's device.

    Raises:
        UserError: it has none, or an actuator that does not turn a control into a torque.
    """
    mask = ~is_muscle(model)
    ids = np.flatnonzero(mask)
    if not ids.size:
        raise UserError("device controller: the model has no device to drive (device_key none).")
    for actuator in ids.tolist():
        _check_motor(model, actuator)
    joint, arm, angle_range = zip(*(_moment_arm(model, actuator) for actuator in ids.tolist()), strict=True)
    names = tuple(joint_names(model)[j] for j in joint)
    limited = np.asarray(model.actuator_ctrllimited[ids], bool)
    low, high = np.where(limited, model.actuator_ctrlrange[ids].T, np.array([[-np.inf], [np.inf]]))
    return Motors(
        joint_names=names,
        joint=np.array(joint),
        side=np.array([_side(name) for name in names]),
        gain=model.actuator_gainprm[ids, 0].copy(),
        arm=np.stack(arm, axis=1),
        angle_range=np.stack(angle_range, axis=1),
        low=low,
        high=high,
        mask=mask,
        place=np.where(mask, np.cumsum(mask) - 1, 0),
    )


def _side(joint: str) -> int:
    """1 for a joint whose name says left (``ankle_angle_l``, ``joint1_sx``), else 0."""
    left = {word for _, word in SIDE_WORDS}
    return int(bool(left & set(re.split("[^A-Za-z0-9]+", joint))))


def _check_motor(model: mujoco.MjModel, actuator: int) -> None:
    """Raises ``UserError`` saying why an actuator is no motor."""
    reason = None
    if model.actuator_gaintype[actuator] != mujoco.mjtGain.mjGAIN_FIXED or model.actuator_gainprm[actuator, 0] == 0:
        reason = "its force is not proportional to its control"
    elif model.actuator_biastype[actuator] != mujoco.mjtBias.mjBIAS_NONE:
        reason = "it has a force of its own without any control (a position or velocity servo)"
    elif model.actuator_dyntype[actuator] not in _DYNAMICS:
        reason = "its activation is not a filtered control"
    elif model.actuator_ctrllimited[actuator] and not np.prod(model.actuator_ctrlrange[actuator]) <= 0:
        reason = f"its control range {model.actuator_ctrlrange[actuator].tolist()} does not hold 0, so it is never off"
    if reason:
        raise UserError(
            f"device controller: the device's actuator {actuator_names(model)[actuator]!r} is no motor: {reason}."
        )


def _moment_arm(model: mujoco.MjModel, actuator: int) -> tuple[int, np.ndarray, np.ndarray]:
    """(coordinate, polynomial of the moment arm over it, range of angles), the other joints at the reference pose."""
    data = mujoco.MjData(model)
    joint = int(np.abs(_arms(model, data, actuator)).argmax())
    limits = model.jnt_range[joint] if model.jnt_limited[joint] else np.array([-np.pi / 2, np.pi / 2])
    angles, arms = np.linspace(limits[0], limits[1], _SAMPLES), np.zeros(_SAMPLES)
    for i, angle in enumerate(angles):
        data.qpos[:] = model.qpos0
        data.qpos[joint] = angle
        arms[i] = _arms(model, data, actuator)[joint]
    return joint, np.polyfit(angles, arms, _DEGREE), limits.copy()


def _arms(model: mujoco.MjModel, data: mujoco.MjData, actuator: int) -> np.ndarray:
    """``[nv]`` moment arms of an actuator at the data's pose, m (1 for a motor on the joint itself)."""
    mujoco.mj_fwdPosition(model, data)
    arms = np.zeros(model.nv)
    first, count = data.moment_rowadr[actuator], data.moment_rownnz[actuator]
    arms[data.moment_colind[first : first + count]] = data.actuator_moment[first : first + count]
    return arms
