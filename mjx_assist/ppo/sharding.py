"""One program over many devices: walkers are shared out among them, everything else is the same on each."""

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from mjx_assist.errors import UserError

AXIS = "walkers"
_TEXT = 4096  # bytes that `same_on_all` carries
_LOST_AFTER = 60  # s without a sign of life: a host is lost, and the run ends on all
SAME, SHARED = PartitionSpec(), PartitionSpec(AXIS)  # on every device; along its first axis
SHARED_OVER_TIME = PartitionSpec(None, AXIS)  # along its second axis


def join_hosts(address: str | None = None, count: int | None = None, index: int | None = None) -> None:
    """Make this process one of ``count`` hosts; before JAX computes anything.

    ``address`` is ``HOST:PORT`` of the first. What is None comes from the cluster's environment: Slurm, Open MPI, MPI
    for Python, Kubernetes and Cloud TPU pods, as ``jax.distributed`` finds it.

    Raises:
        UserError: nothing is given and there is no such environment, or the others cannot be reached.
    """
    try:
        jax.distributed.initialize(address, count, index, heartbeat_timeout_seconds=_LOST_AFTER)
    except (ValueError, RuntimeError) as error:
        raise UserError(
            f"--hosts: cannot join the others ({str(error).splitlines()[0]}). Outside a cluster that JAX knows give "
            "--hosts HOST:PORT (of the first host) --host-count N --host-index I."
        ) from error


def same_on_all(text: str) -> str:
    """The first host's text, on every host."""
    if jax.process_count() == 1:
        return text
    padded = np.zeros(_TEXT, np.uint8)
    encoded = np.frombuffer(text.encode()[:_TEXT], np.uint8)
    padded[: len(encoded)] = encoded
    return bytes(np.asarray(multihost_utils.broadcast_one_to_all(padded))).rstrip(b"\0").decode()


def on_any(here: bool) -> bool:
    """Whether it is so on any host."""
    return here if jax.process_count() == 1 else bool(np.any(multihost_utils.process_allgather(np.array(here))))


def is_primary() -> bool:
    """Whether this process writes what a run writes once: the first of several hosts."""
    return jax.process_index() == 0


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
    """Mean over devices, inside ``shard_map``; of one it is no work (XLA's CPU would copy)."""
    return tree if jax.lax.axis_size(AXIS) == 1 else jax.lax.pmean(tree, AXIS)


def total(tree):
    """Sum over devices, inside ``shard_map``; see `mean`."""
    return tree if jax.lax.axis_size(AXIS) == 1 else jax.lax.psum(tree, AXIS)
