"""What a device's torque costs electrically: motor data of each device (models/motors.json), copper loss, rates.

A device without data has the row ``default``; who asks for its cost is told.
"""

import functools
import json
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from mjx_assist.paths import data_path

DEFAULT = "default"
OVER_LIMIT = 10.0  # times its own price: what a watt beyond a motor's limit costs on top


@dataclass(frozen=True)
class Drive:
    """One motor and its gear: N*m/A and ohm of the motor, ``gear``: torque about the joint over the motor's; limits of
    the joint's torque rate (N*m/s) and power (W); ``source`` of the numbers."""

    torque_constant_nm_per_a: float
    winding_resistance_ohm: float
    gear: float
    torque_rate_nm_per_s: float
    power_w: float
    source: str


@functools.cache
def drives() -> dict[str, Drive]:
    """Device key -> its motors' data, and `DEFAULT`."""
    rows = json.loads(data_path("models", "motors.json").read_text(encoding="utf-8"))
    return {device: Drive(**row) for device, row in rows.items()}


@functools.cache
def drive_of(device: str) -> Drive:
    """The motors' data of a device; that it is the default is told once, on stderr."""
    if device not in drives():
        print(f"device {device!r} has no motor data (models/motors.json): the default's are taken.", file=sys.stderr)
    return drives().get(device, drives()[DEFAULT])


def electrical_power(drive: Drive, torque: Any, velocity: Any) -> Any:
    """W that each motor takes, ``[..., D]``: torque (N*m about the joint) times velocity (rad/s), and the copper loss
    I^2 R of the current behind the torque. Negative where it gives energy back."""
    current = torque / (drive.gear * drive.torque_constant_nm_per_a)
    return torque * velocity + current**2 * drive.winding_resistance_ohm


def power_cost(drive: Drive, torque: Any, velocity: Any, xp: Any = np) -> Any:
    """W of all motors ``[...]``: the power that each takes (none is paid back), and `OVER_LIMIT` times what its
    mechanical power exceeds its limit by."""
    taken = xp.maximum(electrical_power(drive, torque, velocity), 0.0)
    excess = xp.maximum(xp.abs(torque * velocity) - drive.power_w, 0.0)
    return (taken + OVER_LIMIT * excess).sum(-1)


def rate_cost(drive: Drive, torque: Any, before: Any, dt: float, xp: Any = np) -> Any:
    """Sum over motors of (torque rate / its limit) squared, ``[...]``; torques ``[..., D]`` N*m, ``dt`` s apart."""
    return (((torque - before) / (dt * drive.torque_rate_nm_per_s)) ** 2).sum(-1)
