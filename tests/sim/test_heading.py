"""A walk along a commanded heading: the frame in closed form, against SciPy's rotations, and in the env on MuJoCo."""

import dataclasses
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mjx_assist.config.rewards import RewardWeights
from mjx_assist.config.schema import EnvParams
from mjx_assist.curriculum.settings import Randomization
from mjx_assist.errors import UserError
from mjx_assist.model import anatomy
from mjx_assist.model.names import joint_mirror_signs, joint_names, mirror
from mjx_assist.model.reduction import reduce_model
from mjx_assist.reference import cycle
from mjx_assist.sim import command, course, heading
from mjx_assist.sim.env import AssistEnv
from mjx_assist.sim.heading import Frame

ROOT = heading.Root(0, 1, 2, 3, 4)
ANGLES = (-2.5, 0.7)  # rad
PARAMS = EnvParams(
    msk_key="myolegs26",
    device_key=None,
    backend="mujoco",
    num_threads=1,
    num_envs=1 + len(ANGLES),
    min_heading_rate=-0.5,
    max_heading_rate=0.5,
    observation_joint_pos_keys=("*hip_flexion_?", "pelvis_t?", "pelvis_tilt", "pelvis_list", "pelvis_rotation"),
    observation_joint_vel_keys=("*hip_flexion_?", "pelvis_*"),
    out_of_trajectory_threshold=0.5,
    reward_keys_and_weights=RewardWeights(
        forward_reward=1.0,
        end_effector_imitation_reward=1.0,
        foot_tracking_reward=1.0,
        qpos_imitation_rewards={"pelvis_*": 0.3, "*hip_flexion_?": 0.3},
        qvel_imitation_rewards={"pelvis_*": 0.1},
        pose_tracking_rewards={"pelvis_*": 0.5},
    ),
)


def states(count=200):
    """World coordinates and velocities, and the same of the straight walk, by SciPy."""
    rng = np.random.default_rng(0)
    straight, motion = rng.uniform(-0.6, 0.6, (count, 6)), rng.normal(size=(count, 6))
    yaw, rate = rng.uniform(-8, 8, count), rng.normal(size=count)
    frame = Frame(yaw, straight[:, 0], straight[:, 1])
    world = straight.copy()
    world[:, 2:5] = turned(straight, yaw)
    dt = 1e-5
    before, after = (turned(straight + s * dt * motion, yaw + s * dt * rate) for s in (-0.5, 0.5))
    velocity = motion.copy()
    velocity[:, 2:5] = np.angle(np.exp(1j * (after - before))) / dt
    along = np.stack([motion[:, 0], 0 * yaw, motion[:, 1]], axis=1)  # OpenSim's x, y up, z right
    velocity[:, [0, 1]] = Rotation.from_euler("Y", yaw[:, None]).apply(along)[:, [0, 2]]
    return straight, motion, frame, rate, world, velocity


def turned(straight, yaw):
    """Tilt, list, rotation of a pelvis that is turned about the vertical."""
    own = Rotation.from_euler("ZXY", straight[:, 2:5])
    return (Rotation.from_euler("Y", yaw[:, None]) * own).as_euler("ZXY")


def test_a_pelvis_turned_with_its_heading_is_seen_as_the_straight_one():
    straight, motion, frame, rate, world, velocity = states()
    np.testing.assert_allclose(heading.seen_pose(ROOT, frame, world), straight, atol=1e-12)
    np.testing.assert_allclose(heading.seen_motion(ROOT, frame, rate, world, velocity), motion, atol=1e-6)


def test_jax_sees_what_numpy_sees():
    _, _, frame, rate, world, velocity = states(20)
    seen = jax.jit(lambda f, r, q, v: (heading.seen_pose(ROOT, f, q, jnp), heading.seen_motion(ROOT, f, r, q, v, jnp)))
    for in_jax, in_numpy in zip(
        seen(frame, rate, world, velocity),
        (heading.seen_pose(ROOT, frame, world), heading.seen_motion(ROOT, frame, rate, world, velocity)),
        strict=True,
    ):
        np.testing.assert_allclose(in_jax, in_numpy, atol=1e-4)


def test_a_left_turn_is_a_right_turn_in_the_mirror():
    _, _, frame, rate, world, velocity = states(20)
    sign = np.array([1, -1, 1, -1, -1, 1])
    other = Frame(-frame.heading, frame.way, -frame.side)
    pose, motion = heading.seen_pose(ROOT, frame, world), heading.seen_motion(ROOT, frame, rate, world, velocity)
    np.testing.assert_allclose(heading.seen_pose(ROOT, other, world * sign), pose * sign, atol=1e-12)
    np.testing.assert_allclose(heading.seen_motion(ROOT, other, -rate, world * sign, velocity * sign), motion * sign)
    model = reduce_model("myolegs26", "none").model
    names = ("qpos.pelvis_tilt", "qpos.pelvis_rotation", "qpos.pelvis_tz", "target_velocity", "target_heading_rate")
    assert mirror(names, joint_mirror_signs(model))[1].tolist() == [1, -1, -1, 1, -1]


@pytest.mark.parametrize("rate", [0.785, -0.3])
def test_a_walk_on_the_circle_of_speed_over_rate_has_no_error(rate):
    speed, dt = 1.3, 1 / 30
    radius = speed / rate
    yaw = rate * dt * np.arange(301)
    path = np.zeros((301, 6))
    path[:, 0], path[:, 1] = radius * np.sin(yaw), -radius * (1 - np.cos(yaw))  # pelvis_tz is to the right
    path[:, 4] = yaw
    frame = heading.begin(ROOT, path[0])
    for before, after in pairwise(path):
        frame = heading.advance(ROOT, frame, rate * dt, before, after)
    assert frame.heading == pytest.approx(yaw[-1])
    assert frame.side == pytest.approx(0.0, abs=1e-12)
    chord = 2 * radius * np.sin(rate * dt / 2)
    assert frame.way == pytest.approx(300 * chord) and frame.way == pytest.approx(speed * 10, rel=1e-3)
    velocity = np.array([speed * np.cos(yaw[-1]), -speed * np.sin(yaw[-1]), 0, 0, rate, 0])
    seen = heading.seen_motion(ROOT, frame, rate, path[-1], velocity)
    np.testing.assert_allclose(seen, [speed, 0, 0, 0, 0, 0], atol=1e-12)
    np.testing.assert_allclose(heading.seen_pose(ROOT, frame, path[-1])[1:], 0, atol=1e-9)


@pytest.fixture(scope="module")
def env():
    reduced = reduce_model("myolegs26", "none")
    pose = np.zeros((2, cycle.PHASES, reduced.model.nq))
    height = joint_names(reduced.model).index("pelvis_ty")
    pose[:, :, height] = 0.93 - anatomy.height_offset(reduced.model)
    gait = cycle.complete(reduced.model, np.array([0.5, 2.0]), np.array([0.7, 1.0]), pose)
    return AssistEnv(PARAMS, reduced, gait)


def facing(env, start, yaw, rotation):
    """Walkers in the air (friction's pyramid knows north) who differ by where they face, as their headings do."""
    walker, root = start.pipeline_state, env.course.root
    qpos, qvel = np.array(walker.physics.qpos), np.array(walker.physics.qvel)
    qpos[:, [root.tilt, root.list, root.rotation]] += [0.05, -0.08, rotation]
    qpos[:, env.joints.index("pelvis_ty")] += 0.2
    back = Frame(-yaw, qpos[:, root.forward], qpos[:, root.side])  # what is seen along -yaw is turned by yaw
    moved, fast = heading.seen_pose(root, back, qpos), heading.seen_motion(root, back, 0 * yaw, qpos, qvel)
    frame = walker.command.frame._replace(heading=jnp.asarray(yaw, jnp.float32))
    physics = walker.physics.replace(qpos=jnp.asarray(moved, jnp.float32), qvel=jnp.asarray(fast, jnp.float32))
    return start.replace(pipeline_state=walker.replace(physics=physics, command=walker.command._replace(frame=frame)))


def test_observation_reward_and_end_are_those_of_the_straight_walk(env):
    start = jax.jit(jax.vmap(env.reset))(jnp.tile(jax.random.PRNGKey(3), (1 + len(ANGLES), 1)))
    step, yaw = jax.jit(jax.vmap(env.step)), np.array([0.0, *ANGLES])
    action = jnp.tile(jnp.asarray(np.random.default_rng(1).uniform(-1, 0, env.action_size), jnp.float32), (yaw.size, 1))
    state = facing(env, start, yaw, 0.1)
    for _ in range(3):
        state = step(state, action)
    walker = state.pipeline_state
    assert np.ptp(np.array(walker.physics.qpos)[:, env.course.root.rotation]) > 1.0
    judged = np.stack([state.reward, *state.metrics.values()], axis=1)
    for part, most in ((np.array(state.obs), 0.05), (judged, 2e-3)):  # integrated as Euler's angles, which know north
        np.testing.assert_allclose(part, np.tile(part[:1], (yaw.size, 1)), atol=most)
    seen = dict(zip(env.observation_spec.names, np.array(state.obs[0]), strict=True))
    assert seen["target_heading_rate"] == pytest.approx(float(walker.command.turn.levels[0, 0])) != 0.0
    assert seen["qpos.pelvis_tx"] == pytest.approx(float(walker.command.frame.way[0]))
    assert state.metrics["heading_error"][0] == pytest.approx(abs(seen["qpos.pelvis_rotation"]), abs=1e-5)
    assert np.array(state.done).tolist() == [0.0] * yaw.size
    assert np.array(step(facing(env, start, yaw, 0.7), action).done).tolist() == [1.0] * yaw.size


def test_walkers_begin_and_end_standing_where_it_is_asked():
    stands = command.standing(0.5, 20.0, np.array([0.4, 0.0, 1.0]))
    assert (stands.start, stands.stop) == (command.STANDS[0], 20.0 * command.STOPS[1])
    times = np.array([0.0, 0.5, 1.0, 3.0, 15.5, 16.0, 20.0])
    held = [float(command.held(1.25, stands, t)) for t in times]
    np.testing.assert_allclose(held, [0.0, 0.0, 0.5, 1.25, 0.5, 0.0, 0.0])  # 1 m/s^2
    walks = command.standing(0.5, 20.0, np.array([0.6, 0.0, 1.0]))
    assert {float(command.held(1.25, walks, t)) for t in times} == {1.25}
    in_jax = [float(command.held(1.25, command.Standing(*map(jnp.asarray, stands)), t, jnp)) for t in times]
    np.testing.assert_allclose(in_jax, held, atol=1e-6)


@pytest.mark.parametrize(
    ("human", "changes", "says"),
    [
        ("myolegs22", {"max_heading_rate": 0.3}, "needs a walker in three dimensions"),
        ("myolegs22", {"randomization": Randomization(push_impulse=(1, 2), push_angle=(0, 1))}, "push_angle"),
        ("myolegs26", {"max_heading_rate": 0.3, "observation_joint_pos_keys": ("pelvis_ty",)}, "pelvis_rotation"),
    ],
)
def test_what_cannot_turn_is_refused_in_a_sentence(human, changes, says):
    params = dataclasses.replace(EnvParams(msk_key=human, device_key=None), **changes)
    with pytest.raises(UserError, match=says):
        course.check(params, reduce_model(human, "none").model)
