"""MJX's constraint forces by Newton's method, without the line search on 32-bit costs of MJX's own solver.

There, differences that belong to light segments (toes) drown in the costs of heavy ones; here slopes are compared.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
from mujoco import mjx

from mjx_assist.errors import UserError

_SETTLED = 1e-9  # of the energy-like scale a' M a: a Newton step this small is the last
_FLAT = 1e-4  # of the slope at the start of a Newton step: zero
_LINE_STEPS = 5  # evaluations of the slope along a Newton step


def make_solver(model: mujoco.MjModel) -> Callable[[mjx.Model, mjx.Data, jax.Array], mjx.Data]:
    """``solve(mjx_model, data, mass)`` sets qacc, qfrc_constraint and efc_force; ``mass`` is M, ``[nv, nv]``.

    Rows in MJX's order: equalities pull both ways, dry friction up to its limit, joint and tendon limits and the edges
    of friction pyramids only push. Minimises MuJoCo's convex cost (docs: Computation, Constraint solver) from the warm
    start. Raises ``UserError`` for elliptic friction cones, whose rows are not independent.
    """
    if model.opt.cone != mujoco.mjtCone.mjCONE_PYRAMIDAL:
        raise UserError("the mjx backend needs pyramidal friction cones: set <option cone='pyramidal'/>.")
    iterations = model.opt.iterations

    def solve(m: mjx.Model, d: mjx.Data, mass: jax.Array) -> mjx.Data:
        J, stiffness, target = d._impl.efc_J, d._impl.efc_D, d._impl.efc_aref
        low, high = _force_range(d)

        def forces(residual: jax.Array) -> tuple[jax.Array, jax.Array]:
            """At ``residual`` = aref - J qacc: row forces and where each is, 0 between its ends or -1, 1 at one."""
            free = stiffness * residual
            return jnp.clip(free, low, high), jnp.where(free <= low, -1, jnp.where(free >= high, 1, 0))

        def newton(carry):
            qacc, residual, _, count = carry
            force, place = forces(residual)
            gradient = mass @ qacc - d.qfrc_smooth - J.T @ force
            step = -solve_definite(mass + J.T @ ((stiffness * (place == 0))[:, None] * J), gradient)
            along = J @ step
            slope0, curve = step @ gradient, step @ (mass @ step)

            def slope(length):
                force_there, place_there = forces(residual - length * along)
                change = along @ (force_there - force)
                return slope0 + length * curve - change, curve + jnp.sum(stiffness * (place_there == 0) * along**2)

            length = _root(slope, slope0)
            after = residual - length * along
            same = jnp.all(place == forces(after)[1]) & (length == 1.0)
            small = -slope0 <= _SETTLED * (qacc @ (mass @ qacc))
            return qacc + length * step, after, same | small, count + 1

        start = (d.qacc_warmstart, target - J @ d.qacc_warmstart, jnp.zeros((), bool), 0)
        going = lambda carry: ~carry[2] & (carry[3] < iterations)  # noqa: E731
        qacc, residual, _, _ = jax.lax.while_loop(going, newton, start)
        force = forces(residual)[0]
        return d.tree_replace({"qacc": qacc, "qfrc_constraint": J.T @ force, "_impl.efc_force": force})

    return solve


def _root(slope: Callable[[jax.Array], tuple[jax.Array, jax.Array]], at_zero: jax.Array) -> jax.Array:
    """Where a rising, piecewise linear slope crosses zero: Newton's method from 1, kept between what it has bracketed.

    ``slope(x)`` returns value and derivative, ``at_zero`` (negative) is its value at 0. Returns exactly 1 if the slope
    there is next to nothing.
    """
    x, low, high = jnp.ones(()), jnp.zeros(()), jnp.full((), jnp.inf)
    for _ in range(_LINE_STEPS):
        value, derivative = slope(x)
        low, high = jnp.where(value < 0, x, low), jnp.where(value > 0, x, high)
        guess = x - value / derivative
        inside = (guess > low) & (guess < high)
        between = jnp.where(jnp.isinf(high), 2 * low, (low + high) / 2)
        x = jnp.where(jnp.abs(value) <= _FLAT * -at_zero, x, jnp.where(inside, guess, between))
    return x


def _force_range(d: mjx.Data) -> tuple[np.ndarray | jax.Array, np.ndarray | jax.Array]:
    """Lowest and highest force of every constraint row, ``[nefc]``; MJX's order is equality, friction, the rest."""
    equality, friction, rest = d._impl.ne, d._impl.nf, d._impl.nefc - d._impl.ne - d._impl.nf
    always = np.full(equality, np.inf)
    if friction:
        limit = d._impl.efc_frictionloss[equality : equality + friction]
        return jnp.concatenate([-always, -limit, np.zeros(rest)]), jnp.concatenate(
            [always, limit, np.full(rest, np.inf)]
        )
    return np.concatenate([-always, np.zeros(rest)]), np.full(d._impl.nefc, np.inf)


def solve_definite(matrix: jax.Array, vector: jax.Array) -> jax.Array:
    """x with matrix x = vector, for a symmetric positive definite matrix ``[n, n]`` and a vector ``[n]``.

    Without LAPACK on a CPU: JAX's batched calls wait for workers of the thread pool they run in, and two at once, on
    two cores, wait for ever.
    """
    return jax.lax.platform_dependent(matrix, vector, cpu=_eliminate, default=_cholesky)


def _cholesky(matrix: jax.Array, vector: jax.Array) -> jax.Array:
    return jax.scipy.linalg.cho_solve(jax.scipy.linalg.cho_factor(matrix), vector)


def _eliminate(matrix: jax.Array, vector: jax.Array) -> jax.Array:
    """Gauss's elimination, written out: it needs no pivots, as the matrix is positive definite."""
    left, rows = jnp.concatenate([matrix, vector[:, None]], axis=1), []
    for _ in range(vector.size):
        row = left[0]
        rows.append(row)
        left = left[1:, 1:] - (left[1:, 0] / row[0])[:, None] * row[1:]
    solution = jnp.zeros(0)
    for row in reversed(rows):
        last = (row[-1] - row[1:-1] @ solution) / row[0]
        solution = jnp.concatenate([last[None], solution])
    return solution
