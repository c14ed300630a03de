"""The samples of a rollout dealt out to minibatches, on one device or many."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from mjx_assist.config.schema import PPOParams
from mjx_assist.ppo import sharding
from mjx_assist.ppo.loss import Batch

Shuffle = Callable[[jax.Array], jax.Array]


def make_shuffle(num_envs: int, ppo: PPOParams, devices: int = 1) -> Shuffle:
    """``shuffle(key)``: samples of a device, ``step * B + walker``, of each minibatch: ``[M, batch_size / devices]``.

    Every minibatch takes the same number of random steps from every walker (from every group of ``M / gcd(M, T)``
    walkers, where M does not divide T), so how walkers are shared out among devices does not change what is in it.
    """
    count = num_envs * ppo.n_steps // ppo.batch_size
    members = count // math.gcd(count, ppo.n_steps)
    groups = sharding.groups(num_envs, members, devices)
    samples = members * ppo.n_steps

    def shuffle(key: jax.Array) -> jax.Array:
        numbers = sharding.walker_numbers(groups)
        keys = jax.vmap(lambda number: jax.random.fold_in(key, number))(numbers)
        order = jax.vmap(lambda key: jax.random.permutation(key, samples))(keys)
        order = (order + samples * jnp.arange(groups)[:, None]).reshape(groups, count, -1)
        order = order.swapaxes(0, 1).reshape(count, -1)
        # Sample k of a group is step k % T of its walker k // T.
        walker, time = order // ppo.n_steps, order % ppo.n_steps
        return time * (groups * members) + walker

    return shuffle


def packed(batch: Batch) -> tuple[jax.Array, Callable[[jax.Array], Batch]]:
    """Samples ``[T, B, ...]`` as rows ``[T * B, all]``, so that a minibatch is one gather, and what unpacks rows."""
    columns = [x.reshape(x.shape[0] * x.shape[1], -1) for x in batch]
    ends = np.cumsum([x.shape[-1] for x in columns])

    def unpacked(rows: jax.Array) -> Batch:
        each = jnp.split(rows, ends[:-1], axis=-1)
        return Batch(*(x.reshape(len(rows), *like.shape[2:]) for x, like in zip(each, batch, strict=True)))

    return jnp.concatenate(columns, axis=-1), unpacked
