"""Reward terms of a user's own package: part of the reward, of the log and of a curriculum; refused by name."""

import dataclasses
import json
import re
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from printed import example
from reward_context import JOINTS, step_context

from mjx_assist import config as configs
from mjx_assist.config.rewards import RewardWeights
from mjx_assist.errors import UserError
from mjx_assist.eval.replay.replay import replay
from mjx_assist.policy import bundle as bundles
from mjx_assist.sim import reward
from mjx_assist.sim.env import AssistEnv
from mjx_assist.training.export import load_policy

DT = 1 / 30


@pytest.fixture
def context():
    return step_context()


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
