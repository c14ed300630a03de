"""The backend `warp`: MJX with MuJoCo Warp, for NVIDIA (and, for tests, on a CPU)."""

import math

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
from mujoco import mjx
from mujoco.mjx._src.math import quat_to_mat

from mjx_assist.config.words import WARP
from mjx_assist.errors import UserError
from mjx_assist.sim.physics.base import own_sensor_ends, with_own_sensors
from mjx_assist.sim.physics.mjx import MjxPhysics
from mjx_assist.terrain.heightfield import FLOOR

_HEADROOM = 1.25  # times what the model can have at most


class WarpPhysics(MjxPhysics):
    """MJX's substeps on Warp, which has to be told beforehand how many contacts and rows there can be.

    Raises:
        UserError: warp-lang is not installed, or the model has dry friction.
    """

    impl = "warp"
    backend = WARP

    def __init__(self, xml: str, n_substeps: int, num_envs: int, headroom: float = _HEADROOM):
        try:
            import warp  # noqa: F401
        except ImportError:
            raise UserError("backend 'warp' needs warp-lang: pip install 'mjx-assist[cuda]'.") from None
        self.model = mujoco.MjModel.from_xml_string(xml)
        self.n_substeps = n_substeps
        _refuse_friction(self.model)
        sensing = with_own_sensors(mujoco.MjSpec.from_string(xml))
        # It never resets by itself, and refuses the flag that says so.
        sensing.opt.disableflags &= ~int(mujoco.mjtDisableBit.mjDSBL_AUTORESET)
        self._sizes = warp_sizes(self.model, num_envs, headroom)
        self._put(sensing, **self._sizes)

    def _placed(self, fields: dict[str, jax.Array]) -> dict[str, jax.Array]:
        """The floor's place in the data: warp places the world's own geoms once, in ``make_data``."""
        if "geom_quat" not in fields:
            return {}
        floor, data = self.model.geom(FLOOR).id, self._template
        turn = quat_to_mat(fields["geom_quat"][floor])
        return {
            "geom_xpos": jnp.asarray(data.geom_xpos).at[floor].set(fields["geom_pos"][floor]),
            "geom_xmat": jnp.asarray(data.geom_xmat).at[floor].set(turn.reshape(data.geom_xmat.shape[1:])),
        }

    def _overflow(self, data: mjx.Data) -> jax.Array:
        """1.0 if warp counted more than it had room for: rows of this walker, or contacts of all together."""
        contacts = jnp.maximum(jnp.max(data._impl.nacon), jnp.max(data._impl.ncollision))
        full = (contacts > self._sizes["naconmax"]) | (jnp.max(data._impl.nefc) > self._sizes["njmax"])
        return full.astype(jnp.float32)

    def _limit_load(self, data: mjx.Data) -> jax.Array:
        """Joint-limit forces from the sensors that were added for them."""
        own, limits, _ = own_sensor_ends(self.model)
        return data.sensordata[own:limits]

    def _of_actuators(self, data: mjx.Data) -> tuple[jax.Array, jax.Array]:
        _, limits, lengths = own_sensor_ends(self.model)
        return data.sensordata[limits:lengths], data.sensordata[lengths:]


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
