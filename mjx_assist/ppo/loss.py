"""Generalised advantages and the clipped PPO loss (Schulman 2016, 2017)."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mjx_assist.config.schema import PPOParams
from mjx_assist.ppo import gaussian, networks


class Batch(NamedTuple):
    """Samples ``[N, ...]`` with what the rollout's policy thought of them.

    ``parts`` are `networks.parts` of the normalised observations.
    """

    parts: jax.Array
    action: jax.Array
    mean: jax.Array
    log_prob: jax.Array
    advantage: jax.Array
    value: jax.Array
    target: jax.Array


def advantages(
    reward: jax.Array, value: jax.Array, next_value: jax.Array, terminated: jax.Array, done: jax.Array, ppo: PPOParams
) -> tuple[jax.Array, jax.Array]:
    """Generalised advantage estimates and value targets, ``[T, B]`` each.

    ``next_value`` is the value of the observation after the step *before any reset*; it counts unless the episode
    terminated, so an end by time is bootstrapped. ``done`` (either end) stops the sum of later residuals.
    """
    residual = reward + ppo.gamma * (1.0 - terminated) * next_value - value
    decay = ppo.gamma * ppo.gae_lambda * (1.0 - done)

    def back(carry: jax.Array, now: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        carry = now[0] + now[1] * carry
        return carry, carry

    _, advantage = jax.lax.scan(back, jnp.zeros_like(value[0]), (residual, decay), reverse=True)
    return advantage, advantage + value


def ppo_loss(
    params: dict,
    model: networks.ActorCritic,
    batch: Batch,
    old_log_std: jax.Array,
    ppo: PPOParams,
    mean_over_devices: Callable = lambda x: x,
) -> tuple[jax.Array, dict]:
    """Clipped surrogate + value loss - entropy bonus, and what to log (`log_names`), for one device's samples.

    ``old_log_std`` ``[nu]`` is the rollout's. Advantages are normalised over the samples of all devices.
    """
    active = model.spec.active
    mean, log_std, value = model.apply(params, batch.parts, method="of_parts")
    ratio = jnp.exp(gaussian.log_prob(mean, log_std, batch.action, active) - batch.log_prob)
    advantage = batch.advantage
    if ppo.normalize_advantage:
        centred = advantage - mean_over_devices(advantage.mean())
        advantage = centred / (jnp.sqrt(mean_over_devices((centred**2).mean())) + 1e-8)
    clipped = jnp.clip(ratio, 1.0 - ppo.clip_range, 1.0 + ppo.clip_range)
    policy_loss = -jnp.minimum(ratio * advantage, clipped * advantage).mean()
    error = (value - batch.target) ** 2
    if ppo.clip_range_vf > 0:
        near = batch.value + jnp.clip(value - batch.value, -ppo.clip_range_vf, ppo.clip_range_vf)
        error = jnp.maximum(error, (near - batch.target) ** 2)
    value_loss = error.mean()
    bonus = gaussian.entropy(log_std, active)
    kl = gaussian.kl_divergence(batch.mean, old_log_std, mean, log_std, active).mean(axis=0)
    total = policy_loss + ppo.vf_coef * value_loss - ppo.ent_coef * bonus
    if ppo.mirror_loss_coef > 0:
        total += ppo.mirror_loss_coef * mirror_loss(params, model, networks.whole(model.spec.mirror, batch.parts), mean)
    log = {
        "policy_loss": policy_loss,
        "value_loss": value_loss,
        "entropy": bonus,
        "kl": kl.sum(),
        "clip_fraction": (jnp.abs(ratio - 1.0) > ppo.clip_range).mean(),
        **{
            f"kl/{head.name}": (kl * driven).sum()
            for head, driven in zip(model.spec.heads, model.spec.driven, strict=True)
        },
    }
    return total, log


def mirror_loss(params: dict, model: networks.ActorCritic, obs: jax.Array, mean: jax.Array) -> jax.Array:
    """Mean squared distance of ``mean`` from the mirrored action for the mirror image (Yu et al. 2018)."""
    reflection = model.spec.reflection
    assert reflection is not None  # without one there is no such loss
    image, _ = model.apply(params, networks.mirrored(reflection, obs), method="actor")
    difference = mean - image[..., np.array(reflection.action)]
    return jnp.where(model.spec.active, difference**2, 0.0).sum(-1).mean()


def log_names(spec: networks.PolicySpec) -> list[str]:
    """What `ppo_loss` logs."""
    return ["policy_loss", "value_loss", "entropy", "kl", "clip_fraction", *(f"kl/{head.name}" for head in spec.heads)]


def explained_variance(value: jax.Array, target: jax.Array, mean_over_devices: Callable = lambda x: x) -> jax.Array:
    """1 - variance of (target - value) / variance of target, over the samples of all devices; 1 is a perfect critic."""
    mean = mean_over_devices
    error, spread = (mean(((x - mean(x.mean())) ** 2).mean()) for x in (target - value, target))
    return 1.0 - error / (spread + 1e-8)
