"""Advantages against a plain loop, the loss against NumPy written from the papers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mjx_assist.config import PPOParams
from mjx_assist.ppo import loss, networks


def advantage_loop(reward, value, next_value, terminated, done, gamma, lam):
    """Schulman 2016, eq. 16, as a sum over each step's future, one env at a time."""
    steps, envs = reward.shape
    out = np.zeros_like(reward)
    for b in range(envs):
        for t in range(steps):
            weight = 1.0
            for k in range(t, steps):
                bootstrap = 0.0 if terminated[k, b] else gamma * next_value[k, b]
                out[t, b] += weight * (reward[k, b] + bootstrap - value[k, b])
                if done[k, b]:
                    break
                weight *= gamma * lam
    return out


@pytest.fixture
def rollout():
    rng = np.random.default_rng(0)
    reward, value, next_value = rng.normal(size=(3, 12, 7))
    done = rng.uniform(size=(12, 7)) < 0.25
    terminated = done & (rng.uniform(size=(12, 7)) < 0.5)
    assert terminated.any() and (done & ~terminated).any()
    return reward, value, next_value, terminated, done


def test_advantages_match_the_sum_of_residuals(rollout):
    reward, value, next_value, terminated, done = rollout
    expected = advantage_loop(*rollout, 0.97, 0.9)
    advantage, target = loss.advantages(
        *map(jnp.asarray, (reward, value, next_value)),
        jnp.asarray(terminated, jnp.float32),
        jnp.asarray(done, jnp.float32),
        PPOParams(gamma=0.97, gae_lambda=0.9),
    )
    np.testing.assert_allclose(advantage, expected, atol=1e-5)
    np.testing.assert_allclose(target, expected + value, atol=1e-5)


def test_an_end_by_time_is_bootstrapped_and_a_fall_is_not():
    one = jnp.ones((1, 2))
    terminated = jnp.array([[0.0, 1.0]])
    advantage, _ = loss.advantages(one, 0 * one, 10.0 * one, terminated, one, PPOParams(gamma=0.9, gae_lambda=0.95))
    np.testing.assert_allclose(advantage, [[1.0 + 0.9 * 10.0, 1.0]])


@pytest.mark.parametrize("clip_range_vf", [0.0, 0.2])
def test_loss_matches_numpy(clip_range_vf):
    head = networks.Head("human", (0, 1, 2), (0, 1), (8,), 0.0, -0.5)
    spec = networks.PolicySpec((head,), (0, 1, 2), (8,), (0.0, 0.0))
    model = networks.ActorCritic(spec)
    params = model.init(jax.random.PRNGKey(0), jnp.zeros((1, 3)))
    rng = np.random.default_rng(0)
    n = 64
    obs, action = rng.normal(size=(n, 3)), rng.normal(size=(n, 2))
    old_mean, old_log_std = rng.normal(0, 0.1, size=(n, 2)), np.array([-0.6, -0.4])
    advantage, value, target = rng.normal(size=(3, n))

    def log_density(mean, log_std):
        return (-0.5 * ((action - mean) / np.exp(log_std)) ** 2 - log_std - 0.5 * np.log(2 * np.pi)).sum(-1)

    batch = loss.Batch(
        *(
            jnp.asarray(x, jnp.float32)
            for x in (obs, action, old_mean, log_density(old_mean, old_log_std), advantage, value, target)
        )
    )
    ppo = PPOParams(clip_range=0.2, clip_range_vf=clip_range_vf, vf_coef=0.7, ent_coef=0.03)
    total, log = loss.ppo_loss(params, model, batch, jnp.asarray(old_log_std), ppo)

    mean, log_std, new_value = (np.asarray(x, float) for x in model.apply(params, batch.obs))
    ratio = np.exp(log_density(mean, log_std) - log_density(old_mean, old_log_std))
    normal = (advantage - advantage.mean()) / advantage.std()
    surrogate = np.minimum(ratio * normal, np.clip(ratio, 0.8, 1.2) * normal).mean()
    error = (new_value - target) ** 2
    if clip_range_vf:
        error = np.maximum(error, (value + np.clip(new_value - value, -0.2, 0.2) - target) ** 2)
    entropy = (log_std + 0.5 * np.log(2 * np.pi * np.e)).sum()
    assert total == pytest.approx(-surrogate + 0.7 * error.mean() - 0.03 * entropy, rel=1e-4)
    assert 0.2 < log["clip_fraction"] < 1.0  # the batch exercises the clip
    assert log["clip_fraction"] == pytest.approx((np.abs(ratio - 1) > 0.2).mean())
