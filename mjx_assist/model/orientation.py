"""Poses of bodies and frames in a spec, and which way a human in it faces."""

import mujoco
import numpy as np

from mjx_assist.model.names import side_pairs
from mjx_assist.model.skeleton.inertia import rotation

_UPRIGHT = 0.99  # cosine of how far OpenSim's y axis may lean for it still to be "up"
_APART = 0.01  # m that left and right are apart at least to tell where is ahead
Pose = tuple[np.ndarray, np.ndarray]  # position [3] m, orientation [3, 3]


def facing_x(spec: mujoco.MjSpec, body: mujoco.MjsBody, turn: np.ndarray) -> np.ndarray:
    """The rotation about the vertical that makes a human with this root face x, [3, 3].

    Human models keep OpenSim's frame (x forward, y up) in the first body that weighs something; of others it is told by
    where left and right are: the root's axis that is nearest to ahead. ``turn``: the root's orientation.
    """
    root = turn
    while not (body.mass or len(body.geoms)) and len(body.bodies):
        body = body.bodies[0]
        turn = turn @ turn_of(body)
    ahead = turn[:, 0] if turn[2, 1] >= _UPRIGHT else _ahead(spec, root)
    heading = np.arctan2(ahead[1], ahead[0])
    quarter = np.round(heading / (np.pi / 2)) * np.pi / 2
    heading = quarter if abs(heading - quarter) < 1e-6 else heading  # whole quarter turns stay free of rounding
    c, s = np.cos(heading), np.sin(heading)
    return np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]]).round(15)


def _ahead(spec: mujoco.MjSpec, root: np.ndarray) -> np.ndarray:
    """World direction [3] in which a human faces whose root is oriented so, by the places of its left and right bodies.

    x, where they do not tell, or tell nearly that.
    """
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    pairs = side_pairs(model.body(b).name for b in range(model.nbody))
    left = sum((data.body(left).xpos - data.body(right).xpos for right, left in pairs), np.zeros(3))
    if np.hypot(*left[:2]) < _APART:
        return np.array([1.0, 0.0, 0.0])
    ahead = np.cross(left / np.linalg.norm(left), [0.0, 0.0, 1.0])
    axes = np.concatenate([root.T, -root.T])
    nearest = axes[(axes @ ahead).argmax()]
    ahead = nearest if nearest @ ahead > _UPRIGHT else ahead
    return np.array([1.0, 0.0, 0.0]) if ahead[0] > _UPRIGHT else ahead


def pose_of(element: mujoco.MjsBody | mujoco.MjsFrame) -> Pose:
    """Of a body in its parent, or of a frame in its body, the frames that it is in included."""
    position, turn = np.array(element.pos), _own_turn(element)
    if element.frame is None:
        return position, turn
    outer, outer_turn = pose_of(element.frame)
    return outer + outer_turn @ position, outer_turn @ turn


def turn_of(body: mujoco.MjsBody) -> np.ndarray:
    return pose_of(body)[1]


def _own_turn(element) -> np.ndarray:
    if element.alt.type == mujoco.mjtOrientation.mjORIENTATION_QUAT:
        quat = np.array(element.quat)
    else:
        compiler = element.compiler
        quat = np.array(mujoco.MjSpec.resolve_orientation(compiler.degree, compiler.eulerseq, element.alt))
    return rotation(quat / np.linalg.norm(quat))


def quaternion(turn: np.ndarray) -> np.ndarray:
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, np.ascontiguousarray(turn).ravel())
    return quat
