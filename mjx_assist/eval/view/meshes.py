"""A MuJoCo model's bodies as triangles, for drawing elsewhere than in MuJoCo."""

from dataclasses import dataclass

import mujoco
import numpy as np

from mjx_assist.terrain.heightfield import Ground

SHOWN_GROUPS = (0, 1, 2)  # of geoms, as in MuJoCo's own viewer


@dataclass(frozen=True)
class BodyMesh:
    """What is rigid and of one colour: ``vertices [V, 3]`` m in the frame of ``body``, ``faces [F, 3]``, ``rgba``."""

    body: int
    vertices: np.ndarray
    faces: np.ndarray
    rgba: tuple[float, ...]


def body_meshes(model: mujoco.MjModel) -> list[BodyMesh]:
    """Every visible geom but the ground, those of one body and colour joined."""
    parts: dict[tuple, list[tuple[np.ndarray, np.ndarray]]] = {}
    for geom in range(model.ngeom):
        material = model.geom_matid[geom]
        rgba = model.mat_rgba[material] if material >= 0 else model.geom_rgba[geom]
        hidden = model.geom_group[geom] not in SHOWN_GROUPS or rgba[3] == 0
        if hidden or model.geom_type[geom] in (mujoco.mjtGeom.mjGEOM_PLANE, mujoco.mjtGeom.mjGEOM_HFIELD):
            continue
        vertices, faces = _geom_mesh(model, geom)
        rotation = np.zeros(9)
        mujoco.mju_quat2Mat(rotation, model.geom_quat[geom])
        placed = vertices @ rotation.reshape(3, 3).T + model.geom_pos[geom]
        key = int(model.geom_bodyid[geom]), tuple(round(float(x), 3) for x in rgba)
        parts.setdefault(key, []).append((placed, faces))
    return [BodyMesh(body, *_joined(meshes), rgba) for (body, rgba), meshes in parts.items()]


def _geom_mesh(model: mujoco.MjModel, geom: int) -> tuple[np.ndarray, np.ndarray]:
    """Triangles in the geom's frame."""
    import trimesh  # viser brings it

    kind, size = model.geom_type[geom], model.geom_size[geom]
    if kind == mujoco.mjtGeom.mjGEOM_MESH:
        mesh = model.geom_dataid[geom]
        first, n = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
        first_face, n_faces = model.mesh_faceadr[mesh], model.mesh_facenum[mesh]
        return model.mesh_vert[first : first + n], model.mesh_face[first_face : first_face + n_faces]
    if kind == mujoco.mjtGeom.mjGEOM_BOX:
        shape = trimesh.creation.box(2 * size)
    elif kind == mujoco.mjtGeom.mjGEOM_CYLINDER:
        shape = trimesh.creation.cylinder(size[0], 2 * size[1], sections=24)
    elif kind == mujoco.mjtGeom.mjGEOM_CAPSULE:
        shape = trimesh.creation.capsule(2 * size[1], size[0], count=(16, 16))
    else:  # sphere or ellipsoid
        shape = trimesh.creation.icosphere(2)
        shape.apply_scale(size if kind == mujoco.mjtGeom.mjGEOM_ELLIPSOID else size[0])
    return np.asarray(shape.vertices), np.asarray(shape.faces)


def _joined(meshes: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    offsets = np.cumsum([0] + [len(vertices) for vertices, _ in meshes[:-1]])
    faces = [faces + offset for (_, faces), offset in zip(meshes, offsets, strict=True)]
    return np.concatenate([vertices for vertices, _ in meshes]), np.concatenate(faces)


def ground_mesh(ground: Ground) -> tuple[np.ndarray, np.ndarray]:
    """Rough ground where its walker is, as triangles: vertices ``[V, 3]`` m in the world, faces ``[F, 3]``.

    They are the lane's, which `heightfield.height` answers for.
    """
    terrain = ground.terrain
    if terrain is None:
        raise ValueError("a plane has no heights")
    x = terrain.first_x + terrain.spacing * np.arange(terrain.heights.shape[1])
    across = round(terrain.lane_width / terrain.spacing)
    x, y = (a.ravel() for a in np.meshgrid(x, (np.arange(across) - 0.5 * (across - 1)) * terrain.spacing))
    high = Ground(terrain, 0.0, ground.lane).height(x, y)
    cos = 1.0 / np.sqrt(1.0 + ground.slope**2)
    turned = np.stack([cos * (x - ground.slope * high), y, cos * (ground.slope * x + high)], axis=1)
    return turned, _grid_faces(across, terrain.heights.shape[1])


def _grid_faces(rows: int, columns: int) -> np.ndarray:
    """Two triangles a cell, which share the diagonal from its lowest to its highest x and y, as MuJoCo's."""
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    ahead, left, far = corner + 1, corner + columns, corner + columns + 1
    return np.concatenate([np.stack([corner, ahead, far], axis=1), np.stack([corner, far, left], axis=1)])


def muscle_segments(model: mujoco.MjModel, data: mujoco.MjData) -> tuple[np.ndarray, np.ndarray]:
    """Straight pieces ``[N, 2, 3]`` m of all muscle paths, and the tendon ``[N]`` of each; after mj_tendon.

    N is what the model may need at most; pieces that no muscle needs now have no length.
    """
    pieces, tendons = [], []
    points = data.wrap_xpos.reshape(-1, 3)
    for tendon in range(model.ntendon):
        first, n = data.ten_wrapadr[tendon], data.ten_wrapnum[tendon]
        path = points[first : first + n]
        joined = (data.wrap_obj.reshape(-1)[first : first + n] != -2)[:-1]  # -2: a pulley, where a path breaks off
        pieces.append(np.stack([path[:-1], path[1:]], axis=1)[joined])
        tendons += [tendon] * int(joined.sum())
    unused = len(points) - len(tendons)
    return np.concatenate([*pieces, np.zeros((unused, 2, 3))]), np.array(tendons + [0] * unused, int)


def cylinder_between(pieces: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(positions ``[N, 3]``, quaternions ``[N, 4]`` wxyz, scales ``[N, 3]``) that lay a unit cylinder along each piece.

    ``pieces [N, 2, 3]`` m; the unit cylinder has radius and height 1, its axis is z and its centre the origin.
    """
    along = pieces[:, 1] - pieces[:, 0]
    along = np.where(along[:, 2:] < 0, -along, along)  # either way round is the same cylinder
    length = np.linalg.norm(along, axis=1, keepdims=True)
    x, y, z = (along / np.maximum(length, 1e-9)).T
    half_way = np.stack([1.0 + z, -y, x, 0.0 * x], axis=1)  # turns z to (x, y, z) by the shortest way
    quaternion = half_way / np.linalg.norm(half_way, axis=1, keepdims=True)
    width = np.where(length > 0, radius, 0.0)
    return pieces.mean(1), quaternion, np.concatenate([width, width, length], axis=1)


def unit_cylinder() -> tuple[np.ndarray, np.ndarray]:
    """Vertices and faces of the cylinder that `cylinder_between` lays."""
    import trimesh

    shape = trimesh.creation.cylinder(1.0, 1.0, sections=12)
    return np.asarray(shape.vertices), np.asarray(shape.faces)
