"""Rollout: the policy walks in every env for T control steps, inside jit."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from brax.envs.base import State
from brax.training.acme import running_statistics

from mjx_assist.ppo import networks

Step = Callable[[State, jax.Array], tuple[State, jax.Array]]


class Transition(NamedTuple):
    """``[T, B, ...]``: what was seen and done. Observations are raw; ``next_obs`` is from before any reset."""

    obs: jax.Array
    action: jax.Array
    mean: jax.Array
    log_prob: jax.Array
    reward: jax.Array
    terminated: jax.Array
    done: jax.Array
    next_obs: jax.Array


class Episodes(NamedTuple):
    """Running length and return of each env's episode, ``[B]``."""

    length: jax.Array
    total: jax.Array


class EpisodeLog(NamedTuple):
    """Sums over a rollout: ended episodes, their lengths and returns, and the mean of each metric per step."""

    ended: jax.Array
    length: jax.Array
    total: jax.Array
    metrics: dict


def rollout(
    step: Step,
    model: networks.ActorCritic,
    params: dict,
    normaliser: running_statistics.RunningStatisticsState,
    state: State,
    episodes: Episodes,
    key: jax.Array,
    n_steps: int,
) -> tuple[State, Episodes, Transition, EpisodeLog]:
    """``n_steps`` control steps in every env; ``step`` is batched and resets by itself (`sim.env.auto_reset`)."""
    active = model.spec.active

    def one(carry: tuple[State, Episodes], key: jax.Array) -> tuple[tuple[State, Episodes], tuple]:
        state, episodes = carry
        mean, log_std = model.apply(params, normalise(normaliser, state.obs), method="actor")
        noise = jnp.where(active, jnp.exp(log_std), 0.0) * jax.random.normal(key, mean.shape)
        action = mean + noise
        following, next_obs = step(state, action)
        length, total = episodes.length + 1, episodes.total + following.reward
        done = following.done
        transition = Transition(
            obs=state.obs,
            action=action,
            mean=mean,
            log_prob=networks.log_prob(mean, log_std, action, active),
            reward=following.reward,
            terminated=done * (1.0 - following.info["truncation"]),
            done=done,
            next_obs=next_obs,
        )
        log = EpisodeLog(
            done.sum(), (done * length).sum(), (done * total).sum(), jax.tree.map(jnp.mean, following.metrics)
        )
        episodes = Episodes(length * (1.0 - done), total * (1.0 - done))
        return (following, episodes), (transition, log)

    (state, episodes), (transitions, log) = jax.lax.scan(one, (state, episodes), jax.random.split(key, n_steps))
    log = EpisodeLog(log.ended.sum(), log.length.sum(), log.total.sum(), jax.tree.map(jnp.mean, log.metrics))
    return state, episodes, transitions, log


def normalise(normaliser: running_statistics.RunningStatisticsState, obs: jax.Array) -> jax.Array:
    """Observations to about zero mean and unit deviation, held to +-10."""
    return jnp.clip(running_statistics.normalize(obs, normaliser), -10.0, 10.0)
