"""The reduced model's joints, actuators, feet and bodies in another model of the same walker."""

from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from mjx_assist.model.arrays import put
from mjx_assist.model.names import activation_names, actuator_names, has_sensor, is_muscle, joint_names, sensor_slice
from mjx_assist.model.variation import Variation

TOUCH = (("r_foot", "r_toes"), ("l_foot", "l_toes"))  # touch sensors: (right, left) x (heel and midfoot, forefoot)


@dataclass(frozen=True, eq=False)
class FootLoads:
    """Where `TOUCH`'s loads stand in ``sensordata``: ``columns [2, 2]``; ``felt [2, 2]`` is False for toes that a model
    does not have, whose column is the foot's."""

    columns: np.ndarray
    felt: np.ndarray

    def total(self, sensordata: Any) -> Any:
        """N on each foot ``[..., 2]``, of ``sensordata [..., S]``."""
        return (sensordata[..., self.columns] * self.felt).sum(-1)

    def put(self, sensordata: np.ndarray, load: np.ndarray) -> None:
        """Write loads ``[..., 2, 2]`` N into ``sensordata [..., S]``."""
        sensordata[..., self.columns[self.felt]] = load[..., self.felt]


def foot_loads(model: mujoco.MjModel) -> FootLoads:
    """Raises ``UserError`` for a model without the foot sensors."""
    toes = [has_sensor(model, toes) for _, toes in TOUCH]
    named = [(foot, own if there else foot) for (foot, own), there in zip(TOUCH, toes, strict=True)]
    columns = np.array([[sensor_slice(model, name).start for name in side] for side in named])
    return FootLoads(columns, np.column_stack([np.ones(2, bool), toes]))


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
