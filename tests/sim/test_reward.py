"""Every reward term against an independent NumPy implementation, the heel-strike terms against a hand-made walk; terms
of a user's own package."""

import dataclasses
import json
import re
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from checkout import ROOT
from printed import example

from mjx_assist import config as configs
from mjx_assist.config.rewards import RewardWeights
from mjx_assist.errors import UserError
from mjx_assist.eval.replay.replay import replay
from mjx_assist.policy import bundle as bundles
from mjx_assist.sim import footsteps, reward
from mjx_assist.sim.env import AssistEnv
from mjx_assist.training.export import load_policy

DT = 1 / 30
JOINTS = ("pelvis_tx", "pelvis_ty", "hip_flexion_r", "knee_angle_r")
TURNS = ("pelvis_tilt", "pelvis_tx", "lat_bending", "hip_flexion_r")  # the same four columns where the trunk turns


@pytest.fixture
def context():
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


def by_hand(c):
    """The issue's formulas, one control step at a time."""
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


def test_the_names_of_terms_are_those_of_the_reward(context, own_package):
    """What the env's first state logs, before any reward was given, is what every step logs."""
    weights = RewardWeights(
        forward_reward=1.0,
        impact_penalty=0.0,
        pose_tracking_rewards={"knee_angle_r": 0.5},
        qpos_imitation_rewards={"knee_angle_r": 0.0},
        extra_terms={"my_package.rewards:upright": 0.3, "no_such_package:at_weight_0": 0.0},
    )
    _, terms = reward.make_reward(weights, JOINTS)(context._replace(joints=("pelvis_tilt", *JOINTS[1:])))
    assert reward.term_names(weights) == tuple(terms)
    assert list(terms) == ["forward_reward", "pose_tracking_rewards", "my_package.rewards:upright"]


# --- terms of a user's own package

MORE = """

number = 3


def loud(context, xp):
    return context.foot_load > 1.0


def pair(context, xp):
    return xp.stack([context.velocity, context.velocity])
"""


@pytest.fixture
def own_package(tmp_path, monkeypatch):
    """The package that docs/extending.md prints, and some more functions, where Python finds it."""
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "rewards.py").write_text(example("A reward term") + MORE)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [name for name in sys.modules if name.startswith("my_package")]:
        del sys.modules[name]


def printed_config(**env):
    tree = json.loads(example("A reward term", "json"))
    sizes = {"backend": "mujoco", "num_envs": 4, "custom_max_episode_steps": 10}
    return configs.from_dict({"env_params": {**sizes, **tree["env_params"], **env}, "ppo_params": {"batch_size": 64}})


def test_the_printed_term_is_part_of_the_reward_and_of_the_log(own_package, reduced, gait):
    """Against the tilt of the env's own states."""
    config = printed_config()
    assert configs.from_dict(json.loads(json.dumps(configs.to_dict(config)))) == config
    env = AssistEnv(config.env_params, reduced, gait)
    tilt = env.joints.index("pelvis_tilt")
    state = jax.jit(jax.vmap(env.reset))(jax.random.split(jax.random.PRNGKey(3), 4))
    rest = jnp.tile(jnp.asarray(env.action_spec.neutral), (4, 1))
    after = jax.jit(jax.vmap(env.step))(state, rest)
    assert set(state.metrics) == set(after.metrics)
    expected = -0.3 * DT * np.asarray(after.pipeline_state.physics.qpos[:, tilt]) ** 2
    assert np.abs(expected).max() > 1e-6
    np.testing.assert_allclose(after.metrics["my_package.rewards:upright"], expected, rtol=1e-5)
    np.testing.assert_allclose(after.reward, expected, rtol=1e-5)  # the only term with a weight


def test_a_curriculum_schedules_an_own_term(own_package, reduced, gait):
    """Half its weight after 16 of 4 walkers' control steps, linear from the start."""
    points = [[0, 0.3], [16, 0.15]]
    key = "reward_keys_and_weights.my_package.rewards:upright"
    env = AssistEnv(printed_config(curriculum={"by_step": {key: points}}).env_params, reduced, gait)
    tilt = env.joints.index("pelvis_tilt")
    state = jax.jit(jax.vmap(env.reset))(jax.random.split(jax.random.PRNGKey(3), 4))
    step, rest = jax.jit(jax.vmap(env.step)), jnp.tile(jnp.asarray(env.action_spec.neutral), (4, 1))
    for steps in range(5):
        state = step(state, rest)
        weight = 0.3 - 0.15 * min(1.0, 4 * steps / 16)
        expected = -weight * DT * np.asarray(state.pipeline_state.physics.qpos[:, tilt]) ** 2
        np.testing.assert_allclose(state.metrics["my_package.rewards:upright"], expected, rtol=1e-5)
    with pytest.raises(UserError, match=r"Did you mean 'reward_keys_and_weights.my_package.rewards:upright'"):
        printed_config(curriculum={"by_step": {key[:-1]: points}})


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("no_such_package.rewards:upright", "cannot be imported (No module named 'no_such_package')"),
        ("my_package.reward:upright", "cannot be imported (No module named 'my_package.reward')"),
        ("my_package.rewards:uprigt", "Did you mean 'upright'? Allowed: loud, pair, upright."),
        ("my_package.rewards:number", "is 3 (int), not a function. Allowed: loud, pair, upright."),
    ],
)
def test_a_function_that_is_not_there_is_told_by_name_with_what_is(own_package, name, told):
    weights = configs.from_dict(
        {"env_params": {"reward_keys_and_weights": {"extra_terms": {name: 1.0}}}}
    ).env_params.reward_keys_and_weights
    with pytest.raises(UserError) as caught:
        reward.make_reward(weights, JOINTS)
    assert "env_params.reward_keys_and_weights.extra_terms" in str(caught.value)
    assert repr(name) in str(caught.value) and told in str(caught.value)


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        ({"upright": 1.0}, "'upright' names no function. Allowed: package.module:function"),
        ({"my_package.rewards.upright": 1.0}, "'my_package.rewards.upright' names no function"),
        ({"my package:upright": 1.0}, "names no function"),
        ({"my_package.rewards:upright": "much"}, "extra_terms.my_package.rewards:upright': expected float, got 'much'"),
        ({"my_package.rewards:upright": {"weight": 1}}, "expected float, got {'weight': 1}"),
        ({"my_package.rewards:upright": float("nan")}, "must be a finite number, got nan"),
        (["my_package.rewards:upright"], "expected an object of float"),
    ],
)
def test_what_names_no_function_or_weighs_nothing_is_refused_before_anything_is_imported(terms, told):
    with pytest.raises(UserError) as caught:
        configs.from_dict({"env_params": {"reward_keys_and_weights": {"extra_terms": terms}}})
    assert "env_params.reward_keys_and_weights.extra_terms" in str(caught.value) and told in str(caught.value)


@pytest.mark.parametrize(("name", "shape"), [("pair", "(2, 50)"), ("loud", "(50, 2)")])
def test_a_term_of_another_shape_is_told(own_package, context, name, shape):
    function = reward.make_reward(RewardWeights(extra_terms={f"my_package.rewards:{name}": 1.0}), JOINTS)
    told = f"rewards:{name}' must return one number a walker, returned an array {shape}"
    with pytest.raises(UserError, match=re.escape(told)):
        function(context)


def test_a_policy_walks_where_the_package_of_its_reward_is_not(untrained_bundle, tmp_path, monkeypatch):
    """Nothing of it is imported, though it could be: the package here ends the process that imports it."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "package_of_someone.py").write_text("raise SystemExit('imported')")
    weights = RewardWeights(forward_reward=1.0, extra_terms={"package_of_someone:term": 1.0, "gone.rewards:term": 1.0})
    env = dataclasses.replace(untrained_bundle.config.env_params, reward_keys_and_weights=weights)
    trained = dataclasses.replace(untrained_bundle, config=dataclasses.replace(untrained_bundle.config, env_params=env))
    bundles.save(trained, tmp_path / "policy")
    bundle = load_policy(tmp_path / "policy")
    assert bundle.config.env_params.reward_keys_and_weights == weights
    assert "package_of_someone" not in sys.modules
    without = dataclasses.replace(bundle, config=untrained_bundle.config)
    record, plain = (replay(policy, steps=5, seed=1) for policy in (bundle, without))
    np.testing.assert_array_equal(record.qpos, plain.qpos)
    assert "package_of_someone" not in sys.modules
    with pytest.raises(SystemExit, match="imported"):
        reward.make_reward(weights, JOINTS)
