"""Every reward term against an independent NumPy implementation, the heel-strike terms against a hand-made walk."""

import dataclasses
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from checkout import ROOT
from reward_context import DT, JOINTS, step_context

from mjx_assist.config.rewards import RewardWeights
from mjx_assist.errors import UserError
from mjx_assist.sim import footsteps, reward


@pytest.fixture
def context():
    return step_context()


def by_hand(c):
    """The formulas of docs/rewards.md, one control step at a time."""
    n = len(c.velocity)
    out = {name: np.zeros(n) for name in reward.SCALAR_TERMS}
    for i in range(n):
        out["forward_reward"][i] = np.exp(-5 * (c.velocity[i] - c.target_velocity[i]) ** 2)
        out["muscle_activation_penalty"][i] = -sum(a * a for a in c.activation[i]) / 22
        out["muscle_activation_mean_penalty"][i] = -sum(c.activation[i]) / 22
        out["alive_reward"][i] = 1.0
        change = c.activation[i] - c.previous_activation[i]
        out["muscle_activation_diff_penalty"][i] = sum(np.exp(-4 * d * d) for d in change) / 22
        out["foot_force_penalty"][i] = -max(0, c.foot_load[i, 0] + c.foot_load[i, 1] - 1.2)
        out["joint_constraint_force_penalty"][i] = -max(c.limit_load[i]) / 790.0
        distance = [np.hypot(*(c.foot_position[i, f] - c.reference_foot_position[i, f])) for f in (0, 1)]
        out["end_effector_imitation_reward"][i] = np.exp(-5 * (distance[0] ** 2 + distance[1] ** 2) / 2)
        out["foot_tracking_reward"][i] = sum(np.exp(-100 * d * d) for d in distance) / 2
        out["exo_activation_penalty"][i] = -c.device_effort[i]
        out["impact_penalty"][i] = -sum(max(0, load - 1.2) for load in c.peak_load[i])
        out["metabolic_power_penalty"][i] = -c.metabolic_power[i]
        out["device_power_penalty"][i] = -c.device_power[i]
        out["device_torque_rate_penalty"][i] = -c.device_rate[i]
        out["trunk_steadiness_penalty"][i] = -(c.qvel[i, 0] ** 2 + c.qvel[i, 2] ** 2)
        names = ("footstep_delta_time", "average_velocity_per_step", "muscle_activation_penalty_per_step")
        for k, name in enumerate(names):
            out[name][i] = c.strike[i, k]
    return {name: DT * x for name, x in out.items()}


@pytest.mark.parametrize("name", sorted(reward.SCALAR_TERMS))
def test_scalar_term_matches_its_formula(context, name):
    weights = dataclasses.replace(RewardWeights(), **{name: 2.5})
    total, terms = reward.make_reward(weights, JOINTS)(context)
    assert list(terms) == [name]
    np.testing.assert_allclose(total, 2.5 * by_hand(context)[name], rtol=1e-6)


def test_imitation_blocks_are_multiplied_by_the_sum_of_their_weights(context):
    table = {"hip_flexion_r": 0.5, "knee_angle_r": 1.5, "pelvis_ty": 0.0}
    make = reward.make_reward
    _, terms = make(RewardWeights(qpos_imitation_rewards=table, qvel_imitation_rewards=table), JOINTS)(context)
    c = context
    pose = sum(w * np.exp(-8 * (c.qpos[:, j] - c.reference_qpos[:, j]) ** 2) for w, j in ((0.5, 2), (1.5, 3)))
    scaled = c.reference_qvel * (c.target_velocity / c.reference_velocity)[:, None]
    speed = sum(w * np.exp(-8 * (c.qvel[:, j] - scaled[:, j]) ** 2) for w, j in ((0.5, 2), (1.5, 3)))
    np.testing.assert_allclose(terms["qpos_imitation_rewards"], 2.0 * DT * pose, rtol=1e-6)
    np.testing.assert_allclose(terms["qvel_imitation_rewards"], 2.0 * DT * speed, rtol=1e-6)


def test_own_tracking_terms_are_not_multiplied_and_sharper_for_slides(context):
    table = {"hip_flexion_r": 0.5, "pelvis_ty": 1.5}
    _, terms = reward.make_reward(RewardWeights(pose_tracking_rewards=table), JOINTS, ("pelvis_ty",))(context)
    error = context.qpos - context.reference_qpos
    expected = DT * (0.5 * np.exp(-20 * error[:, 2] ** 2) + 1.5 * np.exp(-1000 * error[:, 1] ** 2))
    np.testing.assert_allclose(terms["pose_tracking_rewards"], expected, rtol=1e-5)


def test_jax_and_numpy_agree(context):
    weights = RewardWeights(forward_reward=1.0, impact_penalty=2.0, qpos_imitation_rewards={"hip_flexion_r": 1.0})
    function = reward.make_reward(weights, JOINTS)
    arrays = jax.tree.map(jnp.asarray, context._replace(joints=()))
    np.testing.assert_allclose(function(arrays, jnp)[0], function(context)[0], rtol=1e-5, atol=1e-6)


def test_unknown_joint_names_the_nearest():
    with pytest.raises(UserError, match=r"hip_flexion_x.*hip_flexion_r"):
        reward.make_reward(RewardWeights(qpos_imitation_rewards={"hip_flexion_x": 1.0}), JOINTS)


def walk(loads, velocity_error=0.2, effort=0.5):
    """Held terms after each control step of a load sequence ``[T, 2]``."""
    steps, held = footsteps.no_footsteps(), []
    for load in loads:
        steps = footsteps.advance_footsteps(steps, np.array(load), velocity_error, effort, DT)
        held.append(steps.held)
    return np.array(held)


RIGHT, LEFT, NONE = (0.5, 0.0), (0.0, 0.5), (0.0, 0.0)


def test_a_heel_strike_is_the_third_loaded_step_and_holds_its_terms():
    held = walk([NONE] * 4 + [RIGHT] * 6)
    strike = 4 + 3  # control steps until the third loaded one
    np.testing.assert_array_equal(held[: strike - 1], 0.0)
    expected = [strike * DT, -strike * DT * 0.2, -strike * DT * 0.5]
    np.testing.assert_allclose(held[strike - 1 :], np.tile(expected, (10 - strike + 1, 1)))


def test_feet_must_alternate_and_chatter_does_not_count():
    again = walk([RIGHT] * 3 + [NONE] + [RIGHT] * 4)  # the same foot again: no new strike
    np.testing.assert_allclose(again[-1], again[2])
    chatter = walk([RIGHT] * 3 + [LEFT, LEFT, NONE] * 3)  # never three steps in a row
    np.testing.assert_allclose(chatter[-1], chatter[2])
    alternate = walk([RIGHT] * 3 + [LEFT] * 3)
    np.testing.assert_allclose(alternate[-1], [3 * DT, -3 * DT * 0.2, -3 * DT * 0.5])


def test_a_load_under_a_tenth_of_body_weight_is_no_contact():
    np.testing.assert_array_equal(walk([(0.09, 0.0)] * 5), 0.0)


# --- what a term costs


def test_a_term_of_ours_is_a_function_a_weight_and_a_row_of_the_docs():
    ours = {*reward.SCALAR_TERMS, *reward.IMITATION_BLOCKS}
    assert set(RewardWeights().terms) == ours
    page = (ROOT / "docs" / "rewards.md").read_text()
    assert re.findall(r"^\| `(\w+)`", page, re.MULTILINE) == [field.name for field in dataclasses.fields(RewardWeights)]
