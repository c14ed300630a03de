"""The reduced model's joints, actuators, feet and bodies in another model of the same walker."""

from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from mjx_assist.model.arrays import put
from mjx_assist.model.names import activation_names, actuator_names, is_muscle, joint_names, sensor_slice
from mjx_assist.model.variation import Variation

TOUCH = (("r_foot", "r_toes"), ("l_foot", "l_toes"))  # touch sensors: (right, left) x (heel and midfoot, forefoot)


def load_columns(model: mujoco.MjModel) -> np.ndarray:
    """``[2, 2]`` where `TOUCH`'s loads stand in ``sensordata``."""
    return np.array([[sensor_slice(model, name).start for name in side] for side in TOUCH])


@dataclass(frozen=True, eq=False)
class ReducedView:
    """Where all that a policy knows of the reduced model is found in another one.

    Of each reduced coordinate, actuator and activation its place in the other's ``qpos [J]``, ``ctrl [nu]`` and
    ``act [na]``; ``muscle [nu]`` which actuators are muscles. The other way round: ``actuator [nu]`` for each of the
    other's actuators its number here, ``strength [M]`` the same among muscles, ``segment [nbody]`` for each body the
    reduced one that it is part of.
    """

    qpos: np.ndarray
    ctrl: np.ndarray
    act: np.ndarray
    muscle: np.ndarray
    actuator: np.ndarray
    strength: np.ndarray
    segment: np.ndarray
    nv: int

    def variation(self, differs: Variation, xp: Any = np) -> Variation:
        """A variation of the reduced model as one of the other: its bodies change with the reduced model's."""
        changed = {}
        if differs.mass is not None:
            changed["mass"] = differs.mass[..., self.segment]
        if differs.strength is not None:
            changed["strength"] = differs.strength[..., self.strength]
        if differs.push is not None:
            nothing = xp.zeros((*differs.push.shape[:-1], self.nv))
            changed["push"] = put(nothing, (..., self.qpos), differs.push, xp)
        return differs._replace(**changed)


def reduced_view(reduced: mujoco.MjModel, other: mujoco.MjModel) -> ReducedView:
    """Found by name; every joint and actuator of the reduced model is in the other too."""
    actuators, muscle = actuator_names(reduced), is_muscle(reduced)
    actuator = np.array([actuators.index(other.actuator(a).name) for a in range(other.nu)], int)
    number = np.cumsum(muscle) - 1
    return ReducedView(
        qpos=np.array([other.joint(name).qposadr[0] for name in joint_names(reduced)]),
        ctrl=np.array([other.actuator(name).id for name in actuators], int),
        act=np.array([other.actuator(name).actadr[0] for name in activation_names(reduced)], int),
        muscle=muscle,
        actuator=actuator,
        strength=number[actuator[muscle[actuator]]],
        segment=_segments(reduced, other),
        nv=other.nv,
    )


def _segments(reduced: mujoco.MjModel, other: mujoco.MjModel) -> np.ndarray:
    """``[nbody of other]`` the reduced body that each is part of: the nearest above it of the same name."""
    names = {reduced.body(b).name: b for b in range(reduced.nbody)}
    found = np.zeros(other.nbody, int)
    for body in range(1, other.nbody):
        found[body] = names.get(other.body(body).name, found[other.body_parentid[body]])
    return found
