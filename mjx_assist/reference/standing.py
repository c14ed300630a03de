"""Standing as the slowest of a reference's speeds, 0 m/s: between it and the slowest walk, poses and strides shrink in
proportion to the speed, so that a walk can begin and end. Quiet standing, not a published gait initiation."""

import dataclasses

import mujoco
import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.model import anatomy
from mjx_assist.reference import feet
from mjx_assist.reference.cycle import ReferenceGait, complete

# Degrees: knees a little off their stop, the hips 4 cm ahead of the ankles, over the middle of the feet; feet flat.
THIGH, KNEE = -0.5, -5.0
_LEG = {"hip_flexion": THIGH, "knee_angle": KNEE, "ankle_angle": -(THIGH + KNEE)}


def with_standing(gait: ReferenceGait, model: mujoco.MjModel) -> ReferenceGait:
    """The gait with standing at 0 m/s, at the cadence of its slowest walk: the clock goes on, the pose stays.

    Raises:
        UserError: a gait of one speed, which has nothing to shrink towards.
    """
    if len(gait.speed) < 2:
        raise UserError(
            "config key 'env_params.standing_share': standing needs a reference of several speeds, such as the "
            "published gait (reference_data_path null, reference_playback matched)."
        )
    pose = _pose(gait, model)
    rows = np.repeat(pose[None, None], gait.qpos.shape[1], axis=1)
    still = complete(model, np.zeros(1), gait.stride_frequency[:1], rows)
    tables = ("speed", "stride_frequency", "qpos", "dqpos", "foot_position")
    joined = {name: np.concatenate([getattr(still, name), getattr(gait, name)]) for name in tables}
    return dataclasses.replace(gait, **joined)


def _pose(gait: ReferenceGait, model: mujoco.MjModel) -> np.ndarray:
    """qpos [J]: upright with the trunk as it is in the slowest walk, as deep in the ground as that is on the mean."""
    coordinates = anatomy.coordinates(model)
    names = anatomy.names_of(coordinates)
    slowest = gait.qpos[0]
    values = np.zeros(len(names))
    tilt = float(slowest[:, gait.joint_names.index("pelvis_tilt")].mean())
    for side in anatomy.SIDES:
        for joint, angle in _LEG.items():
            if (name := f"{joint}_{side}") in names:
                values[names.index(name)] = np.radians(angle)
        if f"hip_flexion_{side}" in names:
            values[names.index(f"hip_flexion_{side}")] -= tilt
    qpos = anatomy.to_qpos(model, coordinates, values)
    qpos[gait.joint_names.index("pelvis_tilt")] = tilt
    walking = np.median(feet.feet(model, slowest).lowest.min(axis=1))
    qpos[gait.joint_names.index("pelvis_ty")] += walking - feet.feet(model, qpos[None]).lowest.min()
    return qpos
