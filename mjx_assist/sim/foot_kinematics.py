"""Where a planar walker's feet are for given joint angles: heel position, sole height, foot pitch.

Works on any model with the eleven joints below (reduced or full); no dynamics, no jax.
"""

from dataclasses import dataclass

import mujoco
import numpy as np

SIDES = ("r", "l")
JOINTS = (
    "pelvis_tx",
    "pelvis_ty",
    "pelvis_tilt",
    *(f"{joint}_{side}" for side in SIDES for joint in ("hip_flexion", "knee_angle", "ankle_angle", "mtp_angle")),
)


@dataclass(frozen=True)
class FeetPose:
    """N poses of two feet (r, l); world axes, metres and radians."""

    heel: np.ndarray  # [N, 2, 2] (forward, up) of the heel body's origin
    pelvis: np.ndarray  # [N, 2] (forward, up) of the pelvis body's origin
    hindfoot_lowest: np.ndarray  # [N, 2] height of the lowest point of the rigid foot behind the toe joint
    toes_lowest: np.ndarray  # [N, 2] height of the lowest point of the toes
    pitch: np.ndarray  # [N, 2] rotation of the hindfoot from flat, positive toes up

    @property
    def lowest(self) -> np.ndarray:
        """[N, 2] height of each foot's lowest point."""
        return np.minimum(self.hindfoot_lowest, self.toes_lowest)


def model_pose(model: mujoco.MjModel, qpos: np.ndarray) -> np.ndarray:
    """qpos [..., 11] in the order of JOINTS -> the model's qpos [..., nq], joint couplings satisfied."""
    full = np.broadcast_to(model.qpos0, (*qpos.shape[:-1], model.nq)).copy()
    for column, name in enumerate(JOINTS):
        full[..., model.jnt_qposadr[model.joint(name).id]] = qpos[..., column]
    for row in np.flatnonzero((model.eq_type == mujoco.mjtEq.mjEQ_JOINT) & (model.eq_obj2id >= 0)):
        driven, driver = (model.jnt_qposadr[obj[row]] for obj in (model.eq_obj1id, model.eq_obj2id))
        offset = full[..., driver] - model.qpos0[driver]
        full[..., driven] = model.qpos0[driven] + np.polynomial.polynomial.polyval(offset, model.eq_data[row, :5])
    return full


def feet(model: mujoco.MjModel, qpos: np.ndarray) -> FeetPose:
    """Feet of the poses qpos [N, 11] (order of JOINTS)."""
    hindfoot = [_Part.of(model, f"ankle_angle_{side}") for side in SIDES]
    toes = [_Part.of(model, f"mtp_angle_{side}") for side in SIDES]
    heels = [_origin(model, f"{side}_foot_position", f"calcn_{side}") for side in SIDES]
    pelvis = _origin(model, "pelvis_position", "pelvis")
    data = standing(model)
    flat = [_pitch_of(data, part.body) for part in hindfoot]
    rows = []
    for pose in model_pose(model, qpos):
        data.qpos[:] = pose
        mujoco.mj_kinematics(model, data)
        rows.append(
            (
                [_world(data, *heel)[[0, 2]] for heel in heels],
                _world(data, *pelvis)[[0, 2]],
                [part.lowest(data) for part in hindfoot],
                [part.lowest(data) for part in toes],
                [_pitch_of(data, part.body) - rest for part, rest in zip(hindfoot, flat, strict=True)],
            )
        )
    return FeetPose(*(np.array(column) for column in zip(*rows, strict=True)))


def leg_length(model: mujoco.MjModel) -> float:
    """Hip joint to sole of the standing model (all joints at zero), m."""
    data = standing(model)
    hip = data.xanchor[model.joint("hip_flexion_r").id][2]
    sole = min(_Part.of(model, joint).lowest(data) for joint in ("ankle_angle_r", "mtp_angle_r"))
    return float(hip - sole)


@dataclass(frozen=True)
class _Part:
    """A rigid part of a foot: its points, each a ball of a radius around it, in the frame of one body."""

    body: int
    points: np.ndarray  # [K, 3]
    radius: np.ndarray  # [K]

    @staticmethod
    def of(model: mujoco.MjModel, joint: str) -> "_Part":
        """Everything that touches the ground and is fixed to the body that ``joint`` moves."""
        body = int(model.jnt_bodyid[model.joint(joint).id])
        data = standing(model)
        points, radius = touching_points(model, data, body)
        return _Part(body, (points - data.xpos[body]) @ data.xmat[body].reshape(3, 3), radius)

    def lowest(self, data: mujoco.MjData) -> float:
        up = data.xmat[self.body].reshape(3, 3)[2]
        return float(np.min(data.xpos[self.body][2] + self.points @ up - self.radius))


def touching_points(model: mujoco.MjModel, data: mujoco.MjData, body: int) -> tuple[np.ndarray, np.ndarray]:
    """Points [K, 3] (world) and radii [K] of the balls with which a body and what is welded to it meet the ground.

    Of a mesh only those vertices are kept that are lowest at some pitch of the body within a quarter turn.
    """
    touching = (model.geom_contype | model.geom_conaffinity) != 0
    touching[np.concatenate([model.pair_geom1, model.pair_geom2])] = True
    points, radius = [], []
    for geom in np.flatnonzero(touching & (model.body_weldid[model.geom_bodyid] == model.body_weldid[body])):
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


def pelvis_position(model: mujoco.MjModel, data: mujoco.MjData) -> np.ndarray:
    """[2] (forward, up) of the pelvis body's origin, m."""
    return _world(data, *_origin(model, "pelvis_position", "pelvis"))[[0, 2]]


def standing(model: mujoco.MjModel) -> mujoco.MjData:
    """The model upright with every joint at zero."""
    data = mujoco.MjData(model)
    data.qpos[:] = model_pose(model, np.zeros(len(JOINTS)))
    mujoco.mj_kinematics(model, data)
    return data


def _pitch_of(data: mujoco.MjData, body: int) -> float:
    """Angle of the body's first axis above the horizontal, in the sagittal plane."""
    forward = data.xmat[body].reshape(3, 3)[:, 0]
    return float(np.arctan2(forward[2], forward[0]))
