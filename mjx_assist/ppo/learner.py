"""One PPO update, rollout and then optimisation, as jitted functions that read top to bottom."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from brax.envs.base import State
from brax.training.acme import running_statistics
from flax import struct
from jax.sharding import Mesh

from mjx_assist.config.schema import PPOParams
from mjx_assist.config.words import LEARNING_RATES
from mjx_assist.ppo import loss, networks, sharding
from mjx_assist.ppo import rollout as collect


@struct.dataclass
class TrainState:
    """All that training is: saving it and loading it back continues bit for bit."""

    params: dict
    optimizer: optax.OptState
    learning_rate: jax.Array
    normaliser: running_statistics.RunningStatisticsState
    returns: running_statistics.RunningStatisticsState
    env: State
    episodes: collect.Episodes
    key: jax.Array
    updates: jax.Array

    def items(self) -> dict[str, dict]:
        """For checkpoints: ``policy`` is all that an export needs, ``training`` the rest; see ``replace``."""
        everything = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {
            "policy": {name: everything.pop(name) for name in ("params", "normaliser", "updates")},
            "training": everything,
        }


# Which parts of a training state are shared out among devices.
SPECS = TrainState(
    **dict.fromkeys(("params", "optimizer", "learning_rate", "normaliser", "returns", "key", "updates"), sharding.SAME),
    env=sharding.SHARED,
    episodes=sharding.SHARED,
)


class Rollout(NamedTuple):
    """What `Update.collect` hands to `Update.optimise`: where the walkers are, what was seen, and what to log of it."""

    env: State
    episodes: collect.Episodes
    seen: collect.Transition
    log: dict


ROLLOUT_SPECS = Rollout(sharding.SHARED, sharding.SHARED, sharding.SHARED_OVER_TIME, sharding.SAME)


@dataclass(frozen=True)
class Update:
    """One PPO update: ``update(train)`` gives the next state, what to log, and the first walker that blew up.

    ``collect(train)`` gives a `Rollout` and a `collect.BlowUp` (a row per device), ``optimise(train, rollout)`` the
    next state and what to log.
    """

    collect: Callable[[TrainState], tuple[Rollout, collect.BlowUp]]
    optimise: Callable[[TrainState, Rollout], tuple[TrainState, dict]]

    def __call__(self, train: TrainState) -> tuple[TrainState, dict, collect.BlowUp]:
        rollout, blow_up = self.collect(train)
        return *self.optimise(train, rollout), blow_up

    def jitted(self, as_one: bool) -> Callable[[TrainState], tuple[TrainState, dict, collect.BlowUp]]:
        """Compiled as one program, or as two: JAX's persistent cache keeps no program that calls back to the host."""
        if as_one:
            return jax.jit(self, donate_argnums=0)
        return Update(jax.jit(self.collect), jax.jit(self.optimise, donate_argnums=0))


def make_learner(
    reset: Callable[[jax.Array], State],
    step: collect.Step,
    spec: networks.PolicySpec,
    ppo: PPOParams,
    num_envs: int,
    observation_size: int,
    mesh: Mesh | None = None,
) -> tuple[Callable[[jax.Array], TrainState], Update]:
    """``(init, update)`` for batched ``reset(keys)`` and ``step(state, action)``; jit both.

    With a ``mesh`` (`sharding.device_mesh`; default: the first device alone) each device has its share of the walkers.
    """
    mesh = sharding.device_mesh(num_envs, jax.devices()[:1]) if mesh is None else mesh
    model = networks.ActorCritic(spec)
    optimizer = optax.chain(optax.clip_by_global_norm(ppo.max_grad_norm), optax.scale_by_adam(eps=1e-5))
    rates = _relative_rates(spec, ppo)
    local = num_envs // mesh.size
    shuffle = make_shuffle(num_envs, ppo, mesh.size)

    def init(key: jax.Array) -> TrainState:
        key, for_params, for_envs = jax.random.split(key, 3)
        params = model.init(for_params, jnp.zeros((1, observation_size)))
        return TrainState(
            params=params,
            optimizer=optimizer.init(params),
            learning_rate=jnp.asarray(ppo.learning_rate, jnp.float32),
            normaliser=running_statistics.init_state(jax.ShapeDtypeStruct((observation_size,), jnp.float32)),
            returns=running_statistics.init_state(jax.ShapeDtypeStruct((), jnp.float32)),
            env=reset(jax.random.split(for_envs, num_envs)),
            episodes=collect.Episodes(*[jnp.zeros(num_envs)] * 3),
            key=key,
            updates=jnp.zeros((), jnp.int32),
        )

    def optimise(carry: tuple, batch: loss.Batch, old_log_std: jax.Array, rate: jax.Array) -> tuple[tuple, dict]:
        """One minibatch."""
        params, opt_state = carry
        grads, log = jax.grad(loss.ppo_loss, has_aux=True)(params, model, batch, old_log_std, ppo, sharding.mean)
        grads, log = sharding.mean((grads, log))
        held = {name: g if rates[name] else jax.tree.map(jnp.zeros_like, g) for name, g in grads["params"].items()}
        log["grad_norm"] = optax.tree.norm(held)  # before it is clipped
        steps, opt_state = optimizer.update({"params": held}, opt_state)
        params = {
            name: jax.tree.map(lambda p, s, own=rates[name]: p - rate * own * s, params["params"][name], step)
            for name, step in steps["params"].items()
        }
        return ({"params": params}, opt_state), log

    def optimise_until(carry: tuple, batch: loss.Batch, old_log_std, rate) -> tuple[tuple, dict]:
        """The same, but nothing once the KL of the update has passed ``max_kl``."""
        trained, log = carry
        trained, log = jax.lax.cond(
            log["kl"] > ppo.max_kl, lambda: (trained, log), lambda: optimise(trained, batch, old_log_std, rate)
        )
        return (trained, log), log

    def keys(train: TrainState) -> tuple[jax.Array, jax.Array, jax.Array]:
        """For the next state, the rollout and the order of the samples."""
        return tuple(jax.random.split(train.key, 3))

    @partial(jax.shard_map, mesh=mesh, in_specs=(SPECS,), out_specs=(ROLLOUT_SPECS, sharding.SHARED), check_vma=False)
    def collected(train: TrainState) -> tuple[Rollout, collect.BlowUp]:
        walkers = sharding.walker_numbers(local)
        env, episodes, seen, episode_log, blow_up = collect.rollout(
            step, model, train.params, train.normaliser, train.env, train.episodes, keys(train)[1], walkers, ppo
        )
        ended, length, total = sharding.total((episode_log.ended, episode_log.length, episode_log.total))
        log = {
            "reward": sharding.mean(seen.reward.mean()),
            "episodes": ended,
            "episode_length": length / jnp.maximum(ended, 1.0),
            "episode_return": total / jnp.maximum(ended, 1.0),
            **{f"env/{name}": x for name, x in sharding.mean(episode_log.metrics).items()},
        }
        return Rollout(env, episodes, seen, log), blow_up

    @partial(
        jax.shard_map,
        mesh=mesh,
        in_specs=(SPECS, ROLLOUT_SPECS),
        out_specs=(SPECS, sharding.SAME),
        check_vma=False,
    )
    def optimised(train: TrainState, rollout: Rollout) -> tuple[TrainState, dict]:
        key, _, for_order = keys(train)
        seen = rollout.seen
        obs, next_obs = (collect.normalise(train.normaliser, o) for o in (seen.obs, seen.next_obs))
        value = model.apply(train.params, obs, method="critic")
        next_value = model.apply(train.params, next_obs, method="critic")
        returns = running_statistics.update(train.returns, seen.discounted.reshape(-1), pmap_axis_name=sharding.AXIS)
        reward = seen.reward / returns.std if ppo.normalize_reward else seen.reward
        advantage, target = loss.advantages(reward, value, next_value, seen.terminated, seen.done, ppo)
        old_log_std = model.apply(train.params, obs[:1, :1], method="actor")[1]
        batch = loss.Batch(obs, seen.action, seen.mean, seen.log_prob, advantage, value, target)

        def epoch(carry: tuple, key: jax.Array) -> tuple[tuple, dict]:
            one = optimise_until if ppo.max_kl else optimise
            return jax.lax.scan(lambda c, b: one(c, b, old_log_std, train.learning_rate), carry, shuffle(key, batch))

        trained = (train.params, train.optimizer)
        if ppo.max_kl:
            trained = (trained, dict.fromkeys([*loss.log_names(spec), "grad_norm"], jnp.zeros(())))
        trained, log = jax.lax.scan(epoch, trained, jax.random.split(for_order, ppo.n_epochs))
        params, opt_state = trained[0] if ppo.max_kl else trained

        everything = seen.obs.reshape(-1, observation_size)
        if spec.mirror or spec.reflection:
            everything = jnp.concatenate([everything, networks.mirrored(spec.mirror or spec.reflection, everything)])
        normaliser = train.normaliser
        if not spec.keep_normaliser:
            normaliser = running_statistics.update(normaliser, everything, pmap_axis_name=sharding.AXIS)
        log = {name: x[-1].mean() for name, x in log.items()}
        rate = _adapted(train.learning_rate, log["kl"], ppo)
        log |= rollout.log
        log |= {
            "learning_rate": rate,
            "explained_variance": loss.explained_variance(value, target, sharding.mean),
            "log_std": jnp.where(spec.active, old_log_std, 0.0).sum() / spec.active.sum(),
        }
        train = TrainState(
            params=params,
            optimizer=opt_state,
            learning_rate=rate,
            normaliser=normaliser,
            returns=returns,
            env=rollout.env,
            episodes=rollout.episodes,
            key=key,
            updates=train.updates + 1,
        )
        return train, log

    return init, Update(collected, optimised)


def make_shuffle(num_envs: int, ppo: PPOParams, devices: int = 1) -> Callable[[jax.Array, loss.Batch], loss.Batch]:
    """``shuffle(key, batch)``: samples ``[T, B, ...]`` of a device to minibatches ``[M, batch_size / devices, ...]``.

    Every minibatch takes the same number of random steps from every walker (from every group of ``M / gcd(M, T)``
    walkers, where M does not divide T), so how walkers are shared out among devices does not change what is in it.
    """
    count = num_envs * ppo.n_steps // ppo.batch_size
    members = count // math.gcd(count, ppo.n_steps)
    groups = sharding.groups(num_envs, members, devices)
    samples = members * ppo.n_steps

    def shuffle(key: jax.Array, batch: loss.Batch) -> loss.Batch:
        numbers = sharding.walker_numbers(groups)
        keys = jax.vmap(lambda number: jax.random.fold_in(key, number))(numbers)
        order = jax.vmap(lambda key: jax.random.permutation(key, samples))(keys)
        order = (order + samples * jnp.arange(groups)[:, None]).reshape(groups, count, -1)
        order = order.swapaxes(0, 1).reshape(count, -1)
        # Sample k of a group is step k % T of its walker k // T.
        walker, time = order // ppo.n_steps, order % ppo.n_steps
        rows = time * (groups * members) + walker
        return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:])[rows], batch)

    return shuffle


def _relative_rates(spec: networks.PolicySpec, ppo: PPOParams) -> dict[str, float]:
    """Learning rate of each part of the parameters in units of the run's; 0 keeps it as it is."""
    rates = {"critic": 1.0}
    for head in spec.heads:
        own = 1.0 if head.learning_rate is None else head.learning_rate / ppo.learning_rate
        rates[head.name] = rates[f"{head.name}_log_std"] = own if head.enabled and not head.frozen else 0.0
    return rates


def _adapted(rate: jax.Array, kl: jax.Array, ppo: PPOParams) -> jax.Array:
    """The next update's learning rate: the one that keeps the KL of a whole update near ``target_kl``."""
    if ppo.target_kl <= 0:
        return rate
    rate = jnp.where(kl > 1.5 * ppo.target_kl, rate / 1.5, rate)
    rate = jnp.where(kl < ppo.target_kl / 1.5, rate * 1.5, rate)
    return jnp.clip(rate, *LEARNING_RATES)
