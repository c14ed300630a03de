"""The samples of a rollout dealt out to minibatches, on one device or many."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp

from mjx_assist.config.schema import PPOParams
from mjx_assist.ppo import sharding
from mjx_assist.ppo.loss import Batch

Shuffle = Callable[[jax.Array, Batch], Batch]


def make_shuffle(num_envs: int, ppo: PPOParams, devices: int = 1) -> Shuffle:
    """``shuffle(key, batch)``: samples ``[T, B, ...]`` of a device to minibatches ``[M, batch_size / devices, ...]``.

    Every minibatch takes the same number of random steps from every walker (from every group of ``M / gcd(M, T)``
    walkers, where M does not divide T), so how walkers are shared out among devices does not change what is in it.
    """
    count = num_envs * ppo.n_steps // ppo.batch_size
    members = count // math.gcd(count, ppo.n_steps)
    groups = sharding.groups(num_envs, members, devices)
    samples = members * ppo.n_steps

    def shuffle(key: jax.Array, batch: Batch) -> Batch:
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
