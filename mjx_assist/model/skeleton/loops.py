"""Closed loops (connect and weld equalities): which joints they drive, and their angles as polynomials of a driver's.

A loop closes by least squares: linkages of a device rarely fit a leg's joints exactly, and what is left is reported.
"""

import mujoco
import numpy as np

from mjx_assist.errors import UserError

LOOPS = (mujoco.mjtEq.mjEQ_CONNECT, mujoco.mjtEq.mjEQ_WELD)
_FLOATS = 1e-3  # share of a joint's motion at the loop's ends that lighter joints cannot make: more, and it counts
_FOLLOWS = 0.2  # the same for a loop of a skeleton's own joints, of which one at least must be left to drive the others
_SAMPLES = 25  # over a driver's limits
_UNLIMITED = 0.5  # rad or m about qpos0, of a driver without limits
_OPEN = 0.015  # m RMS: a loop that stays open wider is no mechanism, and its bodies stay as they were put on
_STEPS, _STEP_END = 50, 1e-8  # Gauss-Newton
_EXACT = 1e-4  # m/rad: of the closures that are as good, the one nearest to qpos0 is taken
_CLOSED = 0.001  # m: a loop that stays open wider somewhere cannot close
_REST = 0.03  # m/rad: such a loop stays open by so much before a joint turns by one more radian
_DEGREE = 6
_STILL = 1e-6  # rad or m: a joint that moves less is constant


class Loops:
    """The active connect and weld equalities of a model whose joint couplings are given as full qpos -> full qpos."""

    def __init__(self, full: mujoco.MjModel):
        self.full, self._data = full, mujoco.MjData(full)
        self.rows = {int(e) for e in np.flatnonzero(full.eq_active0 & np.isin(full.eq_type, LOOPS))}

    def gap(self, qpos: np.ndarray) -> np.ndarray:
        """How far the loops are from closed at a full qpos: the equalities' residuals [rows], m (rad for a weld)."""
        return self.evaluate(qpos)[0]

    def evaluate(self, qpos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The gap [rows] at a full qpos, and its Jacobian [rows, nv]."""
        full, data = self.full, self._data
        data.qpos[:] = qpos
        data.qvel[:] = 0
        for stage in (mujoco.mj_kinematics, mujoco.mj_comPos, mujoco.mj_tendon, mujoco.mj_makeConstraint):
            stage(full, data)  # without collisions
        equality = data.efc_type == mujoco.mjtConstraint.mjCNSTR_EQUALITY
        mine = equality & np.isin(data.efc_id, list(self.rows))
        jacobian = np.zeros((data.nefc, full.nv))
        if mujoco.mj_isSparse(full):
            mujoco.mju_sparse2dense(jacobian, data.efc_J, data.efc_J_rownnz, data.efc_J_rowadr, data.efc_J_colind)
        else:
            jacobian = data.efc_J[: data.nefc * full.nv].reshape(data.nefc, full.nv)
        return data.efc_pos[mine].copy(), jacobian[mine]


def solve_loops(full: mujoco.MjModel, rows: dict, resolve) -> dict[int, tuple[int | None, np.ndarray]]:
    """Joint id -> (its driver, polynomial of the driver's coordinate) for the joints that loops drive.

    ``rows``: the joints that a joint equality drives; ``resolve``: joint -> (driver, polynomial) of these.
    """
    loops = Loops(full)
    if not loops.rows:
        return {}
    follow = _Follow(full, rows, resolve)
    driven = _driven_joints(loops, follow)
    if not driven:
        raise UserError(f"cannot reduce: equality {_name(full, min(loops.rows))} ties bodies that no joint lets move.")
    found: dict[int, tuple[int | None, np.ndarray]] = {j: (None, full.qpos0[[j]]) for j in driven}
    spread = dict.fromkeys(driven, _STILL)
    for driver in _drivers(loops, follow, driven):
        angles, solved, gaps = _sweep(loops, follow, driven, driver)
        for k, joint in enumerate(driven):
            moves = float(np.ptp(solved[:, k]))
            if moves > spread[joint] and np.sqrt((gaps[:, k] ** 2).mean()) < _OPEN:
                spread[joint] = moves
                found[joint] = driver, np.polynomial.Polynomial.fit(angles, solved[:, k], _DEGREE).convert().coef
    return found


class _Follow:
    """Full qpos from that of the joints that no joint equality drives, and the slope of it."""

    def __init__(self, full: mujoco.MjModel, rows: dict, resolve):
        self.full = full
        self.free = [j for j in range(full.njnt) if j not in rows]
        self._driven = {joint: resolve(joint) for joint in rows}

    def lift(self, qpos: np.ndarray) -> np.ndarray:
        qpos = qpos.copy()
        for joint, (driver, poly) in self._driven.items():
            qpos[joint] = poly[0] if driver is None else np.polynomial.polynomial.polyval(qpos[driver], poly)
        return qpos

    def project(self, qpos: np.ndarray, jacobian: np.ndarray) -> np.ndarray:
        """A Jacobian by the full qpos [..., nv] as one by the undriven joints, the others following, [..., nv]."""
        jacobian = jacobian.copy()
        for joint, (driver, poly) in self._driven.items():
            if driver is not None:
                slope = np.polynomial.polynomial.polyval(qpos[driver], np.polynomial.polynomial.polyder(poly))
                jacobian[..., driver] += slope * jacobian[..., joint]
            jacobian[..., joint] = 0.0
        return jacobian


def _driven_joints(loops: Loops, follow: _Follow) -> list[int]:
    """The joints that the loops drive: the lightest that close them when the others move.

    A body that floats, with joints for all six directions, is driven by what holds it, with the joints below it; only
    a loop without such a body drives joints of the skeleton.
    """
    full, qpos = loops.full, follow.lift(loops.full.qpos0)
    jacobian = follow.project(qpos, loops.evaluate(qpos)[1])
    touched = [j for j in follow.free if np.abs(jacobian[:, j]).max() > _STILL]
    floating = [j for j in touched if _floats(full, int(full.jnt_bodyid[j]))]
    held = np.abs(jacobian[:, floating]).max(1, initial=0.0) > _STILL  # rows that a floating body is part of
    driven: list[int] = []
    for rows, joints, least in ((held, floating, _FLOATS), (~held, touched, _FOLLOWS)):
        basis = np.zeros((rows.sum(), 0))
        for joint in sorted(joints, key=lambda j: (full.body_subtreemass[full.jnt_bodyid[j]], j)):
            column = jacobian[rows, joint]
            rest = column - basis @ (basis.T @ column)
            rest -= basis @ (basis.T @ rest)
            if np.linalg.norm(rest) > max(least * np.linalg.norm(column), _STILL):
                driven.append(joint)
                basis = np.column_stack([basis, rest / np.linalg.norm(rest)])
    return sorted(set(driven))


def _floats(full: mujoco.MjModel, body: int) -> bool:
    """Does a body, or one above it, have three slides and three hinges on another body than the world?"""
    while body:
        types = full.jnt_type[full.body_jntadr[body] :][: full.body_jntnum[body]]
        slides, hinges = (np.sum(types == kind) for kind in (mujoco.mjtJoint.mjJNT_SLIDE, mujoco.mjtJoint.mjJNT_HINGE))
        if slides == hinges == 3 and full.body_parentid[body]:
            return True
        body = int(full.body_parentid[body])
    return False


def _drivers(loops: Loops, follow: _Follow, driven: list[int]) -> list[int]:
    qpos = follow.lift(loops.full.qpos0)
    jacobian = follow.project(qpos, loops.evaluate(qpos)[1])
    return [j for j in follow.free if j not in driven and np.abs(jacobian[:, j]).max() > _STILL]


def _sweep(loops: Loops, follow: _Follow, driven: list[int], driver: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The driver's coordinate [samples] over its limits, the driven joints' [samples, driven], and how far each one's
    loop stays open [samples, driven], m."""
    full, start = loops.full, loops.full.qpos0[driver]
    low, high = full.jnt_range[driver] if full.jnt_limited[driver] else start + _UNLIMITED * np.array([-1, 1])
    angles = np.linspace(low, high, _SAMPLES)
    middle = int(np.abs(angles - start).argmin())
    for rest in (_EXACT, _REST):
        solved, gaps = np.zeros((_SAMPLES, len(driven))), np.zeros((_SAMPLES, len(driven)))
        for order in (range(middle, _SAMPLES), range(middle - 1, -1, -1)):  # outwards from where it is put on
            qpos = full.qpos0.copy()
            for n in order:
                qpos[driver] = angles[n]
                qpos[driven], gaps[n] = _close(loops, follow, driven, qpos, rest)
                solved[n] = qpos[driven]
        if gaps.max() < _CLOSED:
            break
    return angles, solved, gaps


def _close(loops: Loops, follow: _Follow, driven: list[int], qpos: np.ndarray, rest: float):
    """The driven joints' coordinates that close the loops best and stay near qpos0, and what stays open of each one's.

    All others as given. Gauss-Newton; ``rest``: m of gap that one rad, or m, away from qpos0 is worth.
    """
    qpos = qpos.copy()
    for _ in range(_STEPS):
        lifted = follow.lift(qpos)
        gap, jacobian = loops.evaluate(lifted)
        columns = follow.project(lifted, jacobian)[:, driven]
        off = rest**2 * (qpos - loops.full.qpos0)[driven]
        step = np.linalg.solve(columns.T @ columns + rest**2 * np.eye(len(driven)), -columns.T @ gap - off)
        qpos[driven] += step
        if np.abs(step).max() < _STEP_END:
            break
    return qpos[driven], np.abs((np.abs(columns) > _STILL) * gap[:, None]).max(0)


def _name(full: mujoco.MjModel, equality: int) -> str:
    return full.equality(equality).name or f"number {equality}"
