"""The backend that a config names. A new one has its line in `MAKERS` and its word in config/words.py."""

from collections.abc import Callable

import jax
import mujoco

from mjx_assist.config.words import AUTO, COMPILED, MJX, MUJOCO, WARP
from mjx_assist.errors import note
from mjx_assist.model import generated, mjcf
from mjx_assist.sim.physics.base import Physics
from mjx_assist.sim.physics.c import MujocoPhysics
from mjx_assist.sim.physics.compiled import build
from mjx_assist.sim.physics.compiled.physics import CompiledPhysics
from mjx_assist.sim.physics.mjx import MjxPhysics
from mjx_assist.sim.physics.warp import WarpPhysics


def _mujoco(xml: str, substeps: int, walkers: int, threads: int) -> Physics:
    return MujocoPhysics(mjcf.load(xml), mujoco.MjSpec.from_string(xml), substeps, threads)


def _compiled(xml: str, substeps: int, walkers: int, threads: int) -> Physics:
    """Where no kernel can be had, C MuJoCo, which takes the same steps."""
    what = generated.missing(mjcf.load(xml))
    if what is None:
        try:
            return CompiledPhysics(xml, substeps, threads)
        except build.BuildError as error:
            what = str(error)
    note(f"backend {COMPILED!r}: {what.rstrip('.')}; {MUJOCO!r} is taken, whose steps are the same but slower.")
    return _mujoco(xml, substeps, walkers, threads)


# Backend -> how it is made from MJCF text, substeps, walkers and threads.
MAKERS: dict[str, Callable[[str, int, int, int], Physics]] = {
    MUJOCO: _mujoco,
    COMPILED: _compiled,
    MJX: lambda xml, substeps, *_: MjxPhysics(xml, substeps),
    WARP: lambda xml, substeps, walkers, _: WarpPhysics(xml, substeps, walkers),
}


def resolve_backend(name: str) -> str:
    """``auto`` -> warp on NVIDIA, mjx on TPU, on a CPU compiled where a compiler is at hand, else mujoco."""
    if name != AUTO:
        return name
    here = COMPILED if build.compiler() else MUJOCO
    return {"gpu": WARP, "cuda": WARP, "tpu": MJX}.get(jax.default_backend(), here)


def make_physics(backend: str, xml: str, n_substeps: int, num_envs: int, num_threads: int = 0) -> Physics:
    """The physics of a reduced model (MJCF text). The physics rate is 1 / the model's timestep.

    Raises:
        UserError: the backend cannot simulate the model, or needs a package that is not installed.
    """
    return MAKERS[resolve_backend(backend)](xml, n_substeps, num_envs, num_threads)
