"""How close a reduced model's accelerations are to the full one's in walking states, contact and joint limits aside.

Equalities are seen through, in both models: only their rigid limit is compared. convergence.py compares motions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.polynomial import polynomial

from mjx_assist.model.skeleton.coupling import Coupling, read_coupling, reduced_joints

_STATES = 200
_SPEED_PER_RANGE = np.pi / np.sqrt(2)  # 1/s, RMS speed of a sine over a joint's walking range, once a second
_ROOT_TURN, _ROOT_SPEED = 0.15, 0.5  # rad either way; rad/s RMS
_MOST_ACTIVE = 0.5  # activations are uniform from 0 to this


@dataclass(frozen=True)
class _States:
    """Random walking states of the reduced model, its independent coordinates only."""

    qpos: np.ndarray  # [N, independent]
    qvel: np.ndarray  # [N, independent]
    drive: np.ndarray  # [N, nu] activation of muscles, control of other actuators


def accelerations(
    full: mujoco.MjModel, coupling: Coupling, model: mujoco.MjModel, walking_range: dict[str, tuple[float, float]]
) -> dict:
    """Of each independent joint, |difference| / RMS over random walking states: median and 95th percentile. JSON-able.

    With q_full = f(q), J = df/dq and M, forces of the full model: J' M J a = J' (forces - M dJ/dt v).
    """
    own = read_coupling(model)
    joints = reduced_joints(model, own)
    states = _walking_states(model, joints, walking_range)
    order = [model.actuator(full.actuator(a).name).id for a in range(full.nu)]
    ours, theirs = np.zeros(states.qpos.shape), np.zeros(states.qpos.shape)
    for n, (qpos, qvel, drive) in enumerate(zip(states.qpos, states.qvel, states.drive, strict=True)):
        ours[n] = seen_through(model, [own], qpos, qvel, drive)
        theirs[n] = seen_through(full, [own, coupling], qpos, qvel, drive[order])
    scale = np.maximum(np.sqrt((theirs**2).mean(0)), 1e-9)
    share = np.abs(ours - theirs) / scale
    median, high = np.median(share, 0), np.percentile(share, 95, axis=0)
    return {
        "states": _STATES,
        "median": float(np.median(share)),
        "percentile_95": float(np.percentile(share, 95)),
        "joints": [
            {
                "joint": model.joint(joint).name,
                "rms": float(scale[k]),
                "median": float(median[k]),
                "percentile_95": float(high[k]),
            }
            for k, joint in enumerate(joints)
        ],
    }


def _walking_states(model: mujoco.MjModel, joints: list[int], walking_range: dict[str, tuple[float, float]]) -> _States:
    """Angles uniform over the walking ranges, speeds to match; the root's turns and turning speeds; random drive."""
    random = np.random.default_rng(0)
    qpos = np.tile(model.qpos0[joints], (_STATES, 1))
    qvel = np.zeros_like(qpos)
    for k, joint in enumerate(joints):
        name = model.joint(joint).name
        if is_root(model, joint):
            turns = model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_HINGE
            qpos[:, k] += turns * random.uniform(-_ROOT_TURN, _ROOT_TURN, _STATES)
            qvel[:, k] = turns * random.normal(0.0, _ROOT_SPEED, _STATES)
        elif name in walking_range:
            low, high = walking_range[name]
            qpos[:, k] = random.uniform(low, high, _STATES)
            qvel[:, k] = random.normal(0.0, _SPEED_PER_RANGE * (high - low), _STATES)
    muscle = model.actuator_dyntype == mujoco.mjtDyn.mjDYN_MUSCLE
    low, high = model.actuator_ctrlrange.T
    drive = random.uniform(np.where(muscle, 0.0, low), np.where(muscle, _MOST_ACTIVE, high), (_STATES, model.nu))
    return _States(qpos, qvel, drive)


def is_root(model: mujoco.MjModel, joint: int) -> bool:
    """Does the joint carry the whole body, that is, does it connect it to the world?"""
    return model.body_parentid[model.jnt_bodyid[joint]] == 0


def set_drive(model: mujoco.MjModel, data: mujoco.MjData, drive: np.ndarray) -> None:
    """Hold each actuator at ``drive`` [nu]: as control, and as activation of those that have one."""
    data.ctrl[:] = drive
    stateful = model.actuator_actadr >= 0
    data.act[model.actuator_actadr[stateful]] = drive[stateful]


def seen_through(
    model: mujoco.MjModel, couplings: Sequence[Coupling], qpos: np.ndarray, qvel: np.ndarray, drive: np.ndarray
) -> np.ndarray:
    """Accelerations [n] of the independent coordinates qpos, qvel [n], from which the couplings lead to the model's.

    ``drive`` [nu], as `set_drive` takes it.
    """
    data, mass = mujoco.MjData(model), np.zeros((model.nv, model.nv))
    follow, drift, start = np.eye(len(qpos)), np.zeros(len(qpos)), qvel
    for coupling in couplings:
        s, slope = coupling.source, coupling.slope(qpos)
        velocity = (follow @ start)[s]
        drift = slope * drift[s] + _curvature(coupling, qpos) * velocity**2
        follow, qpos = slope[:, None] * follow[s], coupling.lift(qpos)
    data.qpos[:], data.qvel[:] = qpos, follow @ start
    set_drive(model, data, drive)
    mujoco.mj_forward(model, data)
    mujoco.mj_fullM(model, data, mass)
    force = data.qfrc_passive + data.qfrc_actuator - data.qfrc_bias
    return np.linalg.solve(follow.T @ mass @ follow, follow.T @ (force - mass @ drift))


def _curvature(coupling: Coupling, qpos: np.ndarray) -> np.ndarray:
    """d^2 qpos_full[i] / d qpos[source[i]]^2, [nq_full]."""
    second = polynomial.polyder(coupling.polycoef, 2, axis=1)
    return (second * qpos[coupling.source][:, None] ** np.arange(second.shape[1])).sum(1)
