"""How high a walker starts on sloping ground: as near to it as the reference pose is to level ground."""

from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from mjx_assist.model.feet import sole
from mjx_assist.reference import cycle
from mjx_assist.reference.cycle import ReferenceGait


@dataclass(frozen=True)
class SoleTable:
    """Of K foot geoms over the gait (speeds S, phases P): ``place [S, P, K, 2]`` m, forward and up from the root's
    ground point, of a sphere's centre (of the lowest point, for other geoms), and ``radius [K]``."""

    place: np.ndarray
    radius: np.ndarray


def sole_table(model: mujoco.MjModel, gait: ReferenceGait) -> SoleTable:
    """The soles of the reduced model in every pose of the gait (its pelvis_tx is 0)."""
    data, geoms = mujoco.MjData(model), sole.ground_geoms(model)
    sphere = model.geom_type[geoms] == mujoco.mjtGeom.mjGEOM_SPHERE
    place = np.zeros((*gait.qpos.shape[:2], geoms.size, 2))
    for pose in np.ndindex(gait.qpos.shape[:2]):
        data.qpos[:] = gait.qpos[pose]
        mujoco.mj_kinematics(model, data)
        place[pose] = data.geom_xpos[geoms][:, [0, 2]]
        for k in np.flatnonzero(~sphere):
            turn = data.geom_xmat[geoms[k]].reshape(3, 3)
            place[pose][k] += (sole.supporting_points(model, int(geoms[k]), -turn[2:])[0] @ turn.T)[[0, 2]]
    return SoleTable(place, np.where(sphere, model.geom_size[geoms, 0], 0.0))


def lift(table: SoleTable, gait: ReferenceGait, phase: Any, speed: Any, slope: Any, xp: Any = np) -> Any:
    """Height (m) to add to the reference pose at a phase and speed where the ground rises by ``slope`` (tangent).

    The vertical gap between the lowest sphere and the tilted plane z = slope x is then that to level ground.
    """
    place = cycle.between(gait, table.place, phase, speed, xp)
    bottom = place[..., 1] - slope * place[..., 0] - table.radius * xp.sqrt(1.0 + slope**2)
    return xp.min(place[..., 1] - table.radius, axis=-1) - xp.min(bottom, axis=-1)
