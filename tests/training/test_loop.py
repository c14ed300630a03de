"""A small real run: it learns a toy task, resumes bit for bit, survives damage and signals."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from brax.envs.base import State
from small_runs import NETS, PPO, REWARDS, UPDATE, assert_equals, rows

from mjx_assist import config as configs
from mjx_assist.config.schema import PPOParams
from mjx_assist.files.atomic import write_text
from mjx_assist.files.logs import read_rows
from mjx_assist.paths import SESSION_CONFIG, TRAIN_LOG
from mjx_assist.ppo import learner, networks
from mjx_assist.ppo.rollout import Walkers
from mjx_assist.training import export, loop

TINY = {
    "total_timesteps": 4 * UPDATE,
    "env_params": {
        "backend": "mujoco",
        "num_envs": 8,
        "custom_max_episode_steps": 6,
        "randomization": {"slope": [-0.1, 0.1]},
        "curriculum": {
            "levels": 5,
            "promote": 0.5,
            "by_level": {"max_target_velocity": [1.25, 1.9], "randomization.slope": [0.0, 1.0]},
            "by_step": {"reward_keys_and_weights.forward_reward": [[0, 1.0], [256, 0.5]]},
        },
        "reward_keys_and_weights": REWARDS,
    },
    "policy_params": {
        "net_arch": NETS,
        "head_options": {"exo_actor": {"frozen": True}},
    },
    "ppo_params": PPO,
    "logger_params": {"checkpoint_frequency": 1, "evaluation_frequency": 0},
}


def tiny(**top):
    return configs.from_dict({**TINY, **top})


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of four updates without a break."""
    return loop.train(tiny(), tmp_path_factory.mktemp("finished"), show=False).path


def test_log_has_a_row_per_update_and_counts_control_steps(finished):
    log = read_rows(finished / TRAIN_LOG)
    assert [row["control_steps"] for row in log] == [64, 128, 192, 256]
    assert all(0 < row["episode_length"] <= 6 for row in log if row["episodes"])
    assert all(np.isfinite(list(row.values())).all() for row in log)
    assert list(finished.glob("events.out.tfevents.*"))
    assert configs.load(finished / SESSION_CONFIG) == tiny()


def test_resumed_run_equals_the_uninterrupted_one_bit_for_bit(finished, tmp_path):
    loop.train(tiny(total_timesteps=128), tmp_path, show=False)
    loop.train(tiny(), tmp_path, resume=True, show=False)
    assert_equals(tmp_path, finished)


def test_levels_and_schedules_are_part_of_what_is_resumed(finished):
    """Otherwise the test above would show nothing of them: both have moved when the run is broken off, and after it."""
    for column in ("env/level", "env/curriculum/randomization.slope", "env/curriculum/max_target_velocity"):
        values = [row[column] for row in rows(finished)]
        assert values[0] < values[1] < values[-1], column
    factors = [row["env/curriculum/reward_keys_and_weights.forward_reward"] for row in rows(finished)]
    # Logged after each of the 8 steps of 8 walkers that an update takes: on average after (8 u + 4.5) * 8 of 256.
    np.testing.assert_allclose(factors, 1.0 - 0.5 * (8 * np.arange(4) + 4.5) * 8 / 256, rtol=1e-5)


@pytest.mark.slow
def test_another_seed_is_another_run(finished, tmp_path):
    other = configs.to_dict(tiny(total_timesteps=64))
    other["env_params"]["seed"] = 7
    loop.train(configs.from_dict(other), tmp_path, show=False)
    assert rows(tmp_path)[0]["reward"] != rows(finished)[0]["reward"]


@pytest.mark.slow
def test_frozen_head_keeps_its_weights_and_the_others_move(finished, tmp_path):
    loop.train(tiny(total_timesteps=64), tmp_path, show=False)
    first, last = export.export_run(tmp_path).policy, export.export_run(finished).policy
    same = {
        a.name: all(
            np.array_equal(x, y) for p, q in zip(a.layers, b.layers, strict=True) for x, y in zip(p, q, strict=True)
        )
        for a, b in zip(first.heads, last.heads, strict=True)
    }
    assert same == {"human_actor": False, "exo_actor": True}


@pytest.mark.slow
def test_damaged_newest_checkpoint_is_skipped_with_a_warning(tmp_path, caplog):
    loop.train(tiny(total_timesteps=192), tmp_path, show=False)
    newest = tmp_path / "checkpoints" / "3"
    for file in newest.rglob("*"):
        if file.is_file():
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    bundle = export.export_run(tmp_path)
    assert bundle.info["control_steps"] == 128
    assert "cannot be read" in caplog.text and "3" in caplog.text


def test_a_run_killed_before_its_first_checkpoint_resumes_from_the_start(finished, tmp_path):
    write_text(tmp_path / SESSION_CONFIG, "{}")
    (tmp_path / TRAIN_LOG).write_text('{"update": 1, "wall_s": 1.0}\n{"upd')
    loop.train(tiny(), tmp_path, resume=True, show=False)
    assert [row["reward"] for row in rows(tmp_path)] == [row["reward"] for row in rows(finished)]


def test_learner_finds_the_action_that_pays():
    """Reward -(action - target(obs))^2 with target = 0.5 sign(obs): a closed-form best policy."""

    def state(key):
        obs = jax.random.normal(key, (2,))
        return State((key, obs), obs, jnp.zeros(()), jnp.zeros(()), {}, {"truncation": jnp.zeros(())})

    def step(before, action):
        key, obs = before.pipeline_state
        reward = -jnp.sum((action - 0.5 * jnp.sign(obs)) ** 2)
        after = state(jax.random.split(key)[0])
        return after.replace(reward=reward, done=jnp.ones(())), after.obs

    head = networks.Head("human", (0, 1), (0, 1), (32,), 0.0, -0.7)
    spec = networks.PolicySpec((head,), (0, 1), (16,), (0.0, 0.0))
    ppo = PPOParams(n_steps=8, batch_size=256, n_epochs=4, learning_rate=1e-3, target_kl=0.02)
    made = learner.make_learner(Walkers(jax.vmap(state), jax.vmap(step), 128, 2), spec, ppo)
    trained, update = learner.init(made, jax.random.PRNGKey(0)), jax.jit(partial(learner.train_step, made))
    for _ in range(150):
        trained, log, _ = update(trained)
    model = networks.ActorCritic(spec)
    obs = np.array([[1.0, -1.0], [-1.0, 1.0], [0.8, 0.8]], np.float32)
    normal = (obs - np.asarray(trained.normaliser.mean)) / np.asarray(trained.normaliser.std)
    mean = model.apply(trained.params, normal, method="actor")[0]
    np.testing.assert_allclose(mean, 0.5 * np.sign(obs), atol=0.15)
    assert np.isfinite(log["kl"])
