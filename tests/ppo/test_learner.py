"""Whole updates of the learner against NumPy loops, and what each option of a head does to them."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import toy
from numpy_ppo import Replica, double

from mjx_assist.config.schema import PPOParams
from mjx_assist.config.words import LEARNING_RATES
from mjx_assist.ppo import learner

ENVS = 6
PPO = PPOParams(
    learning_rate=1e-3,
    n_steps=8,
    batch_size=12,  # 4 minibatches of 6 walkers x 2 steps
    n_epochs=3,
    gamma=0.9,
    gae_lambda=0.8,
    clip_range=0.1,
    clip_range_vf=0.1,
    ent_coef=0.01,
    vf_coef=0.7,
    max_grad_norm=0.5,
    target_kl=0.02,
)


def changed(**values):
    return PPOParams(**{**PPO.__dict__, **values})


def built(spec, ppo, envs=ENVS, seed=2):
    """(training state, jitted update); with this seed no sample lies so near a clip that rounding decides its side."""
    return functions(toy.batched(envs), spec, ppo, seed)


def functions(walkers, spec, ppo, seed):
    made = learner.make_learner(walkers, spec, ppo)
    train = jax.jit(partial(learner.init, made))(jax.random.PRNGKey(seed))
    return train, jax.jit(partial(learner.train_step, made))


def rolled_out(replica, train, key):
    """The rollout that the learner makes from ``train``, walker by walker and step by step; and the points after it."""
    points, keys = np.array(train.env.pipeline_state.x, np.float64), list(train.env.pipeline_state.key)
    ages = np.array(train.env.pipeline_state.steps)
    rows = []
    for step_key in jax.random.split(key, replica.ppo.n_steps):
        row = []
        for walker in range(len(points)):
            obs = toy.observe(points[walker], np)
            mean, log_std = replica.act(replica.normalise(obs[None]))
            noise = np.array(jax.random.normal(jax.random.fold_in(step_key, walker), mean[0].shape), np.float64)
            noise[[i for i in range(len(noise)) if i not in replica._active()]] = 0.0
            action = mean[0] + np.exp(log_std) * noise
            points[walker], reward = toy.advance(points[walker], action, np)
            ages[walker] += 1
            out = np.abs(points[walker]).max() > toy.LIMIT
            done = out or ages[walker] >= toy.STEPS
            row.append((obs, action, reward, out, done, toy.observe(points[walker], np)))
            if done:
                keys[walker], draw = jax.random.split(keys[walker])
                points[walker] = jax.random.uniform(draw, (2,), minval=-0.5, maxval=0.5)
                ages[walker] = 0
        rows.append(row)
    names = ("obs", "action", "reward", "terminated", "done", "next_obs")
    return {name: np.array([[w[i] for w in row] for row in rows]) for i, name in enumerate(names)}, points


def minibatches(key, ppo, envs=ENVS):
    """(step, walker) pairs ``[epoch][minibatch]``: each walker's steps are shuffled and dealt out (M divides T)."""
    count = envs * ppo.n_steps // ppo.batch_size
    orders = []
    for epoch_key in jax.random.split(key, ppo.n_epochs):
        epoch = [[] for _ in range(count)]
        for walker in range(envs):
            steps = np.array(jax.random.permutation(jax.random.fold_in(epoch_key, walker), ppo.n_steps))
            for minibatch, part in zip(epoch, np.split(steps, count), strict=True):
                minibatch += [(step, walker) for step in part]
        orders.append(epoch)
    return orders


def assert_same_parameters(params, replica, **tolerance):
    for path, x in jax.tree_util.tree_leaves_with_path(double(params)):
        other = replica.params
        for key in path:
            other = other[key.key]
        np.testing.assert_allclose(x, other, err_msg=str(path), **tolerance)


@pytest.mark.parametrize(
    ("options", "head"),
    [
        ({}, {}),
        pytest.param(
            {"clip_range_vf": 0.0, "normalize_advantage": False, "max_grad_norm": 100.0, "target_kl": 0.0},
            {},
            marks=pytest.mark.slow,
        ),
        pytest.param({"normalize_reward": True}, {}, marks=pytest.mark.slow),
        pytest.param({"max_kl": 0.004, "learning_rate": 3e-3}, {}, marks=pytest.mark.slow),
        pytest.param({}, {"enabled": False}, marks=pytest.mark.slow),
        pytest.param({}, {"frozen": True}, marks=pytest.mark.slow),
        pytest.param({}, {"learning_rate": 6e-4, "log_std_init": -1.5}, marks=pytest.mark.slow),
    ],
    ids=["all", "plain", "reward", "max_kl", "disabled", "frozen", "own rate"],
)
def test_three_updates_equal_loops_in_numpy(options, head):
    """Rollout, advantages, minibatches, losses, gradients, Adam, KL rule and normaliser: float32 against float64."""
    ppo, spec = changed(**options), toy.spec(**head)
    train, update = built(spec, ppo)
    replica = Replica(spec, ppo, train.params["params"])
    names, both_ends, stops = None, set(), False
    for _ in range(3):
        _, for_rollout, for_order = jax.random.split(train.key, 3)
        rollout, points = rolled_out(replica, train, for_rollout)
        expected, taken = replica.update(rollout, minibatches(for_order, ppo))
        train, log, _ = update(train)
        np.testing.assert_allclose(train.env.pipeline_state.x, points, atol=1e-5)
        both_ends |= set(rollout["terminated"][rollout["done"]].tolist())
        for name, x in expected.items():
            np.testing.assert_allclose(log[name], x, rtol=2e-3, atol=2e-5, err_msg=name)
        names = set(log) - set(expected)
        stops |= taken < 12
        assert_same_parameters(train.params["params"], replica, rtol=1e-5, atol=3e-6)
    assert both_ends == {False, True}  # ends by time and out of bounds
    assert stops == (ppo.max_kl > 0)
    assert names == {"reward", "episodes", "episode_length", "episode_return", "log_std", "env/distance"}
    everything = np.concatenate(replica.seen)
    np.testing.assert_allclose(train.normaliser.mean, everything.mean(0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(train.normaliser.std, everything.std(0), rtol=1e-4)


def test_per_head_divergences_sum_to_the_whole():
    train, update = built(toy.spec(), PPO)
    for _ in range(2):
        train, log, _ = update(train)
    assert log["kl/first"] > 0 and log["kl/second"] > 0
    np.testing.assert_allclose(log["kl/first"] + log["kl/second"], log["kl"], rtol=1e-5)


def test_the_log_counts_episodes():
    """Against the rollout that the replica walks by itself."""
    train, update = built(toy.spec(), PPO)
    replica = Replica(toy.spec(), PPO, train.params["params"])
    rollout, _ = rolled_out(replica, train, jax.random.split(train.key, 3)[1])
    lengths, returns = [], []
    for walker in range(ENVS):
        length = total = 0
        for reward, done in zip(rollout["reward"][:, walker], rollout["done"][:, walker], strict=True):
            length, total = length + 1, total + reward
            if done:
                lengths.append(length)
                returns.append(total)
                length = total = 0
    log = update(train)[1]
    assert log["episodes"] == len(lengths)
    np.testing.assert_allclose(log["episode_length"], np.mean(lengths), rtol=1e-5)
    np.testing.assert_allclose(log["episode_return"], np.mean(returns), rtol=1e-4)
    np.testing.assert_allclose(log["reward"], rollout["reward"].mean(), rtol=1e-4)


# --- heads


def test_a_frozen_head_keeps_every_bit():
    train, update = built(toy.spec(frozen=True), PPO)
    before = jax.device_get(train.params["params"])
    for _ in range(2):
        train, _, _ = update(train)
    for name in before:
        same = jax.tree.map(np.array_equal, before[name], jax.device_get(train.params["params"][name]))
        assert all(jax.tree.leaves(same)) == name.startswith("second"), name


def test_observations_seen_as_they_are_leave_the_statistics_alone():
    train, update = built(dataclasses.replace(toy.spec(), normalized=False), PPO)
    train, _, _ = update(train)
    np.testing.assert_array_equal(train.normaliser.mean, 0.0)
    np.testing.assert_array_equal(train.normaliser.std, 1.0)


def test_a_disabled_head_stays_neutral_and_out_of_the_divergence():
    """Its actuator receives 0.25, `toy.spec`'s neutral, in every step, and its parameters never move."""
    spec = toy.spec(enabled=False)
    actions = []
    walkers = toy.batched(ENVS)

    def watched(state, action):
        jax.debug.callback(lambda a: actions.append(np.array(a)), action)
        return walkers.step(state, action)

    train, update = functions(walkers._replace(step=watched), spec, PPO, seed=0)
    after, log, _ = update(train)
    jax.effects_barrier()
    np.testing.assert_array_equal(np.array(actions)[..., 2], 0.25)
    assert np.std(np.array(actions)[..., 0]) > 0.1
    assert log["kl/second"] == 0.0
    np.testing.assert_array_equal(after.params["params"]["second_log_std"], train.params["params"]["second_log_std"])


def test_the_first_step_of_adam_scales_with_a_heads_own_learning_rate():
    """One minibatch, one epoch: the gradients are the same, so the head's step is exactly its share of the other's."""
    ppo = changed(n_epochs=1, batch_size=ENVS * PPO.n_steps, learning_rate=2**-8)
    moved = []
    for own in (None, 2**-10):
        train, update = built(toy.spec(learning_rate=own), ppo)
        after, _, _ = update(train)
        # exact: the parameters start at zero bias and powers of two scale without rounding
        moved.append({k: np.array(after.params["params"][k]["dense_0"]["bias"]) for k in ("first", "second", "critic")})
    assert np.abs(moved[0]["second"]).min() > 1e-4
    np.testing.assert_array_equal(moved[1]["second"], moved[0]["second"] / 4)
    for name in ("first", "critic"):
        np.testing.assert_array_equal(moved[1][name], moved[0][name])


def test_a_heads_own_log_std_is_where_it_starts():
    train, _ = built(toy.spec(log_std_init=-1.25), PPO)
    np.testing.assert_array_equal(train.params["params"]["second_log_std"], [-1.25])
    np.testing.assert_allclose(train.params["params"]["first_log_std"], [-0.3, -0.3])


# --- the learning rate


@pytest.mark.parametrize(("kl", "factor"), [(0.0, 1.5), (0.0066, 1.5), (0.01, 1.0), (0.0149, 1.0), (0.0151, 1 / 1.5)])
def test_the_learning_rate_follows_the_divergence(kl, factor):
    rate = learner._adapted(jnp.asarray(1e-3), jnp.asarray(kl), PPOParams(target_kl=0.01))
    np.testing.assert_allclose(rate, 1e-3 * factor, rtol=1e-6)


def test_the_learning_rate_has_bounds_and_can_be_constant():
    low, high = LEARNING_RATES
    for rate, kl, target, expected in [(low, 1.0, 0.01, low), (high, 0.0, 0.01, high), (0.1, 1.0, 0.0, 0.1)]:
        adapted = learner._adapted(jnp.asarray(rate), jnp.asarray(kl), PPOParams(target_kl=target))
        np.testing.assert_allclose(adapted, expected, rtol=1e-6)


# --- minibatches


def test_minibatches_differ_between_epochs_and_updates():
    """In the order that the replica above deals them, and the learner with it."""
    train, update = built(toy.spec(), PPO)
    orders = []
    for _ in range(2):
        orders += minibatches(jax.random.split(train.key, 3)[2], PPO)
        train, _, _ = update(train)
    assert len({str(order) for order in orders}) == 2 * PPO.n_epochs
