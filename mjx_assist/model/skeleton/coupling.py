"""Joint couplings: the full model's coordinates as polynomials of the reduced model's."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
from numpy.polynomial import polynomial

from mjx_assist.errors import UserError
from mjx_assist.model.skeleton.loops import LOOPS, solve_loops

_ON_JOINTS = (mujoco.mjtTrn.mjTRN_JOINT, mujoco.mjtTrn.mjTRN_JOINTINPARENT)
_DUST = 0.005  # kg: a body that weighs less and carries nothing that acts is still
_TERMS = 5  # of MuJoCo's joint equality, a quartic


@dataclass(frozen=True)
class Coupling:
    """Full qpos from reduced qpos: ``qpos_full[i] = sum_k polycoef[i, k] * qpos[source[i]]**k``."""

    full_joint_names: tuple[str, ...]  # one per full coordinate
    source: np.ndarray  # int [nq_full], index into the reduced qpos
    polycoef: np.ndarray  # [nq_full, K]

    def lift(self, qpos: Any, xp: Any = np) -> Any:
        """Reduced qpos [..., nq] -> full qpos [..., nq_full], every folded coupling satisfied."""
        return _horner(xp.asarray(qpos, dtype=float)[..., self.source], self.polycoef, xp)

    def slope(self, qpos: Any, xp: Any = np) -> Any:
        """d qpos_full[i] / d qpos[source[i]], [..., nq_full]."""
        derivative = self.polycoef[:, 1:] * np.arange(1, self.polycoef.shape[1])
        return _horner(xp.asarray(qpos, dtype=float)[..., self.source], derivative, xp)

    def lift_velocity(self, qpos: Any, qvel: Any, xp: Any = np) -> Any:
        """Reduced qpos and qvel [..., nq] -> full qvel [..., nq_full]."""
        return self.slope(qpos, xp) * xp.asarray(qvel, dtype=float)[..., self.source]


def _horner(q: Any, coefficients: np.ndarray, xp: Any) -> Any:
    value = xp.broadcast_to(coefficients[:, -1], q.shape)
    for k in range(coefficients.shape[1] - 2, -1, -1):
        value = coefficients[:, k] + q * value
    return value


def reduced_joints(full: mujoco.MjModel, coupling: Coupling) -> list[int]:
    """Ids of the full model's joints that are the reduced model's, in its order."""
    itself = (coupling.polycoef == np.eye(1, coupling.polycoef.shape[1], 1)).all(1)
    driven = _driven(full)
    first = {}
    for joint in np.flatnonzero(itself):  # one that follows another one to one is that other's copy
        other = first.get(coupling.source[joint])
        if other is None or (other in driven and joint not in driven):
            first[coupling.source[joint]] = int(joint)
    return [first[k] for k in sorted(first)]


def _driven(full: mujoco.MjModel) -> set[int]:
    rows = np.flatnonzero((full.eq_active0 == 1) & (full.eq_type == mujoco.mjtEq.mjEQ_JOINT))
    return {int(full.eq_obj1id[e]) for e in rows}


def read_coupling(full: mujoco.MjModel, kept: Collection[int] = ()) -> Coupling:
    """The couplings that the full model's active equalities state: chains of joint equalities composed, loops solved.

    ``kept``: ids of coupled joints that stay joints: coordinates of the reduced model, to which their equality is left.
    Joints of bodies that weigh next to nothing and on which nothing acts are constant. Raises ``UserError`` for
    equalities of other kinds and for joints that are not scalar.
    """
    scalar = (mujoco.mjtJoint.mjJNT_SLIDE, mujoco.mjtJoint.mjJNT_HINGE)
    for joint in np.flatnonzero(~np.isin(full.jnt_type, scalar)):
        raise UserError(f"cannot reduce: joint {full.joint(int(joint)).name!r} is neither a hinge nor a slide.")
    rows = _joint_equalities(full)
    known = {joint: (None, np.array([full.qpos0[joint]])) for joint in _idle_joints(full, rows)}
    known |= solve_loops(full, rows, lambda joint: _resolve(full, rows, known, joint, ()))
    found = [_resolve(full, rows, known, joint, ()) for joint in range(full.njnt)]
    index = {j: k for k, j in enumerate(j for j in range(full.njnt) if (j not in rows and j not in known) or j in kept)}
    source = np.zeros(full.nq, dtype=int)
    polycoef = np.zeros((full.nq, max(_TERMS, *(len(poly) for _, poly in found))))
    for joint, (driver, poly) in enumerate(found):
        if joint in index:
            driver, poly = joint, np.array([0.0, 1.0])
        source[joint] = 0 if driver is None else index.get(driver, 0)
        polycoef[joint, : len(poly)] = poly
    return Coupling(tuple(full.joint(i).name for i in range(full.njnt)), source, polycoef)


def _joint_equalities(full: mujoco.MjModel) -> dict[int, tuple[int, np.ndarray]]:
    """Coupled joint id -> (its driver's id or -1, coefficients [5])."""
    rows = {}
    for e in np.flatnonzero(full.eq_active0):
        name = full.equality(int(e)).name or f"number {e}"
        if full.eq_type[e] in LOOPS:
            continue
        if full.eq_type[e] != mujoco.mjtEq.mjEQ_JOINT:
            raise UserError(f"cannot reduce: equality {name} couples neither joints nor bodies.")
        joint = int(full.eq_obj1id[e])
        if joint in rows:
            raise UserError(f"cannot reduce: equality {name} couples joint {full.joint(joint).name!r} a second time.")
        rows[joint] = int(full.eq_obj2id[e]), full.eq_data[e, :_TERMS]
    return rows


def _idle_joints(full: mujoco.MjModel, rows: dict) -> list[int]:
    """Joints of what an amputation left behind: nothing in their body's tree weighs, pulls, touches or is tied."""
    sites = full.wrap_objid[full.wrap_type == mujoco.mjtWrap.mjWRAP_SITE]
    shapes = full.wrap_objid[np.isin(full.wrap_type, (mujoco.mjtWrap.mjWRAP_SPHERE, mujoco.mjtWrap.mjWRAP_CYLINDER))]
    busy = {*full.site_bodyid[sites], *full.geom_bodyid[shapes]}
    busy |= {*full.geom_bodyid[(full.geom_contype != 0) | (full.geom_conaffinity != 0)]}
    for e in np.flatnonzero(full.eq_active0):
        if full.eq_type[e] in LOOPS:
            busy |= {full.eq_obj1id[e], full.eq_obj2id[e]}  # bodies, or the sites' numbers, which do no harm
    moved = {*rows, *(driver for driver, _ in rows.values())}
    moved |= {*full.actuator_trnid[np.isin(full.actuator_trntype, _ON_JOINTS), 0]}
    busy |= {full.jnt_bodyid[j] for j in moved if j >= 0}
    for body in range(full.nbody - 1, 0, -1):  # what a body carries is its parent's business too
        if body in busy:
            busy.add(full.body_parentid[body])
    idle = [b for b in range(1, full.nbody) if b not in busy and full.body_subtreemass[b] < _DUST]
    return [j for j in range(full.njnt) if full.jnt_bodyid[j] in idle]


def _resolve(
    full: mujoco.MjModel, rows: dict, known: dict, joint: int, above: tuple[int, ...]
) -> tuple[int | None, np.ndarray]:
    """The joint that nothing drives which a joint follows in the end (None: it is constant), and its polynomial.

    ``known``: joints for which that has been found, as polynomials of joints that nothing drives.
    """
    if joint in known:
        return known[joint]
    if joint not in rows:
        return joint, np.array([0.0, 1.0])
    if joint in above:
        raise UserError(f"cannot reduce: joint {full.joint(joint).name!r} is coupled to itself.")
    driver, coefficients = rows[joint]
    if driver < 0:
        return None, np.array([full.qpos0[joint] + coefficients[0]])
    source, poly = _resolve(full, rows, known, driver, (*above, joint))
    offset = polynomial.polysub(poly, [full.qpos0[driver]])  # a coupling is stated about both joints' qpos0
    value = coefficients[-1:]
    for c in coefficients[-2::-1]:
        value = polynomial.polyadd([c], polynomial.polymul(offset, value))
    value = polynomial.polyadd([full.qpos0[joint]], value)
    return (None, value[:1]) if source is None else (source, value)
