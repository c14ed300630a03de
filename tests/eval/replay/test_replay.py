"""Replay against the training env, against Newton, and against the full model's own constraints."""

import dataclasses

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest

from mjx_assist.config.words import MODEL_KINDS, VELOCITY_MODES
from mjx_assist.errors import UserError
from mjx_assist.eval.replay.replay import replay
from mjx_assist.eval.replay.tape import Tape, passive_tension
from mjx_assist.eval.replay.walker import Walker
from mjx_assist.reference import cycle
from mjx_assist.sim import action, command
from mjx_assist.sim.env import AssistEnv


def start(walker, bundle, phase=0.1, speed=1.25):
    qpos, qvel, _ = cycle.sample(bundle.gait, phase, speed)
    walker.reset(qpos, qvel, 0.1)
    return qpos, qvel


def sampled(walker, bundle):
    """The record's fields of the walker's present state alone."""
    tape = Tape(walker)
    tape.add(np.zeros(len(walker.actuator_names)), 1.25, 0.0)
    return tape.columns(bundle.gait)


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
    record = replay(bundle, steps=11, seed=seed)
    uniform = np.random.default_rng(seed).uniform(size=command.N_LEVELS + 3)
    state = env.reset(jax.random.PRNGKey(0))
    walker = state.pipeline_state
    wish = command.sample(env.command_range, jnp.asarray(uniform[1:]), jnp)
    first = float(command.target_velocity(wish, 0.0))
    qpos, qvel, _ = cycle.sample(env.gait, uniform[0], first)
    physics = walker.physics.replace(qpos=jnp.float32(qpos), qvel=jnp.float32(qvel))
    walker = walker.replace(physics=physics, phase=jnp.float32(uniform[0]), command=wish)
    state = state.replace(pipeline_state=walker, obs=env.observe(walker, first)[1])
    for i in range(10):
        state = step(state, jnp.asarray(bundle.policy.act(np.asarray(state.obs, float))))
        sample = 8 * (i + 1)  # 240 Hz physics, 30 Hz control
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
        np.testing.assert_allclose(load, walker.state().sensordata[walker._loads.columns], atol=1e-6)
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
    np.testing.assert_array_equal(walker.device_torque(), 0.0)
    push = neutral.copy()
    push[~walker.muscle] = -0.3  # of 100 N*m, plantarflexion
    walker.step(push)
    moment = dict(zip(walker.joint_names, sampled(walker, untrained_bundle)["device_moment"][0], strict=True))
    np.testing.assert_allclose(walker.device_torque(), -30.0)
    assert moment.pop("ankle_angle_r") == pytest.approx(-30.0)
    assert moment.pop("ankle_angle_l") == pytest.approx(-30.0)
    assert all(abs(x) < 1e-9 for x in moment.values())


def test_of_two_motors_on_one_joint_each_tells_its_own_torque(untrained_bundle):
    """Each motor counted twice: the joint gets both torques, a figure that adds them up finds that and no more."""
    walker = Walker(untrained_bundle, "full")
    start(walker, untrained_bundle)
    control = action.to_control(spec := action.make_action_spec(walker.reduced), spec.neutral)
    control[~walker.muscle] = -0.3  # of 100 N*m
    walker.step(control)
    walker._device_ids = np.repeat(walker._device_ids, 2)
    walker.device_joints = tuple(np.repeat(walker.device_joints, 2))
    columns = sampled(walker, untrained_bundle)
    np.testing.assert_allclose(walker.device_torque(), -30.0)
    np.testing.assert_allclose(columns["device_torque"][0], [-30.0] * 4)
    np.testing.assert_allclose(columns["device_moment"][0, walker.joint_names.index("ankle_angle_r")], -60.0)


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


@pytest.mark.parametrize("cone", [mujoco.mjtCone.mjCONE_PYRAMIDAL, mujoco.mjtCone.mjCONE_ELLIPTIC])
@pytest.mark.parametrize("kind", ["reduced", "full"])
def test_contacts_of_a_whole_tape_are_what_mujoco_says_one_by_one(untrained_bundle, kind, cone):
    """Forces, and moments about the world's origin, summed over mj_contactForce; turning friction included."""
    walker = Walker(untrained_bundle, kind)
    m, d = walker.model, walker.data
    m.opt.cone = cone
    m.geom_condim[:] = np.where(np.arange(m.ngeom) % 2, 4, 1)  # the larger one counts; some contacts have torsion
    start(walker, untrained_bundle)
    tape, expected = walker.contact_tape(), []
    for _ in range(round(0.2 / m.opt.timestep)):
        walker.step(np.where(walker.muscle, 0.1, 0.0))
        tape.add(d)
        expected.append(contacts_one_by_one(walker))
    force, moment = np.array(expected).transpose(1, 0, 2, 3)
    got = tape.decode()
    np.testing.assert_allclose(got.force, force, atol=1e-9)
    loaded = force[..., 2] > 0
    assert loaded.any(0).all() and not loaded.all()
    assert np.isnan(got.center_of_pressure[~loaded]).all()
    arm, f = got.center_of_pressure[loaded], force[loaded]
    about_origin = np.cross(arm, f) + [0.0, 0.0, 1.0] * got.free_moment[loaded][:, None]
    np.testing.assert_allclose(about_origin, moment[loaded], atol=1e-8)


def contacts_one_by_one(walker):
    """([2, 3] force N, [2, 3] moment N*m about the origin) on each foot, contact by contact."""
    m, d = walker.model, walker.data
    force, moment, wrench = np.zeros((2, 3)), np.zeros((2, 3)), np.zeros(6)
    for i, contact in enumerate(d.contact):
        bodies = [m.body(m.geom_bodyid[g]).name for g in (contact.geom1, contact.geom2)]
        mujoco.mj_contactForce(m, d, i, wrench)
        if "world" not in bodies or contact.efc_address < 0:
            continue
        name = bodies[1 - bodies.index("world")]
        side = 0 if name.endswith("_r") else 1
        sign = 1.0 if bodies[0] == "world" else -1.0
        axes = contact.frame.reshape(3, 3)
        force[side] += sign * axes.T @ wrench[:3]
        moment[side] += sign * (axes.T @ wrench[3:] + np.cross(contact.pos, axes.T @ wrench[:3]))
    return force, moment


def test_passive_tension_is_mujocos_muscle_bias(untrained_bundle):
    walker = Walker(untrained_bundle)
    m, ids = walker.model, walker.muscle_ids
    span = m.actuator_lengthrange[ids]
    length = np.linspace(0.7, 1.6, 50)[:, None] * span.mean(1)  # slack, quadratic and straight
    expected = [
        [
            -mujoco.mju_muscleBias(x, m.actuator_lengthrange[i], m.actuator_acc0[i], m.actuator_biasprm[i, :9])
            for x, i in zip(row, ids, strict=True)
        ]
        for row in length
    ]
    got = passive_tension(m, ids, length)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-9)
    assert (got == 0.0).any() and got.max() > 1000.0


@pytest.mark.parametrize("kind", MODEL_KINDS)
def test_recorded_moments_add_up_to_the_equation_of_motion(untrained_bundle, kind):
    """M qacc + bias = actuators + passive + J'f: what the record calls passive is neither muscle, device nor ground;
    summed over the coordinates that follow one joint, as virtual work does."""
    walker = Walker(untrained_bundle, kind)
    start(walker, untrained_bundle)
    m, d = walker.model, walker.data
    for _ in range(round(0.15 / m.opt.timestep)):
        walker.step(np.where(walker.muscle, 0.1, 0.05))
    fields = sampled(walker, untrained_bundle)
    contact = np.zeros(m.nv)
    jacp = np.zeros((3, m.nv))
    wrench = np.zeros(6)
    for i, c in enumerate(d.contact):
        mujoco.mj_contactForce(m, d, i, wrench)
        for geom, sign in ((c.geom1, -1.0), (c.geom2, 1.0)):
            mujoco.mj_jac(m, d, jacp, None, c.pos, m.geom_bodyid[geom])
            contact += sign * jacp.T @ (c.frame.reshape(3, 3).T @ wrench[:3])
    inertial = np.zeros(m.nv)
    mujoco.mj_mulM(m, d, inertial, d.qacc)
    total = inertial + d.qfrc_bias - contact
    expected = walker.to_reduced(fields["qpos"][0], total)
    scale = np.abs(fields["joint_moment"]).max()
    np.testing.assert_allclose(fields["joint_moment"][0] + fields["passive_moment"][0], expected, atol=1e-3 * scale)
