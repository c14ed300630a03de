"""One PPO update, rollout and optimisation together, as one jitted function that reads top to bottom."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from brax.envs.base import State
from brax.training.acme import running_statistics
from flax import struct

from mjx_assist.config import PPOParams
from mjx_assist.ppo import collect, loss, networks

LEARNING_RATES = (1e-5, 3e-3)  # what the KL rule may set


@struct.dataclass
class TrainState:
    """All that training is: saving it and loading it back continues bit for bit."""

    params: dict
    optimizer: optax.OptState
    learning_rate: jax.Array
    normaliser: running_statistics.RunningStatisticsState
    env: State
    episodes: collect.Episodes
    key: jax.Array
    updates: jax.Array


def make_learner(
    reset: Callable[[jax.Array], State],
    step: collect.Step,
    spec: networks.PolicySpec,
    ppo: PPOParams,
    num_envs: int,
    observation_size: int,
) -> tuple[Callable[[jax.Array], TrainState], Callable[[TrainState], tuple[TrainState, dict]]]:
    """``(init, update)`` for batched ``reset(keys)`` and ``step(state, action)``; jit both."""
    model = networks.ActorCritic(spec)
    frozen = {f"{h.name}{suffix}" for h in spec.heads if h.frozen or not h.enabled for suffix in ("", "_log_std")}
    optimizer = optax.chain(optax.clip_by_global_norm(ppo.max_grad_norm), optax.scale_by_adam(eps=1e-5))
    minibatches = num_envs * ppo.n_steps // ppo.batch_size

    def init(key: jax.Array) -> TrainState:
        key, for_params, for_envs = jax.random.split(key, 3)
        params = model.init(for_params, jnp.zeros((1, observation_size)))
        return TrainState(
            params=params,
            optimizer=optimizer.init(params),
            learning_rate=jnp.asarray(ppo.learning_rate, jnp.float32),
            normaliser=running_statistics.init_state(jax.ShapeDtypeStruct((observation_size,), jnp.float32)),
            env=reset(jax.random.split(for_envs, num_envs)),
            episodes=collect.Episodes(jnp.zeros(num_envs), jnp.zeros(num_envs)),
            key=key,
            updates=jnp.zeros((), jnp.int32),
        )

    def minibatch_step(carry: tuple, batch: loss.Batch, old_log_std: jax.Array, rate: jax.Array) -> tuple[tuple, dict]:
        params, opt_state = carry
        grads, log = jax.grad(loss.ppo_loss, has_aux=True)(params, model, batch, old_log_std, ppo)
        held = {name: jax.tree.map(jnp.zeros_like, g) if name in frozen else g for name, g in grads["params"].items()}
        steps, opt_state = optimizer.update({"params": held}, opt_state)
        params = jax.tree.map(lambda p, s: p - rate * s, params, steps)
        return (params, opt_state), log

    def adapted(rate: jax.Array, kl: jax.Array) -> jax.Array:
        """The next update's learning rate: the one that keeps the KL of a whole update near ``target_kl``."""
        if ppo.target_kl <= 0:
            return rate
        rate = jnp.where(kl > 1.5 * ppo.target_kl, rate / 1.5, rate)
        rate = jnp.where(kl < ppo.target_kl / 1.5, rate * 1.5, rate)
        return jnp.clip(rate, *LEARNING_RATES)

    def update(train: TrainState) -> tuple[TrainState, dict]:
        key, for_rollout, for_order = jax.random.split(train.key, 3)
        env, episodes, seen, episode_log = collect.rollout(
            step, model, train.params, train.normaliser, train.env, train.episodes, for_rollout, ppo.n_steps
        )
        obs, next_obs = (collect.normalise(train.normaliser, o) for o in (seen.obs, seen.next_obs))
        value = model.apply(train.params, obs, method="critic")
        next_value = model.apply(train.params, next_obs, method="critic")
        advantage, target = loss.advantages(seen.reward, value, next_value, seen.terminated, seen.done, ppo)
        old_log_std = model.apply(train.params, obs[:1, :1], method="actor")[1]
        batch = loss.Batch(obs, seen.action, seen.mean, seen.log_prob, advantage, value, target)
        flat = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), batch)

        def epoch(carry: tuple, key: jax.Array) -> tuple[tuple, dict]:
            order = jax.random.permutation(key, num_envs * ppo.n_steps)
            shuffled = jax.tree.map(lambda x: x[order].reshape(minibatches, ppo.batch_size, *x.shape[1:]), flat)
            return jax.lax.scan(lambda c, b: minibatch_step(c, b, old_log_std, train.learning_rate), carry, shuffled)

        carry = (train.params, train.optimizer)
        (params, opt_state), log = jax.lax.scan(epoch, carry, jax.random.split(for_order, ppo.n_epochs))

        everything = seen.obs.reshape(-1, observation_size)
        if spec.mirror is not None:
            everything = jnp.concatenate([everything, networks.mirrored(spec.mirror, everything)])
        normaliser = running_statistics.update(train.normaliser, everything)
        log = {name: x[-1].mean() for name, x in log.items()}
        rate = adapted(train.learning_rate, log["kl"])
        ended = jnp.maximum(episode_log.ended, 1.0)
        log |= {
            "learning_rate": rate,
            "reward": seen.reward.mean(),
            "episodes": episode_log.ended,
            "episode_length": episode_log.length / ended,
            "episode_return": episode_log.total / ended,
            "log_std": jnp.where(spec.active, old_log_std, 0.0).sum() / spec.active.sum(),
            **{f"env/{name}": x for name, x in episode_log.metrics.items()},
        }
        train = TrainState(
            params=params,
            optimizer=opt_state,
            learning_rate=rate,
            normaliser=normaliser,
            env=env,
            episodes=episodes,
            key=key,
            updates=train.updates + 1,
        )
        return train, log

    return init, update
