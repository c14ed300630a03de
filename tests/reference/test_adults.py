"""The reference gait moves like adults whom its fit has not seen, and swings its legs at their price."""

import mujoco
import numpy as np
import pytest

from mjx_assist.errors import UserError
from mjx_assist.model.reduction import reduce_model
from mjx_assist.reference.cycle import PHASES, phase_derivative, resample, sample, stride_frequency
from mjx_assist.reference.published import adults

GROUPS = ("very_slow", "natural", "medium", "fast")
LEG = ("hip_flexion", "knee_angle", "ankle_angle")
SWING = 0.61  # of the cycle, where the reference's toes leave the ground at 1.25 m/s
PHASE = np.arange(PHASES) / PHASES


@pytest.fixture(scope="module")
def body() -> mujoco.MjModel:
    """The human without a device."""
    return reduce_model("myolegs22", "none").model


def swing_power(model: mujoco.MjModel, qpos: np.ndarray, speed: float, rate: float) -> float:
    """W/kg that the hips of both legs give in swing, averaged over the cycle: MuJoCo's inverse dynamics, no contact."""
    qvel, qacc = phase_derivative(qpos) * rate, phase_derivative(phase_derivative(qpos)) * rate**2
    qvel[:, model.joint("pelvis_tx").dofadr[0]] = speed
    hip, data, off = model.joint("hip_flexion_r").dofadr[0], mujoco.MjData(model), mujoco.mjtDisableBit
    flags, power = model.opt.disableflags, np.zeros(len(qpos))
    model.opt.disableflags |= off.mjDSBL_CONSTRAINT | off.mjDSBL_SPRING | off.mjDSBL_DAMPER
    for i in np.flatnonzero(PHASE >= SWING):
        data.qpos[:], data.qvel[:], data.qacc[:] = qpos[i], qvel[i], qacc[i]
        mujoco.mj_inverse(model, data)
        power[i] = max(0.0, data.qfrc_inverse[hip] * qvel[i, hip])
    model.opt.disableflags = flags
    return 2 * power.mean() / mujoco.mj_getTotalmass(model)


def with_angles_of(gait, qpos: np.ndarray, group: str) -> np.ndarray:
    """The poses with the adults' hip, knee and ankle; the trunk upright, so without their mean pelvis tilt."""
    angles = adults(group).angles
    shown = qpos.copy()
    for joint in LEG:
        curve = angles[joint] + (angles["pelvis_tilt"].mean() if joint == "hip_flexion" else 0.0)
        right = np.radians(resample(curve[:-1, None], PHASES)[:, 0])
        for side, late in (("r", 0), ("l", PHASES // 2)):
            shown[:, gait.joint_names.index(f"{joint}_{side}")] = np.roll(right, late)
    return shown


def poses(gait, speed: float) -> np.ndarray:
    qpos, _, _ = sample(gait, PHASE, speed)
    qpos[:, gait.joint_names.index("pelvis_tx")] = 0.0
    return qpos


def test_swinging_the_legs_costs_the_hips_no_more_than_adults_angles(body, gait):
    assert swing_power(body, poses(gait, 1.25), 1.25, stride_frequency(gait, 1.25)) < 0.23


@pytest.mark.parametrize("group", GROUPS)
def test_at_every_speed_the_hips_work_in_swing_as_with_the_adults_angles(body, gait, group):
    speed = adults(group).speed
    ours, rate = poses(gait, speed), stride_frequency(gait, speed)
    theirs = swing_power(body, with_angles_of(gait, ours, group), speed, rate)
    assert swing_power(body, ours, speed, rate) < 1.15 * theirs


@pytest.mark.parametrize("group, least", [("very_slow", 0.95), ("natural", 0.98), ("medium", 0.98), ("fast", 0.94)])
def test_angles_have_the_shape_of_adults(gait, group, least):
    theirs = adults(group)
    qpos, _, _ = sample(gait, np.linspace(0, 1, 21), theirs.speed)
    for joint in LEG:
        ours = qpos[:, gait.joint_names.index(f"{joint}_r")]
        assert np.corrcoef(ours, theirs.angles[joint])[0, 1] > least, joint


def test_ankle_returns_to_neutral_in_swing_and_does_not_lift_the_toes_instead(gait):
    """From its peak in stance to 80 % of the cycle adults' ankles lose 11 deg, not 5."""
    ours = np.degrees(sample(gait, np.linspace(0, 1, 21), 1.22)[0][:, gait.joint_names.index("ankle_angle_r")])
    theirs = adults("natural").angles["ankle_angle"]
    assert ours[9] - ours[16] == pytest.approx(theirs[9] - theirs[16], abs=2.5)
    off = ours - theirs
    assert np.std(off) < 2.5


def test_an_unknown_group_of_adults_names_the_nearest():
    with pytest.raises(UserError, match="natural"):
        adults("neutral")
