"""A walk that turns, seen along its commanded heading, where it is the straight walk that the reference knows.

A heading is an angle about the vertical, rad, to the left positive, 0 where the walk began. The frame goes along with
the pelvis: `Frame.way` is how far it has come along the heading, `Frame.side` how far off to the right, each the sum
of what it moved in the heading of the moment. So a walker on a circle at the commanded rate is nowhere off its path,
however large the circle, and a walk without a turn is what it is in the world.

Coordinates of the pelvis are OpenSim's (x forward, y up, z right; tilt about z, list about x, rotation about y, each
about axes that the ones before have turned); vectors of the world are MuJoCo's (x forward, y left, z up).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import mujoco
import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.model.arrays import put
from mjx_assist.model.names import joint_names

ROOT = ("pelvis_tx", "pelvis_tz", "pelvis_tilt", "pelvis_list", "pelvis_rotation")
_AXES = ([1, 0, 0], [0, -1, 0], [0, -1, 0], [1, 0, 0], [0, 0, 1])  # of ROOT, in the world, at 0


class Frame(NamedTuple):
    """``heading`` rad; ``way``, ``side`` m: pelvis_tx and pelvis_tz as they are along the heading."""

    heading: Any
    way: Any
    side: Any


class Root(NamedTuple):
    """Where the pelvis' coordinates `ROOT` are among the joints."""

    forward: int
    side: int
    tilt: int
    list: int
    rotation: int


def root_of(model: mujoco.MjModel, asked: str) -> Root:
    """Where a model has what turning takes. ``asked``: what asks for it, for the sentence.

    Raises:
        UserError: a planar model, or one whose pelvis turns about other axes.
    """
    joints = joint_names(model)
    if missing := [name for name in ROOT if name not in joints]:
        raise UserError(
            f"{asked}: needs a walker in three dimensions, and this one has no {missing[0]}. Choose a human in 3-D, "
            "such as env_params.msk_key myolegs26."
        )
    data, root = mujoco.MjData(model), root_in(joints)
    mujoco.mj_kinematics(model, data)
    if not np.allclose(data.xaxis[list(root)], _AXES, atol=1e-6) or list(root[2:]) != sorted(root[2:]):
        raise UserError(
            f"{asked}: the pelvis of this model does not turn by tilt, list, rotation about OpenSim's axes."
        )
    return root


def root_in(joints: Sequence[str]) -> Root:
    """Where the pelvis' coordinates are among joints that have them."""
    return Root(*(list(joints).index(name) for name in ROOT))


def begin(root: Root, qpos: Any, xp: Any = np) -> Frame:
    """At the start of a walk."""
    return Frame(xp.zeros(()), xp.asarray(qpos[..., root.forward]), xp.asarray(qpos[..., root.side]))


def advance(root: Root, frame: Frame, turned: Any, before: Any, after: Any, xp: Any = np) -> Frame:
    """The frame after a time in which the heading ``turned`` evenly (rad) and qpos went from ``before`` to ``after``.

    The chord of an arc has the heading in the middle of it, so that a walk on the commanded arc adds nothing to
    ``side``.
    """
    middle = frame.heading + 0.5 * turned
    cos, sin = xp.cos(middle), xp.sin(middle)
    forward = after[..., root.forward] - before[..., root.forward]
    right = after[..., root.side] - before[..., root.side]
    return Frame(
        frame.heading + turned, frame.way + cos * forward - sin * right, frame.side + sin * forward + cos * right
    )


def seen_pose(root: Root, frame: Frame, qpos: Any, xp: Any = np) -> Any:
    """``qpos [..., J]`` along the heading: the pelvis' place and its angles; those of the legs stay."""
    tilt, list_, rotation = (qpos[..., i] for i in root[2:])
    cos, sin = xp.cos(frame.heading), xp.sin(frame.heading)
    (ct, st), (cl, sl), (cr, sr) = ((xp.cos(a), xp.sin(a)) for a in (tilt, list_, rotation))
    forward = {"x": ct * cr - st * sl * sr, "z": -cl * sr}  # the pelvis' axes in the world: rows of Rz Rx Ry
    up = {"x": -st * cl, "y": ct * cl, "z": sl}
    right = {"x": ct * sr + st * sl * cr, "z": cl * cr}
    x_up, z_up = (cos * up["x"] - sin * up["z"], sin * up["x"] + cos * up["z"])
    z_forward, z_right = (sin * axis["x"] + cos * axis["z"] for axis in (forward, right))
    seen = (
        frame.way,
        frame.side,
        xp.arctan2(-x_up, up["y"]),
        xp.arcsin(xp.clip(z_up, -1.0, 1.0)),
        xp.arctan2(-z_forward, z_right),
    )
    return _with(root, qpos, seen, xp)


def seen_motion(root: Root, frame: Frame, rate: Any, qpos: Any, qvel: Any, xp: Any = np) -> Any:
    """``qvel [..., J]`` along a heading that turns at ``rate`` (rad/s): the pelvis' velocity over the ground, and how
    fast its angles of `seen_pose` change. ``qpos``: in the world."""
    tilt, list_, _ = (qpos[..., i] for i in root[2:])
    forward, right, *turns = (qvel[..., i] for i in root)
    cos, sin = xp.cos(frame.heading), xp.sin(frame.heading)
    (ct, st), (cl, sl) = ((xp.cos(a), xp.sin(a)) for a in (tilt, list_))
    # Angular velocity in the world, then along the heading and relative to its turning.
    x = ct * turns[1] - st * cl * turns[2]
    y = st * turns[1] + ct * cl * turns[2] - rate
    z = turns[0] + sl * turns[2]
    x, z = cos * x - sin * z, sin * x + cos * z
    new = seen_pose(root, frame, qpos, xp)
    tilt, list_ = new[..., root.tilt], new[..., root.list]
    ct, st = xp.cos(tilt), xp.sin(tilt)
    rotation = (ct * y - st * x) / xp.cos(list_)
    seen = (cos * forward - sin * right, sin * forward + cos * right, z - xp.sin(list_) * rotation)
    return _with(root, qvel, (*seen, ct * x + st * y, rotation), xp)


def seen_vector(heading: Any, vector: Any, xp: Any = np) -> Any:
    """Vectors of the world ``[..., 3]`` (x, y, z up) along a heading of their leading shape, or one that broadcasts."""
    cos, sin = xp.cos(heading), xp.sin(heading)
    x, y = vector[..., 0], vector[..., 1]
    return xp.stack([cos * x + sin * y, cos * y - sin * x, vector[..., 2]], axis=-1)


def _with(root: Root, vector: Any, values: tuple, xp: Any) -> Any:
    index = (..., np.array(root))
    return put(vector, index, xp.stack(xp.broadcast_arrays(*values), axis=-1), xp)
