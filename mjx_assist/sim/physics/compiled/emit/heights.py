"""Spheres on a heightfield, on JAX arrays: what ``field_touches`` of ``prelude.hpp`` does, a triangle at a time."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

from mjx_assist.sim.physics.compiled.model.step import Field

Read = Callable[[jax.Array], jax.Array]  # heights as stored at nodes, counted row by row
_DEEPEST = 4


def touches(field: Field, read: Read, x: jax.Array, y: jax.Array, z: jax.Array, radius: float) -> list[jax.Array]:
    """The four deepest touches of spheres at (x, y, z) ``[B]`` with the field, 1 m where there is none.

    Distance and normal of each: 16 rows ``[B]``.
    """
    across, along = field.cells(radius)
    dx, dy = field.spacing

    def first(place, half, spacing, last):
        cell = jnp.floor((place - radius + half) * (1 / spacing)).astype(jnp.int32)
        return jnp.clip(cell, 0, last)

    column = first(x, field.half[0], dx, field.columns - 1 - across)
    row = first(y, field.half[1], dy, field.rows - 1 - along)
    left = column.astype(x.dtype) * dx - field.half[0] - x
    near = row.astype(x.dtype) * dy - field.half[1] - y
    node = row * field.columns + column

    def corner(c, r):
        height = read(node + (r * field.columns + c)) * field.scale - z
        return left + c.astype(x.dtype) * dx, near + r.astype(x.dtype) * dy, height

    def triangle(number, found):
        # lax's own: Triton has no rule for how jnp rounds a quotient of whole numbers.
        two, width = jnp.int32(2), jnp.int32(across)
        upper, cell = lax.rem(number, two), lax.div(number, two)
        c, r = lax.rem(cell, width), lax.div(cell, width)
        corners = corner(c, r), corner(c + 1, r + upper), corner(c + 1 - upper, r + 1)
        length, *normal = _way_out(corners)
        return _inserted(found, [length - radius, *normal])

    one, zero = lax.full_like(x, 1.0), lax.full_like(x, 0.0)
    return lax.fori_loop(0, 2 * across * along, triangle, [one, zero, zero, one] * _DEEPEST)


def _inserted(found: list[jax.Array], now: list[jax.Array]) -> list[jax.Array]:
    """The deepest of what was found and one more, in order."""
    out = []
    for k in range(_DEEPEST):
        old = found[4 * k : 4 * k + 4]
        deeper = now[0] < old[0]
        out += [jnp.where(deeper, a, b) for a, b in zip(now, old, strict=True)]
        now = [jnp.where(deeper, b, a) for a, b in zip(now, old, strict=True)]
    return out


def _dot(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _cross(a, b):
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _way_out(corners) -> tuple[jax.Array, ...]:
    """The way out of the ground below a triangle for a centre at the origin: length (negative inside), direction.

    Corners counterclockwise; see sim/physics/heightfields.py.
    """
    edges = [tuple(b - a for a, b in zip(corners[i], corners[(i + 1) % 3], strict=True)) for i in range(3)]
    normal = _cross(edges[0], edges[1])
    inverse = 1 / jnp.sqrt(_dot(normal, normal))
    normal = [a * inverse for a in normal]
    height = -_dot(corners[0], normal)
    above = over = None
    best, closest = lax.full_like(height, 1e30), [lax.full_like(height, 0.0)] * 3
    for p, e in zip(corners, edges, strict=True):
        side = _dot(_cross(e, [-n * height - a for n, a in zip(normal, p, strict=True)]), normal) >= 0
        within = e[1] * p[0] - e[0] * p[1] >= 0
        above, over = (side, within) if above is None else (above & side, over & within)
        o = _closest(p, e)
        d = _dot(o, o)
        closer = d < best
        best = jnp.where(closer, d, best)
        closest = [jnp.where(closer, a, b) for a, b in zip(o, closest, strict=True)]
    distance = jnp.sqrt(best)
    scale = 1 / jnp.maximum(distance, 1e-15)
    inside = over & (height < 0)
    face = (inside & (-height < distance)) | (~inside & above & (height >= 0))
    scale = jnp.where(inside, scale, -scale)
    direction = [jnp.where(face, n, scale * a) for n, a in zip(normal, closest, strict=True)]
    return jnp.where(face, height, jnp.where(inside, -distance, distance)), *direction


def _closest(p, e):
    """On the wall below this edge at the centre's height where the wall is that high, else on the edge itself."""
    flat = e[0] * e[0] + e[1] * e[1]
    t = jnp.clip(-(p[0] * e[0] + p[1] * e[1]) / flat, 0, 1)
    u = jnp.clip(-_dot(p, e) / (flat + e[2] * e[2]), 0, 1)
    wall = p[2] + t * e[2] > 0
    x, y, z = (jnp.where(wall, a + t * b, a + u * b) for a, b in zip(p, e, strict=True))
    return x, y, jnp.where(wall, 0.0, z)
