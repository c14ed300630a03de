"""How close a reduced model is to the full one over the walking range: what `mjx-assist models report` prints."""

from typing import Any

import mujoco
import numpy as np

from mjx_assist.config.words import FULL, REDUCED
from mjx_assist.model import assembly
from mjx_assist.model.fidelity.accelerations import accelerations
from mjx_assist.model.fidelity.bounds import verdicts
from mjx_assist.model.fidelity.feet import measure_feet
from mjx_assist.model.fidelity.motions import convergence
from mjx_assist.model.muscles.paths import (
    by_driver,
    describe,
    full_lengths,
    read_paths,
    reduced_lengths,
    settled,
)
from mjx_assist.model.reduction import ReducedModel, read, recipe
from mjx_assist.model.skeleton.coupling import Coupling
from mjx_assist.model.skeleton.inertia import body_inertial, compose
from mjx_assist.model.skeleton.loops import Loops
from mjx_assist.model.skeleton.skeleton import Skeleton
from mjx_assist.terrain.heightfield import FLOOR

_POSES = 400  # random poses, uniform over the walking ranges; their own, so not those of the fit
_EXACT = 1e-6  # m


def measure(
    full: mujoco.MjModel,
    coupling: Coupling,
    skeleton: Skeleton,
    model: mujoco.MjModel,
    walking_range: dict[str, tuple[float, float]],
) -> dict:
    """The JSON-able report: sizes, masses, bodies, hinges, muscles, feet, joint accelerations."""
    qpos = _random_poses(model, walking_range)
    return {
        "size": {FULL: _size(full), REDUCED: _size(model)},
        "mass_kg": {FULL: float(full.body_mass.sum()), REDUCED: float(model.body_mass.sum())},
        "bodies": _bodies(full, skeleton, model),
        "landmark_error_mm": _landmark_error(full, coupling, skeleton, model, qpos),
        "hinges": _hinges(full, skeleton),
        "loop_gap_mm": _loop_gap(full, coupling, qpos),
        "muscles": _muscles(full, coupling, skeleton, model, qpos),
        "sole_height_m": {FULL: _sole_height(full), REDUCED: _sole_height(model)},
        "feet": measure_feet(full, coupling, skeleton, model, walking_range),
        "accelerations": accelerations(full, coupling, model, walking_range),
    }


def _random_poses(model: mujoco.MjModel, walking_range: dict[str, tuple[float, float]]) -> np.ndarray:
    """[poses, nq], the root at qpos0."""
    random = np.random.default_rng(0)
    qpos = np.tile(model.qpos0, (_POSES, 1))
    for name, limits in walking_range.items():
        qpos[:, model.joint(name).qposadr[0]] = random.uniform(*limits, _POSES)
    return settled(model, qpos)


def _size(model: mujoco.MjModel) -> dict[str, int]:
    return {key: int(getattr(model, key)) for key in ("nq", "nv", "neq", "nbody", "ngeom", "nsite", "nu", "npair")}


def _bodies(full: mujoco.MjModel, skeleton: Skeleton, model: mujoco.MjModel) -> list[dict]:
    """Per reduced body: which full bodies it holds, and how far its inertia is from theirs as one rigid body."""
    rows = []
    for index, segment in enumerate(skeleton.segments[1:], start=1):
        parts = [body_inertial(full, b, skeleton.place[b], skeleton.turn[b]) for b in segment.members]
        whole = compose(parts)
        own = body_inertial(model, index, np.zeros(3), np.eye(3))
        rows.append(
            {
                "body": model.body(index).name,
                "of": [full.body(b).name for b in segment.members],
                "mass_kg": own.mass,
                "mass_error_kg": abs(own.mass - whole.mass),
                "centre_error_m": float(np.linalg.norm(own.centre - whole.centre)),
                "inertia_error_kg_m2": float(np.abs(own.inertia - whole.inertia).max()),
            }
        )
    return rows


def _landmark_error(full, coupling, skeleton, model, qpos) -> dict[str, dict[str, float]]:
    """Distance between the origins of each reduced body and of the full body it is named after, mm."""
    lifted, data, reduced = coupling.lift(qpos), mujoco.MjData(full), mujoco.MjData(model)
    roots = [segment.root for segment in skeleton.segments]
    error = np.zeros((len(qpos), len(roots)))
    for n in range(len(qpos)):
        data.qpos[:], reduced.qpos[:] = lifted[n], qpos[n]
        mujoco.mj_kinematics(full, data)
        mujoco.mj_kinematics(model, reduced)
        error[n] = 1e3 * np.linalg.norm(data.xpos[roots] - reduced.xpos, axis=1)
    return {
        model.body(i).name: {"rms": float(np.sqrt((error[:, i] ** 2).mean())), "worst": float(error[:, i].max())}
        for i in range(1, model.nbody)
    }


def _hinges(full: mujoco.MjModel, skeleton: Skeleton) -> list[dict]:
    """The joints that slid and are fixed hinges now."""
    return [
        {
            "joint": full.joint(segment.joints[0]).name,
            "rms_mm": float(1e3 * np.sqrt((segment.hinge_error**2).mean())),
            "worst_mm": float(1e3 * segment.hinge_error.max()),
        }
        for segment in skeleton.segments
        if segment.hinge is not None
    ]


def _loop_gap(full: mujoco.MjModel, coupling: Coupling, qpos: np.ndarray) -> dict[str, float] | None:
    """How far closed loops of the full model are open in the reduced model's poses; None if there is no loop."""
    loops = Loops(full)
    if not loops.rows:
        return None
    gap = 1e3 * np.abs([loops.gap(lifted) for lifted in coupling.lift(qpos)])
    return {"rms": float(np.sqrt((gap**2).mean())), "worst": float(gap.max())}


def _muscles(full, coupling, skeleton, model, qpos) -> list[dict]:
    """Per actuator on a tendon: errors of length and moment arm (of the worst joint), and the largest moment arm."""
    length, slope = full_lengths(full, coupling, qpos)
    own_length, own_slope = reduced_lengths(model, qpos)
    slope, own_slope = by_driver(model, qpos, slope), by_driver(model, qpos, own_slope)
    refitted = {path.tendon for path in read_paths(full, skeleton) if path.touched}
    rows = []
    for a in np.flatnonzero(full.actuator_trntype == mujoco.mjtTrn.mjTRN_TENDON):
        name, t = full.actuator(a).name, full.actuator_trnid[a, 0]
        own = model.actuator(name).trnid[0]
        off, arm_off = own_length[:, own] - length[:, t], own_slope[:, own] - slope[:, t]
        rows.append(
            {
                "muscle": name,
                "length_rmse_mm": float(1e3 * np.sqrt((off**2).mean())),
                "moment_arm_rmse_mm": float(1e3 * np.sqrt((arm_off**2).mean(0)).max()),
                "moment_arm_peak_mm": float(1e3 * np.abs(slope[:, t]).max()),
                "refitted": int(t) in refitted,
                "path_changed": bool(np.abs(off).max() > _EXACT or np.abs(arm_off).max() > _EXACT),
                **describe(model, own),
            }
        )
    return rows


def _sole_height(model: mujoco.MjModel) -> float:
    """Height of the world's origin above the lowest point that can touch the floor, m, at qpos0."""
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    lowest = np.inf
    floor = model.geom(FLOOR).id
    touching = set(model.pair_geom1) | set(model.pair_geom2)
    for geom in range(model.ngeom):
        if geom == floor or not (model.geom_contype[geom] or model.geom_conaffinity[geom] or geom in touching):
            continue
        if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_MESH:
            mesh = model.geom_dataid[geom]
            local = model.mesh_vert[model.mesh_vertadr[mesh] :][: model.mesh_vertnum[mesh]]
            height = (local @ data.geom_xmat[geom].reshape(3, 3).T)[:, 2].min()
        else:
            height = -model.geom_rbound[geom]
        lowest = min(lowest, data.geom_xpos[geom, 2] + height)
    return float(-lowest)


def fidelity(reduced: ReducedModel, dynamics: bool = True) -> dict[str, Any]:
    """How close the reduced model is to the full one over the walking range; JSON-able.

    ``dynamics``: compare motions as well (motions.py), which takes seconds.
    """
    full, coupling, walking_range, skeleton = read(reduced.human, reduced.device, recipe(reduced.human))
    report = {"human": reduced.human, "device": reduced.device, "walking_range_rad": walking_range}
    report |= measure(full, coupling, skeleton, reduced.model, walking_range)
    if dynamics:
        spec = assembly.compose(reduced.human, reduced.device)
        report["convergence"] = convergence(spec, coupling, reduced.xml, walking_range)
    return report | {"verdicts": verdicts(report)}
