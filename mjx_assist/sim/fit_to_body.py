"""One config for every human and device: what must differ follows from the model, here and nowhere else.

Only where a config asks for it (``env_params.fit_to_body``). Symmetric networks are not among it: they are where the
model is symmetric (``policy_params.mirror_symmetric``).
"""

import dataclasses
import fnmatch
import math
from collections.abc import Callable, Mapping, Sequence

import mujoco

from mjx_assist.config.schema import EnvParams, HeadOptions, PolicyParams
from mjx_assist.errors import note, unknown
from mjx_assist.model.names import GRAVITY, asymmetry, body_weight, joint_names
from mjx_assist.sim.limbs import Limbs, coordinates, limbs, lone_motors

DEVICE = "device"  # the group of actuators that the heads of a device name
# N*m per kg of everything that walks: the standard deviation of a motor's first torques about a joint that no muscle
# holds. The ankle of a prosthesis can give twenty times as much, which throws the foot about before anything is learnt.
FIRST_TORQUE = 0.1
# Hz at least, for joints that motors move alone. Such a foot weighs 0.3 kg and has neither damping nor armature: a
# policy trained at 240 Hz learned what the coarse step made of its stops, and fell at 480 and 1920 Hz (decisions.md).
LONE_MOTOR_RATE = 480


def fitted(params: EnvParams, model: mujoco.MjModel) -> EnvParams:
    """The params with joint patterns as the model's own joints; fitted ones stay as they are.

    A pattern may match nothing (a planar model has no hip adduction). The leg that wears a prosthesis is tracked, but
    how far it is from the reference ends no episode. A prosthesis' joint is nothing to imitate; one that a motor moves
    is tracked all the same, since else the foot learns to rest on its stop while it swings.

    Raises:
        UserError: a pattern names no joint that a person has.
    """
    if not params.fit_to_body:
        return params
    joints = joint_names(model)
    worn, weights, motors = limbs(joints), params.reward_keys_and_weights, lone_motors(model)
    powered = {motor.joint for motor in motors}

    def own(joint: str) -> bool:
        return joint not in worn.replaced

    def tracked(joint: str) -> bool:
        return own(joint) or joint in powered

    def ends_episodes(joint: str) -> bool:
        return own(joint) and not worn.residual(joint)

    def block(key: str, kept: Callable[[str], bool]) -> dict[str, float]:
        where = f"config key 'env_params.reward_keys_and_weights.{key}': joint"
        return {name: weight for name, weight in _weights(getattr(weights, key), joints, where).items() if kept(name)}

    def seen(key: str) -> tuple[str, ...]:
        return tuple(_weights(dict.fromkeys(getattr(params, key), 1.0), joints, f"config key 'env_params.{key}'"))

    return dataclasses.replace(
        params,
        physics_sim_framerate=_rate(params) if motors else params.physics_sim_framerate,
        observation_joint_pos_keys=seen("observation_joint_pos_keys"),
        observation_joint_vel_keys=seen("observation_joint_vel_keys"),
        reward_keys_and_weights=dataclasses.replace(
            weights,
            qpos_imitation_rewards=block("qpos_imitation_rewards", ends_episodes),
            qvel_imitation_rewards=block("qvel_imitation_rewards", own),
            pose_tracking_rewards=block("pose_tracking_rewards", tracked),
        ),
    )


def fitted_policy(policy: PolicyParams, model: mujoco.MjModel) -> PolicyParams:
    """The networks with a gentle start for a device head that moves joints which no muscle holds (`FIRST_TORQUE`)."""
    strongest = max((motor.torque for motor in lone_motors(model)), default=0.0) / (body_weight(model) / GRAVITY)
    if strongest <= FIRST_TORQUE:
        return policy
    options = dict(policy.head_options)
    for name, wiring in policy.net_indexing_info.items():
        if DEVICE in wiring.action:
            own = options.get(name, HeadOptions())
            given = policy.log_std_init if own.log_std_init is None else own.log_std_init
            gentle = round(math.log(FIRST_TORQUE / strongest), 2)
            options[name] = dataclasses.replace(own, log_std_init=min(given, gentle))
    return dataclasses.replace(policy, head_options=options)


def tell(params: EnvParams, model: mujoco.MjModel) -> None:
    """Say in a sentence what the model made of the config, where it was asked to."""
    if params.fit_to_body:
        note(f"fit_to_body: {sentence(model)}")


def sentence(model: mujoco.MjModel) -> str:
    """What follows from the model for training, in words."""
    joints, why = joint_names(model), asymmetry(model)
    said = ["three-dimensional" if "pelvis_tz" in joints else "planar", *_of_limbs(limbs(joints))]
    if motors := lone_motors(model):
        rate = f"physics at {LONE_MOTOR_RATE} Hz or more, since motors move {', '.join(m.joint for m in motors)} alone"
        said.append(f"{rate}: those are tracked")
    said.append("one network for both legs" if why is None else f"no mirrored network, since {why}")
    return f"{'; '.join(said)}."


def _of_limbs(worn: Limbs) -> list[str]:
    if not worn.replaced:
        return ["every joint is imitated"]
    side = [f"{worn.level or 'prosthetic'} on the {worn.prosthetic}, sound {worn.sound} leg"] if worn.prosthetic else []
    return [*side, f"not imitated: {', '.join(worn.replaced)} (the prosthesis'); its leg ends no episode"]


def _rate(params: EnvParams) -> int:
    """The physics rate asked for, or the least multiple of the control rate from `LONE_MOTOR_RATE` on."""
    control = params.control_framerate
    return max(params.physics_sim_framerate, -(-LONE_MOTOR_RATE // control) * control)


def _weights(table: Mapping[str, float], joints: Sequence[str], where: str) -> dict[str, float]:
    """Joint -> weight; later patterns hold, those that match nothing must name what a person has."""
    found: dict[str, float] = {}
    for pattern, weight in table.items():
        matches = sorted(fnmatch.filter(joints, pattern))
        if not matches and not fnmatch.filter(coordinates(), pattern):
            raise unknown(where, pattern, [*joints, *coordinates()])
        found |= dict.fromkeys(matches, weight)
    return found
