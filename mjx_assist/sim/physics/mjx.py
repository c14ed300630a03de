"""The backend `mjx`: MJX in JAX, for TPU, GPU and CPU."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import mujoco
from mujoco import mjx

from mjx_assist.config.words import MJX
from mjx_assist.model.variation import Variation, model_fields
from mjx_assist.sim.physics import implicit
from mjx_assist.sim.physics.base import CarriedState, PhysicsState, reset_state

# An accelerator's own default rounds factors of matrix products to 11 bits (TF32) or 8 (bf16).
_full_precision = partial(jax.default_matmul_precision, "highest")


class MjxPhysics:
    """Substeps of MJX in one scan. ``impl`` is MJX's word for what runs them."""

    impl = "jax"
    on_host = False
    backend = MJX

    def __init__(self, xml: str, n_substeps: int):
        self.model = mujoco.MjModel.from_xml_string(xml)
        self.n_substeps = n_substeps
        self._put(self.model)

    def _put(self, sensing: mujoco.MjModel, **sizes: int) -> None:
        """Hand MJX the model, and data with room for ``sizes``."""
        self._mjx_model = mjx.put_model(sensing, impl=self.impl)
        self._substep = implicit.make_step(sensing)
        self._template = mjx.make_data(sensing, impl=self.impl, **sizes)

    def start(self, qpos: jax.Array, qvel: jax.Array, act: jax.Array) -> PhysicsState:
        return reset_state(self.model, qpos, qvel, act)

    def step(self, state: CarriedState, ctrl: jax.Array, variation: Variation | None = None) -> PhysicsState:
        model, push = self._mjx_model, {}
        if variation is not None:
            fields = model_fields(self.model, variation, jnp)
            model = model.tree_replace({name: x.astype(jnp.float32) for name, x in fields.items()})
            push = {} if variation.push is None else {"qfrc_applied": variation.push}
            push |= self._placed(fields)
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
            data, peak, limit_load, overflow, _ = carry
            last_act, data = data.act, self._substep(model, data)
            peak, limit_load = jnp.maximum(peak, data.sensordata), jnp.maximum(limit_load, self._limit_load(data))
            return (data, peak, limit_load, jnp.maximum(overflow, self._overflow(data)), last_act), None

        first = (
            data,
            jnp.full(data.sensordata.shape, -jnp.inf),
            jnp.zeros_like(state.limit_load),
            jnp.zeros(()),
            data.act,
        )
        with _full_precision():
            (data, peak, limit_load, overflow, last_act), _ = jax.lax.scan(substep, first, None, self.n_substeps)
        own = self.model.nsensordata
        length, velocity = self._of_actuators(data)
        return PhysicsState(
            qpos=data.qpos,
            qvel=data.qvel,
            act=data.act,
            time=data.time,
            sensordata=data.sensordata[:own],
            sensor_peak=peak[:own],
            limit_load=limit_load,
            actuator_length=length,
            actuator_velocity=velocity,
            last_act=last_act,
            warmstart=data.qacc_warmstart,
            overflow=overflow,
        )

    def _placed(self, fields: dict[str, jax.Array]) -> dict[str, Any]:
        """What of a variation's model fields the data has to be told as well."""
        return {}

    def _overflow(self, data: mjx.Data) -> jax.Array:
        """1.0 where contacts or constraint rows found no room; MJX has a place for all that can be."""
        return jnp.zeros(())

    def _limit_load(self, data: mjx.Data) -> jax.Array:
        """Joint-limit forces from MJX's constraint rows: limit rows follow equality and friction, one per joint."""
        first = data._impl.ne + data._impl.nf
        return data._impl.efc_force[first : first + int(self.model.jnt_limited.sum())]

    def _of_actuators(self, data: mjx.Data) -> tuple[jax.Array, jax.Array]:
        """Lengths and velocities of the actuators in the last physics step."""
        return data.actuator_length, data._impl.actuator_velocity
