"""How well the reduced model's feet stand for the full model's: shape of the sole, standing height, shared load."""

import copy

import mujoco
import numpy as np

from mjx_assist.sim.coupling import Coupling
from mjx_assist.sim.foot_shape import Feet, full_part, reach, read_shape, reduced_part, touch_sensors
from mjx_assist.sim.skeleton import Skeleton
from mjx_assist.sim.sole import lowest

_PITCH = np.radians(np.arange(-30.0, 30.1, 1.0))
_ROLL = np.radians([-10.0, -7.5, -5.0, -2.5, 0.0, 2.5, 5.0, 7.5, 10.0])
_BENDS = [k / 8 for k in range(9)]  # of the walking range of the joints within the foot
_SWEEP = np.radians(np.arange(-30.0, 30.1, 0.25))  # of the pitch, to trace the outline of a sole
_ALONG = 200  # points along the sole
_STANCE = np.radians([-10.0, 10.0])  # the foot is loaded between the points on which it stands when pitched so
_HEEL = 1 / 3  # of the sole's length
_LOCKED = 1e9  # armature, kg or kg m^2: nothing turns this
_LIGHT = 1e-3  # of the bodies' mass: a foot settles at once if not the body but the joints above it are inert
_ARM = 0.1  # m at which the whole mass resists pitch and roll, about a foot's length: contacts are damped for that
_SETTLING = 2000  # steps of 1 ms
_SETTLED = 1000  # steps over whose rest the load is averaged: a few vertices of a mesh take turns in carrying it


def measure_feet(
    full: mujoco.MjModel,
    coupling: Coupling,
    skeleton: Skeleton,
    model: mujoco.MjModel,
    walking_range: dict[str, tuple[float, float]],
) -> dict:
    """JSON-able: errors of sole height and reach (mm), standing height (m), the heel's share of the load (%).

    ``feet``: per foot, named after its touch sensors; ``standing_height_m``: of the root over the lowest point at the
    ``stand`` keyframe (at qpos0 if there is none).
    """
    shape = read_shape(full, skeleton)
    qpos = _standing_qpos(model)
    names = {int(skeleton.segment_of[b]): sensor for sensor, b in reversed(touch_sensors(full).items())}
    feet = {}
    for chain in shape.chains:
        full_parts = [full_part(full, skeleton, s) for s in chain]
        own_parts = [reduced_part(model, full, skeleton, s) for s in chain]
        feet[names[chain[0]]] = {
            "spheres": sum(len(part.geoms) for part in own_parts),
            **_shape_error(shape, chain, full_parts, own_parts, walking_range),
            **_load_shares(shape, coupling, chain, full_parts, own_parts, qpos),
        }
    heights = {"full": _height(full, coupling.lift(qpos)), "reduced": _height(model, qpos)}
    return {"standing_height_m": heights, "feet": feet}


def _standing_qpos(model: mujoco.MjModel) -> np.ndarray:
    for k in range(model.nkey):
        if model.key(k).name == "stand":
            return model.key_qpos[k].copy()
    return model.qpos0.copy()


def _height(model: mujoco.MjModel, qpos: np.ndarray) -> float:
    """Of the root body's origin over the lowest point that can touch the ground, m."""
    data = mujoco.MjData(model)
    data.qpos[:] = qpos
    mujoco.mj_kinematics(model, data)
    root = int(model.jnt_bodyid[0])
    return float(data.xpos[root, 2] - lowest(model, data))


def _shape_error(shape: Feet, chain, full_parts, own_parts, walking_range) -> dict[str, dict[str, float]]:
    """mm: of the reach of the foot in all attitudes, and of the height of the sole between the ends it stands on."""
    down, sweep = shape.attitudes(_PITCH, _ROLL), shape.attitudes(_SWEEP, [0.0])
    reach_error, height_error = [], []
    for poses in shape.bends(chain, walking_range, _BENDS):
        own, theirs = (reach(parts, poses, down).max(axis=0) for parts in (own_parts, full_parts))
        reach_error.append(own - theirs)
        ends = _standing_points(full_parts, poses, sweep[[0, -1]]) @ shape.axes[0]
        along = np.linspace(*ends, _ALONG)
        own, theirs = (_sole_height(parts, poses, sweep, along) for parts in (own_parts, full_parts))
        height_error.append(own - theirs)
    return {"reach_error_mm": _summary(reach_error), "sole_height_error_mm": _summary(height_error)}


def _sole_height(parts, poses, sweep: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Height [m] of a foot's convex hull at forward positions ``along`` [m]: that of its highest tangent there."""
    tangent = (along[:, None] * np.sin(_SWEEP) - reach(parts, poses, sweep).max(axis=0)) / np.cos(_SWEEP)
    return tangent.max(axis=1)


def _summary(errors: list[np.ndarray]) -> dict[str, float]:
    size = 1e3 * np.abs(np.concatenate(errors))
    return {"mean": float(size.mean()), "worst": float(size.max())}


def _load_shares(shape: Feet, coupling: Coupling, chain, full_parts, own_parts, qpos) -> dict[str, dict[str, float]]:
    """The heel's share of the static load (%) of the foot that stands alone at ``qpos``, and how far it sinks (mm).

    Every joint is locked but the root's vertical, pitch and roll. The weight acts at the middle of the points on which
    the foot stands when it is pitched by 10 degrees (and rolled by as much, where it can) one way and the other; no
    friction. Then the foot settles on its sole, and the rear third of the sole is the heel.
    """
    model, full = own_parts[0].model, shape.full
    data = mujoco.MjData(full)
    data.qpos[:] = coupling.lift(qpos)
    mujoco.mj_kinematics(full, data)
    bodies = [shape.skeleton.segments[s].root for s in chain]
    poses = [(data.xpos[b].copy(), data.xmat[b].reshape(3, 3).copy()) for b in bodies]
    forward = shape.axes[0]
    middle = _standing_points(full_parts, poses, shape.attitudes(_STANCE, _STANCE)).mean(axis=0)
    rear, front = _standing_points(full_parts, poses, shape.attitudes(_PITCH[[0, -1]], [0.0])) @ forward
    heel_end = rear + (front - rear) * _HEEL - forward @ middle
    local = poses[0][1].T @ (middle - poses[0][0])
    free = _balancing_joints(shape)
    shares, sinking = {}, {}
    for key, m, q, parts in (("full", full, coupling.lift(qpos), full_parts), ("reduced", model, qpos, own_parts)):
        geoms = [geom for part in parts for geom in part.geoms]
        heel = m.body(full.body(bodies[0]).name).id
        shares[key], sinking[key] = _stand_on(m, q, geoms, free, heel, local, forward, heel_end)
    return {"heel_load_percent": shares, "sinking_mm": sinking}


def _standing_points(parts, poses, down: np.ndarray) -> np.ndarray:
    """Where a foot in these poses stands (world, [n, 3]) if the directions ``down`` [n, 3] are down."""
    points = [p + part.supporting_points(down @ r) @ r.T for part, (p, r) in zip(parts, poses, strict=True)]
    return np.array(points)[reach(parts, poses, down).argmax(axis=0), np.arange(len(down))]


def _balancing_joints(shape: Feet) -> list[str]:
    """Names of the joints above both legs that lift, pitch or roll the human."""
    chains = []
    for chain in shape.chains:
        above, segment = [], chain[0]
        while segment > 0:
            above.append(segment)
            segment = shape.skeleton.segments[segment].parent
        chains.append(set(above))
    names = []
    data = mujoco.MjData(shape.full)
    mujoco.mj_kinematics(shape.full, data)
    for segment in set.intersection(*chains):
        for joint in shape.skeleton.segments[segment].joints:
            forward, left, up = np.abs(shape.axes @ data.xaxis[joint])
            slides = shape.full.jnt_type[joint] == mujoco.mjtJoint.mjJNT_SLIDE
            if up > 0.9 if slides else max(forward, left) > 0.9:
                names.append(shape.full.joint(joint).name)
    return names


def _stand_on(model, qpos, geoms, free, body: int, local, forward, heel_end: float) -> tuple[float, float]:
    """Settles on these geoms, with the weight at the point ``local`` of ``body``; the heel ends that far before it.

    Returns the heel's part of the load (%), and how deep its contacts are, averaged over it (mm).
    """
    weight = 9.81 * model.body_mass.sum()
    alone = _standing_on(model, geoms, free)
    data = mujoco.MjData(alone)
    data.qpos[:] = qpos
    mujoco.mj_forward(alone, data)
    vertical = next(j for j in map(alone.joint, free) if alone.jnt_type[j.id] == mujoco.mjtJoint.mjJNT_SLIDE)
    data.qpos[vertical.qposadr[0]] -= lowest(alone, data, geoms) * data.xaxis[vertical.id][2]
    jacobian, loads, depth, force = np.zeros((3, alone.nv)), np.zeros(2), 0.0, np.zeros(6)
    for step in range(_SETTLING):
        mujoco.mj_step1(alone, data)
        point = data.xpos[body] + data.xmat[body].reshape(3, 3) @ local
        mujoco.mj_jac(alone, data, jacobian, None, point, body)
        data.qfrc_applied[:] = -weight * jacobian[2]
        mujoco.mj_step2(alone, data)
        for k in range(data.ncon if step >= _SETTLED else 0):
            mujoco.mj_contactForce(alone, data, k, force)
            loads[int(forward @ (data.contact[k].pos - point) < heel_end)] += force[0]
            depth -= force[0] * data.contact[k].dist
    return float(100.0 * loads[1] / loads.sum()), float(1e3 * depth / loads.sum())


def _standing_on(model: mujoco.MjModel, geoms: list[int], free: list[str]) -> mujoco.MjModel:
    """A copy without gravity and friction in which only these geoms touch the floor and only these joints move."""
    alone, floor = copy.deepcopy(model), model.geom("floor").id
    alone.opt.timestep, alone.opt.gravity[:] = 0.001, 0.0
    alone.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_ACTUATION
    alone.body_mass *= _LIGHT
    alone.body_inertia *= _LIGHT
    alone.geom_condim[:], alone.pair_dim[:] = 1, 1
    alone.geom_contype[:], alone.geom_conaffinity[:] = 0, 0
    paired = set()
    for k, pair in enumerate(zip(model.pair_geom1, model.pair_geom2, strict=True)):
        if floor in pair and set(pair) & set(geoms):
            paired |= set(pair)
        else:
            alone.pair_margin[k] = -_LOCKED
    alone.geom_contype[[g for g in geoms if g not in paired]] = 1
    alone.geom_conaffinity[floor] = 1
    alone.dof_armature[:] = _LOCKED
    for joint in map(model.joint, free):
        slides = model.jnt_type[joint.id] == mujoco.mjtJoint.mjJNT_SLIDE
        alone.dof_armature[joint.dofadr[0]] = model.body_mass.sum() * (1.0 if slides else _ARM**2)
    return alone
