"""One PPO update: the walkers' rollout, then the optimization; each a function over a `Learner` and a `TrainState`.

`rollout` and `update` see one device's share of the walkers; `train_step` is both, over all devices.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from brax.envs.base import State
from brax.training.acme import running_statistics
from flax import struct
from jax.sharding import Mesh

from mjx_assist.config.schema import PPOParams
from mjx_assist.config.words import LEARNING_RATES
from mjx_assist.ppo import loss, minibatches, networks, sharding
from mjx_assist.ppo import rollout as rollouts


class TrainState(struct.PyTreeNode):
    """All that training is: saving it and loading it back continues bit for bit."""

    params: dict
    optimizer: optax.OptState
    learning_rate: jax.Array
    normaliser: running_statistics.RunningStatisticsState
    returns: running_statistics.RunningStatisticsState
    env: State
    episodes: rollouts.Episodes
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
_SHARED: Any = sharding.SHARED
_SAME: Any = sharding.SAME  # a spec stands where an array will
SPECS = TrainState(
    **{name: _SAME for name in ("params", "optimizer", "learning_rate", "normaliser", "returns", "key", "updates")},
    env=_SHARED,
    episodes=_SHARED,
)


class Rollout(NamedTuple):
    """What `rollout` hands to `update`: where the walkers are, what was seen, and what to log of it."""

    env: State
    episodes: rollouts.Episodes
    seen: rollouts.Transition
    log: dict


_OVER_TIME: Any = sharding.SHARED_OVER_TIME
ROLLOUT_SPECS = Rollout(_SHARED, _SHARED, _OVER_TIME, _SAME)
Trained = tuple[dict, optax.OptState]  # parameters, and the optimizer's state


@dataclass(frozen=True)
class Learner:
    """What training needs beside its state, and what never changes in it."""

    walkers: rollouts.Walkers
    model: networks.ActorCritic
    optimizer: optax.GradientTransformation
    shuffle: minibatches.Shuffle
    ppo: PPOParams
    mesh: Mesh

    @property
    def spec(self) -> networks.PolicySpec:
        return self.model.spec


def make_learner(
    walkers: rollouts.Walkers, spec: networks.PolicySpec, ppo: PPOParams, mesh: Mesh | None = None
) -> Learner:
    """A learner of ``spec``'s networks; each device of the ``mesh`` (default: the first one alone) has its share.

    Raises:
        UserError: the walkers, or the minibatches' groups of them, cannot be shared out evenly.
    """
    mesh = sharding.device_mesh(walkers.number, jax.devices()[:1]) if mesh is None else mesh
    optimizer = optax.chain(optax.clip_by_global_norm(ppo.max_grad_norm), optax.scale_by_adam(eps=ppo.adam_epsilon))
    shuffle = minibatches.make_shuffle(walkers.number, ppo, mesh.size)
    return Learner(walkers, networks.ActorCritic(spec), optimizer, shuffle, ppo, mesh)


def init(learner: Learner, key: jax.Array) -> TrainState:
    """Fresh networks, and every walker at the start of an episode."""
    walkers = learner.walkers
    key, for_params, for_envs = jax.random.split(key, 3)
    params = learner.model.init(for_params, jnp.zeros((1, walkers.observation_size)))
    return TrainState(
        params=params,
        optimizer=learner.optimizer.init(params),
        learning_rate=jnp.asarray(learner.ppo.learning_rate, jnp.float32),
        normaliser=running_statistics.init_state(jax.ShapeDtypeStruct((walkers.observation_size,), jnp.float32)),
        returns=running_statistics.init_state(jax.ShapeDtypeStruct((), jnp.float32)),
        env=walkers.reset(jax.random.split(for_envs, walkers.number)),
        episodes=rollouts.Episodes(*[jnp.zeros(walkers.number)] * 3),
        key=key,
        updates=jnp.zeros((), jnp.int32),
    )


def train_step(learner: Learner, train: TrainState) -> tuple[TrainState, dict, rollouts.BlowUp]:
    """The next state, what to log, and the first walker that blew up (a row per device). Jit it: see `jitted`."""
    seen, blow_up = sharded_rollout(learner)(train)
    return *sharded_update(learner)(train, seen), blow_up


def jitted(learner: Learner, as_one: bool) -> Callable[[TrainState], tuple[TrainState, dict, rollouts.BlowUp]]:
    """`train_step` as one program, or as two: JAX's persistent cache keeps no program that calls back to the host."""
    if as_one:
        return jax.jit(partial(train_step, learner), donate_argnums=0)
    roll_out, update_from = jax.jit(sharded_rollout(learner)), jax.jit(sharded_update(learner), donate_argnums=0)

    def step(train: TrainState) -> tuple[TrainState, dict, rollouts.BlowUp]:
        seen, blow_up = roll_out(train)
        return *update_from(train, seen), blow_up

    return step


def sharded_rollout(learner: Learner) -> Callable[[TrainState], tuple[Rollout, rollouts.BlowUp]]:
    """`rollout` on every device of the mesh."""
    specs = {"in_specs": (SPECS,), "out_specs": (ROLLOUT_SPECS, sharding.SHARED)}
    return jax.shard_map(partial(rollout, learner), mesh=learner.mesh, **specs, check_vma=False)


def sharded_update(learner: Learner) -> Callable[[TrainState, Rollout], tuple[TrainState, dict]]:
    """`update` on every device of the mesh; parameters stay the same on all."""
    specs = {"in_specs": (SPECS, ROLLOUT_SPECS), "out_specs": (SPECS, sharding.SAME)}
    return jax.shard_map(partial(update, learner), mesh=learner.mesh, **specs, check_vma=False)


def rollout(learner: Learner, train: TrainState) -> tuple[Rollout, rollouts.BlowUp]:
    """The policy walks for ``n_steps`` control steps."""
    step, ppo = learner.walkers.step, learner.ppo
    numbers = sharding.walker_numbers(learner.walkers.number // learner.mesh.size)
    _, key, _ = _keys(train)
    env, episodes, seen, sums, blow_up = rollouts.rollout(
        step, learner.model, train.params, train.normaliser, train.env, train.episodes, key, numbers, ppo
    )
    ended, length, total = sharding.total((sums.ended, sums.length, sums.total))
    log = {
        "reward": sharding.mean(seen.reward.mean()),
        "episodes": ended,
        "episode_length": length / jnp.maximum(ended, 1.0),
        "episode_return": total / jnp.maximum(ended, 1.0),
        **{f"env/{name}": x for name, x in sharding.mean(sums.metrics).items()},
    }
    return Rollout(env, episodes, seen, log), blow_up


def update(learner: Learner, train: TrainState, rollout: Rollout) -> tuple[TrainState, dict]:
    """Values and advantages of what was seen, ``n_epochs`` over it in minibatches, and the state after it."""
    key, _, for_order = _keys(train)
    batch, old_log_std, returns = _batch(learner, train, rollout.seen)
    (params, opt_state), log = _epochs(learner, train, batch, old_log_std, for_order)
    rate = _adapted(train.learning_rate, log["kl"], learner.ppo)
    active = learner.spec.active
    log |= rollout.log
    log |= {
        "learning_rate": rate,
        "explained_variance": loss.explained_variance(batch.value, batch.target, sharding.mean),
        "log_std": jnp.where(active, old_log_std, 0.0).sum() / active.sum(),
    }
    train = TrainState(
        params=params,
        optimizer=opt_state,
        learning_rate=rate,
        normaliser=_observed(learner.spec, train.normaliser, rollout.seen.obs),
        returns=returns,
        env=rollout.env,
        episodes=rollout.episodes,
        key=key,
        updates=train.updates + 1,
    )
    return train, log


def optimize(
    learner: Learner, trained: Trained, batch: loss.Batch, old_log_std: jax.Array, rate: jax.Array
) -> tuple[Trained, dict]:
    """One minibatch: a step of Adam at the learning ``rate`` of the run, and what to log."""
    params, opt_state = trained
    grads, log = jax.grad(loss.ppo_loss, has_aux=True)(
        params, learner.model, batch, old_log_std, learner.ppo, sharding.mean
    )
    grads, log = sharding.mean((grads, log))
    rates: dict[str, float] = _relative_rates(learner.spec, learner.ppo)
    held = {name: g if rates[name] else jax.tree.map(jnp.zeros_like, g) for name, g in grads["params"].items()}
    log["grad_norm"] = optax.tree.norm(held)  # before it is clipped
    moved: tuple[Any, optax.OptState] = learner.optimizer.update({"params": held}, opt_state)
    steps, opt_state = moved
    params = {
        name: jax.tree.map(lambda p, s, own=rates[name]: p - rate * own * s, params["params"][name], step)
        for name, step in steps["params"].items()
    }
    return ({"params": params}, opt_state), log


def _keys(train: TrainState) -> tuple[jax.Array, jax.Array, jax.Array]:
    """For the next state, the rollout and the order of the samples."""
    return tuple(jax.random.split(train.key, 3))


def _batch(
    learner: Learner, train: TrainState, seen: rollouts.Transition
) -> tuple[loss.Batch, jax.Array, running_statistics.RunningStatisticsState]:
    """The samples ``[T, B, ...]`` with values and advantages, the rollout's log_std ``[nu]``, statistics of returns."""
    model, ppo = learner.model, learner.ppo
    obs, next_obs = (rollouts.normalize(learner.spec, train.normaliser, o) for o in (seen.obs, seen.next_obs))
    parts, next_parts = (networks.parts(learner.spec.mirror, o) for o in (obs, next_obs))
    value = model.apply(train.params, parts, method="value_of_parts")
    next_value = model.apply(train.params, next_parts, method="value_of_parts")
    returns = running_statistics.update(train.returns, seen.discounted.reshape(-1), pmap_axis_name=sharding.AXIS)
    reward = seen.reward / returns.std if ppo.normalize_reward else seen.reward
    advantage, target = loss.advantages(reward, value, next_value, seen.terminated, seen.done, ppo)
    old_log_std = model.apply(train.params, obs[:1, :1], method="actor")[1]
    return loss.Batch(parts, seen.action, seen.mean, seen.log_prob, advantage, value, target), old_log_std, returns


def _epochs(
    learner: Learner, train: TrainState, batch: loss.Batch, old_log_std: jax.Array, key: jax.Array
) -> tuple[Trained, dict]:
    """What ``n_epochs`` over the samples make of the networks, and the last epoch's means of what a minibatch logs.

    Once the KL of the update has passed a ``max_kl`` nothing changes any more.
    """
    ppo = learner.ppo
    rows, unpacked = minibatches.packed(batch)

    def minibatch(carry: tuple[Trained, dict], order: jax.Array) -> tuple[tuple[Trained, dict], dict]:
        trained, log = carry
        step = lambda: optimize(learner, trained, unpacked(rows[order]), old_log_std, train.learning_rate)  # noqa: E731
        carry = jax.lax.cond(log["kl"] > ppo.max_kl, lambda: carry, step) if ppo.max_kl else step()
        return carry, carry[1]

    none = dict.fromkeys([*loss.log_names(learner.spec), "grad_norm"], jnp.zeros(()))
    start = ((train.params, train.optimizer), none)
    orders = jax.vmap(learner.shuffle)(jax.random.split(key, ppo.n_epochs))  # [epochs, minibatches, samples]
    (trained, _), log = jax.lax.scan(minibatch, start, orders.reshape(-1, orders.shape[-1]))
    return trained, {name: x[-orders.shape[1] :].mean() for name, x in log.items()}


def _observed(
    spec: networks.PolicySpec, normaliser: running_statistics.RunningStatisticsState, obs: jax.Array
) -> running_statistics.RunningStatisticsState:
    """The statistics with the observations ``[T, B, n]`` of this rollout, from both sides where there is a mirror."""
    if spec.keep_normaliser or not spec.normalized:
        return normaliser
    mirror, everything = spec.mirror or spec.reflection, obs.reshape(-1, obs.shape[-1])
    if mirror:
        everything = jnp.concatenate([everything, networks.mirrored(mirror, everything)])
    return running_statistics.update(normaliser, everything, pmap_axis_name=sharding.AXIS)


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
