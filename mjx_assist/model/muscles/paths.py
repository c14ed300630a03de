"""Muscle paths on the reduced skeleton: what stays exactly as it is, what must be refitted, what only adds a constant.

A path acts on joints through its length and moment arms alone. path_fit.py refits, mjcf.py writes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

import mujoco
import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.model.skeleton.coupling import Coupling, read_coupling
from mjx_assist.model.skeleton.inertia import rotation
from mjx_assist.model.skeleton.skeleton import Skeleton

_WRAPS = {mujoco.mjtWrap.mjWRAP_SPHERE: "sphere", mujoco.mjtWrap.mjWRAP_CYLINDER: "cylinder"}
_KINDS = ("exact", "exact with wraps", "one bundle", "two bundles", "three bundles")


@dataclass(frozen=True)
class PathPoint:
    name: str
    segment: int
    position: np.ndarray  # [3] in the segment's frame, m


@dataclass(frozen=True)
class WrapSurface:
    """What the path between the points before and after it bends around."""

    name: str
    segment: int
    position: np.ndarray  # [3] in the segment's frame, m
    orientation: np.ndarray  # [3, 3]
    shape: str  # "sphere" or "cylinder"
    size: np.ndarray  # radius, half length; m
    side: PathPoint | None  # on which side the path passes; inside the surface: it passes through


@dataclass(frozen=True)
class Branch:
    """A stretch of points, with a surface between some; it begins and ends with a point."""

    elements: tuple[PathPoint | WrapSurface, ...]
    divisor: float  # its length counts 1 / divisor


@dataclass(frozen=True)
class MusclePath:
    """A tendon; its length is that of its branches plus ``constant``."""

    tendon: int  # full tendon id
    branches: tuple[Branch, ...]
    constant: float  # m, what stretches between points of one segment add
    whole: tuple[Branch, ...]  # all of it as the full model has it, at qpos0
    touched: tuple[Branch, ...] = ()  # what of it couplings of the full model move, for path_fit to replace
    bundles: int = 0  # how many stretches of the refitted part run side by side at most; 0: every branch is exact
    joints: tuple[tuple[str, float], ...] = ()  # of a tendon that is a sum of joint angles: their names and shares


def read_paths(full: mujoco.MjModel, skeleton: Skeleton) -> list[MusclePath]:
    """The path of every tendon that can exert a force. Raises ``UserError`` for what the reduction cannot carry."""
    paths = [_read_path(full, skeleton, tendon) for tendon in range(full.ntendon) if _acts(full, tendon)]
    return [path for path in paths if path.branches or path.touched or path.joints]  # without: its length is constant


def _acts(full: mujoco.MjModel, tendon: int) -> bool:
    passive = (full.tendon_stiffness, full.tendon_damping, full.tendon_frictionloss, full.tendon_limited)
    return any(value[tendon] > 0 for value in passive) or _drives(full, tendon)


def _drives(full: mujoco.MjModel, tendon: int) -> bool:
    driven = full.actuator_trntype == mujoco.mjtTrn.mjTRN_TENDON
    return tendon in full.actuator_trnid[driven, 0]


def _read_path(full: mujoco.MjModel, skeleton: Skeleton, tendon: int) -> MusclePath:
    if full.wrap_type[full.tendon_adr[tendon]] == mujoco.mjtWrap.mjWRAP_JOINT:
        return MusclePath(tendon, (), 0.0, (), joints=_shares(full, skeleton, tendon))
    whole, exact, touched, constant = [], [], [], 0.0
    for divisor, steps in _steps(full, skeleton, tendon):
        whole.append(Branch(_joined([stretch for _, stretch in steps]), divisor))
        for moved, group in groupby(steps, key=lambda step: step[0]):
            stretches = [stretch for _, stretch in group]
            if moved:
                touched.append(Branch(_joined(stretches), divisor))
                continue
            for fixed, part in groupby(stretches, key=_is_constant):
                part = list(part)
                if fixed:
                    constant += sum(_distance(a, b) for a, b in part) / divisor
                else:
                    exact.append(Branch(_joined(part), divisor))
    if not exact and not touched and _drives(full, tendon):
        raise UserError(f"cannot reduce: tendon {full.tendon(tendon).name!r} crosses no joint.")
    return MusclePath(tendon, tuple(exact), constant, tuple(whole), tuple(touched))


def _shares(full: mujoco.MjModel, skeleton: Skeleton, tendon: int) -> tuple[tuple[str, float], ...]:
    rows = range(full.tendon_adr[tendon], full.tendon_adr[tendon] + full.tendon_num[tendon])
    for joint in (int(full.wrap_objid[w]) for w in rows):
        if joint not in skeleton.joints:
            name, follower = full.tendon(tendon).name, full.joint(joint).name
            raise UserError(f"cannot reduce: tendon {name!r} counts joint {follower!r}, which follows another joint.")
    return tuple((full.joint(int(full.wrap_objid[w])).name, float(full.wrap_prm[w])) for w in rows)


def _steps(full, skeleton, tendon) -> Iterator[tuple[float, list[tuple[bool, tuple]]]]:
    """Per branch of the full tendon its divisor and its stretches from point to point: (is it touched?, elements)."""
    first, count = full.tendon_adr[tendon], full.tendon_num[tendon]
    divisor, elements, moved = 1.0, [], []
    for w in [*range(first, first + count), None]:
        kind = mujoco.mjtWrap.mjWRAP_PULLEY if w is None else mujoco.mjtWrap(full.wrap_type[w])
        if kind == mujoco.mjtWrap.mjWRAP_PULLEY:
            points = [i for i, element in enumerate(elements) if isinstance(element, PathPoint)]
            stretches = [(tuple(elements[a : b + 1]), moved[a : b + 1]) for a, b in pairwise(points)]
            if stretches:
                yield divisor, [(any(off) or _bent(stretch, skeleton), stretch) for stretch, off in stretches]
            divisor, elements, moved = 1.0 if w is None else float(full.wrap_prm[w]), [], []
        elif kind == mujoco.mjtWrap.mjWRAP_SITE:
            elements.append(_point(full, skeleton, int(full.wrap_objid[w])))
            moved.append(bool(skeleton.moved[full.site_bodyid[full.wrap_objid[w]]]))
        elif w is not None and kind in _WRAPS:
            elements.append(_surface(full, skeleton, w))
            moved.append(bool(skeleton.moved[full.geom_bodyid[full.wrap_objid[w]]]))
        else:
            raise UserError(f"cannot reduce: tendon {full.tendon(tendon).name!r} is not a path through points.")


def _point(full: mujoco.MjModel, skeleton: Skeleton, site: int) -> PathPoint:
    body = full.site_bodyid[site]
    position = skeleton.place[body] + skeleton.turn[body] @ full.site_pos[site]
    return PathPoint(full.site(site).name or f"site_{site}", int(skeleton.segment_of[body]), position)


def _surface(full: mujoco.MjModel, skeleton: Skeleton, w: int) -> WrapSurface:
    geom, side = int(full.wrap_objid[w]), int(np.round(full.wrap_prm[w]))
    body = full.geom_bodyid[geom]
    return WrapSurface(
        full.geom(geom).name or f"wrap_{geom}",
        int(skeleton.segment_of[body]),
        skeleton.place[body] + skeleton.turn[body] @ full.geom_pos[geom],
        skeleton.turn[body] @ rotation(full.geom_quat[geom]),
        _WRAPS[mujoco.mjtWrap(full.wrap_type[w])],
        full.geom_size[geom, :2].copy(),
        _point(full, skeleton, side) if side >= 0 else None,
    )


def _bent(stretch: tuple, skeleton: Skeleton) -> bool:
    """Is there a refitted hinge between the bones of the stretch?"""
    return any(
        skeleton.segments[s].hinge is not None
        for a, b in pairwise(stretch)
        for s in skeleton.crossing(a.segment, b.segment)
    )


def _is_constant(stretch: tuple) -> bool:
    return len(stretch) == 2 and stretch[0].segment == stretch[1].segment


def _distance(a: PathPoint, b: PathPoint) -> float:
    return float(np.linalg.norm(a.position - b.position))


def _joined(stretches: list[tuple]) -> tuple:
    """Stretches that follow each other as one."""
    return (stretches[0][0], *(element for stretch in stretches for element in stretch[1:]))


def unfitted(path: MusclePath) -> MusclePath:
    """The path with touched branches as they are at qpos0: for a model whose muscles need not be right."""
    return replace(path, branches=(*path.branches, *path.touched), touched=())


def branches_of(path: MusclePath) -> tuple[Branch, ...]:
    """What a path is written as: its branches; as long as it has none, the touched ones as they are at qpos0."""
    return path.branches or path.touched


def full_lengths(
    full: mujoco.MjModel, coupling: Coupling, qpos: np.ndarray, tendons: Sequence[int] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The full model's tendon lengths [N, T] and slopes [N, T, nq] at reduced qpos [N, nq]; of all T if not told which.

    A slope is dL/dq in m/rad with the couplings exact: summed over all full coordinates that follow q. The moment arm
    is its negative.
    """
    length, jacobian = _tendons(full, coupling.lift(qpos), tendons)
    slope = np.zeros((*length.shape, qpos.shape[1]))
    follow = coupling.slope(qpos)[:, None]
    np.add.at(np.moveaxis(slope, -1, 0), coupling.source, np.moveaxis(jacobian * follow, -1, 0))
    return length, slope


def reduced_lengths(
    model: mujoco.MjModel, qpos: np.ndarray, tendons: Sequence[int] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The reduced model's tendon lengths [N, T], constants included, and slopes [N, T, nv] at qpos [N, nq]."""
    length, slope = _tendons(model, qpos, tendons)
    return length + constants(model)[slice(None) if tendons is None else list(tendons)], slope


def settled(model: mujoco.MjModel, qpos: np.ndarray) -> np.ndarray:
    """Reduced qpos [N, nq] with the joints that the reduced model's own equalities drive where these want them."""
    return read_coupling(model).lift(qpos[:, _free(model)])


def by_driver(model: mujoco.MjModel, qpos: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Slopes [N, T, nq] at settled qpos when such joints follow: theirs are added to the driving joints'."""
    own, free = read_coupling(model), _free(model)
    total, follow = slope.copy(), own.slope(qpos[:, free])
    for joint in np.setdiff1d(np.arange(model.nq), free):
        total[..., free[own.source[joint]]] += slope[..., joint] * follow[:, joint, None]
        total[..., joint] = 0.0
    return total


def _free(model: mujoco.MjModel) -> np.ndarray:
    """Joints that no equality drives."""
    return np.setdiff1d(np.arange(model.njnt), model.eq_obj1id[model.eq_active0 == 1])


def constants(model: mujoco.MjModel) -> np.ndarray:
    """What the full tendon's length has beyond the reduced one's, [ntendon] in m; the file keeps it as user data."""
    return model.tendon_user[:, 0]


def describe(model: mujoco.MjModel, tendon: int) -> dict[str, str | int]:
    """What a tendon of a reduced model costs: kind of path, points, wrapping surfaces, crossings between segments."""
    rows = slice(model.tendon_adr[tendon], model.tendon_adr[tendon] + model.tendon_num[tendon])
    kinds, objects = model.wrap_type[rows], model.wrap_objid[rows]
    site, wrap = kinds == mujoco.mjtWrap.mjWRAP_SITE, np.isin(kinds, [int(kind) for kind in _WRAPS])
    body = np.where(site, model.site_bodyid[np.where(site, objects, 0)], -1)
    body = np.where(wrap, model.geom_bodyid[np.where(wrap, objects, 0)], body)
    crossing = (body[1:] != body[:-1]) & (body[1:] >= 0) & (body[:-1] >= 0)
    bundles = int(model.tendon_user[tendon, 1])
    return {
        "path": _KINDS[bundles + 1] if bundles else _KINDS[int(wrap.any())],
        "points": int(site.sum()),
        "wraps": int(wrap.sum()),
        "crossings": int(crossing.sum()),
    }


def _tendons(model: mujoco.MjModel, qpos: np.ndarray, tendons: Sequence[int] | None) -> tuple[np.ndarray, np.ndarray]:
    """Lengths [N, T] and their derivatives [N, T, nv]."""
    data, jacobian = mujoco.MjData(model), np.zeros((model.ntendon, model.nv))
    keep = np.arange(model.ntendon) if tendons is None else np.array(tendons, dtype=int)
    length, slope = np.zeros((len(qpos), len(keep))), np.zeros((len(qpos), len(keep), model.nv))
    sparsity = model.ten_J_rownnz, model.ten_J_rowadr, model.ten_J_colind
    for n, q in enumerate(qpos):
        data.qpos[:] = q
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_tendon(model, data)
        mujoco.mju_sparse2dense(jacobian, data.ten_J.ravel(), *sparsity)
        length[n], slope[n] = data.ten_length[keep], jacobian[keep]
    return length, slope
