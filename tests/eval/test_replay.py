"""Replay against the training env, against Newton, and against the full model's own constraints."""

import dataclasses

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest

from mjx_assist.config import VELOCITY_MODES
from mjx_assist.errors import UserError
from mjx_assist.eval.replay import replay
from mjx_assist.eval.walker import MODEL_KINDS, Walker
from mjx_assist.sim import action, command, reference
from mjx_assist.sim.env import AssistEnv


def start(walker, bundle, phase=0.1, speed=1.25):
    qpos, qvel, _ = reference.sample(bundle.gait, phase, speed)
    walker.reset(qpos, qvel, 0.1)
    return qpos, qvel


@pytest.mark.parametrize("mode", VELOCITY_MODES)
def test_replay_is_the_training_env_without_jax(untrained_bundle, reduced, mode):
    """The same 10 control steps: command, observation, action mapping, physics, gait clock."""
    quick = {"min_target_velocity_period": 0.1, "max_target_velocity_period": 0.2}
    params = dataclasses.replace(
        untrained_bundle.config.env_params,
        backend="mujoco",
        velocity_mode=mode,
        min_target_velocity=0.9,
        max_target_velocity=1.6,
        **quick,
    )
    bundle = dataclasses.replace(
        untrained_bundle, config=dataclasses.replace(untrained_bundle.config, env_params=params)
    )
    env = AssistEnv(params, reduced, bundle.gait)
    step = jax.jit(env.step)
    seed = 3
    record = replay(bundle, steps=10, seed=seed)
    uniform = np.random.default_rng(seed).uniform(size=command.N_LEVELS + 3)
    state = env.reset(jax.random.PRNGKey(0))
    walker = state.pipeline_state
    wish = command.draw(env.command_range, jnp.asarray(uniform[1:]), jnp)
    first = float(command.target_velocity(env.command_range, wish, 0.0))
    qpos, qvel, _ = reference.sample(env.gait, uniform[0], first)
    physics = walker.physics.replace(qpos=jnp.float32(qpos), qvel=jnp.float32(qvel))
    walker = walker.replace(physics=physics, phase=jnp.float32(uniform[0]), command=wish)
    state = state.replace(pipeline_state=walker, obs=env._observe(walker, first))
    for i in range(10):
        state = step(state, jnp.asarray(bundle.policy.act(np.asarray(state.obs, float))))
        sample = 8 * i + 7  # 240 Hz physics, 30 Hz control
        body = state.pipeline_state.physics
        np.testing.assert_allclose(record.qpos[sample, 1:], body.qpos[1:], atol=2e-4)
        np.testing.assert_allclose(record.activation[sample], body.act, atol=1e-4)
        assert record.phase[sample] == pytest.approx(float(state.pipeline_state.phase), abs=1e-5)
    assert record.control_dt == pytest.approx(1 / 30)
    assert mode == "UNIFORM" or np.ptp(record.target_velocity) > 0.1


@pytest.mark.parametrize("kind", MODEL_KINDS)
def test_ground_reaction_changes_momentum_as_newton_says(untrained_bundle, kind):
    walker = Walker(untrained_bundle, kind)
    start(walker, untrained_bundle)
    control = np.full(len(walker.actuator_names), 0.1)
    control[~walker.muscle] = 0.0
    m, d = walker.model, walker.data

    def momentum():
        mujoco.mj_forward(m, d)
        mujoco.mj_subtreeVel(m, d)
        return d.subtree_linvel[0] * m.body_subtreemass[0]

    before, impulse = momentum().copy(), np.zeros(3)
    for _ in range(round(0.1 / m.opt.timestep)):
        walker.step(control)
        impulse += walker.contact_forces()[0].sum(0) * m.opt.timestep
    weight = m.body_subtreemass[0] * 9.81 * d.time
    change = momentum() - before
    assert impulse[2] > 0.2 * weight  # the feet do bear load, and upwards
    assert impulse[2] - weight == pytest.approx(change[2], abs=0.03 * weight)
    assert impulse[0] == pytest.approx(change[0], abs=0.03 * weight)


def test_contact_loads_are_what_the_touch_sensors_feel(untrained_bundle):
    walker = Walker(untrained_bundle)
    start(walker, untrained_bundle)
    seen = 0.0
    for _ in range(60):
        walker.step(np.where(walker.muscle, 0.1, 0.0))
        load = walker.contact_forces()[1]
        np.testing.assert_allclose(load, walker.state().sensordata[walker._loads], atol=1e-6)
        seen = max(seen, load.max())
    assert seen > 100.0


def test_full_model_starts_with_its_couplings_satisfied(untrained_bundle):
    walker = Walker(untrained_bundle, "full")
    qpos, _ = start(walker, untrained_bundle, phase=0.7)
    mujoco.mj_forward(walker.model, walker.data)
    equality = walker.data.efc_type == mujoco.mjtConstraint.mjCNSTR_EQUALITY
    assert equality.sum() == 28
    assert np.abs(walker.data.efc_pos[equality]).max() < 1e-6
    np.testing.assert_allclose(walker.state().qpos, qpos, atol=1e-12)


@pytest.mark.parametrize("kind", ["reduced", "full"])
def test_device_moment_is_its_torque_and_nothing_at_zero_action(untrained_bundle, kind):
    walker = Walker(untrained_bundle, kind)
    start(walker, untrained_bundle)
    spec = action.make_action_spec(walker.reduced)
    neutral = action.to_control(spec, spec.neutral)
    walker.step(neutral)
    np.testing.assert_array_equal(walker.joint_moments()[1], 0.0)
    push = neutral.copy()
    push[~walker.muscle] = -0.3  # of 100 N*m, plantarflexion
    walker.step(push)
    moment = dict(zip(walker.joint_names, walker.joint_moments()[1], strict=True))
    assert moment.pop("ankle_angle_r") == pytest.approx(-30.0)
    assert moment.pop("ankle_angle_l") == pytest.approx(-30.0)
    assert all(abs(x) < 1e-9 for x in moment.values())


def test_a_fall_ends_the_episode_and_is_said(untrained_bundle):
    record = replay(untrained_bundle, steps=300, seed=0)
    assert record.fell and record.time[-1] < 5.0
    height = record.joint_names.index("pelvis_ty")
    assert record.qpos[-1, height] < 0.7 + 0.02


def test_the_seed_repeats_an_episode(untrained_bundle):
    first, again, other = (replay(untrained_bundle, steps=5, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.qpos, again.qpos)
    assert np.abs(first.qpos[0] - other.qpos[0]).max() > 0.01


def test_unknown_model_kind_is_named(untrained_bundle):
    with pytest.raises(UserError, match="composed"):
        Walker(untrained_bundle, "reduce")
