"""AssistEnv: observation order, action mapping, commands, ends of episodes, auto-reset, and brax's own wrappers."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from brax.envs.wrappers.training import EpisodeWrapper, VmapWrapper

from mjx_assist.config.rewards import RewardWeights
from mjx_assist.config.schema import EnvParams
from mjx_assist.errors import UserError
from mjx_assist.model.names import sensor_slice
from mjx_assist.reference.cycle import sample
from mjx_assist.sim import action
from mjx_assist.sim.auto_reset import auto_reset
from mjx_assist.sim.env import AssistEnv

B = 8
PARAMS = EnvParams(
    backend="mujoco",
    num_envs=B,
    custom_max_episode_steps=4,
    out_of_trajectory_threshold=0.5,
    min_target_velocity=1.0,
    max_target_velocity=1.5,
    reward_keys_and_weights=RewardWeights(
        forward_reward=1.0, qpos_imitation_rewards={"hip_flexion_r": 1.0, "knee_angle_l": 1.0}
    ),
)


@pytest.fixture(scope="module")
def env(reduced, gait):
    return AssistEnv(PARAMS, reduced, gait)


@pytest.fixture(scope="module")
def reset(env):
    return jax.jit(jax.vmap(env.reset))


@pytest.fixture(scope="module")
def step(env):
    return jax.jit(jax.vmap(env.step))


@pytest.fixture(scope="module")
def step_and_reset(env):
    return jax.jit(jax.vmap(lambda state, act: auto_reset(env, state, act)))


@pytest.fixture(scope="module")
def start(reset):
    return reset(jax.random.split(jax.random.PRNGKey(0), B))


def resting(env):
    return jnp.tile(jnp.asarray(env.action_spec.neutral), (B, 1))


def test_observation_has_myoassists_order_and_sizes(env, start):
    names = env.observation_spec.names
    kinds = [name.split(".")[0] for name in names]
    assert [(k, kinds.count(k)) for k in dict.fromkeys(kinds)] == [
        ("qpos", 8),
        ("qvel", 9),
        ("act", 22),
        ("load", 4),
        ("target_velocity", 1),
        ("phase", 2),
    ]
    walker = jax.device_get(start.pipeline_state)
    for b in range(B):
        seen = dict(zip(names, np.asarray(start.obs[b]), strict=True))
        joints = env.joints
        assert seen["qpos.knee_angle_l"] == pytest.approx(walker.physics.qpos[b, joints.index("knee_angle_l")])
        assert seen["qvel.pelvis_tx"] == pytest.approx(walker.physics.qvel[b, joints.index("pelvis_tx")])
        assert seen["target_velocity"] == pytest.approx(walker.command.levels[b, 0])
        assert np.arctan2(seen["phase.sin"], seen["phase.cos"]) / (2 * np.pi) % 1 == pytest.approx(
            walker.phase[b], abs=1e-5
        )
        assert seen["act.soleus_r"] == pytest.approx(0.01)


def test_episodes_start_on_the_reference_at_spread_phases(env, start, gait):
    walker = jax.device_get(start.pipeline_state)
    assert np.ptp(walker.phase) > 0.4
    qpos, qvel, _ = sample(gait, walker.phase, walker.command.levels[:, 0])
    np.testing.assert_allclose(walker.physics.qpos, qpos, atol=1e-4)
    np.testing.assert_allclose(walker.physics.qvel, qvel, atol=1e-3)


def test_foot_loads_are_in_body_weights(env, start, step):
    state = start
    for _ in range(3):
        state = step(state, resting(env))
    loads = [env.observation_spec.names.index(f"load.{s}") for s in ("r_foot", "l_foot", "r_toes", "l_toes")]
    sensors = np.asarray(state.pipeline_state.physics.sensordata)
    first = [sensor_slice(env.model, s).start for s in ("r_foot", "l_foot", "r_toes", "l_toes")]
    mass = env.model.body_mass.sum()
    np.testing.assert_allclose(np.asarray(state.obs)[:, loads], sensors[:, first] / (mass * 9.81), rtol=1e-5)
    assert sensors[:, first].max() > 50.0


def test_neutral_action_is_no_excitation_and_no_torque(env):
    control = action.to_control(env.action_spec, env.action_spec.neutral)
    np.testing.assert_array_equal(control, 0.0)


def test_time_truncates_and_a_fall_terminates(env, start, step):
    state = start
    for _ in range(PARAMS.custom_max_episode_steps):
        state = step(state, resting(env))
    ended = np.asarray(state.done) == 1
    truncated = np.asarray(state.info["truncation"]) == 1
    assert ended.all()  # four steps are the limit
    qpos = np.asarray(state.pipeline_state.physics.qpos)
    walker = state.pipeline_state
    wanted, _, _ = sample(env.gait, np.asarray(walker.phase), np.asarray(walker.command.levels[:, 0]))
    imitated = [env.joints.index(j) for j in ("hip_flexion_r", "knee_angle_l")]
    off = (np.abs(qpos - wanted)[:, imitated] > 0.5).any(1)
    low = qpos[:, env.joints.index("pelvis_ty")] < PARAMS.safe_height
    np.testing.assert_array_equal(truncated, ~(off | low))
    assert truncated.any()


def test_falling_below_the_safe_height_terminates(env, start, step):
    body = start.pipeline_state.physics
    low = body.qpos.at[:, env.joints.index("pelvis_ty")].set(0.6)
    state = step(
        start.replace(pipeline_state=start.pipeline_state.replace(physics=body.replace(qpos=low))), resting(env)
    )
    np.testing.assert_array_equal(state.done, 1.0)
    np.testing.assert_array_equal(state.info["truncation"], 0.0)


def test_a_broken_state_ends_the_episode_and_leaves_finite_numbers(env, start, step_and_reset):
    body = start.pipeline_state.physics
    broken = body.replace(qvel=body.qvel.at[0, 3].set(jnp.nan))
    state, last = step_and_reset(
        start.replace(pipeline_state=start.pipeline_state.replace(physics=broken)), resting(env)
    )
    assert state.done[0] == 1 and state.info["truncation"][0] == 0
    for leaf in jax.tree.leaves((state, last)):
        assert np.isfinite(np.asarray(leaf)).all()


def test_auto_reset_draws_anew_and_keeps_the_last_observation(env, start, step_and_reset):
    state, phases = start, []
    for i in range(2 * PARAMS.custom_max_episode_steps):
        before = state
        state, last = step_and_reset(state, resting(env))
        ended = np.asarray(state.done) == 1
        if ended.any():
            np.testing.assert_array_equal(np.asarray(state.pipeline_state.step)[ended], 0)
            assert np.abs(np.asarray(last)[ended] - np.asarray(state.obs)[ended]).max() > 0.01
            phases.append(np.asarray(state.pipeline_state.phase)[ended])
        same = ~ended
        np.testing.assert_array_equal(np.asarray(last)[same], np.asarray(state.obs)[same])
        assert i or not np.array_equal(before.obs, state.obs)
    phases = np.concatenate(phases)
    assert len(phases) >= 2 * B and len(np.unique(phases)) == len(phases)


def test_the_key_repeats_an_episode(env, reset, step):
    keys = jax.random.split(jax.random.PRNGKey(5), B)
    first, second = (step(reset(keys), resting(env)) for _ in range(2))
    np.testing.assert_array_equal(first.obs, second.obs)


def test_brax_wrappers_run_on_it(env):
    wrapped = VmapWrapper(EpisodeWrapper(env, episode_length=3, action_repeat=1))
    state = jax.jit(wrapped.reset)(jax.random.split(jax.random.PRNGKey(0), B))
    state = jax.jit(wrapped.step)(state, resting(env))
    assert state.obs.shape == (B, env.observation_size) and state.reward.shape == (B,)


def test_a_misspelt_observation_names_the_nearest(reduced, gait):
    params = dataclasses.replace(PARAMS, observation_joint_pos_keys=("knee_angel_r",))
    with pytest.raises(UserError, match=r"knee_angel_r.*knee_angle_r"):
        AssistEnv(params, reduced, gait)
