"""The backend `compiled`: a kernel generated for the model, one call a control step; on a CPU on XLA's own threads."""

import ctypes
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import mujoco
import numpy as np

from mjx_assist.config.words import COMPILED
from mjx_assist.errors import UserError
from mjx_assist.model import generated, mjcf
from mjx_assist.model.variation import Variation
from mjx_assist.sim.physics.base import CarriedState, PhysicsState, reset_state
from mjx_assist.sim.physics.compiled import build
from mjx_assist.sim.physics.compiled.emit import arrays, pallas
from mjx_assist.sim.physics.compiled.emit.cpp import source
from mjx_assist.sim.physics.compiled.model.step import STATE, Step, make_step


@dataclass(frozen=True)
class Kernel:
    """A built kernel, what goes into it (name -> numbers a walker) and what comes out."""

    library: ctypes.CDLL
    target: str
    inputs: dict[str, int]
    outputs: dict[str, int]
    bits: int


def make_kernel(model: mujoco.MjModel, varied: Iterable[str] = (), bits: int = 32) -> Kernel:
    """Generate and build; ``varied``: the fields of a `Variation` that are inputs.

    Raises:
        UserError: an element of the model is not supported.
        BuildError: see `build.build`.
    """
    step = make_step(_supported(model), varied, bits)
    text = source(step, bits)
    library = build.build(text, bits)
    inputs = {name: len(x) for name, x in step.inputs.items()}
    return Kernel(library, _registered(library, text, bits), inputs, step.results, bits)


def _supported(model: mujoco.MjModel) -> mujoco.MjModel:
    if what := generated.missing(model):
        raise UserError(f"backend {COMPILED!r} does not know: {what}.")
    return model


_TARGETS: set[str] = set()  # XLA's own table of them cannot be asked


def _registered(library: ctypes.CDLL, text: str, bits: int) -> str:
    """XLA's name for the kernel, told by its source: a program from JAX's cache finds the one it was made with."""
    target = f"mjx_assist_{build.digest(text)}"
    if bits == 32 and target not in _TARGETS:
        jax.ffi.register_ffi_target(target, jax.ffi.pycapsule(library.mjx_assist_handler), platform="cpu")
        _TARGETS.add(target)
    return target


def walk(kernel: Kernel, inputs: dict[str, np.ndarray], substeps: int, heights: np.ndarray | None = None) -> dict:
    """``substeps`` physics steps of walkers ``[B, n]`` without JAX, in the kernel's own precision (for proofs)."""
    kind = np.float32 if kernel.bits == 32 else np.float64
    rows = [np.ascontiguousarray(inputs[name], kind) for name in kernel.inputs]
    rows += [] if heights is None else [np.ascontiguousarray(heights, kind)]
    found = {name: np.zeros((len(rows[0]), n), kind) for name, n in kernel.outputs.items()}
    pointers = [(ctypes.c_void_p * len(xs))(*(x.ctypes.data for x in xs)) for xs in (rows, list(found.values()))]
    kernel.library.mjx_assist_walk(*pointers, ctypes.c_long(len(rows[0])), ctypes.c_int(substeps))
    return found


Rows = dict[str, jax.Array]  # by name, of walkers [..., n]
Walk = Callable[[Rows], Rows]


class CompiledPhysics:
    """A kernel for every set of a variation's fields that is asked for, built when it is.

    On a GPU it is a Pallas kernel, on a TPU plain JAX, of the same graph.
    """

    on_host = False
    backend = COMPILED

    def __init__(self, xml: str, n_substeps: int, num_threads: int = 0):
        self.model = mjcf.load(xml)
        self.n_substeps, self._threads = n_substeps, num_threads
        self._platform = jax.default_backend()
        self._walks: dict[frozenset[str], tuple[list[str], Walk]] = {}
        self._heights = jnp.asarray(self.model.hfield_data, jnp.float32) if self.model.nhfield else None
        self._walk(frozenset())

    def start(self, qpos: jax.Array, qvel: jax.Array, act: jax.Array) -> PhysicsState:
        return reset_state(self.model, qpos, qvel, act)

    def step(self, state: CarriedState, ctrl: jax.Array, variation: Variation | None = None) -> PhysicsState:
        differs = {} if variation is None else {k: x for k, x in variation._asdict().items() if x is not None}
        names, walk = self._walk(frozenset(differs))
        given = {name: getattr(state, name) for name in STATE} | {"ctrl": ctrl} | differs
        lead = state.qpos.shape[:-1]
        found = _batched(walk)({name: jnp.asarray(given[name], jnp.float32).reshape(*lead, -1) for name in names})
        time = state.time + self.n_substeps * self.model.opt.timestep
        return PhysicsState(**found, time=time, overflow=state.overflow)

    def _walk(self, fields: frozenset[str]) -> tuple[list[str], Walk]:
        """The names of what goes in, and the control step of whole batches."""
        if fields not in self._walks:
            if self._platform == "cpu":
                kernel = make_kernel(self.model, fields)
                self._walks[fields] = list(kernel.inputs), partial(self._on_cpu, kernel)
            else:
                step = make_step(_supported(self.model), fields)
                self._walks[fields] = list(step.inputs), partial(self._on_accelerator, step)
        return self._walks[fields]

    def _on_cpu(self, kernel: Kernel, given: Rows) -> Rows:
        lead = given["qpos"].shape[:-1]
        shapes = [jax.ShapeDtypeStruct((*lead, n), jnp.float32) for n in kernel.outputs.values()]
        shared = () if self._heights is None else (self._heights,)
        settings = {"substeps": np.int32(self.n_substeps), "threads": np.int32(self._threads)}
        rows = [given[name] for name in kernel.inputs]  # JAX hands dictionaries on in the order of their keys
        found = jax.ffi.ffi_call(kernel.target, shapes)(*rows, *shared, **settings)
        return dict(zip(kernel.outputs, found, strict=True))

    def _on_accelerator(self, step: Step, given: Rows) -> Rows:
        lead = given["qpos"].shape[:-1]
        columns = {name: x.reshape(-1, x.shape[-1]).T for name, x in given.items()}
        control_step = pallas.control_step if self._platform == "gpu" else arrays.control_step
        found = control_step(step, columns, self.n_substeps, self._heights)
        return {name: x.T.reshape(*lead, len(x)) for name, x in found.items()}


def _batched(walk: Walk) -> Walk:
    """``walk``, for which a batch of `jax.vmap` is one call; what is the same for all walkers is given to each."""
    whole = jax.custom_batching.custom_vmap(walk)

    @whole.def_vmap
    def _(size: int, is_batched: list, given: Rows) -> tuple[Rows, dict[str, bool]]:
        own = is_batched[0]
        found = _batched(walk)(
            {name: x if own[name] else jnp.broadcast_to(x, (size, *x.shape)) for name, x in given.items()}
        )
        return found, dict.fromkeys(found, True)

    return whole
