"""Rollout: the policy walks in every env for T control steps, inside jit, on one device's share of the walkers."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from brax.envs.base import State
from brax.training.acme import running_statistics

from mjx_assist.config.schema import PPOParams
from mjx_assist.ppo import gaussian, networks
from mjx_assist.sim.observation import normalise

Step = Callable[[State, jax.Array], tuple[State, jax.Array]]


class Walkers(NamedTuple):
    """``number`` walkers at once: ``reset(keys)``, and a ``step(state, action)`` that resets by itself and also gives
    the observations from before that (`sim.auto_reset`)."""

    reset: Callable[[jax.Array], State]
    step: Step
    number: int
    observation_size: int


class Transition(NamedTuple):
    """``[T, B, ...]``: what was seen and done. Observations are raw; ``next_obs`` is from before any reset.

    ``discounted`` is the discounted sum of the episode's rewards so far.
    """

    obs: jax.Array
    action: jax.Array
    mean: jax.Array
    log_prob: jax.Array
    reward: jax.Array
    terminated: jax.Array
    done: jax.Array
    next_obs: jax.Array
    discounted: jax.Array


class Episodes(NamedTuple):
    """Running length, return and discounted return of each env's episode, ``[B]``."""

    length: jax.Array
    total: jax.Array
    discounted: jax.Array


class EpisodeLog(NamedTuple):
    """Sums over a rollout: ended episodes, their lengths and returns, and the mean of each metric per step."""

    ended: jax.Array
    length: jax.Array
    total: jax.Array
    metrics: dict


class BlowUp(NamedTuple):
    """The first walker of a rollout whose simulation blew up, with a leading axis of one (per device).

    ``found`` 0 or 1; ``before``: its state before that control step; ``action`` ``[nu]`` of that step.
    """

    found: jax.Array
    before: Any
    action: jax.Array


def rollout(
    step: Step,
    model: networks.ActorCritic,
    params: dict,
    normaliser: running_statistics.RunningStatisticsState,
    state: State,
    episodes: Episodes,
    key: jax.Array,
    walkers: jax.Array,
    ppo: PPOParams,
) -> tuple[State, Episodes, Transition, EpisodeLog, BlowUp]:
    """``ppo.n_steps`` control steps in every env; ``step`` is batched and resets by itself (`sim.auto_reset`).

    ``walkers`` ``[B]`` are the walkers' numbers: each has its own noise, wherever it is simulated.
    """
    active = model.spec.active

    def one(carry: tuple, noise: jax.Array) -> tuple[tuple, tuple]:
        state, episodes, blow_up = carry
        mean, log_std = model.apply(params, normalize(model.spec, normaliser, state.obs), method="actor")
        action = mean + jnp.where(active, jnp.exp(log_std), 0.0) * noise
        following, next_obs = step(state, action)
        length, total = episodes.length + 1, episodes.total + following.reward
        discounted = ppo.gamma * episodes.discounted + following.reward
        done = following.done
        transition = Transition(
            obs=state.obs,
            action=action,
            mean=mean,
            log_prob=gaussian.log_prob(mean, log_std, action, active),
            reward=following.reward,
            terminated=done * (1.0 - following.info["truncation"]),
            done=done,
            next_obs=next_obs,
            discounted=discounted,
        )
        log = EpisodeLog(
            done.sum(), (done * length).sum(), (done * total).sum(), jax.tree.map(jnp.mean, following.metrics)
        )
        blow_up = _first(blow_up, following.metrics.get("not_finite"), state, action)
        episodes = Episodes(*((1.0 - done) * x for x in (length, total, discounted)))
        return (following, episodes, blow_up), (transition, log)

    none = BlowUp(jnp.zeros(1), jax.tree.map(lambda x: x[:1], state.pipeline_state), jnp.zeros((1, active.size)))
    noise = _noise(jax.random.split(key, ppo.n_steps), walkers, active.size)
    carry, (transitions, log) = jax.lax.scan(one, (state, episodes, none), noise)
    log = EpisodeLog(log.ended.sum(), log.length.sum(), log.total.sum(), jax.tree.map(jnp.mean, log.metrics))
    return carry[0], carry[1], transitions, log, carry[2]


def _noise(keys: jax.Array, walkers: jax.Array, size: int) -> jax.Array:
    """Standard normal ``[T, B, size]`` from a key of each step and the walkers' numbers; all steps' at once."""
    one = lambda key, walker: jax.random.normal(jax.random.fold_in(key, walker), (size,))  # noqa: E731
    return jax.vmap(lambda key: jax.vmap(partial(one, key))(walkers))(keys)


def normalize(
    spec: networks.PolicySpec, normaliser: running_statistics.RunningStatisticsState, obs: jax.Array
) -> jax.Array:
    """Observations as the networks see them: `observation.normalise`, or as they are."""
    return obs if not spec.normalized else normalise(obs, normaliser.mean, normaliser.std, jnp)


def _first(blow_up: BlowUp, not_finite: jax.Array | None, state: State, action: jax.Array) -> BlowUp:
    """``blow_up``, or the first walker that is ``not_finite`` ``[B]`` now if there was none before; ``[1, ...]``."""
    if not_finite is None:
        return blow_up
    walker = jnp.argmax(not_finite)
    now = BlowUp(not_finite[walker][None], *jax.tree.map(lambda x: x[walker][None], (state.pipeline_state, action)))
    return jax.tree.map(lambda old, new: jnp.where(blow_up.found.any(), old, new), blow_up, now)
