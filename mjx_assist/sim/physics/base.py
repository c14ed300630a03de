"""What every physics backend implements: `Physics` and `PhysicsState`. The env sees nothing else."""

from typing import Protocol

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
from flax import struct

from mjx_assist.model.variation import Variation

LIMIT_SENSOR_PREFIX = "limit_load/"


class PhysicsState(struct.PyTreeNode):
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
    ``backend``: its word in a config. ``on_host``: whether `step` calls back to the host, which keeps a program out of
    JAX's persistent cache.
    """

    model: mujoco.MjModel
    n_substeps: int
    on_host: bool
    backend: str

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
