"""What can touch the ground, and how far down it reaches: supporting points of any set of geoms.

MuJoCo collides the convex hull of a mesh, and so does a plane with any set of geoms: the support function says it all.
"""

from collections.abc import Iterable

import mujoco
import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.terrain.heightfield import FLOOR

_Geom = mujoco.mjtGeom


def ground_geoms(model: mujoco.MjModel) -> np.ndarray:
    """Ids of the geoms that can touch the geom named ``floor``: by their masks or by an explicit pair."""
    floor = model.geom(FLOOR).id
    masks = (model.geom_contype & model.geom_conaffinity[floor]) | (model.geom_conaffinity & model.geom_contype[floor])
    touching = masks != 0
    for pair in zip(model.pair_geom1, model.pair_geom2, strict=True):
        if floor in pair:
            touching[list(pair)] = True
    touching[floor] = False
    return np.flatnonzero(touching)


def supporting_points(model: mujoco.MjModel, geom: int, directions: np.ndarray) -> np.ndarray:
    """The geom's furthest points [n, 3] along unit directions [n, 3], both in the geom's frame."""
    size, kind = model.geom_size[geom], model.geom_type[geom]
    if kind == _Geom.mjGEOM_MESH:
        mesh = model.geom_dataid[geom]
        vertices = model.mesh_vert[model.mesh_vertadr[mesh] :][: model.mesh_vertnum[mesh]]
        return vertices[(directions @ vertices.T).argmax(axis=1)]
    along = np.sign(directions)
    if kind == _Geom.mjGEOM_BOX:
        return along * size
    if kind == _Geom.mjGEOM_SPHERE:
        return directions * size[0]
    if kind == _Geom.mjGEOM_CAPSULE:
        return directions * size[0] + along * [0.0, 0.0, size[1]]
    if kind == _Geom.mjGEOM_ELLIPSOID:
        stretched = directions * size
        return stretched * size / np.linalg.norm(stretched, axis=1, keepdims=True)
    if kind == _Geom.mjGEOM_CYLINDER:
        radial = directions * [1.0, 1.0, 0.0]
        radial /= np.maximum(np.linalg.norm(radial, axis=1, keepdims=True), 1e-9)
        return radial * size[0] + along * [0.0, 0.0, size[1]]
    raise UserError(f"cannot reduce: geom {model.geom(geom).name!r} can touch the ground but has no known shape.")


def lowest(model: mujoco.MjModel, data: mujoco.MjData, geoms: Iterable[int] | None = None) -> float:
    """Height (m, world) of the lowest point of the geoms (ids), by default of all that can touch the ground."""
    heights = []
    for geom in ground_geoms(model) if geoms is None else geoms:
        turn = data.geom_xmat[geom].reshape(3, 3)
        point = supporting_points(model, int(geom), -turn[2:])
        heights.append(data.geom_xpos[geom, 2] + float(point[0] @ turn[2]))
    return min(heights)
