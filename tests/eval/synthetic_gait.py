"""Gait records with closed-form answers: sinusoidal joints, half-sine ground reaction, known work and step times."""

import dataclasses

import numpy as np

from mjx_assist.eval.replay.record import GaitRecord
from mjx_assist.model.names import GRAVITY

JOINTS = (
    *("pelvis_tx", "pelvis_ty", "pelvis_tilt", "hip_flexion_r", "knee_angle_r", "ankle_angle_r", "mtp_angle_r"),
    *("hip_flexion_l", "knee_angle_l", "ankle_angle_l", "mtp_angle_l"),
)
_BASES = (
    *("hamstrings", "bifemsh", "edl", "fdl", "glutmax", "iliopsoas", "rectfem", "vasti"),
    *("gastroc", "soleus", "tibant"),
)
MUSCLES = tuple(f"{base}_{side}" for side in "rl" for base in _BASES)
MASS = 75.0
# joint: (mean, amplitude, phase in cycles) of mean + amplitude sin(2 pi (phase_of_leg - phase)), rad, model signs
JOINT_WAVES = {"hip_flexion": (0.17, 0.38, 0.72), "knee_angle": (-0.45, 0.42, 0.97), "ankle_angle": (0.0, 0.2, 0.22)}
PEAK_BW = 1.2
LIFT_M = 0.12
PULSE = (0.42, 0.60)  # device torque: one half sine within these fractions of the cycle


def synthetic_gait(
    duration=12.0,
    rate=240.0,
    stride_time=1.1,
    stride_length=1.375,
    stance=(0.6, 0.6),
    peak_bw=(PEAK_BW, PEAK_BW),
    left_delay=0.5,
    device_peak=(-30.0, -30.0),
    reference_offset=0.0,
    start_phase=0.3,
    fell=False,
    seed=0,
):
    """A walker at stride_length / stride_time whose legs are (right, left) copies, the left ``left_delay`` later.

    Phase 0 of a leg is its initial contact; it stands for ``stance`` of the cycle with half-sine load. The foot's
    forward path is at rest in stance, so the distance between contacts is the stride length. device_peak N*m.
    """
    time = np.arange(1, round(duration * rate) + 1) / rate
    phase = start_phase + time / stride_time
    legs = np.stack([phase, phase - left_delay], axis=1)
    within = legs % 1
    qpos, qvel = np.zeros((time.size, 11)), np.zeros((time.size, 11))
    qpos[:, 0], qvel[:, 0] = time * stride_length / stride_time, stride_length / stride_time
    qpos[:, 1] = 0.93
    qpos[:, 2] = -0.05 + 0.03 * np.sin(4 * np.pi * phase)
    qvel[:, 2] = 0.03 * 4 * np.pi / stride_time * np.cos(4 * np.pi * phase)
    for foot, side in enumerate("rl"):
        for joint, (mean, amplitude, shift) in JOINT_WAVES.items():
            column = JOINTS.index(f"{joint}_{side}")
            angle = 2 * np.pi * (legs[:, foot] - shift)
            qpos[:, column] = mean + amplitude * np.sin(angle)
            qvel[:, column] = amplitude * 2 * np.pi / stride_time * np.cos(angle)
    ground = np.zeros((time.size, 2, 3))
    foot = np.zeros((time.size, 2, 3))
    torque = np.zeros((time.size, 2))
    activation = np.zeros((time.size, 22))
    for leg in range(2):
        through = within[:, leg] / stance[leg]
        ground[:, leg, 2] = np.where(through < 1, peak_bw[leg] * np.sin(np.pi * through), 0) * MASS * GRAVITY
        ground[:, leg, 0] = np.where(through < 1, -0.2 * np.sin(2 * np.pi * through), 0) * MASS * GRAVITY
        swing = np.clip((within[:, leg] - stance[leg]) / (1 - stance[leg]), 0, 1)
        # Contact k of this leg lies at x = k stride lengths; it travels only in swing, ahead of the next contact.
        foot[:, leg, 0] = stride_length * (np.floor(legs[:, leg]) + swing + (leg * left_delay))
        foot[:, leg, 2] = 0.06 + LIFT_M * np.sin(np.pi * swing) ** 2
        pulse = (within[:, leg] - PULSE[0]) / (PULSE[1] - PULSE[0])
        torque[:, leg] = np.where((pulse > 0) & (pulse < 1), device_peak[leg] * np.sin(np.pi * pulse), 0)
        for i in range(11):
            wave = 0.5 + 0.5 * np.cos(2 * np.pi * (within[:, leg] - i / 11))
            activation[:, 11 * leg + i] = 0.04 + 0.5 * wave**6
    moment, device_moment = np.zeros_like(qpos), np.zeros_like(qpos)
    for leg, joint in enumerate(("ankle_angle_r", "ankle_angle_l")):
        column = JOINTS.index(joint)
        device_moment[:, column] = torque[:, leg]
        muscle = -60 * activation[:, 11 * leg + 9]
        moment[:, column] = muscle + torque[:, leg]
    return GaitRecord(
        time=time,
        phase=phase % 1,
        target_velocity=np.full(time.size, stride_length / stride_time),
        qpos=qpos,
        qvel=qvel,
        reference_qpos=qpos + reference_offset,
        activation=activation,
        excitation=activation,
        **_muscles(phase, stride_time, activation),
        device_torque=torque,
        ground_reaction=ground,
        center_of_pressure=np.where(ground[:, :, 2:] > 0, foot + np.array([0.1, 0, -0.06]), np.nan),
        free_moment=np.zeros((time.size, 2)),
        joint_moment=moment,
        device_moment=device_moment,
        passive_moment=np.zeros_like(qpos),
        foot_position=foot,
        toe_position=foot + np.array([0.15, 0, -0.04]),
        toe_tip=foot + np.array([0.22, 0, -0.05]),
        limit_moment=np.zeros_like(qpos),
        com_position=np.stack([qpos[:, 0], np.zeros(time.size), np.full(time.size, 1.0)], axis=1),
        com_velocity=np.stack([qvel[:, 0], np.zeros(time.size), np.zeros(time.size)], axis=1),
        sensors=ground[:, :, 2],
        joint_names=JOINTS,
        muscle_names=MUSCLES,
        device_names=("Exo_R", "Exo_L"),
        device_joints=("ankle_angle_r", "ankle_angle_l"),
        sensor_names=("r_foot", "l_foot"),
        body_mass=MASS,
        leg_length=0.92,
        fell=fell,
        human="myolegs22",
        device="Tutorial_L1",
        model_kind="reduced",
        seed=seed,
    )


def _muscles(phase, stride_time, activation):
    """Fibres of 0.1 m that swing by 10 % once a stride, at 1000 N times their activation, on tendons of 0.2 m."""
    angle = 2 * np.pi * phase[:, None]
    return {
        "muscle_length": 0.3 + 0.01 * np.sin(angle) + 0 * activation,
        "muscle_velocity": 0.01 * 2 * np.pi / stride_time * np.cos(angle) + 0 * activation,
        "muscle_force": 1000 * activation,
        "muscle_active_force": 1000 * activation,
        "muscle_max_force": np.full(22, 1000.0),
        "muscle_optimal_length": np.full(22, 0.1),
        "muscle_tendon_length": np.full(22, 0.2),
        "muscle_max_velocity": np.full(22, 10.0),
    }


def healthy_stub(quantity, speed):
    """A stand-in for the healthy band: the synthetic legs' own mean curves, in the model's signs."""
    percent = np.linspace(0, 100, 51)
    if quantity in JOINT_WAVES:
        mean, amplitude, shift = JOINT_WAVES[quantity]
        return percent, np.degrees(mean + amplitude * np.sin(2 * np.pi * (percent / 100 - shift))), np.full(51, 5.0)
    if quantity == "pelvis_tilt":
        return percent, np.full(51, -3.0), np.full(51, 2.0)
    wave = np.pi * percent / 60
    curve = {
        "grf_vertical": PEAK_BW * np.sin(wave),
        "grf_anterior": -0.2 * np.sin(2 * wave),
        "ankle_moment": -1.3 * np.sin(wave) ** 2,
    }.get(quantity, 0 * wave)
    return percent, np.where(percent < 60, curve, 0), np.full(51, 0.06)


OFF_PLANE = (
    *("pelvis_tz", "pelvis_list", "pelvis_rotation"),
    *(f"{joint}_{side}" for side in "rl" for joint in ("hip_adduction", "hip_rotation")),
)


def in_3d(record, step_width=0.1, sway=0.03, obliquity=0.07):
    """The same walk of a 3-D model: feet ``step_width`` m apart, the centre of mass swaying ``sway`` m towards the
    foot that stands, the pelvis' list a sine that lifts the right side by ``obliquity`` rad after the right contact;
    both hips turn about one axis."""
    cycle = 2 * np.pi * record.phase
    frequency = np.ptp(np.unwrap(cycle)) / np.ptp(record.time)  # rad/s
    angles = np.zeros((record.time.size, len(OFF_PLANE)))
    angles[:, 0] = sway * np.sin(cycle)
    angles[:, 1] = -obliquity * np.sin(cycle)
    for leg, column in enumerate((3, 5)):
        angles[:, column] = (1, -1)[leg] * 0.05 * np.sin(cycle - np.pi * leg)
    places = {}
    for name in ("foot_position", "toe_position", "toe_tip", "center_of_pressure"):
        places[name] = getattr(record, name) + np.array([[0, -step_width / 2, 0], [0, step_width / 2, 0]])
    com, velocity = record.com_position.copy(), record.com_velocity.copy()
    com[:, 1], velocity[:, 1] = -sway * np.sin(cycle), -sway * frequency * np.cos(cycle)
    wider = {
        name: np.concatenate([getattr(record, name), np.zeros_like(angles)], axis=1)
        for name in ("qvel", "joint_moment", "device_moment", "passive_moment", "limit_moment")
    }
    return dataclasses.replace(
        record,
        **places,
        **wider,
        qpos=np.concatenate([record.qpos, angles], axis=1),
        reference_qpos=np.concatenate([record.reference_qpos, angles], axis=1),
        com_position=com,
        com_velocity=velocity,
        joint_names=(*record.joint_names, *OFF_PLANE),
        joint_sign=np.concatenate([record.joint_sign, [1, 1, 1, 1, 1, -1, -1]]),
        human="myolegs26",
    )


def with_force_noise(record, sd, seed=0):
    """Gaussian noise of ``sd`` body weights on every sample of the ground reaction, as a force plate's."""
    noise = np.random.default_rng(seed).normal(0, sd * record.body_weight, record.ground_reaction.shape)
    return dataclasses.replace(record, ground_reaction=record.ground_reaction + noise)


def without_load(record, foot, begin, end):
    """The record with a foot's ground reaction lost from ``begin`` to ``end`` seconds."""
    ground = record.ground_reaction.copy()
    ground[(record.time >= begin) & (record.time < end), foot] = 0.0
    return dataclasses.replace(record, ground_reaction=ground)


def with_box_load(record, stance=0.6):
    """The record with one body weight on a foot throughout its stance, so that contact is seen at its first sample."""
    ground = np.zeros_like(record.ground_reaction)
    for foot in range(2):
        ground[:, foot, 2] = np.where((record.phase - 0.5 * foot) % 1 < stance, record.body_weight, 0.0)
    return dataclasses.replace(record, ground_reaction=ground)
