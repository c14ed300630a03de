"""The backend that a config names. A new one has its line in `MAKERS` and its word in config/words.py."""

from collections.abc import Callable

import jax
import mujoco

from mjx_assist.config.words import AUTO, MJX, MUJOCO, WARP
from mjx_assist.model import mjcf
from mjx_assist.sim.physics.base import Physics
from mjx_assist.sim.physics.c import MujocoPhysics
from mjx_assist.sim.physics.mjx import MjxPhysics
from mjx_assist.sim.physics.warp import WarpPhysics

# Backend -> how it is made from MJCF text, substeps, walkers and threads.
MAKERS: dict[str, Callable[[str, int, int, int], Physics]] = {
    MUJOCO: lambda xml, substeps, _, threads: MujocoPhysics(
        mjcf.load(xml), mujoco.MjSpec.from_string(xml), substeps, threads
    ),
    MJX: lambda xml, substeps, *_: MjxPhysics(xml, substeps),
    WARP: lambda xml, substeps, walkers, _: WarpPhysics(xml, substeps, walkers),
}


def resolve_backend(name: str) -> str:
    """``auto`` -> warp on NVIDIA, mjx on TPU, mujoco on a CPU."""
    if name != AUTO:
        return name
    return {"gpu": WARP, "cuda": WARP, "tpu": MJX}.get(jax.default_backend(), MUJOCO)


def make_physics(backend: str, xml: str, n_substeps: int, num_envs: int, num_threads: int = 0) -> Physics:
    """The physics of a reduced model (MJCF text). The physics rate is 1 / the model's timestep.

    Raises:
        UserError: the backend cannot simulate the model, or needs a package that is not installed.
    """
    return MAKERS[resolve_backend(backend)](xml, n_substeps, num_envs, num_threads)
