"""Which coupled joints can be folded away: how bodies move over the walking range, and the hinges that fit them.

A folded body becomes a rigid part of a segment; a kept joint stays one, with its equality.
"""

from dataclasses import dataclass

import mujoco
import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.model.skeleton.coupling import Coupling, reduced_joints

_SAMPLES = 101  # poses over a joint's walking range
_HEAVY = 0.25  # kg: what weighs less, with all that hangs on it, may move as it likes and is folded all the same
_WEIGHTY = 0.005  # kg: what weighs less only carries muscle points and stays with its parent
_NEAR = 0.002  # m: a body that moves less, or is off a hinge by less, is true as a rigid part
_NEAR_ANGLE = np.radians(1.0)
_BETTER = 0.5  # how much less a body must move in another segment than in its parent's to go there
_ARM = 0.1  # m: turning by an angle counts as moving by this much times it


class Sweeps:
    """Poses of the full model's bodies, one driving joint at a time over its walking range, all others at qpos0."""

    def __init__(self, full: mujoco.MjModel, folded: Coupling, walking_range: dict[int, tuple[float, float]]):
        """``folded``: the coupling with every equality folded; ``walking_range``: by full joint id."""
        self.full, self._coupling, self._range = full, folded, walking_range
        self.joints = reduced_joints(full, folded)
        self._poses: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def __call__(self, joint: int) -> tuple[np.ndarray, np.ndarray]:
        """Positions [1 + samples, nbody, 3] and orientations [1 + samples, nbody, 3, 3]; the first is at qpos0."""
        if joint not in self._poses:
            if joint not in self._range:
                name = self.full.joint(joint).name
                raise UserError(f"cannot reduce: no walking range is given for joint {name!r}, nor has it limits.")
            k = self.joints.index(joint)
            qpos = np.tile(self.full.qpos0[self.joints], (1 + _SAMPLES, 1))
            qpos[1:, k] = np.linspace(*self._range[joint], _SAMPLES)
            poses = [pose(self.full, self._coupling, q) for q in qpos]
            self._poses[joint] = np.array([p for p, _ in poses]), np.array([r for _, r in poses])
        return self._poses[joint]

    def driver(self, joint: int) -> int:
        """The independent joint that a coupled one follows."""
        return self.joints[self._coupling.source[joint]]

    def drivers(self, body: int) -> list[int]:
        """The independent joints that a body's coupled joints follow."""
        own = joints_of(self.full, body)
        return sorted({self.driver(j) for j in own if j not in self.joints and self._coupling.polycoef[j, 1:].any()})

    def relative(self, joint: int, body: int, base: int) -> tuple[np.ndarray, np.ndarray]:
        """A body's positions [1 + samples, 3] and orientations [1 + samples, 3, 3] in another body's frame."""
        position, turn = self(joint)
        inverse = turn[:, base].transpose(0, 2, 1)
        return np.einsum("nij,nj->ni", inverse, position[:, body] - position[:, base]), inverse @ turn[:, body]

    def motion(self, body: int, base: int) -> float:
        """How far a body's centre goes in another body's frame, RMS in m, turning included at an arm of 0.1 m."""
        total = 0.0
        for joint in self.drivers(body):
            at, turn = self.relative(joint, body, base)
            centre = at + turn @ self.full.body_ipos[body]
            spread = centre - centre.mean(0)
            angle = _ARM * angles_between(turn[1:], turn[0])
            total += float((spread**2).sum(1).mean() + np.var(angle))
        return np.sqrt(total)


def pose(full: mujoco.MjModel, coupling: Coupling, qpos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """World positions [nbody, 3] and orientations [nbody, 3, 3] of the full model's bodies at a reduced qpos [nq]."""
    data = mujoco.MjData(full)
    data.qpos[:] = coupling.lift(qpos)
    mujoco.mj_kinematics(full, data)
    return data.xpos.copy(), data.xmat.reshape(-1, 3, 3).copy()


def joints_of(full: mujoco.MjModel, body: int) -> range:
    return range(full.body_jntadr[body], full.body_jntadr[body] + full.body_jntnum[body])


def angles_between(turns: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Angles [n] between orientations [n, 3, 3] and another or others, rad."""
    off = turns @ np.swapaxes(other, -1, -2)
    skew = np.stack([off[..., 2, 1] - off[..., 1, 2], off[..., 0, 2] - off[..., 2, 0], off[..., 1, 0] - off[..., 0, 1]])
    return np.arctan2(np.linalg.norm(skew, axis=0), np.trace(off, axis1=-2, axis2=-1) - 1)


def kept_joints(sweeps: Sweeps) -> list[int]:
    """Full ids of the coupled joints that stay joints: their heavy bodies are neither rigid nor on a fixed hinge."""
    full, kept = sweeps.full, []
    coupled = set(full.eq_obj1id[(full.eq_type == mujoco.mjtEq.mjEQ_JOINT) & (full.eq_active0 == 1)])
    for body in range(1, full.nbody):
        drivers = sweeps.drivers(body)
        if not coupled & set(joints_of(full, body)) or not drivers or full.body_subtreemass[body] <= _HEAVY:
            continue
        own = [j for j in joints_of(full, body) if j in sweeps.joints]
        if _moves_little(sweeps, body, drivers) if not own else _on_hinge(sweeps, body, own, drivers):
            continue
        kept += [j for j in joints_of(full, body) if j not in own]
    for joint in kept:  # grows: what a kept joint follows must be there to be followed
        followed = [int(full.eq_obj2id[e]) for e in np.flatnonzero(full.eq_active0) if full.eq_obj1id[e] == joint]
        kept += [j for j in followed if j >= 0 and j not in sweeps.joints and j not in kept]
    return kept


def _moves_little(sweeps: Sweeps, body: int, drivers: list[int]) -> bool:
    parent = int(sweeps.full.body_parentid[body])
    for joint in drivers:
        at, turn = sweeps.relative(joint, body, parent)
        far = np.linalg.norm(at - at[0], axis=1).max()
        if far > _NEAR or angles_between(turn[1:], turn[0]).max() > _NEAR_ANGLE:
            return False
    return True


def _on_hinge(sweeps: Sweeps, body: int, own: list[int], drivers: list[int]) -> bool:
    if len(own) != 1 or drivers != own or sweeps.full.jnt_type[own[0]] != mujoco.mjtJoint.mjJNT_HINGE:
        return False
    fit = fit_hinge(sweeps, body, int(sweeps.full.body_parentid[body]), own[0])
    return bool(fit.error.max() <= _NEAR and fit.angle_error.max() <= _NEAR_ANGLE)


@dataclass(frozen=True)
class Hinge:
    """The fixed hinge nearest to one that slides and turns with its angle."""

    position: np.ndarray  # [3] of the body's frame in the base's frame, at the joint's qpos0, m
    anchor: np.ndarray  # [3] in the body's frame, m
    error: np.ndarray  # [samples] distance of the frame's origin from the full model's, m
    angle_error: np.ndarray  # [samples] rad


def fit_hinge(sweeps: Sweeps, body: int, base: int, joint: int) -> Hinge:
    """The frame origin's path is c + R(q) o about a fixed hinge, linear in c and o: least squares."""
    path, turn = sweeps.relative(joint, body, base)
    axis = turn[0] @ sweeps.full.jnt_axis[joint]
    design = np.concatenate([np.broadcast_to(np.eye(3), turn.shape), turn], axis=2)[1:].reshape(-1, 6)
    # along its axis a hinge can be anywhere: put it level with the frame's origin
    design = np.vstack([design, np.concatenate([np.zeros(3), turn[0].T @ axis])])
    c, o = np.split(np.linalg.lstsq(design, np.append(path[1:].ravel(), 0.0), rcond=None)[0], 2)
    fitted = c + turn @ o
    angles = np.linspace(*sweeps._range[joint], _SAMPLES) - sweeps.full.qpos0[joint]
    ideal = turn[0] @ _rotations(sweeps.full.jnt_axis[joint], angles)
    return Hinge(fitted[0], -o, np.linalg.norm(fitted - path, axis=1)[1:], angles_between(turn[1:], ideal))


def _rotations(axis: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Rotations [n, 3, 3] about an axis by angles [n]."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    s, c = np.sin(angles)[:, None, None], np.cos(angles)[:, None, None]
    return np.eye(3) + s * cross + (1 - c) * cross @ cross


def home_segment(sweeps: Sweeps, body: int, candidates: list[int], roots: list[int]) -> int:
    """The one of the candidate segments, the body's parent's first, in which a folded body moves least."""
    best, least = candidates[0], sweeps.motion(body, roots[candidates[0]])
    for segment in candidates[1:]:
        motion = sweeps.motion(body, roots[segment])
        if motion < _BETTER * least:
            best, least = segment, motion
    return best


def may_move_home(sweeps: Sweeps, body: int) -> bool:
    """Is this a folded body that weighs something?"""
    return bool(sweeps.drivers(body)) and sweeps.full.body_subtreemass[body] > _WEIGHTY
