"""What a reward sees at a control step, made by hand."""

import numpy as np

from mjx_assist.sim import reward

DT = 1 / 30
JOINTS = ("pelvis_tx", "pelvis_ty", "hip_flexion_r", "knee_angle_r")
TURNS = ("pelvis_tilt", "pelvis_tx", "lat_bending", "hip_flexion_r")  # the same four columns where the trunk turns


def step_context():
    """A batch of 50 control steps with errors of the size that training sees."""
    rng = np.random.default_rng(0)
    n = 50
    reference = rng.normal(0, 0.3, (n, 4))
    reference_velocity = rng.normal(0, 1, (n, 4))
    feet = rng.normal(0, 0.3, (n, 2, 2))
    return reward.StepContext(
        dt=DT,
        qpos=reference + rng.normal(0, 0.2, (n, 4)),
        qvel=reference_velocity + rng.normal(0, 0.4, (n, 4)),
        reference_qpos=reference,
        reference_qvel=reference_velocity,
        velocity=rng.normal(1.2, 0.3, n),
        target_velocity=rng.uniform(0.8, 1.6, n),
        reference_velocity=rng.uniform(0.8, 1.6, n),
        activation=rng.uniform(0, 1, (n, 22)),
        previous_activation=rng.uniform(0, 1, (n, 22)),
        foot_load=rng.uniform(0, 1.5, (n, 2)),
        peak_load=rng.uniform(0, 3, (n, 2)),
        limit_load=rng.uniform(0, 200, (n, 8)),
        body_weight=790.0,
        foot_position=feet + rng.normal(0, 0.1, (n, 2, 2)),
        reference_foot_position=feet,
        device_effort=rng.uniform(0, 1, n),
        metabolic_power=rng.uniform(1, 8, n),
        device_power=rng.uniform(0, 3, n),
        device_rate=rng.uniform(0, 2, n),
        strike=rng.normal(size=(n, 3)),
        joints=TURNS,
    )
