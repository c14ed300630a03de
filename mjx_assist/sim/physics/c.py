"""The backend `mujoco`: C MuJoCo in a pool of threads; where walkers differ from the model, a copy of it for each."""

import copy
import os
import threading
from functools import partial

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
from mujoco.rollout import Rollout

from mjx_assist.config.words import MUJOCO
from mjx_assist.errors import UserError
from mjx_assist.model.variation import Variation, write
from mjx_assist.sim.physics.base import CarriedState, PhysicsState, own_sensor_ends, reset_state, with_own_sensors

# Host callbacks can deadlock with asynchronous dispatch on CPU (jax issues 24255, 25861); read when JAX starts its CPU.
jax.config.update("jax_cpu_enable_async_dispatch", False)

Layout = tuple[tuple[str, tuple[int, ...]], ...]  # names of a variation's fields and the shapes of one walker's


class VariedModels:
    """A pool of models, one for each walker of a batch, written to where the walker's variation changes (a reset)."""

    def __init__(self, base: mujoco.MjModel, layout: Layout):
        self._base, self._layout = base, layout
        self._ends = np.cumsum([int(np.prod(shape, dtype=int)) for _, shape in layout])
        self._models: list[mujoco.MjModel] = []
        self._rows = np.empty((0, int(self._ends[-1])), np.float32)

    def of(self, rows: np.ndarray) -> list[mujoco.MjModel]:
        """The models of variations ``[batch, n]``."""
        if not self._models:
            self._models = [copy.copy(self._base) for _ in rows]
            self._rows = np.full(rows.shape, np.nan, np.float32)
        for walker in np.flatnonzero((rows != self._rows).any(axis=1)):
            parts = np.split(rows[walker].astype(float), self._ends[:-1])
            values = {name: part.reshape(shape) for (name, shape), part in zip(self._layout, parts, strict=True)}
            write(self._base, self._models[walker], Variation(**values))
        self._rows = rows.copy()
        return self._models


class MujocoPhysics:
    """C MuJoCo in a thread pool behind ``jax.pure_callback``: a laptop's backend. ``spec`` is what made ``model``."""

    on_host = True
    backend = MUJOCO

    def __init__(self, model: mujoco.MjModel, spec: mujoco.MjSpec, n_substeps: int, num_threads: int = 0):
        self.model = model
        self.n_substeps = n_substeps
        self._sensing = with_own_sensors(spec)
        self._sensing.opt.disableflags = self.model.opt.disableflags
        threads = num_threads or os.cpu_count() or 1
        self._data = [mujoco.MjData(self._sensing) for _ in range(threads)]
        self._pool = Rollout(nthread=threads)
        self._busy = threading.Lock()  # where a process has several devices, each calls from a thread of its own
        m = self.model
        self._split = np.cumsum([1, m.nq, m.nv])
        self._buffers: dict[tuple, tuple[np.ndarray, ...]] = {}
        self._varied: dict[tuple, VariedModels] = {}
        size = 1 + m.nq + m.nv + m.na
        expected = mujoco.mj_stateSize(m, mujoco.mjtState.mjSTATE_FULLPHYSICS)
        if size != expected:
            raise UserError(f"the model has state beyond qpos, qvel and act ({expected} numbers, not {size}).")

    def start(self, qpos: jax.Array, qvel: jax.Array, act: jax.Array) -> PhysicsState:
        return reset_state(self.model, qpos, qvel, act)

    def step(self, state: CarriedState, ctrl: jax.Array, variation: Variation | None = None) -> PhysicsState:
        packed = jnp.concatenate([state.time[..., None], state.qpos, state.qvel, state.act], axis=-1)
        out_size = packed.shape[-1] + self._sensing.nsensordata + self.model.nsensordata + self.model.na
        differences = {} if variation is None else {k: x for k, x in variation._asdict().items() if x is not None}
        if "push" in differences:
            ctrl = jnp.concatenate([ctrl, differences.pop("push")], axis=-1)
        layout = tuple((name, x.shape[packed.ndim - 1 :]) for name, x in differences.items())
        rows = [x.reshape(*packed.shape[:-1], -1) for x in differences.values()]
        out = jax.pure_callback(
            partial(self._advance, layout),
            jax.ShapeDtypeStruct((*packed.shape[:-1], out_size), jnp.float32),
            packed,
            ctrl,
            *([jnp.concatenate(rows, axis=-1)] if rows else []),
            vmap_method="expand_dims",
        )
        full, sensors = jnp.split(out, [packed.shape[-1]], axis=-1)
        time, qpos, qvel, act = jnp.split(full, self._split, axis=-1)
        ends = [*own_sensor_ends(self.model), self._sensing.nsensordata, self._sensing.nsensordata + self.model.na]
        sensordata, limit_load, length, velocity, last_act, peak = jnp.split(sensors, ends, axis=-1)
        return PhysicsState(
            qpos=qpos,
            qvel=qvel,
            act=act,
            time=time[..., 0],
            sensordata=sensordata,
            sensor_peak=peak,
            limit_load=limit_load,
            actuator_length=length,
            actuator_velocity=velocity,
            last_act=last_act,
            warmstart=state.warmstart,
            overflow=state.overflow,
        )

    def _advance(self, layout: Layout, packed: np.ndarray, ctrl: np.ndarray, *rows: np.ndarray) -> np.ndarray:
        """Host side: ``[..., state]``, ``[..., controls]`` -> ``[..., state + sensors + last_act + peaks]``.

        ``rows`` ``[..., n]``: each walker's variation, its numbers as ``layout`` says.
        """
        arrays = [np.asarray(x) for x in (packed, ctrl, *rows)]
        lead = np.broadcast_shapes(*(x.shape[:-1] for x in arrays))
        batch = int(np.prod(lead, dtype=int))
        flat = [np.broadcast_to(x, (*lead, x.shape[-1])).reshape(batch, x.shape[-1]) for x in arrays]
        with self._busy:
            return self._rollout(layout, *flat).reshape(*lead, -1)

    def _rollout(self, layout: Layout, packed: np.ndarray, ctrl: np.ndarray, *rows: np.ndarray) -> np.ndarray:
        batch = len(packed)
        if (batch, ctrl.shape[-1]) not in self._buffers:
            shapes = (
                packed.shape,
                (batch, self.n_substeps, ctrl.shape[-1]),
                (batch, self.n_substeps, packed.shape[-1]),
                (batch, self.n_substeps, self._sensing.nsensordata),
            )
            self._buffers[batch, ctrl.shape[-1]] = tuple(np.zeros(shape) for shape in shapes)
        initial, controls, states, sensors = self._buffers[batch, ctrl.shape[-1]]
        initial[:] = packed
        controls[:] = ctrl[:, None]
        models = [self._sensing] * batch
        if rows:
            varied = self._varied.setdefault((batch, layout), VariedModels(self._sensing, layout))
            models = varied.of(rows[0])
        kinds = mujoco.mjtState.mjSTATE_CTRL
        if ctrl.shape[-1] > self.model.nu:
            kinds |= mujoco.mjtState.mjSTATE_QFRC_APPLIED
        self._pool.rollout(
            models,
            self._data,
            initial,
            controls,
            control_spec=int(kinds),
            nstep=self.n_substeps,
            state=states,
            sensordata=sensors,
            skip_checks=True,
        )
        own, limits = own_sensor_ends(self.model)[:2]
        peak = sensors[:, :, :limits].max(axis=1)
        last = sensors[:, -1].copy()
        last[:, own:limits] = peak[:, own:]
        last_act = (states[:, -2] if self.n_substeps > 1 else initial)[:, packed.shape[-1] - self.model.na :]
        found = [states[:, -1], last, last_act, peak[:, :own]]
        return np.concatenate(found, axis=1, dtype=np.float32, casting="same_kind")
