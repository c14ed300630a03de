"""What a policy sees, in MyoAssist's order, by name; the same function for training (jax) and replay (numpy)."""

import fnmatch
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from mjx_assist.errors import unknown

GRAVITY = 9.81
SIDE_WORDS = (("r", "l"), ("R", "L"), ("right", "left"), ("Right", "Left"), ("dx", "sx"))  # between other signs
_OTHER_SIDE = {a: b for pair in SIDE_WORDS for a, b in (pair, pair[::-1])}
_SIDE = re.compile(rf"(?<![A-Za-z0-9])({'|'.join(_OTHER_SIDE)})(?![A-Za-z0-9])")
_ALONG = 0.9  # least cosine between a joint's mirrored axis and its partner's


@dataclass(frozen=True)
class ObservationSpec:
    """Where each block of the observation comes from.

    Order: joint positions, joint velocities, activations (muscles, and device actuators with dynamics), foot loads
    (body weights), target velocity, if ``gait_phase`` sine and cosine of the gait phase, and the ground's heights
    ``ahead`` (m before the pelvis) over that under the pelvis, m.
    """

    names: tuple[str, ...]
    position_index: tuple[int, ...]
    velocity_index: tuple[int, ...]
    n_activations: int
    sensor_index: tuple[int, ...]
    body_weight: float
    gait_phase: bool
    ahead: tuple[float, ...] = ()

    @property
    def size(self) -> int:
        return len(self.names)


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

    Raises:
        UserError: a pattern that matches nothing; ``what`` says where it stands.
    """
    found: dict[str, None] = {}
    for pattern in patterns:
        matches = sorted(fnmatch.filter(joints, pattern))
        if not matches:
            raise unknown(what, pattern, joints)
        found.update(dict.fromkeys(matches))
    return tuple(found)


def body_weight(model: mujoco.MjModel) -> float:
    """Weight of everything that moves, in N, device included."""
    return float(model.body_subtreemass[0] * GRAVITY)


def sensor_slice(model: mujoco.MjModel, name: str) -> slice:
    """Where a named sensor's values lie in ``sensordata``; an unknown name is an error with the nearest match."""
    names = [model.sensor(i).name for i in range(model.nsensor)]
    if name not in names:
        raise unknown("sensor", name, names)
    first = int(model.sensor_adr[names.index(name)])
    return slice(first, first + int(model.sensor_dim[names.index(name)]))


def make_spec(
    model: mujoco.MjModel,
    position_joints: tuple[str, ...],
    velocity_joints: tuple[str, ...],
    sensors: tuple[str, ...],
    gait_phase: bool,
    ahead: tuple[float, ...] = (),
) -> ObservationSpec:
    """Resolve names and joint patterns against the model; what matches nothing is an error with the nearest match."""
    joints = joint_names(model)
    position_joints = match_joints(position_joints, joints, "observed joint")
    velocity_joints = match_joints(velocity_joints, joints, "observed joint")
    names = (
        *(f"qpos.{j}" for j in position_joints),
        *(f"qvel.{j}" for j in velocity_joints),
        *(f"act.{a}" for a in activation_names(model)),
        *(f"load.{s}" for s in sensors),
        "target_velocity",
        *(("phase.sin", "phase.cos") if gait_phase else ()),
        *(f"ground.{distance:g}" for distance in ahead),
    )
    return ObservationSpec(
        names=names,
        position_index=tuple(joints.index(j) for j in position_joints),
        velocity_index=tuple(joints.index(j) for j in velocity_joints),
        n_activations=model.na,
        sensor_index=tuple(sensor_slice(model, s).start for s in sensors),
        body_weight=body_weight(model),
        gait_phase=gait_phase,
        ahead=tuple(ahead),
    )


def observe(
    spec: ObservationSpec, state: Any, target_velocity: Any, phase: Any, xp: Any = np, ground: Any = None
) -> Any:
    """The observation ``[..., size]`` of ``state`` (anything with qpos, qvel, act, sensordata of shape ``[..., n]``).

    ``target_velocity`` in m/s and ``phase`` in gait cycles have shape ``[...]``; ``ground [..., len(spec.ahead)]`` are
    the heights ahead, m.
    """
    blocks = [
        state.qpos[..., np.array(spec.position_index)],
        state.qvel[..., np.array(spec.velocity_index)],
        state.act,
        state.sensordata[..., np.array(spec.sensor_index)] / spec.body_weight,
        xp.asarray(target_velocity)[..., None],
    ]
    if spec.gait_phase:
        angle = 2 * np.pi * xp.asarray(phase)[..., None]
        blocks += [xp.sin(angle), xp.cos(angle)]
    if spec.ahead:
        blocks.append(ground)
    return xp.concatenate(blocks, axis=-1)


def mirrored_name(name: str) -> str:
    """The other side's name: ``hip_flexion_r`` for ``hip_flexion_l``, ``r_foot`` for ``l_foot``, and back."""
    return _SIDE.sub(lambda word: _OTHER_SIDE[word[0]], name)


def mirror(names: tuple[str, ...], joint_signs: Mapping[str, float] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Left-right mirror of a named vector: ``mirrored = sign * vector[index]``.

    ``joint_signs`` (`joint_mirror_signs`) turns the entries ``<joint>``, ``qpos.<joint>`` and ``qvel.<joint>``. Half a
    gait cycle later the legs have changed roles, so the mirrored gait phase has opposite sine and cosine.

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
        sign.append(-1.0 if kind == "phase" else signs.get(joint, 1.0))
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
