"""MuJoCo's implicitfast step for MJX data: the muscles' force-velocity slope is taken implicitly, as in C MuJoCo.

MJX and MuJoCo Warp leave that slope out of their own implicitfast; at 240 Hz an active muscle then shakes the foot.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
from mujoco import mjx
from mujoco.mjx._src.sensor import sensor_acc
from mujoco.mjx._src.support import muscle_gain


def make_step(model: mujoco.MjModel) -> Callable[[mjx.Model, mjx.Data], mjx.Data]:
    """``step(mjx_model, data)`` like ``mjx.step``, for a model whose joints are all hinges and slides (nq = nv)."""
    structure = mujoco.MjData(model)
    mujoco.mj_forward(model, structure)
    moment_of = _csr(structure.moment_rownnz, structure.moment_colind, (model.nu, model.nv))
    mass_of = _csr(model.M_rownnz, model.M_colind, (model.nv, model.nv))
    muscle = np.flatnonzero(model.actuator_gaintype == mujoco.mjtGain.mjGAIN_MUSCLE)
    affine_gain = model.actuator_gaintype == mujoco.mjtGain.mjGAIN_AFFINE
    affine_bias = model.actuator_biastype == mujoco.mjtBias.mjBIAS_AFFINE
    driven = np.flatnonzero(model.actuator_dyntype != mujoco.mjtDyn.mjDYN_NONE)

    def force_slope(m: mjx.Model, d: mjx.Data) -> jax.Array:
        """d force / d velocity of every actuator, ``[nu]``."""
        slope = m.actuator_gainprm[:, 2] * affine_gain
        of_muscles = jax.vmap(jax.grad(muscle_gain, argnums=1))(
            d.actuator_length[muscle],
            d._impl.actuator_velocity[muscle],
            m.actuator_lengthrange[muscle],
            m.actuator_acc0[muscle],
            m.actuator_gainprm[muscle],
        )
        source = d.ctrl.at[driven].set(d.act[model.actuator_actadr[driven]])
        return source * slope.at[muscle].set(of_muscles) + m.actuator_biasprm[:, 2] * affine_bias

    def step(m: mjx.Model, d: mjx.Data) -> mjx.Data:
        d = mjx.forward(m, d)
        if d.impl == mjx.Impl.JAX:
            d = _polished(m, d)
        moment = moment_of(d._impl.actuator_moment)
        mass = mass_of(d._impl.M)
        mass = jnp.tril(mass) + jnp.tril(mass, -1).T
        damping = jnp.diag(m.dof_damping) - moment.T @ (force_slope(m, d)[:, None] * moment)
        factor = jax.scipy.linalg.cho_factor(mass + m.opt.timestep * damping)
        qacc = jax.scipy.linalg.cho_solve(factor, d.qfrc_smooth + d.qfrc_constraint)
        qvel = d.qvel + m.opt.timestep * qacc
        return d.replace(
            qvel=qvel,
            qpos=d.qpos + m.opt.timestep * qvel,
            act=d.act + m.opt.timestep * d.act_dot,
            time=d.time + m.opt.timestep,
            qacc_warmstart=d.qacc,
        )

    return step


def _polished(m: mjx.Model, d: mjx.Data) -> mjx.Data:
    """One full Newton step more on MJX's constraint solution where that helps, and the sensors that read its forces.

    MJX's line search compares costs in 32 bits, where those of light segments (toes) drown in those of heavy ones.
    All constraint rows are contacts with pyramidal cones or joint limits: they push where they are violated.
    """
    J, stiffness, target = d._impl.efc_J, d._impl.efc_D, d._impl.efc_aref
    mass = mjx.full_m(m, d)

    def unbalanced(qacc: jax.Array) -> jax.Array:
        return mass @ qacc - d.qfrc_smooth - J.T @ jnp.maximum(stiffness * (target - J @ qacc), 0.0)

    def size(force: jax.Array) -> jax.Array:
        return jnp.sum(force**2 / jnp.diag(mass))

    pushing = stiffness * (J @ d.qacc < target)
    factor = jax.scipy.linalg.cho_factor(mass + J.T @ (pushing[:, None] * J))
    before = unbalanced(d.qacc)
    newton = d.qacc - jax.scipy.linalg.cho_solve(factor, before)
    qacc = jnp.where(size(unbalanced(newton)) < size(before), newton, d.qacc)
    force = jnp.maximum(stiffness * (target - J @ qacc), 0.0)
    return sensor_acc(m, d.tree_replace({"qacc": qacc, "qfrc_constraint": J.T @ force, "_impl.efc_force": force}))


def _csr(row_nnz: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> Callable[[jax.Array], jax.Array]:
    """A function that makes a compressed-row matrix of this structure dense; a dense one it leaves as it is."""
    rows, columns = np.repeat(np.arange(shape[0]), row_nnz), columns[: row_nnz.sum()].copy()
    return lambda values: values if values.ndim == 2 else jnp.zeros(shape).at[rows, columns].set(values)
