"""What a control step costs: the env's metabolic power against the analysis of a record, the motors' by hand."""

import dataclasses
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest

from mjx_assist.config.rewards import RewardWeights
from mjx_assist.config.schema import EnvParams
from mjx_assist.errors import UserError
from mjx_assist.eval.gait.metabolics import muscle_power
from mjx_assist.eval.replay.tape import Tape
from mjx_assist.eval.replay.walk import Walk
from mjx_assist.model.muscles.energy import power_of_state, slow_twitch
from mjx_assist.model.muscles.fibres import fibres
from mjx_assist.model.names import is_muscle
from mjx_assist.sim.device import drive
from mjx_assist.sim.effort import Effort
from mjx_assist.sim.env import AssistEnv

PAID = RewardWeights(metabolic_power_penalty=1.0, device_power_penalty=1.0, device_torque_rate_penalty=1.0)
PARAMS = EnvParams(backend="mujoco", num_envs=1, reward_keys_and_weights=PAID, out_of_trajectory_threshold=9.0)
STEPS = 8


@pytest.fixture(scope="module")
def walked(untrained_bundle, reduced):
    """A walk of random actions in replay, at every physics step, and the same control steps in the env:
    (session, record, env, states)."""
    bundle = dataclasses.replace(
        untrained_bundle, config=dataclasses.replace(untrained_bundle.config, env_params=PARAMS)
    )
    env = AssistEnv(PARAMS, reduced, bundle.gait)
    actions = np.random.default_rng(0).uniform(-1.0, 0.3, (STEPS, env.action_size))
    actions[:, ~np.asarray(env.action_spec.muscle)] *= -1
    taken = iter(actions)
    bundle = dataclasses.replace(
        bundle, policy=SimpleNamespace(act=lambda obs: next(taken), heads=(), mean=np.zeros(0))
    )
    session = Walk(bundle, seed=1, record_rate=PARAMS.physics_sim_framerate)
    state = env.reset(jax.random.PRNGKey(0))
    walker = state.pipeline_state
    begun = session.walker.data
    body = env.physics.start(jnp.float32(begun.qpos), jnp.float32(begun.qvel), jnp.float32(begun.act))
    state = state.replace(pipeline_state=walker.replace(physics=body))
    tape, step, states = Tape(session.walker), jax.jit(env.step), []
    for action in actions:
        session.step(tape)
        state = step(state, jnp.float32(action))
        states.append(jax.device_get(state))
    return session, session.record(tape), env, states


def test_the_reward_pays_what_the_analysis_of_the_record_says(walked):
    """At the last physics step of each control step, to what the smooth switches change: 2 %."""
    _, record, env, states = walked
    last = slice(env.physics.n_substeps - 1, None, env.physics.n_substeps)
    expected = muscle_power(record)["umberger2010"].sum(axis=1)[last] / record.person_mass
    paid = [-state.metrics["metabolic_power_penalty"] / env.dt for state in states]
    assert np.min(expected) > 1.0 and np.ptp(expected) > 1.0
    np.testing.assert_allclose(paid, expected, rtol=0.02)


def test_jax_and_numpy_find_the_same_power_of_a_record(walked):
    session, record, _, _ = walked
    model = session.walker.model
    of = fibres(model, np.flatnonzero(is_muscle(model))), slow_twitch(record.muscle_names)
    state = record.excitation, record.activation, record.muscle_length, record.muscle_velocity
    numpy = power_of_state(*of, *state)
    np.testing.assert_allclose(power_of_state(*of, *map(jnp.float32, state), xp=jnp), numpy, rtol=2e-4)
    exact = muscle_power(record)["umberger2010"]
    np.testing.assert_allclose(power_of_state(*of, *state, smooth=False), exact, rtol=1e-6, atol=1e-9)
    assert numpy.sum() == pytest.approx(exact.sum(), rel=0.01)
    np.testing.assert_allclose(power_of_state(*of, *state, strength=2.0), 2 * numpy, rtol=1e-9)


def test_the_devices_price_is_its_motors(walked):
    """Torque is the moment that MuJoCo finds about the ankle; copper loss, power and rate of it by hand."""
    _, record, env, states = walked
    last = slice(env.physics.n_substeps - 1, None, env.physics.n_substeps)
    torque = record.device_torque[last]
    assert np.abs(torque).max() > 20
    motor, ankles = drive.drive_of("Tutorial_L1"), [record.joint_names.index(j) for j in record.device_joints]
    before = np.zeros(2)
    for now, state in zip(torque, states, strict=True):
        power = now * state.pipeline_state.physics.qvel[ankles]
        loss = (now / motor.gear / motor.torque_constant_nm_per_a) ** 2 * motor.winding_resistance_ohm
        watt = np.maximum(power + loss, 0).sum() + 10 * np.maximum(np.abs(power) - motor.power_w, 0).sum()
        paid = -state.metrics["device_power_penalty"] / env.dt
        assert paid == pytest.approx(watt / record.person_mass, rel=1e-3, abs=1e-4)
        rate = (((now - before) / env.dt / motor.torque_rate_nm_per_s) ** 2).sum()
        assert -state.metrics["device_torque_rate_penalty"] / env.dt == pytest.approx(rate, rel=1e-3, abs=1e-5)
        before = now


@pytest.mark.parametrize("device", sorted(drive.drives()))
def test_every_motors_data_are_a_motors(device):
    """Held torque costs its copper loss, braking pays nothing back, and every number has a source."""
    motor = drive.drives()[device]
    still = drive.power_cost(motor, np.array([10.0, 0.0]), np.zeros(2))
    assert still == pytest.approx(
        (10 / motor.gear / motor.torque_constant_nm_per_a) ** 2 * motor.winding_resistance_ohm
    )
    assert drive.power_cost(motor, np.array([1.0]), np.array([-1.0])) == 0
    over = 2 * motor.power_w
    assert drive.power_cost(motor, np.array([-1.0]), np.array([over])) == pytest.approx(10 * motor.power_w)
    assert motor.source and min(value for value in vars(motor).values() if not isinstance(value, str)) > 0


def test_a_device_without_motor_data_takes_the_defaults_and_says_so(reduced, capsys):
    drive.drive_of.cache_clear()
    effort = Effort(reduced.model, PARAMS)
    assert "'Tutorial_L1' has no motor data" in capsys.readouterr().err
    assert effort._drive == drive.drives()["default"]
    Effort(reduced.model, dataclasses.replace(PARAMS, reward_keys_and_weights=RewardWeights()))
    assert not capsys.readouterr().err


def test_a_servos_power_is_refused_and_else_not_told(servo):
    with pytest.raises(UserError, match=r"device_torque_rate_penalty.*no motor.*servo"):
        Effort(servo, PARAMS)
    unpaid = Effort(servo, dataclasses.replace(PARAMS, reward_keys_and_weights=RewardWeights()))
    body = SimpleNamespace(qpos=np.zeros(servo.nq), qvel=np.zeros(servo.nv))
    torque = unpaid.device_torque(body, np.zeros(servo.nu))
    assert np.isnan(torque).all() and np.isnan(unpaid.device_power(body, torque))


def test_who_wears_no_device_pays_nothing_for_it(reduced):
    spec = mujoco.MjSpec.from_string(reduced.xml)
    for actuator in [a for a in spec.actuators if a.dyntype != mujoco.mjtDyn.mjDYN_MUSCLE]:
        spec.delete(actuator)
    bare = spec.compile()
    effort, body = Effort(bare, PARAMS), SimpleNamespace(qpos=np.zeros(bare.nq), qvel=np.zeros(bare.nv))
    torque = effort.device_torque(body, np.zeros(bare.nu))
    assert torque.shape == (0,) and effort.device_power(body, torque) == 0
    assert effort.device_rate(torque, None, 0.1) == 0


@pytest.fixture
def servo(reduced):
    """The reduced model with servos in the place of its device's motors."""
    spec = mujoco.MjSpec.from_string(reduced.xml)
    for actuator in spec.actuators:
        if actuator.dyntype != mujoco.mjtDyn.mjDYN_MUSCLE:
            actuator.set_to_position(kp=10.0)
    return spec.compile()
