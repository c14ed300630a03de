"""The reduced model's rigid bodies: which full bodies move as one, where their joints are, what they weigh.

A coupled body that turns about an independent hinge while sliding along a curve (the knee) gets one fixed hinge.
"""

from dataclasses import dataclass

import mujoco
import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.sim.coupling import Coupling, independent_joints
from mjx_assist.sim.inertia import Inertial, body_inertial, compose

_HINGE_SAMPLES = 101


@dataclass(frozen=True)
class Segment:
    """Full bodies that move as one. Frame: that of ``root``, the body that carries the joints."""

    root: int  # full body id
    parent: int  # index of the parent segment; -1 for the world
    members: tuple[int, ...]  # full body ids, root first
    joints: tuple[int, ...]  # full joint ids, independent ones only
    position: np.ndarray  # [3] of this frame in the parent segment's frame, m
    orientation: np.ndarray  # [3, 3]
    hinge: np.ndarray | None  # [3] the refitted hinge in this frame, m; None where the joints stay as they are
    hinge_error: np.ndarray  # [samples] m, distance of the frame's origin from the full model's over the walking range
    inertial: Inertial  # of all members, in this frame


@dataclass(frozen=True)
class Skeleton:
    """Segments, parents before children; segment 0 is the world."""

    segments: tuple[Segment, ...]
    segment_of: np.ndarray  # int [nbody of the full model]
    place: np.ndarray  # [nbody, 3], each full body's origin in its segment's frame
    turn: np.ndarray  # [nbody, 3, 3], its orientation there
    moved: np.ndarray  # bool [nbody]: does a coupled joint move the body relative to its segment?

    def crossing(self, a: int, b: int) -> set[int]:
        """Segments whose joints lie between segments ``a`` and ``b``."""
        return set(self._ancestors(a)) ^ set(self._ancestors(b))

    def _ancestors(self, segment: int) -> list[int]:
        chain = []
        while segment > 0:
            chain.append(segment)
            segment = self.segments[segment].parent
        return chain


def pose(full: mujoco.MjModel, coupling: Coupling, qpos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """World positions [nbody, 3] and orientations [nbody, 3, 3] of the full model's bodies at a reduced qpos [nq]."""
    data = mujoco.MjData(full)
    data.qpos[:] = coupling.lift(qpos)
    mujoco.mj_kinematics(full, data)
    return data.xpos.copy(), data.xmat.reshape(-1, 3, 3).copy()


def read_skeleton(full: mujoco.MjModel, coupling: Coupling, walking_range: dict[int, tuple[float, float]]) -> Skeleton:
    """Segments of the full model. ``walking_range``: full joint id -> (lowest, highest) angle in walking, rad."""
    independent = set(independent_joints(full))
    reference = full.qpos0[sorted(independent)]
    position, orientation = pose(full, coupling, reference)
    roots, segment_of = [0], np.zeros(full.nbody, dtype=int)
    for body in range(1, full.nbody):
        if independent & set(_joints(full, body)):
            segment_of[body] = len(roots)
            roots.append(body)
        else:
            segment_of[body] = segment_of[full.body_parentid[body]]
    root_of = np.array(roots)[segment_of]
    inverse = orientation[root_of].transpose(0, 2, 1)
    place = np.einsum("bij,bj->bi", inverse, position - position[root_of])
    turn = inverse @ orientation
    moved = np.zeros(full.nbody, dtype=bool)
    for body in range(1, full.nbody):
        if body not in roots:
            moved[body] = moved[full.body_parentid[body]] or full.body_jntnum[body] > 0

    segments = []
    for index, root in enumerate(roots):
        members = tuple(int(b) for b in np.flatnonzero(segment_of == index))
        parent = -1 if root == 0 else int(segment_of[full.body_parentid[root]])
        joints = tuple(j for j in _joints(full, root) if j in independent)
        base = roots[max(parent, 0)]
        at = orientation[base].T @ (position[root] - position[base])
        hinge, error = None, np.zeros(1)
        if len(joints) < full.body_jntnum[root]:
            at, hinge, error = _fit_hinge(full, coupling, root, base, joints, walking_range)
        inertial = compose([body_inertial(full, b, place[b], turn[b]) for b in members])
        segments.append(
            Segment(root, parent, members, joints, at, orientation[base].T @ orientation[root], hinge, error, inertial)
        )
    return Skeleton(tuple(segments), segment_of, place, turn, moved)


def _joints(full: mujoco.MjModel, body: int) -> range:
    return range(full.body_jntadr[body], full.body_jntadr[body] + full.body_jntnum[body])


def _fit_hinge(full, coupling, root, base, joints, walking_range):
    """The fixed hinge nearest to a hinge that slides: the frame origin's path is c + R(q) o, linear in c and o.

    Returns (the frame's position in the parent's frame at qpos0 [3], hinge in this frame [3], error [samples] m).
    """
    name = full.body(root).name
    if len(joints) != 1 or full.jnt_type[joints[0]] != mujoco.mjtJoint.mjJNT_HINGE:
        raise UserError(f"cannot reduce: body {name!r} has coupled joints beside something else than one hinge.")
    if joints[0] not in walking_range:
        raise UserError(f"cannot reduce: no walking range is given for joint {full.joint(joints[0]).name!r}.")
    independent = independent_joints(full)
    k, reference = independent.index(joints[0]), full.qpos0[independent]
    paths, turns = [], []
    for angle in [reference[k], *np.linspace(*walking_range[joints[0]], _HINGE_SAMPLES)]:
        qpos = reference.copy()
        qpos[k] = angle
        position, orientation = pose(full, coupling, qpos)
        paths.append(orientation[base].T @ (position[root] - position[base]))
        turns.append(orientation[base].T @ orientation[root])
    path, turn = np.array(paths), np.array(turns)
    axis = turn[0] @ full.jnt_axis[joints[0]]
    design = np.concatenate([np.broadcast_to(np.eye(3), turn.shape), turn], axis=2)[1:].reshape(-1, 6)
    # along its axis a hinge can be anywhere: put it level with the frame's origin
    design = np.vstack([design, np.concatenate([np.zeros(3), turn[0].T @ axis])])
    c, o = np.split(np.linalg.lstsq(design, np.append(path[1:].ravel(), 0.0), rcond=None)[0], 2)
    fitted = c + turn @ o
    return fitted[0], -o, np.linalg.norm(fitted - path, axis=1)[1:]
