"""Random states near standing, feet near the ground: to test and to time a model whose gait nobody has trained yet."""

import mujoco
import numpy as np
from numpy.polynomial import polynomial

from mjx_assist.model.feet import sole

_SWAY = 0.15  # rad that joints deviate from the pose
_SWING = 0.8  # rad/s (root: also m/s), standard deviation of joint speeds
_SPEED = 1.0  # m/s forward
_GAP = (-0.002, 0.01)  # m between the lowest point of the feet and the floor
_ACTIVATION = 0.05  # highest


def stances(model: mujoco.MjModel, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """qpos ``[count, nq]``, qvel ``[count, nv]`` and act ``[count, na]`` around the ``stand`` keyframe (or qpos0).

    Joint equalities hold, limits too. For models whose joints are all hinges and slides.
    """
    keys = [k for k in range(model.nkey) if model.key(k).name == "stand"]
    pose = model.key_qpos[keys[0]] if keys else model.qpos0
    qpos = np.tile(pose, (count, 1))
    hinge = model.jnt_type == mujoco.mjtJoint.mjJNT_HINGE
    qpos[:, hinge] += rng.uniform(-_SWAY, _SWAY, (count, int(hinge.sum())))
    limited = model.jnt_limited.astype(bool)
    qpos[:, limited] = np.clip(qpos[:, limited], *model.jnt_range[limited].T)
    qvel = rng.normal(0.0, _SWING, (count, model.nv)) * hinge
    qvel[:, model.joint("pelvis_tx").dofadr[0]] = _SPEED
    for e in np.flatnonzero((model.eq_type == mujoco.mjtEq.mjEQ_JOINT) & model.eq_active0):
        coupled, driver, coef = model.eq_obj1id[e], model.eq_obj2id[e], model.eq_data[e, :5]
        away = qpos[:, driver] - model.qpos0[driver] if driver >= 0 else np.zeros(count)
        qpos[:, coupled] = model.qpos0[coupled] + polynomial.polyval(away, coef)
        speed = qvel[:, driver] if driver >= 0 else 0.0
        qvel[:, coupled] = polynomial.polyval(away, polynomial.polyder(coef)) * speed
    data, height = mujoco.MjData(model), model.joint("pelvis_ty").qposadr[0]
    for row in qpos:
        data.qpos[:] = row
        mujoco.mj_kinematics(model, data)
        row[height] -= sole.lowest(model, data) - rng.uniform(*_GAP)
    return qpos, qvel, rng.uniform(0.0, _ACTIVATION, (count, model.na))
