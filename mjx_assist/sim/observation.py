"""What a policy sees, in MyoAssist's order, by name; the same function for training (jax) and replay (numpy)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from mjx_assist.config.schema import EnvParams
from mjx_assist.config.words import ALL_ACTIVATIONS
from mjx_assist.model import person
from mjx_assist.model.names import (
    HEADING_RATE,
    activation_names,
    actuator_names,
    body_weight,
    has_sensor,
    is_muscle,
    joint_names,
    match_joints,
    sensor_slice,
)
from mjx_assist.model.view import TOUCH

CONSTANT = 1e-4  # SI units: an observation that deviated less never varied in training, so its weights mean nothing
TOES = tuple(toes for _, toes in TOUCH)
CLIP = 10.0  # of normalised observations


@dataclass(frozen=True)
class ObservationSpec:
    """Where each block of the observation comes from.

    Order: joint positions, joint velocities, activations (muscles, and device actuators with dynamics; or those of
    ``activation_index``), foot loads (body weights), target velocity, if ``turning`` the target heading rate (rad/s),
    if ``gait_phase`` sine and cosine of the gait phase, the ground's heights ``ahead`` (m before the pelvis) over that
    under the pelvis, m, and the ``design`` of the device that is worn: its free parameters, each as -1..1 over its
    range. Last, of a policy for a cohort, the ``body``: numbers of `model.person` (m, kg, 1), the same at all times.
    Where it is ``turning``, the pelvis is seen along the commanded heading (`sim.heading`).
    """

    names: tuple[str, ...]
    position_index: tuple[int, ...]
    velocity_index: tuple[int, ...]
    n_activations: int
    sensor_index: tuple[int, ...]
    body_weight: float
    gait_phase: bool
    ahead: tuple[float, ...] = ()
    activation_index: tuple[int, ...] | None = None
    design: tuple[str, ...] = ()
    body: tuple[float, ...] = ()
    turning: bool = False

    @property
    def size(self) -> int:
        return len(self.names)


def make_spec(
    model: mujoco.MjModel,
    position_joints: tuple[str, ...],
    velocity_joints: tuple[str, ...],
    sensors: tuple[str, ...],
    gait_phase: bool,
    ahead: tuple[float, ...] = (),
    activations: str = ALL_ACTIVATIONS,
    design: tuple[str, ...] = (),
    body: Mapping[str, float] | None = None,
    turning: bool = False,
) -> ObservationSpec:
    """Resolve names and joint patterns against the model; what matches nothing is an error with the nearest match.

    Only toes are left out where a model has none.
    """
    sensors = tuple(s for s in sensors if s not in TOES or has_sensor(model, s))
    joints = joint_names(model)
    position_joints = match_joints(position_joints, joints, "observed joint")
    velocity_joints = match_joints(velocity_joints, joints, "observed joint")
    seen = activation_names(model)
    muscles = {name for name, muscle in zip(actuator_names(model), is_muscle(model), strict=True) if muscle}
    index = None if activations == ALL_ACTIVATIONS else tuple(i for i, name in enumerate(seen) if name in muscles)
    seen = seen if index is None else [seen[i] for i in index]
    names = (
        *(f"qpos.{j}" for j in position_joints),
        *(f"qvel.{j}" for j in velocity_joints),
        *(f"act.{a}" for a in seen),
        *(f"load.{s}" for s in sensors),
        "target_velocity",
        *((HEADING_RATE,) if turning else ()),
        *(("phase.sin", "phase.cos") if gait_phase else ()),
        *(f"ground.{distance:g}" for distance in ahead),
        *(f"design.{name}" for name in design),
        *(f"body.{name}" for name in body or {}),
    )
    return ObservationSpec(
        names=names,
        position_index=tuple(joints.index(j) for j in position_joints),
        velocity_index=tuple(joints.index(j) for j in velocity_joints),
        n_activations=len(seen),
        sensor_index=tuple(sensor_slice(model, s).start for s in sensors),
        body_weight=body_weight(model),
        gait_phase=gait_phase,
        ahead=tuple(ahead),
        activation_index=index,
        design=tuple(design),
        body=tuple((body or {}).values()),
        turning=turning,
    )


def spec_of(model: mujoco.MjModel, params: EnvParams) -> ObservationSpec:
    """What a config asks to observe of a model."""
    return make_spec(
        model,
        params.observation_joint_pos_keys,
        params.observation_joint_vel_keys,
        params.observation_joint_sensor_keys,
        params.observe_gait_phase,
        params.terrain_observation,
        params.observation_activations,
        params.seen_design,
        _body(params),
        params.turns,
    )


def _body(params: EnvParams) -> dict[str, float]:
    """What of its body the policy sees, by name."""
    if not params.seen_body:
        return {}
    own = person.figures(params.human)
    return {name: float(own[name]) for name in params.seen_body}


def observe(
    spec: ObservationSpec,
    state: Any,
    target_velocity: Any,
    phase: Any,
    xp: Any = np,
    ground: Any = None,
    design: Any = None,
    heading_rate: Any = None,
) -> Any:
    """The observation ``[..., size]`` of ``state`` (anything with qpos, qvel, act, sensordata of shape ``[..., n]``).

    ``target_velocity`` in m/s and ``phase`` in gait cycles have shape ``[...]``; ``ground [..., len(spec.ahead)]`` are
    the heights ahead, m; ``design [..., len(spec.design)]`` what is seen of the device (`sim.device.family.seen`).
    ``heading_rate [...]``, rad/s, is read where the spec is of a walker that turns.
    """
    blocks = [
        state.qpos[..., np.array(spec.position_index, int)],
        state.qvel[..., np.array(spec.velocity_index, int)],
        state.act if spec.activation_index is None else state.act[..., np.array(spec.activation_index, int)],
        state.sensordata[..., np.array(spec.sensor_index, int)] / spec.body_weight,
        xp.asarray(target_velocity)[..., None],
    ]
    if spec.turning:
        blocks.append(xp.asarray(heading_rate)[..., None])
    if spec.gait_phase:
        angle = 2 * np.pi * xp.asarray(phase)[..., None]
        blocks += [xp.sin(angle), xp.cos(angle)]
    if spec.ahead:
        blocks.append(ground)
    if spec.design:
        blocks.append(design)
    if spec.body:
        blocks.append(xp.broadcast_to(xp.asarray(spec.body), (*blocks[0].shape[:-1], len(spec.body))))
    return xp.concatenate(blocks, axis=-1)


def varied(std: Any) -> Any:
    """``[n]`` True where an observation of this standard deviation varied in training."""
    return std >= CONSTANT


def normalise(seen: Any, mean: Any, std: Any, xp: Any = np, clip: float = CLIP) -> Any:
    """Raw observations ``[..., n]`` as a network sees them: about zero mean and unit deviation, held to +-``clip``.

    One that never varied in training is 0 there, whatever it is now: fed as its constant. The training's statistics
    give it a deviation of 1e-6, so that a speed of 1.251 m/s after a training at 1.25 would be 10 at untrained weights.
    """
    return xp.where(varied(std), xp.clip((seen - mean) / std, -clip, clip), 0.0)
