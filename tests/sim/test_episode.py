"""The env under everything at once: ground, randomization, curriculum; one compiled env, judged by NumPy and MuJoCo."""

import dataclasses

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest

from mjx_assist.config.rewards import RewardWeights
from mjx_assist.config.schema import EnvParams
from mjx_assist.curriculum.settings import Curriculum, Randomization
from mjx_assist.model import variation
from mjx_assist.model.feet import sole
from mjx_assist.sim.auto_reset import auto_reset
from mjx_assist.sim.env import AssistEnv
from mjx_assist.terrain import heightfield

B, STEPS = 16, 6
SLOPE = 0.08
PLAIN = EnvParams(
    backend="mujoco",
    num_envs=B,
    custom_max_episode_steps=STEPS,
    out_of_trajectory_threshold=9.0,  # everyone lasts to the end of an episode
    safe_height=0.5,
    terrain_observation=(0.3, 0.9),
    reward_keys_and_weights=RewardWeights(forward_reward=2.0, qpos_imitation_rewards={"*knee_angle_?": 1.0}),
)
PARAMS = dataclasses.replace(
    PLAIN,
    terrain_type=("random", "harmonic_sinusoidal"),
    terrain_params=("0.05", "0.0 1.0 0.05 2.0"),
    randomization=Randomization(
        slope=(-SLOPE, SLOPE),
        body_mass=(0.8, 1.2),
        friction=(0.5, 1.0),
        device_gain=(0.5, 0.5),
        observation_delay=(0.0, 0.05),
        push_impulse=(1.0, 20.0),
    ),
    curriculum=Curriculum(
        levels=3,
        start_level=2,
        promote=0.01,
        demote=0.0,
        by_level={"terrain_amplitude": (0.0, 1.0), "randomization.slope": (0.5, 1.0)},
        by_step={
            "reward_keys_and_weights.forward_reward": ((0.0, 2.0), (4.0 * B, 0.0)),
            "device_torque_limit": ((0.0, 1.0), (2.0 * B, 0.5)),
            "max_target_velocity": ((0.0, 1.25), (B * 100.0, 2.0)),
        },
    ),
)


@pytest.fixture(scope="module")
def env(reduced, gait):
    return AssistEnv(PARAMS, reduced, gait)


@pytest.fixture(scope="module")
def walk(env):
    """States of 2 episodes and a bit with the device asked for all it has, ``[T, B]``, and the first one."""
    reset = jax.jit(jax.vmap(env.reset))
    step = jax.jit(jax.vmap(lambda state, action: auto_reset(env, state, action)[0]))
    action = np.tile(np.where(env.action_spec.muscle, env.action_spec.neutral, 1.0), (B, 1))
    states = [reset(jax.random.split(jax.random.PRNGKey(0), B))]
    for _ in range(2 * STEPS + 2):
        states.append(step(states[-1], jnp.float32(action)))
    return jax.tree.map(lambda *x: np.stack(x), *states)


def test_a_plain_config_carries_nothing_and_pays_nothing(reduced, gait):
    env = AssistEnv(dataclasses.replace(PLAIN, terrain_observation=()), reduced, gait)
    state = jax.eval_shape(env.reset, jax.random.PRNGKey(0))
    assert not jax.tree.leaves(state.pipeline_state.episode)
    assert env.rules.variation(state.pipeline_state.episode, 0.0, env.dt) is None
    assert env.model.geom("floor").type[0] == mujoco.mjtGeom.mjGEOM_PLANE


def test_every_walker_starts_standing_on_its_own_ground(env, walk):
    """C MuJoCo places the feet: as near to it as on level ground, where the reference is 6 mm in it at most."""
    model = mujoco.MjModel.from_xml_string(env.xml)
    base, data = mujoco.MjModel.from_xml_string(env.xml), mujoco.MjData(model)
    episode = walk.pipeline_state.episode.variation
    lanes = set()
    for b in range(B):
        slope, lane = float(episode.slope[0, b]), float(episode.lane[0, b])
        lanes.add(lane)
        variation.write(base, model, variation.Variation(slope=np.float64(slope), lane=np.float64(lane)))
        data.qpos[:] = walk.pipeline_state.physics.qpos[0, b]
        mujoco.mj_kinematics(model, data)
        gap = np.inf
        for geom in sole.ground_geoms(model):
            x, y, z = data.geom_xpos[geom]
            ground = heightfield.height(env.rules.terrain, lane, slope, x, y)
            gap = min(gap, z - ground - model.geom_size[geom, 0] * np.hypot(1.0, slope))
        assert -0.008 < gap < 0.02
    assert len(lanes) > 8, "walkers of one batch are on different ground"
    assert np.abs(episode.slope[0]).max() > 0.5 * SLOPE


def test_heights_are_seen_over_the_ground_under_the_walker(env, walk):
    names, body = env.observation_spec.names, walk.pipeline_state.physics
    episode = walk.pipeline_state.episode.variation
    up, forward = env.joints.index("pelvis_ty"), env.joints.index("pelvis_tx")
    for b in range(B):
        x = body.qpos[0, b, forward]
        ground = [
            heightfield.height(env.rules.terrain, episode.lane[0, b], episode.slope[0, b], x + ahead, 0.0)
            for ahead in (0.0, 0.3, 0.9)
        ]
        seen = walk.obs[0, b]
        assert seen[names.index("qpos.pelvis_ty")] == pytest.approx(body.qpos[0, b, up] - ground[0], abs=1e-5)
        assert seen[names.index("ground.0.3")] == pytest.approx(ground[1] - ground[0], abs=1e-5)
        assert seen[names.index("ground.0.9")] == pytest.approx(ground[2] - ground[0], abs=1e-5)


def test_a_fall_is_one_over_the_ground_however_high_or_low_that_is(env, walk):
    up, forward = env.joints.index("pelvis_ty"), env.joints.index("pelvis_tx")
    state = jax.tree.map(lambda x: jnp.asarray(x[0]), walk.pipeline_state)
    far = state.physics.qpos.at[:, forward].set(60.0)
    slope = state.episode.variation.slope
    level = heightfield.height(env.rules.terrain, state.episode.variation.lane, slope, 60.0, 0.0, jnp)
    for height, fallen in ((PARAMS.safe_height + 0.02, False), (PARAMS.safe_height - 0.02, True)):
        qpos = far.at[:, up].set(level + height - env._height_offset)
        over = jax.vmap(lambda episode, q: env.rules.over_ground(episode, q, jnp))(state.episode, qpos)
        assert (np.asarray(env.fallen(over)) == fallen).all()
    assert np.ptp(level) > 2.0


def test_curriculum_goes_on_over_resets_and_sets_values(env, walk):
    trained = walk.pipeline_state.episode.progress
    steps = np.arange(len(trained.steps))
    np.testing.assert_array_equal(trained.steps, np.tile(steps[:, None], B))
    assert (walk.done[STEPS] == 1).all() and walk.pipeline_state.step[STEPS].max() == 0
    np.testing.assert_allclose(
        walk.metrics["curriculum/max_target_velocity"][1:],
        np.interp(steps[1:, None] * B, [0, 100 * B], [1.25, 2.0]) * np.ones(B),
        rtol=1e-5,
    )
    # Who covers 1 % of the way in an episode to its end is promoted; masters of the last level go anywhere.
    before, after = trained.level[STEPS - 1], trained.level[STEPS]
    promoted = walk.metrics[f"level_promoted/{0}"][STEPS] * 0.0
    for level in range(3):
        promoted += walk.metrics[f"level_promoted/{level}"][STEPS]
    climbs = (promoted == 1) & (before < 2)
    assert climbs.any() and (after[climbs] == before[climbs] + 1).all()
    assert (after[promoted == 0] <= before[promoted == 0]).all()


def test_scheduled_reward_weight_fades_out(env, walk):
    """`forward_reward` is 2 exp(-5 dv^2) dt with its weight of 2, and 0 four control steps later."""
    term, error = walk.metrics["forward_reward"], walk.metrics["velocity_error"]
    for step in (1, 2, 3):
        weight = np.interp((step - 1) * B, [0, 4 * B], [2.0, 0.0])
        np.testing.assert_allclose(term[step], weight * np.exp(-5 * error[step] ** 2) * env.dt, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(term[5], 0.0, atol=1e-9)


def test_device_gets_its_gain_within_a_limit_that_is_scheduled(env, walk):
    """Full action, gain 0.5, limit 1 -> 0.5 of the range: what the last control step's path gave is 0.25."""
    output = walk.pipeline_state.episode.device.output
    np.testing.assert_allclose(np.abs(output[1]), 1.0, rtol=1e-6)
    np.testing.assert_allclose(np.abs(output[4]), 0.5, rtol=1e-6)
