"""Humans whose trunk leans forward over the pelvis for good: ``myolegs22@lean=0.26``, in rad."""

import mujoco
import numpy as np

from mjx_assist.config.words import LEAN_MARK
from mjx_assist.errors import UserError, unknown
from mjx_assist.model.orientation import pose_of, quaternion
from mjx_assist.model.skeleton.inertia import rotation

TRUNK = "torso"


def split(human: str) -> tuple[str, float]:
    """A human's key or path, and its lean: ``"myolegs22@lean=0.26"`` is ``("myolegs22", 0.26)``.

    Raises:
        UserError: a lean that is no number.
    """
    key, mark, lean = human.partition(LEAN_MARK)
    try:
        return key, float(lean) if mark else 0.0
    except ValueError:
        raise UserError(f"human {human!r}: {lean!r} after {LEAN_MARK!r} must be a number of rad.") from None


def put_on(spec: mujoco.MjSpec, lean: float) -> None:
    """Turns the trunk of a human who faces x forward by ``lean`` rad, about the axis through its joint with the pelvis.

    Raises:
        UserError: the model has no trunk.
    """
    if not lean:
        return
    bodies = {body.name: body for body in spec.bodies}
    if TRUNK not in bodies:
        raise unknown("config key 'env_params.trunk_lean' needs a body", TRUNK, bodies)
    torso, model = bodies[TRUNK], spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    frame = torso.frame
    outside = data.body(torso.parent.name).xmat.reshape(3, 3) @ (np.eye(3) if frame is None else pose_of(frame)[1])
    forward = rotation(np.array([np.cos(lean / 2), 0.0, np.sin(lean / 2), 0.0]))  # about y, from z to x
    torso.alt.type = mujoco.mjtOrientation.mjORIENTATION_QUAT
    torso.quat = quaternion(outside.T @ forward @ data.body(TRUNK).xmat.reshape(3, 3))
