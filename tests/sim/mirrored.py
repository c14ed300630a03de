"""A walker and its mirror image, simulated: what each of them observes."""

import mujoco
import numpy as np

from mjx_assist.model.names import actuator_names, joint_names, mirror
from mjx_assist.reference.cycle import sample
from mjx_assist.sim import observation


def assert_sees_the_mirrored_observation(model, spec, gait, signs, largest, largest_speed, lift=0.0, phase=0.15):
    """Mirror the start and the muscles, simulate 0.1 s: every entry must come out mirrored, or a sign is wrong.

    assist_sim's left and right shanks and feet are not quite each other's mirror image: entries may differ by
    ``largest``, speeds by ``largest_speed``. ``signs``: `joint_mirror_signs`; from a ``phase`` of the
    gait, ``lift`` (m) over the ground.
    """
    joints = joint_names(model)
    joint, turn = mirror(joints, signs)
    actuator = mirror(actuator_names(model))[0]
    index, sign = mirror(spec.names, signs)
    qpos, qvel, _ = sample(gait, phase, 1.25)
    qpos[joints.index("pelvis_ty")] += lift
    low, high = model.actuator_ctrlrange.T
    controls = low + 0.3 * (high - low) * np.random.default_rng(0).uniform(size=(3, model.nu))
    one = _simulated(model, qpos, qvel, controls)
    other = _simulated(model, qpos[joint] * turn, qvel[joint] * turn, controls[:, actuator])
    seen = observation.observe(spec, one, 1.25, phase)
    seen_other = observation.observe(spec, other, 1.25, (phase + 0.5) % 1)  # the other foot is half a cycle away
    error, asymmetry = np.abs(seen_other - seen[index] * sign), np.abs(seen - seen[index] * sign)
    speeds = np.array([name.startswith("qvel.") for name in spec.names])
    assert error[~speeds].max() < largest and error[speeds].max() < largest_speed
    assert asymmetry[~speeds].max() > 0.3 and asymmetry[speeds].max() > 2.0


def _simulated(model, qpos, qvel, controls):
    data = mujoco.MjData(model)
    data.qpos[:], data.qvel[:] = qpos, qvel
    data.act[:] = 0.05
    for control in controls:
        data.ctrl[:] = control
        for _ in range(8):
            mujoco.mj_step(model, data)
    return data
