"""The backend `compiled` on a CPU: a kernel generated for the model, one call a control step, on XLA's own threads."""

import ctypes
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import mujoco
import numpy as np

from mjx_assist.config.words import COMPILED
from mjx_assist.errors import UserError
from mjx_assist.model import generated, mjcf
from mjx_assist.model.variation import Variation
from mjx_assist.sim.physics.base import PhysicsState, reset_state
from mjx_assist.sim.physics.compiled import build
from mjx_assist.sim.physics.compiled.emit_cpp import RESULTS, source
from mjx_assist.sim.physics.compiled.step import Step, make_step


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
    if what := generated.missing(model):
        raise UserError(f"backend {COMPILED!r} does not know: {what}.")
    step = make_step(model, varied, bits)
    text = source(step, bits)
    library = build.build(text, bits)
    return Kernel(library, _registered(library, text, bits), *_sizes(step), bits)


def _sizes(step: Step) -> tuple[dict[str, int], dict[str, int]]:
    outputs = {name: len(x) for name, x in step.outputs.items()}
    outputs["sensor_peak"] = outputs["sensordata"]
    return {name: len(x) for name, x in step.inputs.items()}, {name: outputs[name] for name in RESULTS}


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


class CompiledPhysics:
    """A kernel for every set of a variation's fields that is asked for, built when it is."""

    on_host = False
    backend = COMPILED

    def __init__(self, xml: str, n_substeps: int, num_threads: int = 0):
        self.model = mjcf.load(xml)
        self.n_substeps, self._threads = n_substeps, num_threads
        self._kernels: dict[frozenset[str], Kernel] = {}
        self._heights = jnp.asarray(self.model.hfield_data, jnp.float32) if self.model.nhfield else None
        self._kernel(frozenset())

    def start(self, qpos: jax.Array, qvel: jax.Array, act: jax.Array) -> PhysicsState:
        return reset_state(self.model, qpos, qvel, act)

    def step(self, state: PhysicsState, ctrl: jax.Array, variation: Variation | None = None) -> PhysicsState:
        differs = {} if variation is None else {k: x for k, x in variation._asdict().items() if x is not None}
        kernel = self._kernel(frozenset(differs))
        given = {name: getattr(state, name) for name in ("qpos", "qvel", "act", "warmstart")} | {"ctrl": ctrl}
        given |= {name: jnp.asarray(x, jnp.float32) for name, x in differs.items()}
        lead = state.qpos.shape[:-1]
        rows = [given[name].reshape(*lead, n) for name, n in kernel.inputs.items()]
        found = dict(zip(kernel.outputs, self._call(kernel)(*rows), strict=True))
        return state.replace(
            **{name: found[name] for name in RESULTS}, time=state.time + self.n_substeps * self.model.opt.timestep
        )

    def _kernel(self, fields: frozenset[str]) -> Kernel:
        if fields not in self._kernels:
            self._kernels[fields] = make_kernel(self.model, fields)
        return self._kernels[fields]

    def _call(self, kernel: Kernel) -> Callable[..., list[jax.Array]]:
        """The kernel on rows ``[..., n]`` of walkers; a batch of `jax.vmap` is one call, which shares the heights."""
        settings = {"substeps": np.int32(self.n_substeps), "threads": np.int32(self._threads)}
        shared = () if self._heights is None else (self._heights,)

        @jax.custom_batching.custom_vmap
        def call(*rows: jax.Array) -> list[jax.Array]:
            lead = rows[0].shape[:-1]
            shapes = [jax.ShapeDtypeStruct((*lead, n), jnp.float32) for n in kernel.outputs.values()]
            return list(jax.ffi.ffi_call(kernel.target, shapes)(*rows, *shared, **settings))

        @call.def_vmap
        def batched(size: int, is_batched: list[bool], *rows: jax.Array) -> tuple[list[jax.Array], list[bool]]:
            full = [
                x if own else jnp.broadcast_to(x, (size, *x.shape)) for x, own in zip(rows, is_batched, strict=True)
            ]
            found = call(*full)
            return found, [True] * len(found)

        return call
