"""Small symmetric positive definite systems inside a compiled step, without LAPACK on a CPU.

JAX's batched LAPACK calls wait for workers of the thread pool they run in: two at once, on two cores, wait for ever.
"""

import jax
import jax.numpy as jnp


def solve(matrix: jax.Array, vector: jax.Array) -> jax.Array:
    """x with matrix x = vector, for a symmetric positive definite matrix ``[n, n]`` and a vector ``[n]``."""
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
