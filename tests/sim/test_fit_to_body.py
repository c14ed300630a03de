"""What one config becomes on each body: which joints are imitated, what ends episodes, how a device head begins."""

import dataclasses
import math

import pytest

from mjx_assist.config.read import load_config
from mjx_assist.errors import UserError
from mjx_assist.model.names import body_weight
from mjx_assist.model.reduction import reduce_model
from mjx_assist.sim.fit_to_body import fitted, fitted_policy, sentence
from mjx_assist.sim.limbs import Limbs, limbs

PLANAR, SPATIAL = "myolegs22", "myolegs26"
ANKLE, KNEE = "OSL_A_L1_osl_ankle_angle_r", "OSL_KA_L1_osl_knee_angle_r"


@pytest.fixture(scope="module")
def walk():
    return load_config("walk")


def fit(walk, human, device):
    params = dataclasses.replace(walk.env_params, msk_key=human, device_key=device)
    return fitted(params, reduce_model(human, device or "none").model)


@pytest.mark.parametrize(
    ("joints", "expected"),
    [
        (("pelvis_tx", "hip_flexion_r", "hip_flexion_l", "knee_angle_r", "knee_angle_l"), Limbs()),
        (("knee_angle_r", "knee_angle_l", ANKLE, "ankle_angle_l"), Limbs((ANKLE,), "right", "left", "transtibial")),
        (
            ("p_knee_angle_l", "p_ankle_angle_l", "knee_angle_r", "ankle_angle_r"),
            Limbs(("p_knee_angle_l", "p_ankle_angle_l"), "left", "right", "transfemoral"),
        ),
        # two springs in the place of one ankle
        (
            ("df_ankle_angle_r", "pf_ankle_angle_r", "ankle_angle_l"),
            Limbs(("df_ankle_angle_r", "pf_ankle_angle_r"), "right", "left", "transtibial"),
        ),
        # names of a user's own, the same on both legs; a device's own joints
        (("my_knee_angle_r", "my_knee_angle_l", "X_joint1_dx", "X_joint1_sx"), Limbs()),
    ],
)
def test_the_joints_names_tell_the_sound_leg(joints, expected):
    assert limbs(joints) == expected


def test_a_planar_walker_gets_the_planar_preset(walk):
    own, preset = fit(walk, PLANAR, "Tutorial_L1"), load_config("walk22_exo").env_params
    assert own.observation_joint_pos_keys == (
        *("ankle_angle_l", "ankle_angle_r", "hip_flexion_l", "hip_flexion_r", "knee_angle_l", "knee_angle_r"),
        *("pelvis_tilt", "pelvis_ty"),
    )
    scalar = {n: w for n, w in own.reward_keys_and_weights.terms.items() if not isinstance(w, dict)}
    assert scalar == {n: w for n, w in preset.reward_keys_and_weights.terms.items() if not isinstance(w, dict)}
    assert own.reward_keys_and_weights.pose_tracking_rewards["mtp_angle_r"] == 0.2


def test_nobody_imitates_with_a_prosthesis_and_the_residual_leg_ends_no_episode(walk):
    weights = fit(walk, SPATIAL, "OpenSourceLeg_KA_L1").reward_keys_and_weights
    assert not {j for j in weights.qpos_imitation_rewards if "osl" in j}
    assert KNEE in weights.pose_tracking_rewards  # a motor moves it
    assert not {j for j in weights.qpos_imitation_rewards if j.endswith("_r")}
    assert {"hip_flexion_r", "hip_adduction_r"} <= set(weights.pose_tracking_rewards)
    assert {"hip_flexion_l", "knee_angle_l", "ankle_angle_l", "pelvis_list"} <= set(weights.qpos_imitation_rewards)


def test_a_prosthesis_is_observed_as_the_joint_that_it_replaces(walk):
    assert ANKLE in fit(walk, PLANAR, "OpenSourceLeg_A_L1").observation_joint_pos_keys


def test_a_passive_prosthesis_is_not_tracked(walk):
    weights = fit(walk, PLANAR, "KFoot_L1").reward_keys_and_weights
    assert not {j for j in weights.pose_tracking_rewards if "KFoot" in j}
    assert "knee_angle_r" in weights.pose_tracking_rewards


@pytest.mark.parametrize(
    ("device", "asked", "rate"),
    [("OpenSourceLeg_A_L1", 240, 480), ("OpenSourceLeg_A_L1", 960, 960), ("Tutorial_L1", 240, 240)],
)
def test_joints_that_motors_move_alone_are_simulated_at_a_finer_step(walk, device, asked, rate):
    finer = dataclasses.replace(walk, env_params=dataclasses.replace(walk.env_params, physics_sim_framerate=asked))
    assert fit(finer, PLANAR, device).physics_sim_framerate == rate


def test_fitting_twice_changes_nothing(walk):
    once = fit(walk, PLANAR, "OpenSourceLeg_A_L1")
    assert fitted(once, reduce_model(PLANAR, "OpenSourceLeg_A_L1").model) == once


def test_a_pattern_that_no_person_has_is_a_mistake(walk):
    params = dataclasses.replace(walk.env_params, observation_joint_pos_keys=("*hip_flexoin_?",))
    with pytest.raises(UserError, match=r"observation_joint_pos_keys.*'\*hip_flexoin_\?' is unknown.*hip_flexion"):
        fitted(params, reduce_model(PLANAR, "Tutorial_L1").model)


def test_a_motor_without_muscles_beside_it_begins_with_a_tenth_of_a_newton_metre_per_kg(walk):
    model = reduce_model(PLANAR, "OpenSourceLeg_A_L1").model
    head = fitted_policy(walk.policy_params, model).head_options["exo_actor"]
    motor = model.actuator("osl_ankle_torque_actuator")
    torque = math.exp(head.log_std_init) * motor.gainprm[0] * motor.ctrlrange[1]
    assert torque / (body_weight(model) / 9.81) == pytest.approx(0.1, rel=0.01)


def test_an_exoskeleton_beside_muscles_begins_as_the_config_says(walk):
    policy = walk.policy_params
    assert fitted_policy(policy, reduce_model(PLANAR, "Tutorial_L1").model) == policy


def test_the_sentence_names_what_follows_from_the_body():
    said = sentence(reduce_model(SPATIAL, "OpenSourceLeg_KA_L1").model)
    for part in ("three-dimensional", "transfemoral on the right, sound left leg", KNEE, "no mirrored network"):
        assert part in said
    assert "one network for both legs" in sentence(reduce_model(PLANAR, "Tutorial_L1").model)
