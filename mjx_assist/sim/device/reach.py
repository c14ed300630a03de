"""Whether a torque over the gait cycle is within a device's reach: one that it can never give is refused, one that is
partly beyond it is told."""

from typing import Any

import numpy as np

from mjx_assist.config.device import Spline, TorqueProfile, direction
from mjx_assist.errors import UserError, note
from mjx_assist.sim.device import curves
from mjx_assist.sim.device.motors import Motors, torque_limits

_CYCLE = np.linspace(0.0, curves.CYCLE, 201)
_ANGLES = 21  # of a joint's range at which a motor's torque is looked at
_NOTHING = 0.01  # N*m


def check(settings: TorqueProfile | Spline, curve: curves.Curve, mass: float, motors: Motors, driven: Any) -> None:
    """``curve``: the settings' torque, in their unit; ``driven`` [D]: the motors that they drive.

    Raises:
        UserError: none of the motors can give any of the torque.
    """
    scale = mass if settings.torque_unit == "N*m/kg" else 1.0
    wanted = scale * curves.evaluate(curve, _CYCLE)  # N*m
    low, high = torque_limits(motors, np.linspace(motors.angle_range[0], motors.angle_range[1], _ANGLES))
    low, high = low.min(axis=0)[driven], high.max(axis=0)[driven]  # of each driven motor, at its best angle
    most = wanted[np.abs(wanted).argmax()]
    names = [name for name, drives in zip(motors.joint_names, driven, strict=True) if drives]
    if np.abs(np.clip(wanted[:, None], low, high)).max() < _NOTHING:
        raise UserError(
            f"device controller {settings.type!r} can never push: it asks for {most:+.1f} N*m about {names[0]} "
            f"({direction(names[0], most)}), where the motor gives {low[0]:+.1f} to {high[0]:+.1f} N*m; turn the sign."
        )
    if wanted.max() > high.max() + _NOTHING or wanted.min() < low.min() - _NOTHING:
        note(
            f"note: device controller {settings.type!r} asks for {most:+.1f} N*m about {names[0]}; its motor gives "
            f"{low[0]:+.1f} to {high[0]:+.1f} N*m, and no more is applied."
        )
