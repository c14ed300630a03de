"""Where a walker's feet are for given poses: heel position, sole height, foot pitch.

Works on any model whose feet carry the touch sensors below (reduced or full); no dynamics, no jax.
"""

from dataclasses import dataclass

import mujoco
import numpy as np

from mjx_assist.errors import unknown
from mjx_assist.model import anatomy
from mjx_assist.model.anatomy import SIDES

PARTS = ("foot", "toes")  # touch sensors <side>_foot under the heel's segment and <side>_toes under the toes'


@dataclass(frozen=True)
class FeetPose:
    """N poses of two feet (r, l); world axes, metres and radians."""

    heel: np.ndarray  # [N, 2, 2] (forward, up) of the heel body's origin
    lateral: np.ndarray  # [N, 2] of the same point, to the left
    pelvis: np.ndarray  # [N, 2] (forward, up) of the pelvis body's origin
    hindfoot_lowest: np.ndarray  # [N, 2] height of the lowest point of the rigid foot behind the toe joint
    toes_lowest: np.ndarray  # [N, 2] height of the lowest point of the toes
    toe_joint: np.ndarray  # [N, 2] height of the toes body's origin
    pitch: np.ndarray  # [N, 2] rotation of the hindfoot from flat, positive toes up

    @property
    def lowest(self) -> np.ndarray:
        """[N, 2] height of each foot's lowest point."""
        return np.minimum(self.hindfoot_lowest, self.toes_lowest)


def feet(model: mujoco.MjModel, qpos: np.ndarray) -> FeetPose:
    """Feet of the poses qpos [N, nq]."""
    parts = [[_Part.of(model, side, part) for part in PARTS] for side in SIDES]
    heels = [_origin(model, f"{side}_foot_position", f"calcn_{side}") for side in SIDES]
    pelvis = _origin(model, "pelvis_position", "pelvis")
    data = standing(model)
    flat = [_pitch_of(data, hindfoot.body) for hindfoot, _ in parts]
    rows = []
    for pose in qpos:
        data.qpos[:] = pose
        mujoco.mj_kinematics(model, data)
        places = np.array([_world(data, *heel) for heel in heels])
        rows.append(
            (
                places[:, [0, 2]],
                places[:, 1],
                _world(data, *pelvis)[[0, 2]],
                [hindfoot.lowest(data) for hindfoot, _ in parts],
                [toes.lowest(data) for _, toes in parts],
                [data.xpos[toes.body][2] for _, toes in parts],
                [_pitch_of(data, hindfoot.body) - rest for (hindfoot, _), rest in zip(parts, flat, strict=True)],
            )
        )
    return FeetPose(*(np.array(column) for column in zip(*rows, strict=True)))


def leg_length(model: mujoco.MjModel) -> float:
    """Hip joint to sole of the standing model (all joints at zero), m; of the leg with more joints."""
    data = standing(model)
    found = anatomy.coordinates(model)
    side = max(SIDES, key=lambda side: sum(c.name.endswith(f"_{side}") for c in found))
    hip = next(c for c in found if c.name == f"hip_flexion_{side}")
    sole = min(_Part.of(model, side, part).lowest(data) for part in PARTS)
    return float(data.xanchor[hip.joints[0]][2] - sole)


def toe_tips(model: mujoco.MjModel) -> list[tuple[int, np.ndarray]]:
    """Of (right, left): a body and the point [3] of it (m, its own frame) that is foremost as the model stands."""
    data = standing(model)
    return [
        max((_Part.of(model, side, part).tip(data) for part in PARTS), key=lambda tip: tip[0])[1:] for side in SIDES
    ]


@dataclass(frozen=True)
class _Part:
    """A rigid part of a foot: its points, each a ball of a radius around it, in the frame of one body."""

    body: int
    points: np.ndarray  # [K, 3]
    radius: np.ndarray  # [K]

    @staticmethod
    def of(model: mujoco.MjModel, side: str, part: str) -> "_Part":
        """Everything that touches the ground and is fixed to the body of a touch sensor."""
        body = touching_body(model, side, part)
        data = standing(model)
        points, radius = touching_points(model, data, body)
        return _Part(body, (points - data.xpos[body]) @ data.xmat[body].reshape(3, 3), radius)

    def tip(self, data: mujoco.MjData) -> tuple[float, int, np.ndarray]:
        """How far forward it reaches (m, world), its body, and the point there [3] in the body's frame."""
        axes = data.xmat[self.body].reshape(3, 3)
        reach = self.points @ axes[0] + self.radius
        first = int(reach.argmax())
        return (
            float(data.xpos[self.body][0] + reach[first]),
            self.body,
            self.points[first] + self.radius[first] * axes[0],
        )

    def lowest(self, data: mujoco.MjData) -> float:
        up = data.xmat[self.body].reshape(3, 3)[2]
        return float(np.min(data.xpos[self.body][2] + self.points @ up - self.radius))


def touching_body(model: mujoco.MjModel, side: str, part: str) -> int:
    """Body of the touch sensor ``<side>_<part>``, of a foot without toes the foot's.

    Raises `UserError` for a model without it.
    """
    names = [model.sensor(i).name for i in range(model.nsensor)]
    name = f"{side}_{part}"
    if name not in names and part != PARTS[0]:
        name = f"{side}_{PARTS[0]}"
    if name not in names:
        raise unknown("touch sensor", name, names)
    return int(model.site_bodyid[model.sensor_objid[names.index(name)]])


def touching_points(model: mujoco.MjModel, data: mujoco.MjData, body: int) -> tuple[np.ndarray, np.ndarray]:
    """Points [K, 3] (world) and radii [K] of the balls with which a body and what is welded to it meet the ground.

    Of a mesh only those vertices are kept that are lowest at some pitch of the body within a quarter turn.
    """
    touching = (model.geom_contype | model.geom_conaffinity) != 0
    touching[np.concatenate([model.pair_geom1, model.pair_geom2])] = True
    points, radius = [], []
    for geom in np.flatnonzero(touching & (model.body_weldid[model.geom_bodyid] == model.body_weldid[body])).tolist():
        local, balls = _geom_points(model, geom)
        points.append(data.geom_xpos[geom] + local @ data.geom_xmat[geom].reshape(3, 3).T)
        radius.append(balls)
    points, radius = np.concatenate(points), np.concatenate(radius)
    pitch = np.radians(np.arange(-90, 91))[:, None]
    kept = np.unique(np.argmin(points[:, 2] * np.cos(pitch) + points[:, 0] * np.sin(pitch) - radius, axis=1))
    return points[kept], radius[kept]


def _geom_points(model: mujoco.MjModel, geom: int) -> tuple[np.ndarray, np.ndarray]:
    """Points [K, 3] in the geom's frame and their ball radii [K] whose hull is the geom."""
    kind, size = model.geom_type[geom], model.geom_size[geom]
    if kind == mujoco.mjtGeom.mjGEOM_SPHERE:
        return np.zeros((1, 3)), size[:1]
    if kind == mujoco.mjtGeom.mjGEOM_CAPSULE:
        return np.array([[0, 0, size[1]], [0, 0, -size[1]]]), np.full(2, size[0])
    if kind == mujoco.mjtGeom.mjGEOM_MESH:
        mesh = model.geom_dataid[geom]
        start, count = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
        vertices = model.mesh_vert[start : start + count].astype(float)
        return vertices, np.zeros(count)
    corners = np.array(np.meshgrid(*[[-1.0, 1.0]] * 3)).reshape(3, 8).T * size
    return corners, np.zeros(8)


def _origin(model: mujoco.MjModel, sensor: str, body: str) -> tuple[int, np.ndarray]:
    """(body id, offset in its frame) of the point that a position sensor reads; without it, of the body's origin."""
    sensor_id = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_SENSOR, sensor)
    if sensor_id < 0:
        return model.body(body).id, np.zeros(3)
    obj = int(model.sensor_objid[sensor_id])
    if model.sensor_objtype[sensor_id] == mujoco.mjtObj.mjOBJ_SITE:
        return int(model.site_bodyid[obj]), model.site_pos[obj].copy()
    if (
        model.sensor_objtype[sensor_id] == mujoco.mjtObj.mjOBJ_BODY
    ):  # "body" is the inertial frame, "xbody" the body's own
        return obj, model.body_ipos[obj].copy()
    return obj, np.zeros(3)


def _world(data: mujoco.MjData, body: int, offset: np.ndarray) -> np.ndarray:
    return data.xpos[body] + data.xmat[body].reshape(3, 3) @ offset


def standing(model: mujoco.MjModel) -> mujoco.MjData:
    """The model upright with every anatomical joint at zero."""
    data = mujoco.MjData(model)
    data.qpos[:] = anatomy.upright(model)
    mujoco.mj_kinematics(model, data)
    return data


def _pitch_of(data: mujoco.MjData, body: int) -> float:
    """Angle of the body's first axis above the horizontal, in the sagittal plane."""
    forward = data.xmat[body].reshape(3, 3)[:, 0]
    return float(np.arctan2(forward[2], forward[0]))
