"""What joints, actuators, muscles and sensors of a model are called, and which is whose mirror image."""

import fnmatch
import re
from collections.abc import Iterable, Mapping

import mujoco
import numpy as np

from mjx_assist.errors import note, unknown

GRAVITY = 9.81  # m/s^2, MuJoCo's default and the models'; turns body mass into the body weight of every "BW" figure
SIDE_WORDS = (("r", "l"), ("R", "L"), ("right", "left"), ("Right", "Left"), ("dx", "sx"))  # between other signs
HEADING_RATE = "target_heading_rate"  # what an observation calls the commanded turn, to the left positive
_OTHER_SIDE = {a: b for pair in SIDE_WORDS for a, b in (pair, pair[::-1])}
_SIDE = re.compile(rf"(?<![A-Za-z0-9])({'|'.join(_OTHER_SIDE)})(?![A-Za-z0-9])")
_TOES = ("mtp_angle_r", "mtp_angle_l")
_ALONG = 0.9  # least cosine between a joint's mirrored axis and its partner's


def joint_names(model: mujoco.MjModel) -> tuple[str, ...]:
    """Names of the joints in qpos order (all joints have one degree of freedom)."""
    return tuple(model.joint(i).name for i in range(model.njnt))


def actuator_names(model: mujoco.MjModel) -> tuple[str, ...]:
    """Names of the actuators in control order."""
    return tuple(model.actuator(i).name for i in range(model.nu))


def is_muscle(model: mujoco.MjModel) -> np.ndarray:
    """``[nu]`` True where the actuator is a muscle (it has muscle activation dynamics)."""
    return np.asarray(model.actuator_dyntype == mujoco.mjtDyn.mjDYN_MUSCLE)


def activation_names(model: mujoco.MjModel) -> tuple[str, ...]:
    """Names of the actuators that have an activation, in the order of ``act`` (muscles, filtered motors)."""
    stateful = [a for a in range(model.nu) if model.actuator_actadr[a] >= 0]
    return tuple(model.actuator(a).name for a in sorted(stateful, key=lambda a: model.actuator_actadr[a]))


def match_joints(patterns: Iterable[str], joints: tuple[str, ...], what: str) -> tuple[str, ...]:
    """The joints that name patterns (``*ankle_angle_?``) match: in the patterns' order, each match in the alphabet's.

    A pattern for toes may match nothing: feet can be without.

    Raises:
        UserError: another pattern that matches nothing; ``what`` says where it stands.
    """
    found: dict[str, None] = {}
    for pattern in patterns:
        matches = sorted(fnmatch.filter(joints, pattern))
        if not matches and not fnmatch.filter(_TOES, pattern):
            raise unknown(what, pattern, joints)
        if not matches:
            note(f"{what}: {pattern!r} is left out, since the model has no toe joints.")
        found.update(dict.fromkeys(matches))
    return tuple(found)


def body_weight(model: mujoco.MjModel) -> float:
    """Weight of everything that moves, in N, device included."""
    return float(model.body_subtreemass[0] * GRAVITY)


def has_sensor(model: mujoco.MjModel, name: str) -> bool:
    """Whether there is a sensor of this name."""
    return mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_SENSOR, name) >= 0


def sensor_slice(model: mujoco.MjModel, name: str) -> slice:
    """Where a named sensor's values lie in ``sensordata``; an unknown name is an error with the nearest match."""
    names = [model.sensor(i).name for i in range(model.nsensor)]
    if name not in names:
        raise unknown("sensor", name, names)
    first = int(model.sensor_adr[names.index(name)])
    return slice(first, first + int(model.sensor_dim[names.index(name)]))


def mirrored_name(name: str) -> str:
    """The other side's name: ``hip_flexion_r`` for ``hip_flexion_l``, ``r_foot`` for ``l_foot``, and back."""
    return _SIDE.sub(lambda word: _OTHER_SIDE[word[0]], name)


def side_pairs(names: Iterable[str]) -> list[tuple[str, str]]:
    """(right, left) of the names that have a partner on the other side."""
    known, rights = set(names), {right for right, _ in SIDE_WORDS}
    found = ((name, mirrored_name(name), _SIDE.search(name)) for name in sorted(known))
    return [(name, other) for name, other, word in found if word and word[0] in rights and other in known]


def mirror(names: tuple[str, ...], joint_signs: Mapping[str, float] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Left-right mirror of a named vector: ``mirrored = sign * vector[index]``.

    ``joint_signs`` (`joint_mirror_signs`) turns the entries ``<joint>``, ``qpos.<joint>`` and ``qvel.<joint>``. Half a
    gait cycle later the legs have changed roles, so the mirrored gait phase has opposite sine and cosine. What
    turns left turns right in the mirror.

    Raises:
        UserError: an entry has a side but its partner is missing.
    """
    signs = joint_signs or {}
    index, sign = [], []
    for name in names:
        partner = mirrored_name(name)
        if partner not in names:
            raise unknown(f"mirror partner of {name!r}", partner, names)
        index.append(names.index(partner))
        kind, dot, stem = name.partition(".")
        joint = stem if dot and kind in ("qpos", "qvel") else name
        turns = kind == "phase" or name == HEADING_RATE
        sign.append(-1.0 if turns else signs.get(joint, 1.0))
    return np.array(index), np.array(sign, np.float32)


def joint_mirror_signs(model: mujoco.MjModel) -> dict[str, float]:
    """Joint -> the sign with which its coordinate is its partner's on the mirrored walker, from both joints' axes.

    Joints without a partner, or whose axes are not each other's mirror image, are left out.
    """
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    names = joint_names(model)
    signs = {}
    for joint, name in enumerate(names):
        partner = mirrored_name(name)
        if partner not in names:
            continue
        slide = model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_SLIDE
        image = data.xaxis[joint] * ([1, -1, 1] if slide else [-1, 1, -1])  # a rotation's axis mirrors the other way
        cosine = float(image @ data.xaxis[names.index(partner)])
        if abs(cosine) > _ALONG and model.jnt_type[joint] == model.jnt_type[names.index(partner)]:
            signs[name] = float(np.sign(cosine))
    return signs


def left_signs(model: mujoco.MjModel) -> list[float]:
    """By joint, the sign that makes a left one's coordinate what the right one's would be on the mirrored walker."""
    signs = joint_mirror_signs(model)
    lefts = {left for _, left in side_pairs(joint_names(model))}
    return [signs.get(name, 1.0) if name in lefts else 1.0 for name in joint_names(model)]


def asymmetry(model: mujoco.MjModel) -> str | None:
    """Why the model is not left-right symmetric (a joint or actuator without partner), or None if it is."""
    joints, actuators, signs = joint_names(model), actuator_names(model), joint_mirror_signs(model)
    for name in (*joints, *actuators):
        if mirrored_name(name) not in (*joints, *actuators):
            return f"{name!r} has no partner on the other side"
    for name in joints:
        if name not in signs:
            return f"the axes of {name!r} and {mirrored_name(name)!r} are not each other's mirror image"
    for a, name in enumerate(actuators):
        partner = actuators.index(mirrored_name(name))
        turned = np.sign(model.actuator_gear[a, 0] * model.actuator_gear[partner, 0])
        if model.actuator_trntype[a] == mujoco.mjtTrn.mjTRN_JOINT:
            turned *= signs[joints[model.actuator_trnid[a, 0]]]
        if turned < 0:
            return f"{name!r} and {actuators[partner]!r} push in opposite directions"
    return None
