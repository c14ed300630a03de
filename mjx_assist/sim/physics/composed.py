"""Physics on assist_sim's model as composed (soft couplings, mesh feet) behind the reduced model's face.

C MuJoCo only, since MJX has no mesh feet. What an env reads stays the reduced model's, name by name.
"""

from typing import Any

import jax
import jax.numpy as jnp
import mujoco
import numpy as np

from mjx_assist.config.words import COMPOSED, MUJOCO, REDUCED
from mjx_assist.errors import UserError
from mjx_assist.model import mjcf
from mjx_assist.model.assembly import compose
from mjx_assist.model.names import sensor_slice
from mjx_assist.model.reduction import ReducedModel
from mjx_assist.model.variation import Variation
from mjx_assist.model.view import reduced_view
from mjx_assist.sim.physics.base import CarriedState, PhysicsState, reset_state
from mjx_assist.sim.physics.c import MujocoPhysics
from mjx_assist.terrain.heightfield import FLOOR, Terrain, put_ground

_FORCE = 1 << int(mujoco.mjtConDataField.mjCONDATA_FORCE)  # what a contact sensor tells,
_NET = 3  # of all contacts together, in the world's axes
_LOAD = "load/"  # prefix of our sensors of the ground's force


class ComposedCarriedState(CarriedState):
    """The walker as the reduced model has it, and ``body``: the composed model's own state."""

    body: CarriedState


class ComposedState(PhysicsState):
    """The same after a control step."""

    body: PhysicsState

    def carried(self) -> ComposedCarriedState:
        return ComposedCarriedState(**vars(super().carried()), body=self.body.carried())


class ComposedPhysics:
    """``n_substeps`` of the composed model at the reduced model's timestep.

    ``model`` is the reduced one (``xml``: with its ground and rate), whose names and order all arguments and results
    have. An episode starts with every coupling satisfied.
    """

    on_host = True
    backend = MUJOCO

    def __init__(self, reduced: ReducedModel, xml: str, terrain: Terrain | None, n_substeps: int, num_threads: int = 0):
        model = self.model = mjcf.load(xml)
        self.n_substeps, self._coupling = n_substeps, reduced.coupling
        spec = composed_spec(reduced, model.opt.timestep, terrain)
        full = spec.compile()
        full.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET
        self._physics = MujocoPhysics(full, spec, n_substeps, num_threads)
        self._view = reduced_view(model, full)
        limited = [full.joint(j).name for j in np.flatnonzero(full.jnt_limited)]
        self._limits = np.array([limited.index(model.joint(j).name) for j in np.flatnonzero(model.jnt_limited)], int)
        self._sensors = _sensor_matrix(model, full)

    def start(self, qpos: jax.Array, qvel: jax.Array, act: jax.Array) -> ComposedState:
        full = self._physics.model
        pose, motion = self._coupling.lift(qpos, jnp), self._coupling.lift_velocity(qpos, qvel, jnp)
        body = reset_state(full, pose, motion, jnp.zeros(full.na).at[self._view.act].set(act))
        return ComposedState(**vars(reset_state(self.model, qpos, qvel, act)), body=body)

    def step(self, state: Any, ctrl: jax.Array, variation: Variation | None = None) -> ComposedState:
        """From a `ComposedCarriedState` or a `ComposedState` to the next."""
        differs = None if variation is None else self._view.variation(variation, jnp)
        body = self._physics.step(state.body, ctrl[..., self._view.actuator], differs)
        return ComposedState(
            qpos=body.qpos[..., self._view.qpos],
            qvel=body.qvel[..., self._view.qpos],
            act=body.act[..., self._view.act],
            time=body.time,
            sensordata=body.sensordata @ self._sensors,
            sensor_peak=body.sensor_peak @ self._sensors,
            limit_load=body.limit_load[..., self._limits],
            actuator_length=body.actuator_length[..., self._view.ctrl],
            actuator_velocity=body.actuator_velocity[..., self._view.ctrl],
            last_act=body.last_act[..., self._view.act],
            warmstart=state.warmstart,
            overflow=body.overflow,
            body=body,
        )


def composed_spec(reduced: ReducedModel, timestep: float, terrain: Terrain | None) -> mujoco.MjSpec:
    """assist_sim's composition with sensors for all that the reduced model senses.

    The ground's force on every body of a foot comes from a contact sensor: the composed model's own touch sensors feel
    a small volume only.
    """
    spec = compose(reduced.human, reduced.device)
    if terrain is not None:
        put_ground(spec, terrain)
    full, model = spec.compile(), reduced.model
    for touch, bodies in _foot_bodies(model, full).items():
        for body in bodies:
            sensor = spec.add_sensor(name=f"{_LOAD}{touch}/{body}", type=mujoco.mjtSensor.mjSENS_CONTACT)
            sensor.objtype, sensor.objname = mujoco.mjtObj.mjOBJ_GEOM, FLOOR
            sensor.reftype, sensor.refname = mujoco.mjtObj.mjOBJ_BODY, body
            sensor.intprm[:3] = _FORCE, _NET, 1
    kind = mujoco.mjtSensor.mjSENS_FRAMEPOS
    for name, body in _markers(model, full).items():
        spec.add_sensor(name=name, type=kind, objtype=mujoco.mjtObj.mjOBJ_XBODY, objname=body)
    spec.option.timestep = timestep
    return spec


def _foot_bodies(model: mujoco.MjModel, full: mujoco.MjModel) -> dict[str, list[str]]:
    """Touch sensor -> the bodies that can touch the ground, of the rigid segment that carries the sensor."""
    solid = (full.geom_contype | full.geom_conaffinity) != 0
    found, owners = {}, {}
    for sensor in np.flatnonzero(model.sensor_type == mujoco.mjtSensor.mjSENS_TOUCH):
        name = model.sensor(sensor).name
        weld = int(full.body_weldid[full.site_bodyid[full.sensor(name).objid[0]]])
        if owners.setdefault(weld, name) != name:
            raise UserError(
                f"config key 'env_params.model_kind': {COMPOSED!r} cannot be trained on, since {owners[weld]!r} and "
                f"{name!r} feel one rigid foot, whose load the composed model does not share between them; "
                f"choose {REDUCED!r}."
            )
        bodies = full.geom_bodyid[solid & (full.body_weldid[full.geom_bodyid] == weld)]
        found[name] = [full.body(b).name for b in np.unique(bodies)]
    return found


def _markers(model: mujoco.MjModel, full: mujoco.MjModel) -> dict[str, str]:
    """Position sensor of the reduced model -> the body of the full one whose origin it tells."""
    here, there = mujoco.MjData(model), mujoco.MjData(full)
    mujoco.mj_forward(model, here)
    mujoco.mj_kinematics(full, there)
    markers = {}
    for sensor in np.flatnonzero(model.sensor_type == mujoco.mjtSensor.mjSENS_FRAMEPOS):
        name = model.sensor(sensor).name
        off = np.linalg.norm(there.xpos - here.sensordata[sensor_slice(model, name)], axis=1)
        off[0] = np.inf  # the world
        markers[name] = full.body(off.argmin()).name
    return markers


def _sensor_matrix(model: mujoco.MjModel, full: mujoco.MjModel) -> np.ndarray:
    """``[full sensors, reduced sensors]``: a foot's load is the sum of the ground's upward forces on its bodies."""
    matrix = np.zeros((full.nsensordata, model.nsensordata), np.float32)
    names = [full.sensor(s).name for s in range(full.nsensor)]
    for sensor in range(model.nsensor):
        name = model.sensor(sensor).name
        to = sensor_slice(model, name)
        loads = [full.sensor_adr[s] + 2 for s, other in enumerate(names) if other.startswith(f"{_LOAD}{name}/")]
        if loads:
            matrix[loads, to] = 1.0
        else:
            matrix[sensor_slice(full, name), to] = np.eye(model.sensor_dim[sensor])
    return matrix
