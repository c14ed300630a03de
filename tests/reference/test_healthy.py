"""The reference gait walks: cadence, shape, ground contact and sampling, against facts that the fit does not use."""

import mujoco
import numpy as np
import pytest

from mjx_assist.errors import UserError
from mjx_assist.model.assembly import full_model
from mjx_assist.reference import feet as foot_kinematics
from mjx_assist.reference import fit, healthy, planar_leg
from mjx_assist.reference.cycle import sample, stride_frequency
from mjx_assist.reference.published import healthy_band

JOINTS = (
    *("pelvis_tx", "pelvis_ty", "pelvis_tilt"),
    *(f"{joint}_{side}" for side in "rl" for joint in ("hip_flexion", "knee_angle", "ankle_angle", "mtp_angle")),
)
SPEEDS = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)


def column(joint):
    return JOINTS.index(joint)


def at_percent(values, percent):
    return values[round(percent / 100 * len(values)) % len(values)]


def feet_at(model, gait, speed):
    return foot_kinematics.feet(model, gait.qpos[np.argmin(abs(gait.speed - speed))])


def test_joints_are_the_reduced_models_in_its_order(model, gait):
    assert gait.joint_names == tuple(model.joint(i).name for i in range(model.njnt))
    assert gait.qpos.shape == gait.dqpos.shape == (7, 200, model.nq)


def test_cadence_keeps_the_walk_ratio(gait):
    assert 120 * stride_frequency(gait, 1.25) == pytest.approx(107, abs=1)
    assert np.all(np.diff(stride_frequency(gait, np.linspace(0.5, 2.0, 40))) > 0)


def test_knee_flexes_sixty_degrees_in_swing(gait):
    knee = np.degrees(gait.qpos[3, :, column("knee_angle_r")])
    assert -68 < knee.min() < -56
    assert 70 <= np.argmin(knee) / 2 <= 76


def test_ankle_pushes_off_after_the_other_foot_landed(gait):
    ankle = gait.qpos[3, :, column("ankle_angle_r")]
    assert 40 <= np.argmax(ankle) / 2 <= 50
    assert 60 <= np.argmin(ankle) / 2 <= 66


@pytest.mark.parametrize("joint, largest", [("hip_flexion", 3.5), ("knee_angle", 8), ("ankle_angle", 3)])
def test_angles_stay_near_the_published_ones(model, gait, joint, largest):
    percent, mean, sd = healthy_band(joint, 1.25, model)
    qpos, _, _ = sample(gait, percent / 100, 1.25)
    off = np.degrees(qpos[:, column(f"{joint}_r")]) - mean
    assert np.abs(off).max() < largest
    assert np.sqrt(np.mean((off / sd) ** 2)) < 0.6


def test_angles_keep_inside_the_joint_limits(model, gait):
    for joint in JOINTS[3:]:
        low, high = model.joint(joint).range
        angle = gait.qpos[:, :, column(joint)]
        assert low + 0.02 < angle.min() and angle.max() < high - 0.02, joint


def test_left_leg_is_the_right_one_half_a_cycle_later(gait):
    for joint in ("hip_flexion", "knee_angle", "ankle_angle", "mtp_angle"):
        right, left = gait.qpos[:, :, column(f"{joint}_r")], gait.qpos[:, :, column(f"{joint}_l")]
        np.testing.assert_allclose(left, np.roll(right, 100, axis=1), atol=1e-12)
    for joint in ("pelvis_ty", "pelvis_tilt"):
        curve = gait.qpos[:, :, column(joint)]
        np.testing.assert_allclose(curve, np.roll(curve, 100, axis=1), atol=1e-9)


def test_dqpos_is_the_derivative_of_qpos(gait):
    ahead, behind = np.roll(gait.qpos, -1, axis=1), np.roll(gait.qpos, 1, axis=1)
    difference = (ahead - behind) * 200 / 2
    np.testing.assert_allclose(gait.dqpos[:, :, 1:], difference[:, :, 1:], atol=0.03)
    np.testing.assert_allclose(gait.dqpos[3, :, 0], 1.25 / gait.stride_frequency[3])


@pytest.mark.parametrize("speed", SPEEDS)
def test_stance_foot_is_on_the_ground(model, gait, speed):
    lowest = feet_at(model, gait, speed).lowest
    phase = np.arange(200) / 200
    stance = phase < 0.55
    assert lowest.min() > -0.01
    assert np.abs(lowest[stance, 0]).max() < 0.01
    assert np.mean(np.abs(lowest[stance, 0])) < 0.004


@pytest.mark.parametrize("speed", SPEEDS)
def test_double_support_has_both_feet_near_the_ground(model, gait, speed):
    lowest = feet_at(model, gait, speed).lowest
    assert np.abs(lowest[1:11]).max() < 0.01  # 0.5 to 5 % of the cycle


@pytest.mark.parametrize("speed", SPEEDS)
def test_swing_foot_clears_the_ground(model, gait, speed):
    lowest = feet_at(model, gait, speed).lowest[:, 0]
    assert lowest[int(0.75 * 200) : int(0.90 * 200)].min() > 0.005


def test_heel_lands_first_then_the_foot_is_flat_then_the_heel_rises(model, gait):
    feet = feet_at(model, gait, 1.25)
    assert at_percent(feet.hindfoot_lowest[:, 0], 0) < 0.005 < 0.03 < at_percent(feet.toes_lowest[:, 0], 0)
    pitch = np.degrees(feet.pitch[:, 0])
    assert at_percent(pitch, 0) > 10
    assert abs(at_percent(pitch, 15)) < 2 and abs(at_percent(pitch, 30)) < 3
    assert at_percent(pitch, 45) < -8 and at_percent(pitch, 60) < -45


def test_toes_lift_off_at_the_end_of_stance(model, gait):
    toes = feet_at(model, gait, 1.25).lowest[:, 0]
    lifts = np.flatnonzero((toes[:-1] < 0) & (toes[1:] >= 0)) / 200
    assert 0.57 <= lifts[np.argmin(abs(lifts - 0.6))] <= 0.65


@pytest.mark.parametrize("speed", SPEEDS)
def test_flat_foot_does_not_slide(gait, speed):
    row = SPEEDS.index(speed)
    heel = gait.foot_position[row, 24:60, 0, 0]  # 12 to 30 % of the cycle
    backwards = -np.polyfit(np.arange(36) / 200 / gait.stride_frequency[row], heel, 1)[0]
    assert backwards == pytest.approx(speed, rel=0.04)


def test_pelvis_rises_and_falls_as_the_ground_reaction_asks(model, gait):
    height, rate = gait.qpos[3, :, 1], gait.stride_frequency[3]
    acceleration = (np.roll(height, 1) - 2 * height + np.roll(height, -1)) * (200 * rate) ** 2
    percent, force, _ = healthy_band("grf_vertical", 1.25, model)
    force = np.interp(np.arange(200) / 2, percent, force)
    both = force + np.roll(force, 100)
    assert np.corrcoef(acceleration, both)[0, 1] > 0.85
    assert 0.025 < np.ptp(height) < 0.045  # m; adults' pelvis moves 3 to 5 cm


def test_foot_position_is_what_the_models_sensors_read(model, gait):
    data = mujoco.MjData(model)
    for p in (0, 37, 120):
        data.qpos[:] = gait.qpos[3, p]
        mujoco.mj_forward(model, data)
        pelvis = data.sensor("pelvis_position").data
        for side, name in enumerate(("r_foot_position", "l_foot_position")):
            read = (data.sensor(name).data - pelvis)[[0, 2]]
            np.testing.assert_allclose(gait.foot_position[3, p, side], read, atol=1e-9)


def test_full_model_walks_in_the_same_poses(reduced, gait):
    lift = reduced.coupling.lift
    feet = foot_kinematics.feet(full_model("myolegs22", "Tutorial_L1"), lift(gait.qpos[3, ::5]))
    heel = feet.heel - feet.pelvis[:, None]
    np.testing.assert_allclose(heel, gait.foot_position[3, ::5], atol=0.002)


def test_sample_wraps_the_phase_and_holds_the_speed(gait):
    for a, b in zip(sample(gait, 0.3, 0.5), sample(gait, -2.7, 0.1), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-9)


def test_sample_meets_the_table_and_lies_halfway_between(gait):
    qpos, qvel, foot = sample(gait, np.array([0.25, 0.2525]), 1.25)
    np.testing.assert_allclose(qpos[0], gait.qpos[3, 50])
    np.testing.assert_allclose(qpos[1], (gait.qpos[3, 50] + gait.qpos[3, 51]) / 2)
    np.testing.assert_allclose(qvel[0], gait.dqpos[3, 50] * gait.stride_frequency[3])
    np.testing.assert_allclose(qvel[:, 0], 1.25)
    assert qpos.shape == (2, 11) and foot.shape == (2, 2, 2)


def test_numpy_and_jax_sample_alike(gait):
    jax = pytest.importorskip("jax")
    import jax.numpy as jnp

    phase, speed = np.linspace(-1, 2, 50), np.linspace(0.3, 2.2, 50)
    sampled = jax.jit(jax.vmap(lambda p, v: sample(gait, p, v, jnp)))(phase, speed)
    for ours, theirs in zip(sample(gait, phase, speed), sampled, strict=True):
        np.testing.assert_allclose(theirs, ours, atol=2e-4)


def test_fits_derivatives_match_differences(model):
    rate = np.sqrt(60 * 1.25 / 0.0065) / 120
    targets = healthy._targets("schwartz2008", 1.25, rate, foot_kinematics.leg_length(model))
    problem = fit._Problem(planar_leg.chain_of(model), targets)
    x = problem.start() + np.random.default_rng(0).normal(0, 0.01, problem.start().size)
    _, slope = problem.rows(x)
    for i in range(0, x.size, 7):
        step = np.zeros_like(x)
        step[i] = 1e-7
        difference = (problem.rows(x + step)[0] - problem.rows(x - step)[0]) / 2e-7
        close = np.isclose(difference, slope[:, i], rtol=1e-3, atol=1e-2)
        assert np.mean(close) > 0.995  # a lowest point that changes has no derivative


def test_published_angles_are_the_papers(model):
    """Free-speed group of the printed tables, mean at 0, 50 and 72 % of the cycle (deg)."""
    free = 0.429 * np.sqrt(9.81 * foot_kinematics.leg_length(model))
    percent, knee, _ = healthy_band("knee_angle", free, model)
    np.testing.assert_allclose(knee[[0, 50, 72]], [-5.55, -11.64, -59.13], atol=0.3)
    _, hip, sd = healthy_band("hip_flexion", free, model)
    np.testing.assert_allclose(hip[[0, 50]] + 11.6, [35.8, -5.3], atol=0.4)
    np.testing.assert_allclose(sd[0], 5.4, atol=0.2)
    assert percent[0] == 0 and percent[-1] == 100


def test_band_of_an_unknown_quantity_names_the_nearest():
    with pytest.raises(UserError, match="knee_angle"):
        healthy_band("knee_angel", 1.25)


def test_unknown_reference_names_the_nearest(model):
    with pytest.raises(UserError, match="schwartz2008"):
        healthy.healthy_gait(model, "schwarz2008")
