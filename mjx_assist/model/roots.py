"""Free joints as three slides and three hinges, the same motion exactly, so that nq == nv everywhere downstream.

The human's root gets the field's names; a free device body moves over to the body that its equality holds it to.
"""

import mujoco
import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.model.orientation import Pose, facing_x, pose_of, quaternion, turn_of
from mjx_assist.model.skeleton.inertia import rotation

_NAMES = ("tx", "ty", "tz", "tilt", "list", "rotation")  # OpenSim's words (gait2392): x forward, y up, z to the right
_AXES = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0], [0, -1, 0], [1, 0, 0], [0, 0, 1.0]])  # in the world: z up
_HUMAN = "pelvis"
_HOLDS = (mujoco.mjtEq.mjEQ_CONNECT, mujoco.mjtEq.mjEQ_WELD)
_BODY = ("pos", "quat", "mass", "ipos", "iquat", "inertia", "fullinertia", "explicitinertial", "gravcomp")
_PARTS = ("joint", "geom", "site", "camera", "light")
_NOT_COPIED = {"id", "name", "parent", "frame", "compiler", "signature", "info", "userdata", "plugin", "classname"}


def scalar_roots(spec: mujoco.MjSpec, stands: Pose | None = None) -> None:
    """Replaces every free joint of the spec, in place, keyframes included.

    A free body that a connect or weld equality holds to a larger tree is a device: it moves over to that body with six
    joints, zero where it is put on, here and in the keyframes. ``stands``: where the devices' world has a human that
    has no free joint itself, as the pose of that human's world; None if it is the same world.
    Another free body is the human: ``pelvis_tx`` forward, ``pelvis_ty`` up, ``pelvis_tz`` to the right, then tilt, list
    and rotation about these (z, x, y of OpenSim, in this order), all zero with its root at the world's origin, standing
    as in qpos0 but turned to face x. Raises ``UserError`` for ball joints and for a second human.
    """
    ball = [joint.name for joint in spec.joints if joint.type == mujoco.mjtJoint.mjJNT_BALL]
    if ball:
        raise UserError(f"cannot reduce: joint {ball[0]!r} is a ball joint; three hinges would do.")
    free = [joint for joint in spec.joints if joint.type == mujoco.mjtJoint.mjJNT_FREE]
    if not free:
        return
    found = {joint.name: _carrier(spec, joint.parent) for joint in free}
    carriers = {name: carrier for name, carrier in found.items() if carrier is not None}
    humans = [joint for joint in free if joint.name not in carriers]
    if len(humans) > 1:
        names = ", ".join(repr(joint.name) for joint in humans)
        raise UserError(f"cannot reduce: free joints {names}: no equality holds one of their bodies to the other.")
    layout, keys, replaced = _layout(spec), _take_keys(spec), {}
    worn = {joint.name: _worn(spec, joint, carriers[joint.name], stands) for joint in free if joint not in humans}
    for joint in free:
        name = joint.name
        replaced[name] = _move(spec, joint, carriers[name], worn[name]) if name in worn else _stand(spec, joint)
    _add_keys(spec, keys, layout, replaced)


def _carrier(spec: mujoco.MjSpec, body: mujoco.MjsBody) -> str | None:
    """The body of a larger tree that the first connect or weld holds a free body's tree to; None if nothing does."""
    own = _subtree(body)
    for equality in spec.equalities:
        for mine, other in ((equality.name1, equality.name2), (equality.name2, equality.name1)):
            if equality.type in _HOLDS and mine in own and other not in own | {"", "world"}:
                top = spec.body(other)
                while top.parent.name != "world":
                    top = top.parent
                if len(_subtree(top)) > len(own):
                    return other
    return None


def _subtree(body: mujoco.MjsBody) -> set[str]:
    return {body.name}.union(*(_subtree(child) for child in body.bodies))


def _layout(spec: mujoco.MjSpec) -> list[tuple[str, np.ndarray, int]]:
    """(joint name, coordinates at qpos0, velocities) in the compiled model's order, which is depth first."""

    def initial(joint: mujoco.MjsJoint) -> tuple[np.ndarray, int]:
        if joint.type != mujoco.mjtJoint.mjJNT_FREE:
            in_degrees = joint.type == mujoco.mjtJoint.mjJNT_HINGE and joint.compiler.degree
            return np.array([np.radians(joint.ref) if in_degrees else joint.ref]), 1
        position, turn = pose_of(joint.parent)
        return np.append(position, quaternion(turn)), 6

    def walk(body: mujoco.MjsBody) -> list[tuple[str, np.ndarray, int]]:
        own = [(joint.name, *initial(joint)) for joint in body.joints]
        return own + [entry for child in body.bodies for entry in walk(child)]

    return walk(spec.worldbody)


def _stand(spec: mujoco.MjSpec, joint: mujoco.MjsJoint):
    """Six joints for the human's free one. Returns their names and how (qpos [7], qvel [6]) become theirs."""
    body = joint.parent
    initial = turn_of(body)
    facing = facing_x(spec, body, initial)
    names = _free_names(spec, _HUMAN, body.name)
    # at zero angles the body's own frame is the world's, and what is in it is turned instead
    turn = facing @ initial
    for kind in ("bodies", "geoms", "sites", "cameras", "lights"):
        for part in getattr(body, kind):
            position, own = (np.zeros(3), np.eye(3)) if part.frame is None else pose_of(part.frame)
            part.set_frame(body.add_frame(pos=turn @ position, quat=quaternion(turn @ own)))
    if body.explicitinertial:
        if not np.isnan(body.fullinertia).any():
            raise UserError(f"cannot reduce: free body {body.name!r} states a full inertia; state its principal axes.")
        body.ipos, body.iquat = turn @ body.ipos, quaternion(turn @ rotation(body.iquat))
    _place(body, np.zeros(3), np.eye(3))
    _add_joints(body, joint, names, _AXES)
    spec.delete(joint)

    def convert(qpos: np.ndarray, qvel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        orientation = facing @ rotation(qpos[3:])
        angles = _angles(orientation @ turn.T)
        rates = np.linalg.solve(_rate_axes(angles).T, orientation @ qvel[3:])
        slides = _AXES[:3] @ facing
        return np.append(slides @ qpos[:3], angles), np.append(slides @ qvel[:3], rates)

    return names, convert


def _angles(turn: np.ndarray) -> np.ndarray:
    """Tilt, list and rotation of an orientation [3, 3]: R(-y, tilt) R(x, list) R(z, rotation)."""
    tilt = -np.arctan2(turn[0, 2], turn[2, 2])
    return np.array([tilt, -np.arcsin(np.clip(turn[1, 2], -1, 1)), np.arctan2(turn[1, 0], turn[1, 1])])


def _rate_axes(angles: np.ndarray) -> np.ndarray:
    """World axes [3, 3], one a row, about which tilt, list and rotation turn at these angles."""
    axes, turn = [], np.eye(3)
    for axis, angle in zip(_AXES[3:], angles, strict=True):
        axes.append(turn @ axis)
        quat = np.zeros(4)
        mujoco.mju_axisAngle2Quat(quat, axis, angle)
        turn = turn @ rotation(quat)
    return np.array(axes)


def _worn(spec: mujoco.MjSpec, joint: mujoco.MjsJoint, carrier: str, stands: Pose | None) -> Pose:
    """Where a free device body is put on, in its carrier's frame."""
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    position, turn = data.body(carrier).xpos, data.body(carrier).xmat.reshape(3, 3)
    if stands is not None:
        position, turn = stands[0] + stands[1] @ position, stands[1] @ turn
    body = data.body(joint.parent.name)
    return turn.T @ (body.xpos - position), turn.T @ body.xmat.reshape(3, 3)


def _move(spec: mujoco.MjSpec, joint: mujoco.MjsJoint, carrier: str, worn: Pose):
    """A free device body to its carrier, at ``worn``, with six joints. Returns as ``_stand``; keyframes wear it."""
    old = joint.parent
    names = [f"{old.name}_{name}" for name in _NAMES]
    new, renamed = _copy(spec.body(carrier), old)
    _place(new, *worn)
    _add_joints(new, joint, names, np.tile(np.eye(3), (2, 1)))
    for element, name in renamed:
        element.name = name
    spec.delete(old)  # its names are gone, so that nothing that refers to them goes with it
    return names, lambda qpos, qvel: (np.zeros(6), np.zeros(6))


def _copy(parent: mujoco.MjsBody, old: mujoco.MjsBody):
    """A copy of a body and all below it, without free joints; the old names are put aside as (element, name)."""
    new = parent.add_body()
    for attribute in _BODY:
        setattr(new, attribute, getattr(old, attribute))
    _copy_orientation(new, old)
    renamed = [(new, old.name)]
    old.name += "_before"
    for kind in _PARTS:
        for part in getattr(old, f"{kind}s"):
            if kind == "joint" and part.type == mujoco.mjtJoint.mjJNT_FREE:
                continue
            copied = getattr(new, f"add_{kind}")()
            for attribute in dir(part):
                value = getattr(part, attribute)
                if not (attribute.startswith("_") or attribute in _NOT_COPIED or callable(value)):
                    _copy_orientation(copied, part) if attribute == "alt" else setattr(copied, attribute, value)
            _copy_frame(new, copied, part)
            if part.name:
                renamed.append((copied, part.name))
                part.name += "_before"
    for child in old.bodies:
        copied, names = _copy(new, child)
        _copy_frame(new, copied, child)
        renamed += names
    return new, renamed


def _copy_orientation(new, old) -> None:
    for attribute in ("axisangle", "euler", "xyaxes", "zaxis", "type"):
        setattr(new.alt, attribute, getattr(old.alt, attribute))


def _copy_frame(body: mujoco.MjsBody, new, old) -> None:
    """Puts a copied element into a copy of the frame that the old one is in."""
    if old.frame is not None:
        position, turn = pose_of(old.frame)
        new.set_frame(body.add_frame(pos=position, quat=quaternion(turn)))


def _take_keys(spec: mujoco.MjSpec) -> list[dict]:
    """Removes the keyframes, which MuJoCo would otherwise adapt while joints come and go."""
    names = ("name", "time", "qpos", "qvel", "act", "ctrl", "mpos", "mquat")
    keys = []
    for key in list(spec.keys):
        keys.append({n: getattr(key, n) if n in ("name", "time") else np.array(getattr(key, n)) for n in names})
        spec.delete(key)
    return keys


def _add_keys(spec: mujoco.MjSpec, keys: list[dict], layout, replaced) -> None:
    """The keyframes again, in the new joints and their order."""
    order = [name for name, *_ in _layout(spec)]
    for key in keys:
        values, q, v = {}, 0, 0
        for name, initial, nv in layout:  # a keyframe may leave either out
            qpos = key["qpos"][q : q + len(initial)] if len(key["qpos"]) else initial
            qvel = key["qvel"][v : v + nv] if len(key["qvel"]) else np.zeros(nv)
            own, q, v = [name], q + len(initial), v + nv
            if name in replaced:
                own, convert = replaced[name]
                qpos, qvel = convert(qpos, qvel)
            values.update(zip(own, zip(qpos + 0.0, qvel + 0.0, strict=True), strict=True))  # -0.0 becomes 0.0
        qpos, qvel = np.array([values[name] for name in order]).T
        spec.add_key(**(key | {"qpos": qpos, "qvel": qvel}))


def _free_names(spec: mujoco.MjSpec, wanted: str, otherwise: str) -> list[str]:
    """``<wanted>_<name>`` for the six joints, or with the other prefix where the spec has such joints already."""
    taken = {joint.name for joint in spec.joints}
    prefix = otherwise if any(f"{wanted}_{name}" in taken for name in _NAMES) else wanted
    return [f"{prefix}_{name}" for name in _NAMES]


def _add_joints(body: mujoco.MjsBody, free: mujoco.MjsJoint, names: list[str], axes: np.ndarray) -> None:
    """Three slides and three hinges, with what a free joint has of damping and armature and nothing else."""
    slide, hinge = mujoco.mjtJoint.mjJNT_SLIDE, mujoco.mjtJoint.mjJNT_HINGE
    for i, (name, axis) in enumerate(zip(names, axes, strict=True)):
        joint = body.add_joint(name=name, type=slide if i < 3 else hinge, axis=axis, pos=np.zeros(3))
        joint.limited, joint.actfrclimited = mujoco.mjtLimited.mjLIMITED_FALSE, mujoco.mjtLimited.mjLIMITED_FALSE
        joint.armature, joint.damping, joint.stiffness = free.armature, free.damping, np.zeros(3)
        joint.frictionloss, joint.ref, joint.springref = free.frictionloss, 0.0, 0.0


def _place(body: mujoco.MjsBody, position: np.ndarray, turn: np.ndarray) -> None:
    """Sets a body's pose in its parent, whatever frame it is in."""
    if body.frame is not None:
        outer, outer_turn = pose_of(body.frame)
        position, turn = outer_turn.T @ (position - outer), outer_turn.T @ turn
    body.pos, body.quat = position, quaternion(turn)
    body.alt.type = mujoco.mjtOrientation.mjORIENTATION_QUAT
