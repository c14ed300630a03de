"""Advantages against a plain loop, loss and gradient against NumPy written from the papers (`numpy_ppo`)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import toy
from numpy_ppo import Replica, advantages, double, explained_variance

from mjx_assist.config.schema import PPOParams
from mjx_assist.ppo import gaussian, loss, networks


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
    expected = advantages(*rollout, 0.97, 0.9)
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


def test_with_lambda_1_the_target_is_the_discounted_return():
    """Until a fall, or with what comes after the last step bootstrapped."""
    reward = np.array([[1.0], [2.0], [3.0]])
    value, next_value = np.random.default_rng(0).normal(size=(2, 3, 1))
    for fell, tail in ((1.0, 0.0), (0.0, 0.5**3 * next_value[2, 0])):
        end = np.array([[0.0], [0.0], [fell]])
        smooth = np.array([value[1], value[2], next_value[2]])  # the next value is that of the next step
        _, target = loss.advantages(reward, value, smooth, end, end, PPOParams(gamma=0.5, gae_lambda=1.0))
        np.testing.assert_allclose(target[0, 0], 1.0 + 0.5 * 2.0 + 0.25 * 3.0 + tail, rtol=1e-6)


def batch_of(spec, params, n=64, seed=0):
    """(normalised samples as a dict of arrays, rollout's log std) of a policy that was a little different."""
    rng = np.random.default_rng(seed)
    model = networks.ActorCritic(spec)
    obs = rng.normal(size=(n, toy.N_OBS)).astype(np.float32)
    mean, log_std, value = (np.asarray(x) for x in model.apply(params, obs))
    old_log_std = log_std + 0.1
    old_mean = mean + rng.normal(0, 0.1, mean.shape)
    action = old_mean + np.where(spec.active, np.exp(old_log_std), 0.0) * rng.normal(size=mean.shape)
    advantage, target = rng.normal(0.3, 1.5, size=(2, n))
    samples = {
        "obs": obs,
        "action": action,
        "mean": old_mean,
        "value": value + rng.normal(0, 0.3, n),
        "advantage": advantage,
        "target": target,
    }
    return {k: np.asarray(x, np.float32) for k, x in samples.items()}, old_log_std


def as_batch(samples, old_log_std, spec):
    args = (jnp.asarray(samples[k]) for k in ("mean", "action"))
    mean, action = args
    log_prob = gaussian.log_prob(mean, jnp.asarray(old_log_std), action, spec.active)
    order = ("obs", "action", "mean", "advantage", "value", "target")
    obs, action, mean, advantage, value, target = (jnp.asarray(samples[k]) for k in order)
    return loss.Batch(obs, action, mean, log_prob, advantage, value, target)


@pytest.mark.parametrize(
    ("options", "head"),
    [
        ({}, {}),
        ({"clip_range_vf": 0.2, "ent_coef": 0.0}, {}),
        ({"normalize_advantage": False, "clip_range": 0.05}, {}),
        ({}, {"enabled": False}),
        ({}, {"frozen": True}),
    ],
    ids=["all", "clipped value", "plain", "disabled", "frozen"],
)
def test_loss_and_gradient_match_numpy(options, head):
    """Every part of the loss, and its gradient by hand."""
    ppo = PPOParams(**{"clip_range": 0.2, "vf_coef": 0.7, "ent_coef": 0.03, **options})
    spec = toy.spec(**head)
    params = networks.ActorCritic(spec).init(jax.random.PRNGKey(0), jnp.zeros((1, toy.N_OBS)))
    samples, old_log_std = batch_of(spec, params)
    batch = as_batch(samples, old_log_std, spec)
    model = networks.ActorCritic(spec)
    slope = jax.value_and_grad(lambda p: loss.ppo_loss(p, model, batch, jnp.asarray(old_log_std), ppo), has_aux=True)
    (total, log), grads = jax.jit(slope)(params)

    replica = Replica(spec, ppo, params["params"])
    expected, expected_log = replica.gradient({k: x.astype(float) for k, x in samples.items()}, old_log_std)
    assert 0.1 < log["clip_fraction"] < 1.0  # the batch exercises the clip
    assert set(log) == set(expected_log) == set(loss.log_names(spec))
    for name, x in expected_log.items():
        np.testing.assert_allclose(log[name], x, rtol=1e-4, atol=1e-6, err_msg=name)
    parts = expected_log["policy_loss"], ppo.vf_coef * expected_log["value_loss"], -ppo.ent_coef * log["entropy"]
    assert float(total) == pytest.approx(float(sum(parts)), rel=1e-4)
    if head.get("frozen"):  # the learner leaves a frozen head's gradient out, the loss does not know
        grads["params"] = {k: g for k, g in grads["params"].items() if not k.startswith("second")}
    for path, x in jax.tree_util.tree_leaves_with_path(double(grads["params"])):
        other = expected
        for key in path:
            other = other[key.key]
        np.testing.assert_allclose(x, other, rtol=1e-3, atol=1e-6, err_msg=str(path))


def test_the_density_is_of_the_drawn_action_and_not_of_what_the_env_makes_of_it():
    """The policy is an unclipped Gaussian, clipping is part of the env: only then is the gradient that of the return.

    One actuator, return f(clip(a)) with f(a) = a; the policy gradient over a dense set of draws against the derivative
    of E[clip(a)], which is the probability to lie within the range. With densities of clipped actions it is not.
    """
    head = networks.Head("only", (0,), (0,), (), 0.0, np.log(0.8))
    spec = networks.PolicySpec((head,), (0,), (), (0.0,))
    model = networks.ActorCritic(spec)
    params = model.init(jax.random.PRNGKey(0), jnp.zeros((1, 1)))
    params["params"]["only"]["out"]["bias"] = jnp.array([0.7])
    draws = 0.7 + 0.8 * np.array(jax.scipy.stats.norm.ppf((np.arange(20000) + 0.5) / 20000))
    zeros = jnp.zeros(len(draws))

    def slope(action):
        mean, log_std = 0.7 * jnp.ones((len(draws), 1)), jnp.array([np.log(0.8)])
        log_prob = gaussian.log_prob(mean, log_std, action[:, None], spec.active)
        batch = loss.Batch(zeros[:, None], action[:, None], mean, log_prob, jnp.clip(draws, -1.0, 1.0), zeros, zeros)
        ppo = PPOParams(normalize_advantage=False, vf_coef=0.0)
        grads = jax.jit(jax.grad(lambda p: loss.ppo_loss(p, model, batch, log_std, ppo)[0]))(params)
        return -float(grads["params"]["only"]["out"]["bias"][0])

    cdf = jax.scipy.stats.norm.cdf
    expected = float(cdf((1 - 0.7) / 0.8) - cdf((-1 - 0.7) / 0.8))
    assert slope(jnp.asarray(draws)) == pytest.approx(expected, abs=0.01)
    assert abs(slope(jnp.clip(draws, -1.0, 1.0)) - expected) > 0.1


@pytest.mark.parametrize("offset", [0.0, 300.0])
def test_explained_variance_matches_numpy(offset):
    """Also for targets far from zero, where 32-bit differences of squares would not be worth much."""
    target = offset + np.random.default_rng(0).normal(size=(32, 8))
    value = target + np.random.default_rng(1).normal(0, 0.5, size=(32, 8))
    found = loss.explained_variance(jnp.asarray(value, jnp.float32), jnp.asarray(target, jnp.float32))
    assert float(found) == pytest.approx(explained_variance(value, target), abs=1e-3)
