"""How a foot shares a static load: it stands alone, in C MuJoCo, until it has settled on its sole."""

import copy
from dataclasses import dataclass

import mujoco
import numpy as np

from mjx_assist.model.feet.shape import Feet, Part, standing_points
from mjx_assist.model.feet.sole import lowest
from mjx_assist.model.names import GRAVITY

_ENDS = np.radians([-30.0, 30.0])  # the sole's ends are where the foot stands when it is pitched so
_STANCE = np.radians([-10.0, 10.0])  # and it is loaded in the middle of where it stands when pitched so
_HEEL = 1 / 3  # of the sole's length
_LOCKED = 1e9  # armature, kg or kg m^2: nothing turns this
_LIGHT = 1e-3  # of the bodies' mass: a foot settles at once if not the body but the joints above it are inert
_ARM = 0.1  # m at which the whole mass resists pitch and roll, about a foot's length: contacts are damped for that
_SETTLING = 2000  # steps of 1 ms
_SETTLED = 1000  # steps over whose rest the load is averaged: a few vertices of a mesh take turns in carrying it


@dataclass(frozen=True)
class Stance:
    """What a foot bears, and how it can move: only the root's vertical, pitch and roll are free."""

    heel: str  # the heel's body
    local: np.ndarray  # [3] where the weight acts, in that body's frame, m
    heel_end: float  # m that the heel ends before it
    forward: np.ndarray  # [3] world
    free: tuple[str, ...]  # joints


@dataclass(frozen=True)
class Load:
    """Of a foot at rest."""

    heel_percent: float
    sinking_mm: float  # depth of its contacts, averaged over the load
    places: np.ndarray  # [2, 3] where fore foot and heel bear theirs, as seen from the weight, world, m


def standing_qpos(model: mujoco.MjModel) -> np.ndarray:
    """Its ``stand`` keyframe, or qpos0 if there is none."""
    for k in range(model.nkey):
        if model.key(k).name == "stand":
            return model.key_qpos[k].copy()
    return model.qpos0.copy()


def can_settle(model: mujoco.MjModel, on: Stance) -> bool:
    """Is the human free to sink? Of a user's model with a fixed pelvis no foot bears the weight."""
    return any(model.jnt_type[model.joint(name).id] == mujoco.mjtJoint.mjJNT_SLIDE for name in on.free)


def stance(shape: Feet, chain: tuple[int, ...], parts: list[Part], qpos: np.ndarray) -> Stance:
    """Of the full model's foot at ``qpos`` (its own).

    The weight acts at the middle of the points on which the foot stands when it is pitched by 10 degrees (and rolled by
    as much, where it can) one way and the other; the rear third of its sole is the heel.
    """
    data = mujoco.MjData(shape.full)
    data.qpos[:] = qpos
    mujoco.mj_kinematics(shape.full, data)
    bodies = [shape.skeleton.segments[s].root for s in chain]
    poses = [(data.xpos[b].copy(), data.xmat[b].reshape(3, 3).copy()) for b in bodies]
    middle = standing_points(parts, poses, shape.attitudes(_STANCE, _STANCE)).mean(axis=0)
    rear, front = standing_points(parts, poses, shape.attitudes(_ENDS, np.zeros(1))) @ shape.axes[0]
    heel_end = rear + (front - rear) * _HEEL - shape.axes[0] @ middle
    local = poses[0][1].T @ (middle - poses[0][0])
    return Stance(shape.full.body(bodies[0]).name, local, heel_end, shape.axes[0], _balancing_joints(shape))


def _balancing_joints(shape: Feet) -> tuple[str, ...]:
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
    return tuple(names)


def stand(parts: list[Part], qpos: np.ndarray, on: Stance) -> Load:
    """A foot of these parts, of a full or reduced model at its ``qpos``, bears the model's weight without friction."""
    model, geoms = parts[0].model, [geom for part in parts for geom in part.geoms]
    weight, body = GRAVITY * model.body_mass.sum(), model.body(on.heel).id
    alone = _standing_on(model, geoms, on.free)
    data = mujoco.MjData(alone)
    data.qpos[:] = qpos
    mujoco.mj_forward(alone, data)
    vertical = next(j for j in map(alone.joint, on.free) if alone.jnt_type[j.id] == mujoco.mjtJoint.mjJNT_SLIDE)
    data.qpos[vertical.qposadr[0]] -= lowest(alone, data, geoms) * data.xaxis[vertical.id][2]
    jacobian, loads, moments = np.zeros((3, alone.nv)), np.zeros(2), np.zeros((2, 3))
    depth, force = 0.0, np.zeros(6)
    for step in range(_SETTLING):
        mujoco.mj_step1(alone, data)
        point = data.xpos[body] + data.xmat[body].reshape(3, 3) @ on.local
        mujoco.mj_jac(alone, data, jacobian, None, point, body)
        data.qfrc_applied[:] = -weight * jacobian[2]
        mujoco.mj_step2(alone, data)
        for k in range(data.ncon if step >= _SETTLED else 0):
            mujoco.mj_contactForce(alone, data, k, force)
            away = data.contact[k].pos - point
            heel = int(on.forward @ away < on.heel_end)
            loads[heel] += force[0]
            moments[heel] += force[0] * away
            depth -= force[0] * data.contact[k].dist
    places = moments / np.maximum(loads, 1e-9)[:, None]
    return Load(float(100.0 * loads[1] / loads.sum()), float(1e3 * depth / loads.sum()), places)


def _standing_on(model: mujoco.MjModel, geoms: list[int], free: tuple[str, ...]) -> mujoco.MjModel:
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
