"""Conditions of a walk do what they say: against Newton, closed forms, and the training env step by step."""

import dataclasses
import math
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest

from mjx_assist.curriculum.settings import Randomization
from mjx_assist.eval.replay.conditions import Conditions, constant, fixed
from mjx_assist.eval.replay.contact import ContactTape
from mjx_assist.eval.replay.walk import Walk
from mjx_assist.eval.replay.walker import Walker
from mjx_assist.reference.cycle import sample
from mjx_assist.sim import action
from mjx_assist.sim.env import AssistEnv

SLOPE = math.tan(math.radians(5.0))


def momentum(walker):
    """Of the whole body, forward, N*s."""
    mujoco.mj_forward(walker.model, walker.data)
    mujoco.mj_subtreeVel(walker.model, walker.data)
    return walker.data.subtree_linvel[1, 0] * walker.body_mass


@pytest.mark.parametrize("kind", ["reduced", pytest.param("full", marks=pytest.mark.slow)])
def test_a_push_in_flight_changes_momentum_by_its_impulse(untrained_bundle, kind):
    """High above the ground nothing else pushes forward; against the same flight without (which drifts by 0.3 N*s)."""
    flights = []
    for push in (None, (20.0, 0.1)):  # one begins when the other ends
        session, flight = Walk(untrained_bundle, kind, conditions=Conditions(push=push)), []
        session.walker.data.qpos[session.walker._height] += 50.0
        for _ in range(9):  # 0.1 s without, 0.2 s with
            session.step()
            flight.append(momentum(session.walker))
        flights.append(np.array(flight))
    gained = flights[1] - flights[0]
    assert gained[2] == pytest.approx(0.0, abs=1e-9)
    assert gained[5] == pytest.approx(10.0, rel=0.03)
    assert gained[8] == pytest.approx(20.0, rel=0.03)


def test_mass_strength_and_friction_are_the_models_times_the_factor(untrained_bundle):
    session = Walk(untrained_bundle, conditions=Conditions(randomization=fixed(body_mass=1.1, friction=0.5)))
    plain = Walk(untrained_bundle)
    assert session.walker.body_mass == pytest.approx(1.1 * plain.walker.body_mass)
    np.testing.assert_allclose(session.walker.model.pair_friction, 0.5 * plain.walker.model.pair_friction)
    weak = Walk(untrained_bundle, conditions=Conditions(randomization=fixed(strength=0.7)))
    forces = []
    for session in (plain, weak):
        session.walker.data.qvel[:] = 0.0
        mujoco.mj_forward(session.walker.model, session.walker.data)
        forces.append(session.walker.data.actuator_force[session.walker.muscle_ids])
    np.testing.assert_allclose(forces[1], 0.7 * forces[0], rtol=1e-6)


def test_a_rigid_block_on_a_slope_is_borne_by_its_weight_below_its_centre():
    """Statics: friction holds it, so the ground reacts straight up; two feet apart share it as the lever says."""
    model = mujoco.MjModel.from_xml_string(
        f"""<mujoco><worldbody>
        <geom name="floor" type="plane" size="0 0 1" euler="0 {-5.0} 0" friction="1"/>
        <body name="block" euler="0 -5 0" pos="20 0 {20 * SLOPE + 0.3}"><freejoint/>
          <inertial mass="10" pos="0.05 0 0.2" diaginertia="0.2 0.2 0.2"/>
          <geom type="sphere" size="0.05" pos="-0.2 -0.1 0"/><geom type="sphere" size="0.05" pos="-0.2 0.1 0"/>
          <geom type="sphere" size="0.05" pos="0.2 -0.1 0"/><geom type="sphere" size="0.05" pos="0.2 0.1 0"/>
        </body></worldbody></mujoco>"""
    )
    data = mujoco.MjData(model)
    for _ in range(3000):
        mujoco.mj_step(model, data)
    segment = np.array([-1, 0, 0, 0, 0])  # all of it the right foot
    tape = ContactTape(model, 0, segment, lambda x, y: SLOPE * x)
    tape.add(data)
    found = tape.decode().sample(0)
    np.testing.assert_allclose(found.force[0], [0, 0, 10 * 9.81], atol=0.2)
    center = found.center_of_pressure[0]
    assert center[0] == pytest.approx(data.subtree_com[1, 0], abs=2e-3)
    assert center[2] == pytest.approx(SLOPE * center[0], abs=2e-3)


def test_height_is_over_the_slope_and_the_start_stands_on_it(untrained_bundle):
    level = Walk(untrained_bundle, seed=1)
    tilted = Walk(untrained_bundle, seed=1, conditions=Conditions(randomization=fixed(slope=SLOPE)))
    assert tilted.walker.height() == pytest.approx(level.walker.height(), abs=0.03)
    walker = tilted.walker
    walker.data.qpos[walker._forward] += 10.0
    assert walker.height() == pytest.approx(tilted.walker.data.qpos[walker._height] + 0.0 - 10 * SLOPE, abs=0.2)
    for ahead in (0.0, 0.7, 3.0):  # the model's own floor, found by a ray from above
        start = np.array([walker.data.qpos[walker._forward] + ahead, 0.0, 50.0])
        mujoco.mj_forward(walker.model, walker.data)
        hit = np.zeros(1, np.int32)
        groups = np.ones(6, np.uint8)
        distance = mujoco.mj_ray(walker.model, walker.data, start, np.array([0.0, 0, -1]), groups, 1, 1, hit)
        if walker.model.geom(hit[0]).name == "floor":
            assert 50.0 - distance == pytest.approx(walker.ground(ahead), abs=1e-6)


def test_every_seed_walks_another_rough_ground_and_the_same_again(untrained_bundle):
    rough = Conditions(terrain_type="random", terrain_params="0.06")
    session = Walk(untrained_bundle, conditions=rough)

    def heights(seed):
        session.reset(seed)
        return session.walker.ground_at(np.linspace(5, 20, 50), np.zeros(50))

    first, other, again = heights(0), heights(1), heights(0)
    assert np.ptp(first) > 0.03 and first.min() >= 0 and first.max() <= 0.06
    assert np.abs(first - other).max() > 0.02
    np.testing.assert_array_equal(first, again)


def test_the_command_is_the_one_asked_for(untrained_bundle):
    session = Walk(untrained_bundle, conditions=Conditions(command=constant(0.9)))
    assert {session.commanded(t) for t in (0.0, 3.0)} == {0.9}


def test_conditions_are_the_training_envs_step_by_step(untrained_bundle, reduced):
    """Everything at once: slope and rough ground, body, device path, delayed senses, pushes, heights ahead. From the
    numbers that the env has drawn replay makes the same episode, start pose, observations and states."""
    asked = fixed(
        slope=0.05,
        body_mass=1.1,
        strength=0.9,
        friction=0.7,
        ground_stiffness=1.2,
        joint_damping=1.5,
        device_gain=0.8,
        device_delay=0.05,
        device_bandwidth=5.0,
        device_off=1.0,
        device_off_time=0.2,
        observation_delay=0.04,
        push_impulse=15.0,
        push_interval=0.1,
    )
    ground = {"terrain_type": "random", "terrain_params": "0.05"}
    params = dataclasses.replace(
        untrained_bundle.config.env_params,
        backend="mujoco",
        randomization=asked,
        terrain_observation=(0.3, 0.9),
        device_torque_limit=0.9,
        out_of_trajectory_threshold=9.0,
        **ground,
    )
    env = AssistEnv(params, reduced, untrained_bundle.gait)
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1.0, -0.2, (10, env.action_size))
    state = env.reset(jax.random.PRNGKey(3))
    walker = jax.tree.map(np.asarray, state.pipeline_state)

    seen = []

    def act(obs):
        seen.append(obs)
        return actions[len(seen) - 1]

    bundle = dataclasses.replace(
        untrained_bundle,
        config=dataclasses.replace(untrained_bundle.config, env_params=params),
        observation=env.observation_spec,
        policy=SimpleNamespace(act=act, heads=(), mean=np.zeros(0)),
    )
    session = Walk(bundle, conditions=Conditions(randomization=asked, **ground))
    drawn = {name: np.asarray(x, float) for name, x in env._uniform(_episode_key(3)).items()}
    session._episode = session._rules.sample({}, (), drawn)
    for mine, theirs in zip(
        jax.tree.leaves(session._episode.variation), jax.tree.leaves(walker.episode.variation), strict=True
    ):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)
    session.walker.vary(session._episode.variation)
    session._command, session.phase = walker.command, float(walker.phase)
    speed = np.asarray(session.commanded(0.0))
    qpos, qvel, _ = sample(untrained_bundle.gait, session.phase, speed)
    qpos, qvel = session._rules.on_ground(session._episode, qpos, qvel, np.asarray(session.phase), speed)
    np.testing.assert_allclose(qpos, walker.physics.qpos, atol=2e-5)
    np.testing.assert_allclose(qvel, walker.physics.qvel, atol=2e-4)
    session.walker.reset(qpos, qvel, action.INITIAL_ACTIVATION)
    step = jax.jit(env.step)
    for number in range(10):
        before = np.asarray(state.obs)
        state = step(state, jnp.float32(actions[number]))
        session.step()
        np.testing.assert_allclose(seen[number], before, atol=5e-4)
        np.testing.assert_allclose(session.walker.data.qpos, state.pipeline_state.physics.qpos, atol=3e-4)
    assert np.ptp([x[-1] for x in seen]) > 0  # the ground ahead changes


def _episode_key(seed: int):
    """The key from which `AssistEnv.reset` draws an episode's conditions."""
    return jax.random.fold_in(jax.random.split(jax.random.PRNGKey(seed))[1], 1)


def test_the_grounds_own_slope_adds_to_the_randomized_one(untrained_bundle):
    tilted = Conditions(terrain_type="slope", terrain_params="0.1", randomization=fixed(slope=0.02))
    assert Walk(untrained_bundle, conditions=tilted).walker.stands_on.slope == pytest.approx(0.12)


def test_segments_of_the_full_model_weigh_what_the_reduced_ones_they_are_part_of_do(untrained_bundle):
    """Randomized by reduced segment, as in training: the full model's bodies change by the same factors."""
    walkers = {}
    for kind in ("reduced", "full"):
        plain = Walker(untrained_bundle, kind).model.body_mass.copy()
        uneven = Conditions(randomization=Randomization(segment_mass=(0.5, 1.5), strength=(0.5, 0.5)))
        session = Walk(untrained_bundle, kind, seed=4, conditions=uneven)
        model = session.walker.model
        walkers[kind] = model, model.body_mass / np.where(plain > 0, plain, 1.0)
    (reduced, factor), (full, found) = walkers["reduced"], walkers["full"]
    assert np.ptp(factor[1:]) > 0.5
    for body in range(1, reduced.nbody):
        same = full.body(reduced.body(body).name).id
        if full.body_mass[same] == 0.0:  # a frame
            continue
        assert found[same] == pytest.approx(factor[body], rel=1e-9), reduced.body(body).name
    assert full.body_mass.sum() == pytest.approx(reduced.body_mass.sum(), rel=1e-6)


def test_walker_on_a_slope_loses_height_for_its_gravity_component(untrained_bundle):
    """A body that slides without friction down a plane gains speed at g sin(a) cos(a) forward."""
    slippery = fixed(slope=-SLOPE, friction=1e-4)
    session = Walk(untrained_bundle, conditions=Conditions(randomization=slippery))
    walker, model = session.walker, session.walker.model
    qpos, qvel, _ = sample(untrained_bundle.gait, 0.1, 1.25)
    model.dof_damping[3:] = 1e3  # nearly rigid: it slides as a block
    for joint in range(model.njnt):
        if model.joint(joint).name == "pelvis_tilt":
            model.dof_damping[joint] = 1e5
    walker.reset(qpos, 0.0 * qvel, 0.01)
    start = momentum(walker)
    impulse = 0.0
    for _ in range(round(0.2 / model.opt.timestep)):
        walker.step(np.where(walker.muscle, 0.01, 0.0))
        force = walker.contact_forces()[0].sum(0)
        impulse += force[0] * model.opt.timestep
        if force[2] > 1.0:  # without friction the ground pushes along its normal
            assert force[0] / force[2] == pytest.approx(SLOPE, rel=0.02)
    assert momentum(walker) - start == pytest.approx(impulse, rel=0.05, abs=0.5)
    assert Walker(untrained_bundle).stands_on.slope == 0.0
