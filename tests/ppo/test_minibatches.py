"""What `make_shuffle` puts into the minibatches."""

import jax
import numpy as np
import pytest
from jax.sharding import PartitionSpec

from mjx_assist.config.schema import PPOParams
from mjx_assist.ppo import loss, sharding
from mjx_assist.ppo.minibatches import make_shuffle, packed


def shuffled(envs, n_steps, batch_size, key):
    """(step, walker) of every sample ``[minibatch, sample, 2]``, from `make_shuffle` on one device, as gathered."""
    shuffle = make_shuffle(envs, PPOParams(n_steps=n_steps, batch_size=batch_size))
    step, walker = np.mgrid[:n_steps, :envs].astype(np.float32)
    rows, unpacked = packed(loss.Batch(np.stack([step, walker], -1), *[step] * 6))
    mesh = sharding.device_mesh(envs, jax.devices()[:1])
    same = PartitionSpec()
    deal = jax.shard_map(shuffle, mesh=mesh, in_specs=same, out_specs=same, check_vma=False)
    return np.array([unpacked(rows[order]).parts for order in jax.jit(deal)(key)], int)


def test_packed_rows_hold_every_part_of_a_sample():
    """Three steps of two walkers; what is unpacked of some rows is what indexing each array gives."""
    rng = np.random.default_rng(0)
    batch = loss.Batch(*(rng.normal(size=(3, 2, *shape)).astype(np.float32) for shape in [(5,), (4,), (4,), *[()] * 4]))
    rows, unpacked = packed(batch)
    assert rows.shape == (6, 17)
    order = np.array([5, 0, 3])
    for found, x in zip(unpacked(rows[order]), batch, strict=True):
        np.testing.assert_array_equal(found, x[order // 2, order % 2])


@pytest.mark.parametrize(
    ("envs", "n_steps", "batch_size", "group"),
    [(6, 8, 12, 1), (6, 8, 48, 1), (12, 8, 8, 3), (12, 5, 15, 4), (8, 3, 6, 4), (8, 1, 2, 4)],
)
def test_minibatches_hold_every_sample_once_and_the_same_number_of_every_group(envs, n_steps, batch_size, group):
    """``group``: walkers that share a shuffle; more than one where the minibatches do not divide a walker's steps."""
    deal = shuffled(envs, n_steps, batch_size, jax.random.PRNGKey(0))
    count = envs * n_steps // batch_size
    assert deal.shape == (count, batch_size, 2)
    assert len({tuple(sample) for sample in deal.reshape(-1, 2)}) == envs * n_steps
    for minibatch in deal:
        of_group = np.bincount(minibatch[:, 1] // group, minlength=envs // group)
        np.testing.assert_array_equal(of_group, batch_size * group // envs)


def test_minibatches_differ_between_keys_and_between_walkers():
    deals = [shuffled(6, 8, 12, jax.random.PRNGKey(seed)) for seed in range(2)]
    assert not np.array_equal(*deals)
    steps = [deals[0][0][deals[0][0][:, 1] == walker, 0] for walker in range(6)]
    assert len({tuple(s) for s in steps}) > 1
