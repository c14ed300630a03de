"""A gait record made from published healthy people, and gaits that are spoilt in one thing each.

Angles, moments and ground reaction: Schwartz et al. (2008) at 1.25 m/s; muscles on when adults' EMG is (Perry 1992)."""

import dataclasses

import numpy as np
from synthetic_gait import JOINTS, MASS, MUSCLES, synthetic_gait

from mjx_assist.eval.gait.emg import PUBLISHED_TIMING
from mjx_assist.model.names import GRAVITY
from mjx_assist.reference.published import healthy_band

SPEED, STRIDE_TIME, START, STANCE = 1.25, 1.12, 0.3, 0.61
COORDINATES = ("hip_flexion", "knee_angle", "ankle_angle")
MOMENTS = {"hip_flexion": "hip_moment", "knee_angle": "knee_moment", "ankle_angle": "ankle_moment"}
ON, OFF = 0.3, 0.01  # activation
MUSCLE_N = 1700.0  # isometric force of every muscle: all of them together then take what people take, 2.4 W/kg


def healthy_gait(delay=0.5, duration=9.0):
    """Walks 1.25 m/s without a device, the left leg ``delay`` of a cycle after the right."""
    record = synthetic_gait(
        duration=duration,
        stride_time=STRIDE_TIME,
        stride_length=SPEED * STRIDE_TIME,
        stance=(STANCE, STANCE),
        left_delay=delay,
        device_peak=(0.0, 0.0),
        start_phase=START,
    )
    empty = np.zeros((record.time.size, 0))
    record = dataclasses.replace(record, device_torque=empty, device_names=(), device_joints=(), device="none")
    qpos, moment, ground = record.qpos.copy(), np.zeros_like(record.qpos), np.zeros_like(record.ground_reaction)
    pressure, activation = record.center_of_pressure.copy(), np.zeros_like(record.activation)
    qpos[:, JOINTS.index("pelvis_tilt")] = np.radians(band("pelvis_tilt", phase(record, 0)))
    for foot, side in enumerate("rl"):
        at = phase(record, foot, delay)
        for coordinate in COORDINATES:
            column = JOINTS.index(f"{coordinate}_{side}")
            qpos[:, column] = np.radians(band(coordinate, at))
            moment[:, column] = MASS * band(MOMENTS[coordinate], at)
        for axis, quantity in ((2, "grf_vertical"), (0, "grf_anterior")):
            ground[:, foot, axis] = np.where(at < STANCE, band(quantity, at), 0) * MASS * GRAVITY
        ground[:, foot, 2] = np.maximum(ground[:, foot, 2], 0)
        rolled = 0.02 + 0.2 * np.minimum(at / STANCE, 1)  # m, from heel to toes
        heel = record.foot_position[:, foot, 0]
        pressure[:, foot, 0] = np.where(ground[:, foot, 2] > 0, heel + rolled, np.nan)
        for i, name in enumerate(MUSCLES):
            if name.endswith(f"_{side}"):
                on, off = PUBLISHED_TIMING[name[:-2]]
                activation[:, i] = np.where((100 * at - on) % 100 < (off - on) % 100, ON, OFF)
    return with_activation(
        dataclasses.replace(
            record,
            qpos=qpos,
            qvel=np.gradient(qpos, record.time, axis=0),
            joint_moment=moment,
            device_moment=0 * moment,
            ground_reaction=ground,
            center_of_pressure=pressure,
            muscle_max_force=np.full(len(MUSCLES), MUSCLE_N),
        ),
        activation,
    )


def band(quantity, at):
    """The published healthy mean at phases of the cycle, in the model's signs."""
    percent, mean, _ = healthy_band(quantity, SPEED)
    return np.interp(100 * at, percent, mean)


def phase(record, foot, delay=0.5):
    """[T] of a foot's cycle, 0 at its initial contact."""
    return (START + record.time / STRIDE_TIME - delay * foot) % 1


def with_activation(record, activation):
    """Muscles that pull, and are asked to, as they are active."""
    force = record.muscle_max_force * activation
    return dataclasses.replace(
        record, activation=activation, excitation=activation, muscle_force=force, muscle_active_force=force
    )


def each_leg(record, field, joint, change):
    """The record with ``change(values, phase)`` of a joint's columns of a field."""
    array = getattr(record, field).copy()
    for foot, side in enumerate("rl"):
        column = JOINTS.index(f"{joint}_{side}")
        array[:, column] = change(array[:, column], phase(record, foot))
    more = {"qvel": np.gradient(array, record.time, axis=0)} if field == "qpos" else {}
    return dataclasses.replace(record, **{field: array}, **more)


def locked_ankle(record):
    return each_leg(record, "qpos", "ankle_angle", lambda angle, at: 0 * angle)


def reversed_ankle(record):
    return each_leg(record, "qpos", "ankle_angle", lambda angle, at: np.radians(band("ankle_angle", 1 - at)))


def stiff_knee(record):
    return each_leg(record, "qpos", "knee_angle", lambda angle, at: 0.3 * angle)


def pelvis_back(record):
    qpos = record.qpos.copy()
    qpos[:, JOINTS.index("pelvis_tilt")] += np.radians(10)
    return dataclasses.replace(record, qpos=qpos)


def leaning_on_a_stop(record, peak=1.3, begin=0.40, end=0.52):
    """The hip's limit flexes the thigh, N*m/kg."""

    def pulse(moment, at):
        through = (at - begin) / (end - begin)
        return np.where((through > 0) & (through < 1), peak * MASS * np.sin(np.pi * through), 0.0)

    record = each_leg(record, "limit_moment", "hip_flexion", pulse)
    return dataclasses.replace(record, passive_moment=record.passive_moment + record.limit_moment)


def light_stop(record):
    return leaning_on_a_stop(record, peak=0.25)


def spiked_moment(record):
    """The knee's moment jumps by 0.8 N*m/kg for 3 % of the cycle: 0.14 of it as root mean square, 1 SD."""
    return each_leg(
        record, "joint_moment", "knee_angle", lambda moment, at: moment + MASS * 0.8 * (np.abs(at - 0.3) < 0.015)
    )


def hard_working_hip(record):
    """Twice the hip's moment where it gives power."""
    velocity = record.joint_velocity

    def more(moment, at):
        side = "rl"[int(np.ptp(at - phase(record, 0)) > 0)]
        gives = moment * velocity[:, JOINTS.index(f"hip_flexion_{side}")] > 0
        return np.where(gives, 2.5 * moment, moment)

    return each_leg(record, "joint_moment", "hip_flexion", more)


def foot_slap(record):
    """The forefoot falls by 9 degrees in 2.5 % of the cycle, and the ankle goes on from there to where people's is."""

    def drop(angle, at):
        return angle - np.radians(9) * np.interp(at, [0, 0.01, 0.035, 0.15, 1], [0, 0, 1, 0, 0])

    return each_leg(record, "qpos", "ankle_angle", drop)


def silent_calf(record):
    """The calf pulls from 30 to 60 % of the cycle, and the ankle's moment is what it makes."""
    activation = record.activation.copy()
    for i, name in enumerate(MUSCLES):
        if name[:-2] in ("soleus", "gastroc"):
            at = phase(record, "rl".index(name[-1]))
            activation[:, i] = np.where((at > 0.30) & (at < 0.60), ON, OFF)
    late = each_leg(record, "joint_moment", "ankle_angle", lambda m, at: m * np.interp(at, [0.28, 0.42], [0, 1]))
    return with_activation(late, activation)


def pressure_back(record):
    """Under the flat foot the centre of pressure comes back by 4 cm less what it goes on meanwhile."""
    pressure = record.center_of_pressure.copy()
    for foot in range(2):
        at = phase(record, foot)
        pressure[:, foot, 0] += np.interp(at, [0.05, 0.12, 0.30, 1], [0, 0.08, 0, 0])
    return dataclasses.replace(record, center_of_pressure=pressure)


def braking_hard(record):
    ground = record.ground_reaction.copy()
    ground[:, :, 0] = np.where(ground[:, :, 0] < 0, 2 * ground[:, :, 0], ground[:, :, 0])
    return dataclasses.replace(record, ground_reaction=ground)


def costly_muscles(record):
    """Twice the muscle for the same moments."""
    strong = dataclasses.replace(record, muscle_max_force=2 * record.muscle_max_force)
    return with_activation(strong, record.activation)


def limp(record):
    """The left foot lands 8 % of the cycle early."""
    return healthy_gait(delay=0.42)


def falling(record):
    return dataclasses.replace(record, fell=True)
