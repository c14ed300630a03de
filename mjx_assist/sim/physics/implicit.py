"""MuJoCo's implicitfast step for MJX data: the muscles' force-velocity slope is taken implicitly, as in C MuJoCo.

MJX and MuJoCo Warp leave that slope out of their own implicitfast; at 240 Hz an active muscle then shakes the foot.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
from mujoco import mjx
from mujoco.mjx._src.support import muscle_gain

from mjx_assist.sim.physics import constraints, heightfields


def make_step(model: mujoco.MjModel) -> Callable[[mjx.Model, mjx.Data], mjx.Data]:
    """``step(mjx_model, data)`` like ``mjx.step``, for a model whose joints are all hinges and slides (nq = nv)."""
    heightfields.register()
    structure = mujoco.MjData(model)
    mujoco.mj_forward(model, structure)
    moment_of = _csr(structure.moment_rownnz, structure.moment_colind, (model.nu, model.nv))
    mass_of = _csr(model.M_rownnz, model.M_colind, (model.nv, model.nv))
    tendon_moment_of = _csr(model.ten_J_rownnz, model.ten_J_colind, (model.ntendon, model.nv))
    damped = bool(model.tendon_damping.any())
    force_slope = _force_slope(model)
    next_activation = _next_activation(model)
    forward_jax = _forward(model)

    def step(m: mjx.Model, d: mjx.Data) -> mjx.Data:
        d = forward_jax(m, d) if d.impl == mjx.Impl.JAX else mjx.forward(m, d)
        mass = _symmetric(mass_of(d._impl.M))
        moment = moment_of(d._impl.actuator_moment)
        damping = jnp.diag(m.dof_damping) - moment.T @ (force_slope(m, d)[:, None] * moment)
        if damped:
            tendon_moment = tendon_moment_of(d._impl.ten_J)
            damping += tendon_moment.T @ (m.tendon_damping[:, None] * tendon_moment)
        qacc = constraints.solve_definite(mass + m.opt.timestep * damping, d.qfrc_smooth + d.qfrc_constraint)
        qvel = d.qvel + m.opt.timestep * qacc
        return d.replace(
            qvel=qvel,
            qpos=d.qpos + m.opt.timestep * qvel,
            act=next_activation(m, d),
            time=d.time + m.opt.timestep,
            qacc_warmstart=d.qacc,
        )

    return step


def _forward(model: mujoco.MjModel) -> Callable[[mjx.Model, mjx.Data], mjx.Data]:
    """``mjx.forward`` with our constraint solver, and without what only tendons with armature need."""
    solve = constraints.make_solver(model)
    mass_of = _csr(model.M_rownnz, model.M_colind, (model.nv, model.nv))
    armature = bool(model.tendon_armature.any())

    def forward(m: mjx.Model, d: mjx.Data) -> mjx.Data:
        for stage in (mjx.kinematics, mjx.com_pos, mjx.camlight, mjx.tendon, mjx.crb):
            d = stage(m, d)
        if armature:
            d = mjx.tendon_armature(m, d)
        for stage in (mjx.factor_m, mjx.collision, mjx.make_constraint, mjx.transmission, mjx.sensor_pos):
            d = stage(m, d)
        if armature:
            d = mjx.fwd_velocity(m, d)
        else:
            velocity = d._impl.actuator_moment @ d.qvel, d._impl.ten_J @ d.qvel
            d = d.tree_replace({"_impl.actuator_velocity": velocity[0], "_impl.ten_velocity": velocity[1]})
            for stage in (mjx.com_vel, mjx.passive, mjx.rne):
                d = stage(m, d)
        for stage in (mjx.sensor_vel, mjx.fwd_actuation, mjx.fwd_acceleration):
            d = stage(m, d)
        return mjx.sensor_acc(m, solve(m, d, _symmetric(mass_of(d._impl.M))))

    return forward


def _force_slope(model: mujoco.MjModel) -> Callable[[mjx.Model, mjx.Data], jax.Array]:
    """d force / d velocity of every actuator, ``[nu]``; zero while a force limit holds it."""
    muscle = np.flatnonzero(model.actuator_gaintype == mujoco.mjtGain.mjGAIN_MUSCLE)
    affine_gain = model.actuator_gaintype == mujoco.mjtGain.mjGAIN_AFFINE
    affine_bias = model.actuator_biastype == mujoco.mjtBias.mjBIAS_AFFINE
    driven = np.flatnonzero(model.actuator_dyntype != mujoco.mjtDyn.mjDYN_NONE)
    activation = (model.actuator_actadr + model.actuator_actnum - 1)[driven]
    low, high = _limits(model.actuator_ctrllimited, model.actuator_ctrlrange)
    weakest, strongest = _limits(model.actuator_forcelimited, model.actuator_forcerange)

    def force_slope(m: mjx.Model, d: mjx.Data) -> jax.Array:
        slope = m.actuator_gainprm[:, 2] * affine_gain
        of_muscles = jax.vmap(jax.grad(muscle_gain, argnums=1))(
            d.actuator_length[muscle],
            d._impl.actuator_velocity[muscle],
            m.actuator_lengthrange[muscle],
            m.actuator_acc0[muscle],
            m.actuator_gainprm[muscle],
        )
        source = jnp.clip(d.ctrl, low, high).at[driven].set(d.act[activation])
        slope = source * slope.at[muscle].set(of_muscles) + m.actuator_biasprm[:, 2] * affine_bias
        return jnp.where((d.actuator_force > weakest) & (d.actuator_force < strongest), slope, 0.0)

    return force_slope


def _next_activation(model: mujoco.MjModel) -> Callable[[mjx.Model, mjx.Data], jax.Array]:
    """Activations ``[na]`` one step later, within their ranges (MuJoCo: `mj_nextActivation`)."""
    driven = np.flatnonzero(model.actuator_actadr >= 0)
    actuator = np.repeat(driven, model.actuator_actnum[driven])  # of each activation
    exact = model.actuator_dyntype[actuator] == mujoco.mjtDyn.mjDYN_FILTEREXACT
    low, high = _limits(model.actuator_actlimited[actuator], model.actuator_actrange[actuator])

    def next_activation(m: mjx.Model, d: mjx.Data) -> jax.Array:
        duration = jnp.full(model.na, m.opt.timestep)
        if exact.any():
            tau = jnp.maximum(m.actuator_dynprm[actuator, 0], mujoco.mjMINVAL)
            duration = jnp.where(exact, tau * (1 - jnp.exp(-duration / tau)), duration)
        return jnp.clip(d.act + duration * d.act_dot, low, high)

    return next_activation


def _limits(limited: np.ndarray, span: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends of the ranges ``[n, 2]``, infinite where nothing is limited."""
    return np.where(limited, span[:, 0], -np.inf), np.where(limited, span[:, 1], np.inf)


def _symmetric(lower: jax.Array) -> jax.Array:
    """The symmetric matrix with this lower triangle."""
    return jnp.tril(lower) + jnp.tril(lower, -1).T


def _csr(row_nnz: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> Callable[[jax.Array], jax.Array]:
    """A function that makes a compressed-row matrix of this structure dense; a dense one it leaves as it is."""
    rows, columns = np.repeat(np.arange(shape[0]), row_nnz), columns[: row_nnz.sum()].copy()
    return lambda values: values if values.ndim == 2 else jnp.zeros(shape).at[rows, columns].set(values)
