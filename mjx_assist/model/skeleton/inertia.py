"""Mass, centre and inertia of rigid bodies that move as one."""

from dataclasses import dataclass

import mujoco
import numpy as np


@dataclass(frozen=True)
class Inertial:
    """A rigid body's inertia in some frame: mass kg, centre [3] m, inertia [3, 3] kg m^2 about the centre."""

    mass: float
    centre: np.ndarray
    inertia: np.ndarray


def rotation(quat: np.ndarray) -> np.ndarray:
    """Unit quaternion [4] (w, x, y, z) -> rotation matrix [3, 3]."""
    matrix = np.zeros(9)
    mujoco.mju_quat2Mat(matrix, np.asarray(quat, dtype=float))
    return matrix.reshape(3, 3)


def body_inertial(model: mujoco.MjModel, body: int, position: np.ndarray, orientation: np.ndarray) -> Inertial:
    """Inertia of one body, placed with its frame at ``position`` [3] and ``orientation`` [3, 3]."""
    principal = orientation @ rotation(model.body_iquat[body])
    inertia = principal @ np.diag(model.body_inertia[body]) @ principal.T
    return Inertial(float(model.body_mass[body]), position + orientation @ model.body_ipos[body], inertia)


def compose(parts: list[Inertial]) -> Inertial:
    """The parts as one rigid body, by the parallel axis theorem."""
    mass = sum(part.mass for part in parts)
    if mass == 0:
        return Inertial(0.0, np.zeros(3), np.zeros((3, 3)))
    centre = sum((part.mass * part.centre for part in parts), np.zeros(3)) / mass
    inertia = np.zeros((3, 3))
    for part in parts:
        arm = part.centre - centre
        inertia += part.inertia + part.mass * (arm @ arm * np.eye(3) - np.outer(arm, arm))
    return Inertial(mass, centre, inertia)
