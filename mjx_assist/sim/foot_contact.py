"""Foot contact as a few spheres: taken from the sole of the full model's colliding foot meshes.

Each segment with a touch sensor gets a sphere under the rear and one under the front end of its sole.
"""

from dataclasses import dataclass

import mujoco
import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.sim.skeleton import Skeleton

_END = 1 / 3  # of the sole's length: where its rear and its front end are looked for
_MARGIN = 0.01  # m that a touch volume reaches beyond its spheres


@dataclass(frozen=True)
class Sphere:
    name: str
    centre: np.ndarray  # [3] in the segment's frame, m
    radius: float


@dataclass(frozen=True)
class Foot:
    """The spheres of one segment and the box around them in which its touch sensor counts contacts."""

    sensor: str
    segment: int
    spheres: tuple[Sphere, ...]
    volume_centre: np.ndarray  # [3] in the segment's frame
    volume_size: np.ndarray  # [3] half sizes, along the segment's axes


def touch_sensors(full: mujoco.MjModel) -> dict[str, int]:
    """Touch sensor name -> full body that carries its site."""
    touch = np.flatnonzero(full.sensor_type == mujoco.mjtSensor.mjSENS_TOUCH)
    if len(touch) == 0:
        raise UserError("cannot reduce: the model has no touch sensors, so its feet are unknown.")
    return {full.sensor(int(s)).name: int(full.site_bodyid[full.sensor_objid[s]]) for s in touch}


def read_feet(full: mujoco.MjModel, skeleton: Skeleton, ends: dict[str, list[str]]) -> list[Foot]:
    """Spheres under each touching segment. ``ends``: "heel" and "toes" -> which of "rear", "front" get a sphere.

    Sole: the lowest points, at qpos0 with x forward and z up, of the meshes that can collide with the ground. A
    sphere's bottom is the sole's lowest point near that end, and its radius reaches from there to the end: heels roll.
    """
    data = mujoco.MjData(full)
    mujoco.mj_kinematics(full, data)
    sensors = touch_sensors(full)
    touching = {int(skeleton.segment_of[body]) for body in sensors.values()}
    feet = []
    for sensor, body in sensors.items():
        segment = int(skeleton.segment_of[body])
        vertices = _sole_vertices(full, data, skeleton, segment)
        root = skeleton.segments[segment].root
        origin, frame = data.xpos[root], data.xmat[root].reshape(3, 3)
        part = "toes" if skeleton.segments[segment].parent in touching else "heel"
        spheres = []
        for end in ends[part]:
            centre, radius = _end_sphere(vertices, end)
            spheres.append(Sphere(f"{sensor}_{end}", (centre - origin) @ frame, radius))
        low = np.min([s.centre - s.radius for s in spheres], axis=0) - _MARGIN
        high = np.max([s.centre + s.radius for s in spheres], axis=0) + _MARGIN
        feet.append(Foot(sensor, segment, tuple(spheres), (low + high) / 2, (high - low) / 2))
    return feet


def _sole_vertices(full: mujoco.MjModel, data: mujoco.MjData, skeleton: Skeleton, segment: int) -> np.ndarray:
    """World positions [n, 3] of the segment's colliding mesh vertices."""
    vertices = []
    for geom in range(full.ngeom):
        collides = full.geom_contype[geom] or full.geom_conaffinity[geom]
        if skeleton.segment_of[full.geom_bodyid[geom]] != segment or not collides or full.geom_dataid[geom] < 0:
            continue
        mesh = full.geom_dataid[geom]
        local = full.mesh_vert[full.mesh_vertadr[mesh] :][: full.mesh_vertnum[mesh]]
        vertices.append(local @ data.geom_xmat[geom].reshape(3, 3).T + data.geom_xpos[geom])
    if not vertices:
        name = full.body(skeleton.segments[segment].root).name
        raise UserError(f"cannot reduce: {name!r} has a touch sensor but no mesh that can touch the ground.")
    return np.concatenate(vertices)


def _end_sphere(vertices: np.ndarray, end: str) -> tuple[np.ndarray, float]:
    """Centre [3] (world) and radius of the sphere under the "rear" or "front" end of a sole."""
    x = vertices[:, 0]
    limit = x.min() if end == "rear" else x.max()
    near = vertices[np.abs(x - limit) <= _END * np.ptp(x)]
    bottom = near[near[:, 2].argmin()]
    radius = float(abs(bottom[0] - limit))
    midline = (near[:, 1].min() + near[:, 1].max()) / 2
    return np.array([bottom[0], midline, bottom[2] + radius]), radius
