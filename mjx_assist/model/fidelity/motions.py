"""Does the full model move like the reduced one as its couplings become rigid? A passive swing and loaded stances.

No foot touches a floor: a standing foot is held in place, so that the models' different foot contacts play no part.
"""

from contextlib import contextmanager

import mujoco
import numpy as np
from scipy.optimize import lsq_linear

from mjx_assist.model.fidelity.accelerations import is_root, set_drive
from mjx_assist.model.skeleton.coupling import Coupling, read_coupling, reduced_joints

TIME_CONSTANTS_MS = (20.0, 10.0, 5.0, 2.0)  # of the full model's equalities; it comes with 20
_DURATION = 0.3  # s
_TIMESTEP = 0.00025  # s, of both models: so fine that integration errors do not count
_SAMPLE_EVERY = 20  # steps
_TOLERANCE = 1e-12  # of the solver: with MuJoCo's 1e-8, muscle points of 1 g slip by centimetres
_SWING_BENT, _STANCE_BENT = 0.75, 0.3  # where they start: so far from qpos0 to the farther end of the walking ranges
_WEIGHT_HELD = 0.75  # of the weight, by a stance's muscles: in balance, which is unstable, any difference would explode
_LEAST_ACTIVE = 0.01
_EFFORT = 1.0  # sqrt(kg) m/s^2 that full activation of one muscle counts as, beside accelerations
_HELD_SOLREF = (0.002, 1.0)  # of what holds a standing foot, the same in both models and for every time constant
_HELD_SOLIMP = (0.9999, 0.9999, 0.001, 0.5, 2.0)  # as the full model's couplings
_BONE = 0.01  # kg, with what hangs on it: lighter bodies only carry muscle points
_LOCKED = 1e9  # kg m^2 or kg, armature of what must not move


def convergence(
    spec: mujoco.MjSpec, coupling: Coupling, xml: str, walking_range: dict[str, tuple[float, float]]
) -> dict[str, dict]:
    """By motion ("swing", "stance on <body>"): how far the full model's hinges get from the reduced model's, degrees.

    ``spec``: the full model's; constraints that can hold its feet are added. ``xml``: the reduced model. JSON-able.
    """
    reduced_spec = mujoco.MjSpec.from_string(xml)
    feet = _heels(reduced_spec.compile())
    reduced, full = (_ready(s, feet) for s in (reduced_spec, spec))
    motions = {"swing": None} | {f"stance on {foot}": foot for foot in feet}
    return {name: _compare(full, coupling, reduced, walking_range, foot) for name, foot in motions.items()}


def _heels(model: mujoco.MjModel) -> list[str]:
    """Names of the bodies that carry a foot's position sensor, ``<touch sensor>_position``."""
    sensors = {model.sensor(s).name: s for s in range(model.nsensor)}
    heels = [sensors[f"{name}_position"] for name in sensors if f"{name}_position" in sensors]
    return [model.body(model.site_bodyid[model.sensor_objid[s]]).name for s in heels]


def _ready(spec: mujoco.MjSpec, feet: list[str]) -> mujoco.MjModel:
    """Compiled with fine steps, without contact, and at its end one idle weld to the world for each foot."""
    for foot in feet:
        weld = spec.add_equality(type=mujoco.mjtEq.mjEQ_WELD, objtype=mujoco.mjtObj.mjOBJ_BODY, active=False)
        weld.name1, weld.name2, weld.solref, weld.solimp = foot, "world", _HELD_SOLREF, _HELD_SOLIMP
    model = spec.compile()
    model.opt.timestep = _TIMESTEP
    model.opt.tolerance = _TOLERANCE
    model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_CONTACT | mujoco.mjtDisableBit.mjDSBL_AUTORESET
    return model


def _compare(full, coupling, reduced, walking_range, foot: str | None) -> dict:
    """One motion of the reduced model and of the full one with each time constant; ``foot`` is held, if any."""
    hinges = np.flatnonzero(reduced.jnt_type == mujoco.mjtJoint.mjJNT_HINGE)
    names = [reduced.joint(j).name for j in hinges]
    locked = [reduced.joint(j).name for j in range(reduced.njnt) if _is_locked(reduced, j, foot)]
    with _prepared(reduced, locked):
        qpos, qvel = _start(reduced, walking_range, foot)
        drive = _holding(reduced, qpos, foot, 1.0 if foot is None else _WEIGHT_HELD)
        ours, _ = _move(reduced, qpos, qvel, drive, names, foot)
    drive = drive[[reduced.actuator(full.actuator(a).name).id for a in range(full.nu)]]
    rows, curves = [], []
    for constant in TIME_CONSTANTS_MS:
        full.eq_solref[full.eq_active0.astype(bool)] = constant / 1e3, 1.0
        with _prepared(full, locked):
            theirs, slip = _move(full, coupling.lift(qpos), coupling.lift_velocity(qpos, qvel), drive, names, foot)
        error = np.abs(theirs - ours).max(0)
        worst = int(error.argmax())
        curves.append(theirs)
        rows.append(
            {
                "time_constant_ms": constant,
                "difference_deg": float(error[worst]),
                "joint": names[worst],
                "bone_slip_mm": 1e3 * slip[0],
                "point_slip_mm": 1e3 * slip[1],
            }
        )
    shown = int(np.abs(curves[0] - ours).max(0).argmax())
    return {
        "rows": rows,
        "moves_deg": float(np.ptp(ours, axis=0).max()),
        "shown": {
            "joint": names[shown],
            "time_s": (np.arange(len(ours)) * _SAMPLE_EVERY * _TIMESTEP).tolist(),
            "reduced_deg": ours[:, shown].tolist(),
            "full_deg": {f"{c:g} ms": q[:, shown].tolist() for c, q in zip(TIME_CONSTANTS_MS, curves, strict=True)},
        },
    }


def _start(reduced: mujoco.MjModel, walking_range, foot: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Reduced qpos and qvel [nq]: a bent leg, at rest in stance, in swing moving towards qpos0; springs are relaxed."""
    qpos = reduced.qpos0.copy()
    for name, limits in walking_range.items():
        joint = reduced.joint(name)
        if is_root(reduced, joint.id) or reduced.jnt_stiffness[joint.id]:
            continue
        at = joint.qposadr[0]
        qpos[at] += (_SWING_BENT if foot is None else _STANCE_BENT) * max(np.array(limits) - qpos[at], key=abs)
    qvel = (reduced.qpos0 - qpos) / _DURATION if foot is None else np.zeros_like(qpos)
    own = read_coupling(reduced)
    independent = reduced_joints(reduced, own)
    return own.lift(qpos[independent]), own.lift_velocity(qpos[independent], qvel[independent])


def _holding(reduced: mujoco.MjModel, qpos: np.ndarray, foot: str | None, share: float) -> np.ndarray:
    """[nu]: what the actuators must do to hold the pose against a share of gravity, nearly, and with little effort.

    Accelerations are linear in the actuators' drive; they count by the mass that they move.
    """
    gravity, mass = reduced.opt.gravity.copy(), np.zeros((reduced.nv, reduced.nv))

    def acceleration(drive: np.ndarray) -> np.ndarray:
        data = _placed(reduced, qpos, np.zeros(reduced.nv), drive, foot)
        mujoco.mj_forward(reduced, data)
        mujoco.mj_fullM(reduced, data, mass)
        return np.linalg.cholesky(mass).T @ data.qacc

    reduced.opt.gravity[:] = share * gravity
    rest = acceleration(np.zeros(reduced.nu))
    effect = np.stack([acceleration(one) - rest for one in np.eye(reduced.nu)], 1)
    reduced.opt.gravity[:] = gravity
    muscle = reduced.actuator_dyntype == mujoco.mjtDyn.mjDYN_MUSCLE
    low, high = reduced.actuator_ctrlrange.T
    bounds = np.where(muscle, _LEAST_ACTIVE, low), np.where(muscle, 1.0, high)
    wanted = np.concatenate([-rest, np.zeros(reduced.nu)])
    return lsq_linear(np.vstack([effect, _EFFORT * np.eye(reduced.nu)]), wanted, bounds).x


def _move(
    model: mujoco.MjModel, qpos: np.ndarray, qvel: np.ndarray, drive: np.ndarray, hinges: list[str], foot: str | None
) -> tuple[np.ndarray, tuple[float, float]]:
    """Angles of the named hinges [samples, hinges] in degrees, and how far couplings of slides slip at most, m.

    First those that move bones, then those that only move muscle points.
    """
    data = _placed(model, qpos, qvel, drive, foot)
    columns = [model.joint(name).qposadr[0] for name in hinges]
    slides = _slide_equalities(model)
    bone = model.body_subtreemass[model.jnt_bodyid[model.eq_obj1id[slides]]] > _BONE
    kinds = slides[bone], slides[~bone]
    angles, slip = [data.qpos[columns]], np.zeros(2)
    for step in range(1, round(_DURATION / _TIMESTEP) + 1):
        mujoco.mj_step(model, data)
        if step % _SAMPLE_EVERY == 0:
            angles.append(data.qpos[columns])
            tied = data.efc_type == mujoco.mjtConstraint.mjCNSTR_EQUALITY
            off = [np.abs(data.efc_pos[tied & np.isin(data.efc_id, kind)]).max(initial=0.0) for kind in kinds]
            slip = np.maximum(slip, off)
    return np.degrees(angles), (float(slip[0]), float(slip[1]))


@contextmanager
def _prepared(model: mujoco.MjModel, locked: list[str]):
    """The named joints cannot move."""
    armature = model.dof_armature.copy()
    model.dof_armature[[model.joint(name).dofadr[0] for name in locked]] = _LOCKED
    yield
    model.dof_armature[:] = armature


def _placed(model, qpos, qvel, drive, foot: str | None) -> mujoco.MjData:
    data = mujoco.MjData(model)
    data.qpos[:], data.qvel[:] = qpos, qvel
    set_drive(model, data, drive)
    if foot is not None:
        _hold(model, data, foot)
    return data


def _is_locked(model: mujoco.MjModel, joint: int, foot: str | None) -> bool:
    """Swing: the root is locked. Stance: all is locked but the root's translation and the leg between root and foot."""
    if is_root(model, joint):
        return foot is None or model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_HINGE
    if foot is None:
        return False
    body = model.body(foot).id
    while body and body != model.jnt_bodyid[joint]:
        body = model.body_parentid[body]
    return body == 0


def _slide_equalities(model: mujoco.MjModel) -> np.ndarray:
    """Ids of the equalities that tie a slide to another joint."""
    joint = model.eq_type == mujoco.mjtEq.mjEQ_JOINT
    return np.flatnonzero(joint & (model.jnt_type[np.where(joint, model.eq_obj1id, 0)] == mujoco.mjtJoint.mjJNT_SLIDE))


def _hold(model: mujoco.MjModel, data: mujoco.MjData, foot: str) -> None:
    """Switch on the weld of this foot, where the foot is now."""
    mujoco.mj_kinematics(model, data)
    body = model.body(foot)
    for weld in np.flatnonzero((model.eq_type == mujoco.mjtEq.mjEQ_WELD) & (model.eq_obj1id == body.id)):
        if model.eq_obj2id[weld] == 0:
            away, turn = np.zeros(3), np.zeros(4)  # the world in the foot's frame
            mujoco.mju_negPose(away, turn, data.xpos[body.id], data.xquat[body.id])
            model.eq_data[weld] = [0, 0, 0, *away, *turn, 1]  # anchor, place, turn, scale of torque
            data.eq_active[weld] = 1
