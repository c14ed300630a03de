"""Muscle paths as fixed points: reading them from the full model, and sampling both models' lengths and moment arms.

Length and moment arm are all through which a path acts on the joints. path_fit.py moves the points.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import mujoco
import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.sim.coupling import Coupling
from mjx_assist.sim.skeleton import Skeleton


@dataclass(frozen=True)
class PathPoint:
    name: str
    segment: int
    position: np.ndarray  # [3] in the segment's frame, m


@dataclass(frozen=True)
class MusclePath:
    """A tendon as one or several bundles of fixed points; its length is the bundles' mean length."""

    tendon: int  # full tendon id
    bundles: tuple[tuple[PathPoint, ...], ...]
    moved: tuple[bool, ...]  # per point of the full path: does a coupled joint of the full model move it?
    changed: bool  # False: the same points on the same bones as in the full model, exact


def read_paths(full: mujoco.MjModel, skeleton: Skeleton) -> list[MusclePath]:
    """Every tendon's points at qpos0; ``changed`` where a coupled joint moves one or a refitted hinge is crossed."""
    paths = []
    for tendon in range(full.ntendon):
        points, moved = [], []
        for w in range(full.tendon_adr[tendon], full.tendon_adr[tendon] + full.tendon_num[tendon]):
            if full.wrap_type[w] != mujoco.mjtWrap.mjWRAP_SITE:
                raise UserError(f"cannot reduce: tendon {full.tendon(tendon).name!r} is not a path of fixed points.")
            site = int(full.wrap_objid[w])
            body = full.site_bodyid[site]
            position = skeleton.place[body] + skeleton.turn[body] @ full.site_pos[site]
            points.append(PathPoint(full.site(site).name, int(skeleton.segment_of[body]), position))
            moved.append(bool(skeleton.moved[body]))
        changed = any(moved) or any(crosses_refitted_hinge(a, b, skeleton) for a, b in pairwise(points))
        paths.append(MusclePath(tendon, (tuple(points),), tuple(moved), changed))
    return paths


def crosses_refitted_hinge(a: PathPoint, b: PathPoint, skeleton: Skeleton) -> bool:
    """Is there a refitted hinge between the bones of two points?"""
    return any(skeleton.segments[s].hinge is not None for s in skeleton.crossing(a.segment, b.segment))


def crossed_joints(path: MusclePath, skeleton: Skeleton) -> list[int]:
    """Full ids of the independent joints that change the path's length, in model order."""
    segments = set()
    for a, b in pairwise(path.bundles[0]):
        segments |= skeleton.crossing(a.segment, b.segment)
    return sorted(j for s in segments for j in skeleton.segments[s].joints)


def sample_grid(
    model: mujoco.MjModel, joints: Sequence[str], walking_range: dict[str, tuple[float, float]], samples: int
) -> np.ndarray:
    """Reduced qpos [samples ** J, nq]: the named joints on a grid over their walking ranges, the others at qpos0."""
    grid = np.array(list(product(*(np.linspace(*walking_range[name], samples) for name in joints))))
    qpos = np.tile(model.qpos0, (len(grid), 1))
    qpos[:, [model.joint(name).qposadr[0] for name in joints]] = grid
    return qpos


def full_lengths(full: mujoco.MjModel, coupling: Coupling, qpos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The full model's tendon lengths [N, ntendon] and slopes [N, ntendon, nq] at reduced qpos [N, nq].

    A slope is dL/dq in m/rad with the couplings exact: summed over all full coordinates that follow q. The moment arm
    is its negative.
    """
    data = mujoco.MjData(full)
    length, slope = np.zeros((len(qpos), full.ntendon)), np.zeros((len(qpos), full.ntendon, qpos.shape[1]))
    for n, (lifted, follow) in enumerate(zip(coupling.lift(qpos), coupling.slope(qpos), strict=True)):
        data.qpos[:] = lifted
        length[n], jacobian = _tendons(full, data)
        np.add.at(slope[n].T, coupling.source, (jacobian * follow).T)
    return length, slope


def reduced_lengths(model: mujoco.MjModel, qpos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The reduced model's tendon lengths [N, ntendon] and slopes [N, ntendon, nv] at qpos [N, nq]."""
    data = mujoco.MjData(model)
    length, slope = np.zeros((len(qpos), model.ntendon)), np.zeros((len(qpos), model.ntendon, model.nv))
    for n in range(len(qpos)):
        data.qpos[:] = qpos[n]
        length[n], slope[n] = _tendons(model, data)
    return length, slope


def _tendons(model: mujoco.MjModel, data: mujoco.MjData) -> tuple[np.ndarray, np.ndarray]:
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)
    mujoco.mj_tendon(model, data)
    jacobian = np.zeros((model.ntendon, model.nv))
    mujoco.mju_sparse2dense(jacobian, data.ten_J.ravel(), model.ten_J_rownnz, model.ten_J_rowadr, model.ten_J_colind)
    return data.ten_length.copy(), jacobian
