"""One control step of physics on three backends behind one protocol: mjx (XLA), warp (NVIDIA), mujoco (C, threads).

The env sees `Physics` and `PhysicsState` only; everything it observes is state or a sensor of the model.
"""

import math
import os
import threading
from functools import partial
from typing import Protocol

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
from flax import struct
from mujoco import mjx
from mujoco.mjx._src.math import quat_to_mat
from mujoco.rollout import Rollout

from mjx_assist.errors import UserError
from mjx_assist.sim import implicit, mjcf
from mjx_assist.sim.assembly import FLOOR
from mjx_assist.sim.model_pool import Layout, VariedModels
from mjx_assist.sim.variation import Variation, model_fields

# Host callbacks can deadlock with asynchronous dispatch on CPU (jax issues 24255, 25861).
jax.config.update("jax_cpu_enable_async_dispatch", False)

LIMIT_SENSOR_PREFIX = "limit_load/"
_HEADROOM = 1.25  # times what the model can have at most


@struct.dataclass
class PhysicsState:
    """State of one walker (or a batch). Floats are 32-bit; time is the episode's, in s.

    ``sensordata`` and ``limit_load`` (magnitude of each limited joint's limit force, N or N*m) belong to the last
    physics step taken, ``sensor_peak`` is each sensor's largest value within the last control step; all are zero after
    a reset. ``warmstart`` is the constraint solver's last solution. ``overflow`` is 1 where contacts or constraint rows
    found no room in the last control step and were dropped (warp only; its sizes should make that impossible).
    """

    qpos: jax.Array
    qvel: jax.Array
    act: jax.Array
    time: jax.Array
    sensordata: jax.Array
    sensor_peak: jax.Array
    limit_load: jax.Array
    warmstart: jax.Array
    overflow: jax.Array


class Physics(Protocol):
    """``n_substeps`` physics steps at constant control; pure, and works under ``jit`` and ``vmap``.

    A ``variation`` says how each walker differs from the model; without one nothing is paid for it.
    """

    model: mujoco.MjModel
    n_substeps: int

    def start(self, qpos: jax.Array, qvel: jax.Array, act: jax.Array) -> PhysicsState: ...

    def step(self, state: PhysicsState, ctrl: jax.Array, variation: Variation | None = None) -> PhysicsState: ...


def reset_state(model: mujoco.MjModel, qpos: jax.Array, qvel: jax.Array, act: jax.Array) -> PhysicsState:
    """The state at the start of an episode: qpos ``[nq]``, qvel ``[nv]``, act ``[na]``."""
    zeros = jnp.zeros
    return PhysicsState(
        qpos=jnp.asarray(qpos, jnp.float32),
        qvel=jnp.asarray(qvel, jnp.float32),
        act=jnp.asarray(act, jnp.float32),
        time=zeros(()),
        sensordata=zeros(model.nsensordata),
        sensor_peak=zeros(model.nsensordata),
        limit_load=zeros(int(model.jnt_limited.sum())),
        warmstart=zeros(model.nv),
        overflow=zeros(()),
    )


def resolve_backend(name: str) -> str:
    """``auto`` -> warp on NVIDIA, mjx on TPU, mujoco on a CPU."""
    if name != "auto":
        return name
    return {"gpu": "warp", "cuda": "warp", "tpu": "mjx"}.get(jax.default_backend(), "mujoco")


def make_physics(backend: str, xml: str, n_substeps: int, num_envs: int, num_threads: int = 0) -> Physics:
    """The physics of a reduced model (MJCF text). The physics rate is 1 / the model's timestep.

    Raises:
        UserError: ``warp`` without warp-lang installed.
    """
    backend = resolve_backend(backend)
    if backend == "mujoco":
        return MujocoPhysics(mjcf.load(xml), mujoco.MjSpec.from_string(xml), n_substeps, num_threads)
    return MjxPhysics(xml, n_substeps, "warp" if backend == "warp" else "jax", num_envs)


def with_limit_sensors(spec: mujoco.MjSpec) -> mujoco.MjModel:
    """Compile the model with one joint-limit force sensor per limited joint appended after its own sensors."""
    spec = spec.copy()
    model = spec.compile()
    for joint in np.flatnonzero(model.jnt_limited):
        name = model.joint(joint).name
        spec.add_sensor(
            name=LIMIT_SENSOR_PREFIX + name,
            type=mujoco.mjtSensor.mjSENS_JOINTLIMITFRC,
            objtype=mujoco.mjtObj.mjOBJ_JOINT,
            objname=name,
        )
    return spec.compile()


class MujocoPhysics:
    """C MuJoCo in a thread pool behind ``jax.pure_callback``: a laptop's backend. ``spec`` is what made ``model``."""

    def __init__(self, model: mujoco.MjModel, spec: mujoco.MjSpec, n_substeps: int, num_threads: int = 0):
        self.model = model
        self.n_substeps = n_substeps
        self._sensing = with_limit_sensors(spec)
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

    def step(self, state: PhysicsState, ctrl: jax.Array, variation: Variation | None = None) -> PhysicsState:
        packed = jnp.concatenate([state.time[..., None], state.qpos, state.qvel, state.act], axis=-1)
        out_size = packed.shape[-1] + self._sensing.nsensordata + self.model.nsensordata
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
        sensordata, limit_load, peak = jnp.split(sensors, [self.model.nsensordata, self._sensing.nsensordata], axis=-1)
        return state.replace(
            qpos=qpos,
            qvel=qvel,
            act=act,
            time=time[..., 0],
            sensordata=sensordata,
            sensor_peak=peak,
            limit_load=limit_load,
        )

    def _advance(self, layout: Layout, packed: np.ndarray, ctrl: np.ndarray, *rows: np.ndarray) -> np.ndarray:
        """Host side: ``[..., state]``, ``[..., controls]`` -> ``[..., state + sensors + peaks]`` after ``n_substeps``.

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
        peak = sensors[:, :, : self.model.nsensordata].max(axis=1)
        return np.concatenate([states[:, -1], sensors[:, -1], peak], axis=1, dtype=np.float32, casting="same_kind")


def warp_sizes(model: mujoco.MjModel, num_envs: int, headroom: float = _HEADROOM) -> dict[str, int]:
    """Room for contacts (of all walkers together) and constraint rows (of each) that warp has to be told beforehand.

    MJX keeps a place for everything that can happen: every contact of every pair, with its rows, beside equalities, dry
    friction, and limits of joints and tendons.
    """
    everything = mjx.make_data(model, impl="jax")._impl
    contacts, rows = max(1, everything.ncon), max(1, everything.nefc)
    return {"naconmax": math.ceil(headroom * contacts * num_envs), "njmax": math.ceil(headroom * rows)}


def _refuse_friction(model: mujoco.MjModel) -> None:
    """MuJoCo Warp 3.11 does not find C MuJoCo's forces where joints or tendons have dry friction."""
    for kind, loss in (("joint", model.dof_frictionloss), ("tendon", model.tendon_frictionloss)):
        for i in np.flatnonzero(loss)[:1]:
            name = model.joint(model.dof_jntid[i]).name if kind == "joint" else model.tendon(i).name
            raise UserError(f"backend 'warp' cannot do dry friction: {kind} {name!r} has frictionloss {loss[i]:g}.")


class MjxPhysics:
    """MJX: ``impl`` 'jax' runs on TPU, GPU and CPU, 'warp' on NVIDIA (and, for tests, on a CPU)."""

    def __init__(self, xml: str, n_substeps: int, impl: str, num_envs: int, headroom: float = _HEADROOM):
        self.model = mujoco.MjModel.from_xml_string(xml)
        self.n_substeps = n_substeps
        self._impl = impl
        if impl == "warp":
            try:
                import warp  # noqa: F401
            except ImportError:
                raise UserError("backend 'warp' needs warp-lang: pip install 'mjx-assist[cuda]'.") from None
        sensing = with_limit_sensors(mujoco.MjSpec.from_string(xml)) if impl == "warp" else self.model
        if impl == "warp":
            _refuse_friction(self.model)
            # It never resets by itself, and refuses the flag that says so.
            sensing.opt.disableflags &= ~int(mujoco.mjtDisableBit.mjDSBL_AUTORESET)
        self._mjx_model = mjx.put_model(sensing, impl=impl)
        self._substep = implicit.make_step(sensing)
        self._sizes = warp_sizes(self.model, num_envs, headroom) if impl == "warp" else {}
        self._template = mjx.make_data(sensing, impl=impl, **self._sizes)

    def start(self, qpos: jax.Array, qvel: jax.Array, act: jax.Array) -> PhysicsState:
        return reset_state(self.model, qpos, qvel, act)

    def step(self, state: PhysicsState, ctrl: jax.Array, variation: Variation | None = None) -> PhysicsState:
        model, push = self._mjx_model, {}
        if variation is not None:
            fields = model_fields(self.model, variation, jnp)
            model = model.tree_replace({name: x.astype(jnp.float32) for name, x in fields.items()})
            push = {} if variation.push is None else {"qfrc_applied": variation.push}
            if self._impl == "warp" and "geom_quat" in fields:
                push |= self._placed_floor(fields)
        data = self._template.replace(
            qpos=state.qpos,
            qvel=state.qvel,
            act=state.act,
            time=state.time,
            ctrl=ctrl,
            qacc_warmstart=state.warmstart,
            **push,
        )

        def substep(carry, _):
            data, peak, overflow = carry
            data = self._substep(model, data)
            return (data, jnp.maximum(peak, data.sensordata), jnp.maximum(overflow, self._overflow(data))), None

        first = (data, jnp.full(data.sensordata.shape, -jnp.inf), jnp.zeros(()))
        (data, peak, overflow), _ = jax.lax.scan(substep, first, None, length=self.n_substeps)
        sensordata, limit_load = jnp.split(data.sensordata, [self.model.nsensordata])
        if self._impl == "jax":
            limit_load = self._limit_load(data)
        return PhysicsState(
            qpos=data.qpos,
            qvel=data.qvel,
            act=data.act,
            time=data.time,
            sensordata=sensordata,
            sensor_peak=peak[: self.model.nsensordata],
            limit_load=limit_load,
            warmstart=data.qacc_warmstart,
            overflow=overflow,
        )

    def _placed_floor(self, fields: dict[str, jax.Array]) -> dict[str, jax.Array]:
        """The floor's place in the data: warp places the world's own geoms once, in ``make_data``."""
        floor, data = self.model.geom(FLOOR).id, self._template
        turn = quat_to_mat(fields["geom_quat"][floor])
        return {
            "geom_xpos": jnp.asarray(data.geom_xpos).at[floor].set(fields["geom_pos"][floor]),
            "geom_xmat": jnp.asarray(data.geom_xmat).at[floor].set(turn.reshape(data.geom_xmat.shape[1:])),
        }

    def _overflow(self, data: mjx.Data) -> jax.Array:
        """1.0 if warp counted more than it had room for: rows of this walker, or contacts of all together."""
        if self._impl == "jax":
            return jnp.zeros(())
        contacts = jnp.maximum(jnp.max(data._impl.nacon), jnp.max(data._impl.ncollision))
        full = (contacts > self._sizes["naconmax"]) | (jnp.max(data._impl.nefc) > self._sizes["njmax"])
        return full.astype(jnp.float32)

    def _limit_load(self, data: mjx.Data) -> jax.Array:
        """Joint-limit forces from MJX's constraint rows: limit rows follow equality and friction, one per joint."""
        first = data._impl.ne + data._impl.nf
        return data._impl.efc_force[first : first + int(self.model.jnt_limited.sum())]
