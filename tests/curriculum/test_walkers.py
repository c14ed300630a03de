"""Levels and schedules in the walking env itself, against what NumPy makes of the states that it passes through."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mjx_assist import config as configs
from mjx_assist.sim.env import AssistEnv

WALKERS, STEPS, EPISODE, LEVELS, PROMOTE, DEMOTE = 12, 40, 6, 4, 0.95, 0.6
SPEEDS, SLOPE = (0.9, 1.7), 0.1
THRESHOLD = ((0.0, 2.0), (WALKERS * 24.0, 2.0), (WALKERS * STEPS, 0.1))  # rad: at first nobody ends before time
PARAMS = configs.from_dict(
    {
        "env_params": {
            "backend": "mujoco",
            "num_envs": WALKERS,
            "custom_max_episode_steps": EPISODE,
            "min_target_velocity": 0.9,
            "max_target_velocity": 0.9,
            "randomization": {"slope": [SLOPE, SLOPE]},
            "curriculum": {
                "levels": LEVELS,
                "start_level": 1,
                "promote": PROMOTE,
                "demote": DEMOTE,
                "by_level": {
                    "min_target_velocity": SPEEDS,
                    "max_target_velocity": SPEEDS,
                    "randomization.slope": [0, 1],
                },
                "by_step": {"out_of_trajectory_threshold": THRESHOLD},
            },
            "reward_keys_and_weights": {"forward_reward": 1.0, "qpos_imitation_rewards": {"*knee*": 1.0}},
        },
        "ppo_params": {"n_steps": 16, "batch_size": 192},
    }
).env_params


@pytest.fixture(scope="module")
def walked(reduced, gait):
    """What 12 walkers with random muscles go through in 40 control steps: name -> ``[40, 12, ...]``."""
    env = AssistEnv(PARAMS, reduced, gait)
    forward = env.joints.index("pelvis_tx")

    @jax.jit
    def one(state, key):
        after = jax.vmap(env.step)(state, jax.random.uniform(key, (WALKERS, env.action_size), minval=-1.0))
        again = jax.vmap(env.next_episode)(after)
        now = after.pipeline_state
        seen = {
            "before": state.pipeline_state.episode.progress.level,
            "level": again.pipeline_state.episode.progress.level,
            "steps": now.episode.progress.steps,
            "done": after.done,
            "survived": after.info["truncation"],
            "distance": now.physics.qpos[:, forward],
            "speed": again.pipeline_state.command.levels[:, 0],
            "asked": now.command.levels[:, 0],
            "slope": again.pipeline_state.episode.variation.slope,
            "threshold": after.metrics["curriculum/out_of_trajectory_threshold"],
            "share": jnp.stack([after.metrics[f"level_share/{k}"] for k in range(LEVELS)], -1),
            "ended": jnp.stack([after.metrics[f"level_ended/{k}"] for k in range(LEVELS)], -1),
            "promoted": jnp.stack([after.metrics[f"level_promoted/{k}"] for k in range(LEVELS)], -1),
        }
        going = jax.tree.map(
            lambda new, old: jnp.where(after.done.astype(bool).reshape(-1, *[1] * (new.ndim - 1)), new, old),
            (again.pipeline_state, again.obs),
            (after.pipeline_state, after.obs),
        )
        return after.replace(pipeline_state=going[0], obs=going[1]), seen

    state = jax.jit(jax.vmap(env.reset))(jax.random.split(jax.random.PRNGKey(0), WALKERS))
    log = []
    for key in jax.random.split(jax.random.PRNGKey(1), STEPS):
        state, seen = one(state, key)
        log.append(jax.device_get(seen))
    return {name: np.stack([row[name] for row in log]) for name in log[0]}


def test_steps_are_counted_over_all_episodes(walked):
    assert walked["done"].sum() > 3 * WALKERS
    np.testing.assert_array_equal(walked["steps"], np.repeat(1 + np.arange(STEPS)[:, None], WALKERS, axis=1))


def test_a_schedule_is_numpys_interpolation_over_the_steps_of_all_walkers(walked):
    expected = np.interp(WALKERS * walked["steps"], *zip(*THRESHOLD, strict=True))
    np.testing.assert_allclose(walked["threshold"], expected, rtol=1e-5)


def test_levels_follow_from_the_distance_walked(walked):
    """Of the commanded distance of a whole episode: speed times time, as the command is constant in each."""
    done, before, following = walked["done"] > 0, walked["before"], walked["level"]
    share = walked["distance"] / (walked["asked"] * EPISODE / PARAMS.control_framerate)
    good = done & (walked["survived"] > 0) & (share >= PROMOTE)
    bad = done & (share < DEMOTE)
    top = before == LEVELS - 1
    np.testing.assert_array_equal(following[good & ~top], before[good & ~top] + 1)
    np.testing.assert_array_equal(following[bad], np.maximum(before[bad] - 1, 0))
    same = done & ~good & ~bad
    np.testing.assert_array_equal(following[same], before[same])
    assert min(x.sum() for x in (good & ~top, bad & (before > 0), good & top, same)) > 0
    one_hot = before[..., None] == np.arange(LEVELS)
    np.testing.assert_array_equal(walked["share"], one_hot)
    np.testing.assert_array_equal(walked["ended"], one_hot & done[..., None])
    np.testing.assert_array_equal(walked["promoted"], one_hot & good[..., None])


def test_within_an_episode_a_walker_keeps_its_level(walked):
    going = walked["done"][:-1] == 0
    np.testing.assert_array_equal(walked["before"][1:][going], walked["before"][:-1][going])
    np.testing.assert_array_equal(walked["before"][1:][~going], walked["level"][:-1][~going])


def test_a_new_episode_has_the_speed_and_the_slope_of_its_level(walked):
    share = walked["level"] / (LEVELS - 1)
    np.testing.assert_allclose(walked["speed"], SPEEDS[0] + share * (SPEEDS[1] - SPEEDS[0]), rtol=1e-5)
    np.testing.assert_allclose(walked["slope"], SLOPE * share, atol=1e-6)
