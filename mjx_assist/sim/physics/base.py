"""What every physics backend implements: `Physics` and `PhysicsState`. The env sees nothing else."""

import dataclasses
from typing import Protocol

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
from flax import struct

from mjx_assist.model.names import actuator_names
from mjx_assist.model.variation import Variation

OWN_SENSOR_PREFIX = "own/"


class CarriedState(struct.PyTreeNode):
    """State of one walker (or a batch) between control steps, as checkpoints keep it. Floats are 32-bit; time is the
    episode's, in s.

    ``sensordata`` belongs to the last physics step taken. ``sensor_peak`` and ``limit_load`` are largest values within
    the last control step: of each sensor, and of each limited joint's limit force (magnitude, N or N*m). All are zero
    after a reset.

    ``warmstart`` is the constraint solver's last solution. ``overflow`` is 1 where contacts or constraint rows found no
    room in the last control step and were dropped (warp only; its sizes should make that impossible).
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


class PhysicsState(CarriedState):
    """The state after a control step, with what its reward reads and no other step needs.

    ``actuator_length``, ``actuator_velocity`` ``[nu]`` (of a tendon's m, m/s) and ``last_act [na]`` are those that made
    the forces of the last physics step: ``act`` is a step further. Zero after a reset.
    """

    actuator_length: jax.Array
    actuator_velocity: jax.Array
    last_act: jax.Array

    def carried(self) -> CarriedState:
        """What lives on."""
        return CarriedState(**{field.name: getattr(self, field.name) for field in dataclasses.fields(CarriedState)})


class Physics(Protocol):
    """``n_substeps`` physics steps at constant control; pure, and works under ``jit`` and ``vmap``.

    A ``variation`` says how each walker differs from the model; without one nothing is paid for it.
    ``backend``: its word in a config. ``on_host``: whether `step` calls back to the host, which keeps a program out of
    JAX's persistent cache.
    """

    model: mujoco.MjModel
    n_substeps: int
    on_host: bool
    backend: str

    def start(self, qpos: jax.Array, qvel: jax.Array, act: jax.Array) -> PhysicsState: ...

    def step(self, state: CarriedState, ctrl: jax.Array, variation: Variation | None = None) -> PhysicsState: ...


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
        actuator_length=zeros(model.nu),
        actuator_velocity=zeros(model.nu),
        last_act=zeros(model.na),
        warmstart=zeros(model.nv),
        overflow=zeros(()),
    )


def with_own_sensors(spec: mujoco.MjSpec) -> mujoco.MjModel:
    """Compile the model with our sensors after its own: the limit force of each limited joint, then the length of each
    actuator, then the velocity of each."""
    spec = spec.copy()
    for number, unnamed in enumerate(spec.actuators):
        unnamed.name = unnamed.name or f"{OWN_SENSOR_PREFIX}{number}"
    model = spec.compile()
    kinds, joint, actuator = mujoco.mjtSensor, mujoco.mjtObj.mjOBJ_JOINT, mujoco.mjtObj.mjOBJ_ACTUATOR
    limited = [model.joint(j).name for j in np.flatnonzero(model.jnt_limited)]
    for kind, of, names in (
        (kinds.mjSENS_JOINTLIMITFRC, joint, limited),
        (kinds.mjSENS_ACTUATORPOS, actuator, actuator_names(model)),
        (kinds.mjSENS_ACTUATORVEL, actuator, actuator_names(model)),
    ):
        for name in names:
            spec.add_sensor(name=f"{OWN_SENSOR_PREFIX}{kind.name}/{name}", type=kind, objtype=of, objname=name)
    return spec.compile()


def own_sensor_ends(model: mujoco.MjModel) -> list[int]:
    """Where, in the ``sensordata`` of `with_own_sensors`, the model's sensors, limit forces and lengths end."""
    return np.cumsum([model.nsensordata, model.jnt_limited.sum(), model.nu]).tolist()
