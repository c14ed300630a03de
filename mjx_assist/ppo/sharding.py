"""One program over many devices: walkers are shared out among them, everything else is the same on each."""

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from mjx_assist.errors import UserError

AXIS = "walkers"
SAME, SHARED = PartitionSpec(), PartitionSpec(AXIS)  # on every device; along its first axis


def device_mesh(num_envs: int, devices: list | None = None) -> Mesh:
    """All devices (of all hosts) in one row, each with an equal share of the walkers.

    Raises:
        UserError: the number of walkers does not divide by that of the devices.
    """
    devices = jax.devices() if devices is None else devices
    if num_envs % len(devices):
        raise UserError(
            f"config key 'env_params.num_envs': {num_envs} walkers cannot be shared out evenly among {len(devices)} "
            f"devices; {num_envs - num_envs % len(devices) or len(devices)} can."
        )
    return Mesh(np.array(devices), (AXIS,))


def groups(num_envs: int, members: int, devices: int) -> int:
    """How many groups of ``members`` walkers each device has.

    Raises:
        UserError: the groups cannot be shared out evenly.
    """
    if num_envs % (members * devices):
        raise UserError(
            f"config key 'ppo_params.batch_size': with it each minibatch draws on groups of {members} walkers, which "
            f"{num_envs} walkers on {devices} devices do not make; choose a multiple of env_params.num_envs."
        )
    return num_envs // (members * devices)


def shardings(mesh: Mesh, specs):
    """`NamedSharding` for each `PartitionSpec` of a tree, for ``jax.jit``'s ``out_shardings``."""
    return jax.tree.map(lambda spec: NamedSharding(mesh, spec), specs, is_leaf=lambda x: isinstance(x, PartitionSpec))


def walker_numbers(local: int) -> jax.Array:
    """Numbers ``[local]`` of this device's walkers among all; inside ``shard_map``."""
    return jax.lax.axis_index(AXIS) * local + np.arange(local)


def mean(tree):
    """Mean over devices, inside ``shard_map``."""
    return jax.lax.pmean(tree, AXIS)


def total(tree):
    """Sum over devices, inside ``shard_map``."""
    return jax.lax.psum(tree, AXIS)
