"""Spheres on heightfields in MJX as in C MuJoCo: one contact with each triangle touched, at its closest point.

MJX 3.11's own collider drops contacts more than 1 mm above the deepest: forces on a foot then differ by its weight.
"""

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
from mujoco import mjx
from mujoco.mjx._src import collision_driver, math

CONTACTS = 4  # of a sphere, the deepest; more than that only near a node of the grid
_FAR = 1.0  # m: distance of a place without a contact
_FLAT = np.array([1.0, 1.0, 0.0])


def register() -> None:
    """Make MJX (impl 'jax') use `hfield_sphere`: it finds its colliders in a table."""
    collision_driver._COLLISION_FUNC[(mujoco.mjtGeom.mjGEOM_HFIELD, mujoco.mjtGeom.mjGEOM_SPHERE)] = hfield_sphere


def hfield_sphere(m: mjx.Model, d: mjx.Data, key, geom: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Distance ``[4 G]``, position ``[4 G, 3]`` and frame ``[4 G, 3, 3]`` of pairs ``geom [G, 2]`` (field, sphere)."""
    (field, _), cells = key.data_ids, key.subgrid_size
    columns, rows = m.hfield_ncol[field], m.hfield_nrow[field]
    start = m.hfield_adr[field]
    heights = m.hfield_data[start : start + rows * columns].reshape(rows, columns)
    size = m.hfield_size[field]
    spacing = 2.0 * size[:2] / (np.array([columns, rows]) - 1)

    def of_pair(pair: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        origin, turn, radius = d.geom_xpos[pair[0]], d.geom_xmat[pair[0]], m.geom_size[pair[1], 0]
        centre = turn.T @ (d.geom_xpos[pair[1]] - origin)
        first = jnp.floor((centre[:2] - radius + size[:2]) / spacing).astype(int)
        first = jnp.clip(first, 0, jnp.array([columns - 1 - cells[0], rows - 1 - cells[1]]))
        nodes = jax.lax.dynamic_slice(heights, (first[1], first[0]), (cells[1] + 1, cells[0] + 1))
        triangles = _triangles(nodes * size[2], spacing) + jnp.append(first * spacing - size[:2], 0.0) - centre
        way, length = jax.vmap(_way_out)(triangles)
        highest, deepest = jax.lax.top_k(-length, min(CONTACTS, length.size))
        distance, normal = -highest - radius, way[deepest]
        position = centre - normal * (radius + 0.5 * distance)[:, None]
        short = CONTACTS - distance.size
        distance = jnp.pad(distance, (0, short), constant_values=_FAR)
        position, normal = (jnp.pad(a, ((0, short), (0, 0)), mode="edge") for a in (position, normal))
        return distance, position @ turn.T + origin, jax.vmap(math.make_frame)(normal @ turn.T)

    return jax.tree.map(jnp.concatenate, jax.vmap(of_pair)(geom))


hfield_sphere.ncon = CONTACTS


def _triangles(nodes: jax.Array, spacing: np.ndarray) -> jax.Array:
    """The two triangles ``[2 C, 3 (corner), 3]`` of each cell between nodes ``[Y, X]`` m, seen from the first node."""
    y, x = np.meshgrid(*(np.arange(n) * s for n, s in zip(nodes.shape, spacing[::-1], strict=True)), indexing="ij")
    points = jnp.stack([jnp.asarray(x), jnp.asarray(y), nodes], axis=-1)
    near, right, up, far = points[:-1, :-1], points[:-1, 1:], points[1:, :-1], points[1:, 1:]
    corners = [jnp.stack(three, axis=-2).reshape(-1, 3, 3) for three in ((near, right, far), (near, far, up))]
    return jnp.concatenate(corners)


def _way_out(triangle: jax.Array) -> tuple[jax.Array, jax.Array]:
    """From the prism of ground below a triangle ``[3 (corner), 3]`` to the origin, the shortest way.

    Direction ``[3]`` and distance (m, negative inside).
    """
    edge = jnp.roll(triangle, -1, axis=0) - triangle
    normal = math.normalize(jnp.cross(edge[0], edge[1]))
    height = -triangle[0] @ normal
    above = jnp.all(jnp.cross(edge, -normal * height - triangle) @ normal >= 0)  # the perpendicular meets the triangle
    start, way = triangle * _FLAT, edge * _FLAT
    over = jnp.all(jnp.cross(way, -start)[:, 2] >= 0)
    walls = triangle + _along(start, way)[:, None] * edge  # nearest places: on a side wall at the origin's height,
    walls = jnp.where(walls[:, 2:] > 0, walls * _FLAT, triangle + _along(triangle, edge)[:, None] * edge)  # or its edge
    nearest = walls[jnp.argmin(jnp.sum(walls**2, axis=1))]
    distance = jnp.linalg.norm(nearest)
    outward = nearest / jnp.maximum(distance, mujoco.mjMINVAL)
    inside = over & (height < 0)
    by_face = jnp.where(inside, -height < distance, above & (height >= 0))
    direction = jnp.where(by_face, normal, jnp.where(inside, outward, -outward))
    return direction, jnp.where(by_face, height, jnp.where(inside, -distance, distance))


def _along(start: jax.Array, edge: jax.Array) -> jax.Array:
    """Which share of each edge ``[3, 3]`` lies before its place nearest to the origin."""
    return jnp.clip(-jnp.sum(start * edge, axis=1) / jnp.sum(edge**2, axis=1), 0.0, 1.0)
