"""The reduced model's rigid bodies: which full bodies move as one, where their joints are, what they weigh.

A coupled body that turns about an independent hinge while sliding along a curve (the knee) gets one fixed hinge.
"""

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.polynomial import polynomial

from mjx_assist.errors import UserError
from mjx_assist.model.skeleton.coupling import Coupling, reduced_joints
from mjx_assist.model.skeleton.folding import Sweeps, fit_hinge, home_segment, joints_of, may_move_home, pose
from mjx_assist.model.skeleton.inertia import Inertial, body_inertial, compose

_NEGLIGIBLE = 0.01
_SAMPLES = 51  # angles of a walking range over which a folded joint's share is averaged


@dataclass(frozen=True)
class Segment:
    """Full bodies that move as one. Frame: that of ``root``, the body that carries the joints."""

    root: int  # full body id
    parent: int  # index of the parent segment; -1 for the world
    members: tuple[int, ...]  # full body ids, root first
    joints: tuple[int, ...]  # full joint ids, those of the reduced model only
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
    reflected: dict[
        int, tuple[float, float]
    ]  # full joint id -> (armature, damping) of the folded joints that follow it

    @property
    def joints(self) -> list[int]:
        """Full joint ids of the reduced model's joints, in its order."""
        return sorted(joint for segment in self.segments for joint in segment.joints)

    def crossing(self, a: int, b: int) -> set[int]:
        """Segments whose joints lie between segments ``a`` and ``b``."""
        return set(self._ancestors(a)) ^ set(self._ancestors(b))

    def _ancestors(self, segment: int) -> list[int]:
        chain = []
        while segment > 0:
            chain.append(segment)
            segment = self.segments[segment].parent
        return chain


def read_skeleton(
    full: mujoco.MjModel,
    coupling: Coupling,
    walking_range: dict[int, tuple[float, float]],
    folded: Coupling | None = None,
) -> Skeleton:
    """Segments of the full model.

    ``walking_range``: full joint id -> (lowest, highest) angle in walking, rad. ``folded``: the coupling with every
    coupled joint folded, where ``coupling`` keeps some.
    """
    joints = reduced_joints(full, coupling)
    position, orientation = pose(full, coupling, full.qpos0[joints])
    sweeps = Sweeps(full, folded or coupling, walking_range)
    roots = [0] + [b for b in range(1, full.nbody) if set(joints) & set(joints_of(full, b))]
    segment_of = _segments_of(sweeps, roots)
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
        members = (root, *(int(b) for b in np.flatnonzero(segment_of == index) if b != root))
        parent = -1 if root == 0 else int(segment_of[full.body_parentid[root]])
        own = tuple(j for j in joints_of(full, root) if j in joints)
        base = roots[max(parent, 0)]
        at = orientation[base].T @ (position[root] - position[base])
        anchor, error = None, np.zeros(1)
        if len(own) < full.body_jntnum[root] and sweeps.drivers(root):
            hinge = fit_hinge(sweeps, root, base, _only_hinge(full, root, own))
            at, anchor, error = hinge.position, hinge.anchor, hinge.error
        inertial = compose([body_inertial(full, b, place[b], turn[b]) for b in members])
        segments.append(
            Segment(root, parent, members, own, at, orientation[base].T @ orientation[root], anchor, error, inertial)
        )
    reflected = _reflected(full, coupling, joints, walking_range)
    return Skeleton(tuple(segments), segment_of, place, turn, moved, reflected)


def _reflected(full, coupling: Coupling, joints: list[int], walking_range) -> dict[int, tuple[float, float]]:
    """What folded joints add to the joint q that they follow: their armature and damping times the mean (dp/dq)^2.

    What is less than a hundredth of the joint's own is left out, and the joint's parameter stays the full model's.
    """
    added = {joint: np.zeros(2) for joint in joints}
    for folded in set(range(full.njnt)) - set(joints):
        driver = joints[coupling.source[folded]]
        low, high = walking_range.get(driver, full.qpos0[[driver, driver]])
        angles = np.linspace(low, high, _SAMPLES)
        slope = polynomial.polyval(angles, polynomial.polyder(coupling.polycoef[folded]))
        added[driver] += (slope**2).mean() * np.array([full.dof_armature[folded], full.dof_damping[folded]])
    own = {joint: np.array([full.dof_armature[joint], full.dof_damping[joint]]) for joint in joints}
    kept = {joint: np.where(share < _NEGLIGIBLE * own[joint], 0.0, share) for joint, share in added.items()}
    return {joint: (float(armature), float(damping)) for joint, (armature, damping) in kept.items()}


def _segments_of(sweeps: Sweeps, roots: list[int]) -> np.ndarray:
    """The segment of each full body: its own, its parent's, or the one in which it moves least."""
    full = sweeps.full
    segment_of = np.zeros(full.nbody, dtype=int)
    index = {root: k for k, root in enumerate(roots)}
    for body in range(1, full.nbody):
        segment_of[body] = index.get(body, segment_of[full.body_parentid[body]])
    for body in range(1, full.nbody):
        if body in index:
            continue
        segment_of[body] = segment_of[full.body_parentid[body]]
        if may_move_home(sweeps, body):
            candidates = _upwards(full, segment_of, roots, int(segment_of[body]))
            for joint in sweeps.drivers(body):
                candidates += _upwards(full, segment_of, roots, int(segment_of[full.jnt_bodyid[joint]]))
            before = segment_of[body]
            segment_of[body] = home_segment(sweeps, body, list(dict.fromkeys(candidates)), roots)
            if not _in_order(full, segment_of, roots):
                segment_of[body] = before
    _spread_cables(sweeps, segment_of, roots)
    return segment_of


def _spread_cables(sweeps: Sweeps, segment_of: np.ndarray, roots: list[int]) -> None:
    """A cable along linkage parts that all came to one segment could not pull: the part that moves most goes on."""
    full = sweeps.full
    for tendon in full.actuator_trnid[full.actuator_trntype == mujoco.mjtTrn.mjTRN_TENDON, 0]:
        first = full.tendon_adr[tendon]
        wraps = slice(first, first + full.tendon_num[tendon])
        sites = full.wrap_objid[wraps][full.wrap_type[wraps] == mujoco.mjtWrap.mjWRAP_SITE]
        bodies = np.unique(full.site_bodyid[sites])
        folded = [int(body) for body in bodies if body not in roots and sweeps.drivers(body)]
        if folded and len(set(segment_of[bodies])) == 1:
            body = max(folded, key=lambda b: sweeps.motion(b, int(full.body_parentid[b])))
            segment_of[body] = segment_of[full.jnt_bodyid[sweeps.drivers(body)[0]]]


def _in_order(full: mujoco.MjModel, segment_of: np.ndarray, roots: list[int]) -> bool:
    """Would MuJoCo number the segments, depth first, as they are numbered here?"""
    above: list[int] = []
    for segment, root in enumerate(roots):
        parent = int(segment_of[full.body_parentid[root]])
        while above and above[-1] != parent:
            above.pop()
        if segment and not above:
            return False
        above.append(segment)
    return True


def _upwards(full: mujoco.MjModel, segment_of: np.ndarray, roots: list[int], segment: int) -> list[int]:
    """A segment and its ancestors, without the world."""
    chain = []
    while segment > 0:
        chain.append(segment)
        segment = int(segment_of[full.body_parentid[roots[segment]]])
    return chain


def _only_hinge(full: mujoco.MjModel, body: int, joints: tuple[int, ...]) -> int:
    if len(joints) != 1 or full.jnt_type[joints[0]] != mujoco.mjtJoint.mjJNT_HINGE:
        name = full.body(body).name
        raise UserError(f"cannot reduce: body {name!r} has coupled joints beside something else than one hinge.")
    return joints[0]
