"""What a policy sees, in MyoAssist's order, by name; the same function for training (jax) and replay (numpy)."""

from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from mjx_assist.errors import unknown

GRAVITY = 9.81


@dataclass(frozen=True)
class ObservationSpec:
    """Where each block of the observation comes from.

    Order: joint positions, joint velocities, muscle activations, foot loads (body weights), target velocity,
    and, if ``gait_phase``, sine and cosine of the gait phase.
    """

    names: tuple[str, ...]
    position_index: tuple[int, ...]
    velocity_index: tuple[int, ...]
    n_activations: int
    sensor_index: tuple[int, ...]
    body_weight: float
    gait_phase: bool

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
) -> ObservationSpec:
    """Resolve names against the model; an unknown joint or sensor is an error with the nearest match."""
    joints = joint_names(model)
    for name in (*position_joints, *velocity_joints):
        if name not in joints:
            raise unknown("observed joint", name, joints)
    muscles = [name for name, muscle in zip(actuator_names(model), is_muscle(model), strict=True) if muscle]
    names = (
        *(f"qpos.{j}" for j in position_joints),
        *(f"qvel.{j}" for j in velocity_joints),
        *(f"act.{m}" for m in muscles),
        *(f"load.{s}" for s in sensors),
        "target_velocity",
        *(("phase.sin", "phase.cos") if gait_phase else ()),
    )
    return ObservationSpec(
        names=names,
        position_index=tuple(joints.index(j) for j in position_joints),
        velocity_index=tuple(joints.index(j) for j in velocity_joints),
        n_activations=model.na,
        sensor_index=tuple(sensor_slice(model, s).start for s in sensors),
        body_weight=body_weight(model),
        gait_phase=gait_phase,
    )


def observe(spec: ObservationSpec, state: Any, target_velocity: Any, phase: Any, xp: Any = np) -> Any:
    """The observation ``[..., size]`` of ``state`` (anything with qpos, qvel, act, sensordata of shape ``[..., n]``).

    ``target_velocity`` in m/s and ``phase`` in gait cycles have shape ``[...]``.
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
    return xp.concatenate(blocks, axis=-1)


def mirrored_name(name: str) -> str:
    """The other side's name: ``hip_flexion_r`` for ``hip_flexion_l``, ``r_foot`` for ``l_foot``, and back."""
    prefix, dot, stem = name.rpartition(".")
    other = {"r": "l", "l": "r", "R": "L", "L": "R"}
    if stem[-2:-1] == "_" and stem[-1:] in other:
        stem = stem[:-1] + other[stem[-1]]
    elif stem[1:2] == "_" and stem[:1] in other:
        stem = other[stem[0]] + stem[1:]
    return prefix + dot + stem


def mirror(names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Left-right mirror of a sagittal-plane vector: ``mirrored = sign * vector[index]``.

    Half a gait cycle later the legs have changed roles, so the mirrored gait phase has opposite sine and cosine.

    Raises:
        UserError: an entry has a side but its partner is missing.
    """
    index = []
    for name in names:
        partner = mirrored_name(name)
        if partner not in names:
            raise unknown(f"mirror partner of {name!r}", partner, names)
        index.append(names.index(partner))
    sign = np.array([-1.0 if name.startswith("phase.") else 1.0 for name in names], np.float32)
    return np.array(index), sign
