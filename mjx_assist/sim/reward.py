"""The terms of the reward, one small function each, under MyoAssist's names; weights come from the config.

docs/rewards.md lists what equals MyoAssist and what deliberately differs.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from mjx_assist.config.rewards import RewardWeights
from mjx_assist.errors import UserError
from mjx_assist.model.names import match_joints
from mjx_assist.sim.own_code import imported

POSE_KERNEL = 8.0  # 1/rad^2, MyoAssist's exp(-8 dq^2)
END_EFFECTOR_KERNEL = 5.0  # 1/m^2
SPEED_KERNEL = 5.0  # s^2/m^2
TRACKING_KERNEL = 20.0  # 1/rad^2, ours: slope a few degrees from the reference, and still 20 degrees from it
HEIGHT_TRACKING_KERNEL = 1000.0  # 1/m^2, ours: the same for a slide a few centimetres off
FOOT_TRACKING_KERNEL = 100.0  # 1/m^2, ours: a foot 5 cm off matters
FOOT_FORCE_LIMIT = 1.2  # body weights
# Joints that turn the trunk; legs' models have none of their own in the spine, and their trunk turns with the pelvis.
TRUNK = ("pelvis_tilt", "pelvis_list", "pelvis_rotation", "flex_extension", "lat_bending", "axial_rotation")

Term = Callable[["StepContext", Any], Any]  # (context, xp) -> a number for each walker


class StepContext(NamedTuple):
    """What one control step leaves behind; every array may have leading batch dimensions.

    qpos, qvel and their references ``[..., J]`` (rad or m); activation ``[..., na]``; foot_load and its
    peak within the control step (r, l) in body weights; limit_load ``[..., L]``, the same peak of each joint limit's
    force (N*m, N); foot positions relative to the pelvis ``[..., 2, 2]`` (m); velocities in m/s. Of `sim.effort`:
    metabolic_power and device_power W/kg, device_rate (NaN for a device whose torque is not known, the rate also where
    its weight is 0).
    ``strike`` holds the heel-strike terms' values (`sim.footsteps`); ``joints`` and ``muscles`` name what J and na
    count.
    """

    dt: float
    qpos: Any
    qvel: Any
    reference_qpos: Any
    reference_qvel: Any
    velocity: Any
    target_velocity: Any
    reference_velocity: Any
    activation: Any
    previous_activation: Any
    foot_load: Any
    peak_load: Any
    limit_load: Any
    body_weight: float
    foot_position: Any
    reference_foot_position: Any
    device_effort: Any
    metabolic_power: Any
    device_power: Any
    device_rate: Any
    strike: Any
    joints: tuple[str, ...] = ()
    muscles: tuple[str, ...] = ()


def _forward(c: StepContext, xp: Any) -> Any:
    return c.dt * xp.exp(-SPEED_KERNEL * (c.velocity - c.target_velocity) ** 2)


def _activation(c: StepContext, xp: Any) -> Any:
    return -c.dt * xp.mean(c.activation**2, axis=-1)


def _activation_mean(c: StepContext, xp: Any) -> Any:
    return -c.dt * xp.mean(c.activation, axis=-1)


def _activation_diff(c: StepContext, xp: Any) -> Any:
    return c.dt * xp.mean(xp.exp(-4.0 * (c.activation - c.previous_activation) ** 2), axis=-1)


def _foot_force(c: StepContext, xp: Any) -> Any:
    return -c.dt * xp.maximum(0.0, c.foot_load.sum(-1) - FOOT_FORCE_LIMIT)


def _joint_limit(c: StepContext, xp: Any) -> Any:
    return -c.dt * xp.max(c.limit_load, axis=-1) / c.body_weight


def _end_effector(c: StepContext, xp: Any) -> Any:
    square = ((c.foot_position - c.reference_foot_position) ** 2).sum(-1)
    return c.dt * xp.exp(-END_EFFECTOR_KERNEL * square.mean(-1))


def _foot_tracking(c: StepContext, xp: Any) -> Any:
    square = ((c.foot_position - c.reference_foot_position) ** 2).sum(-1)
    return c.dt * xp.exp(-FOOT_TRACKING_KERNEL * square).mean(-1)


def _device(c: StepContext, xp: Any) -> Any:
    return -c.dt * c.device_effort


def _impact(c: StepContext, xp: Any) -> Any:
    return -c.dt * xp.maximum(0.0, c.peak_load - FOOT_FORCE_LIMIT).sum(-1)


def _trunk(c: StepContext, xp: Any) -> Any:
    turning = [number for number, joint in enumerate(c.joints) if joint in TRUNK]
    return -c.dt * (c.qvel[..., np.array(turning, int)] ** 2).sum(-1)


# By the name of their weight in `RewardWeights`. A term of ours is a function above, its row here, its weight there and
# a row of docs/rewards.md; all that is logged, shown and scheduled follows from the weights.
SCALAR_TERMS: dict[str, Term] = {
    "forward_reward": _forward,
    "muscle_activation_penalty": _activation,
    "muscle_activation_mean_penalty": _activation_mean,
    "muscle_activation_diff_penalty": _activation_diff,
    "foot_force_penalty": _foot_force,
    "joint_constraint_force_penalty": _joint_limit,
    "end_effector_imitation_reward": _end_effector,
    "footstep_delta_time": lambda c, xp: c.dt * c.strike[..., 0],
    "average_velocity_per_step": lambda c, xp: c.dt * c.strike[..., 1],
    "muscle_activation_penalty_per_step": lambda c, xp: c.dt * c.strike[..., 2],
    "exo_activation_penalty": _device,
    "impact_penalty": _impact,
    "foot_tracking_reward": _foot_tracking,
    "metabolic_power_penalty": lambda c, xp: -c.dt * c.metabolic_power,
    "device_power_penalty": lambda c, xp: -c.dt * c.device_power,
    "device_torque_rate_penalty": lambda c, xp: -c.dt * c.device_rate,
    "trunk_steadiness_penalty": _trunk,
    "alive_reward": lambda c, xp: c.dt * xp.ones_like(c.velocity),
}
IMITATION_BLOCKS = ("qpos_imitation_rewards", "qvel_imitation_rewards", "pose_tracking_rewards")


def joint_weights(weights: RewardWeights, key: str, joints: tuple[str, ...]) -> dict[str, float]:
    """Joint -> weight of an imitation block, weights 0 left out; where patterns overlap the later one holds.

    Raises:
        UserError: a pattern that matches no joint (one that matches on one side only is fine: the other is amputated).
    """
    table: dict[str, float] = {}
    for pattern, weight in getattr(weights, key).items():
        where = f"config key 'env_params.reward_keys_and_weights.{key}': joint"
        table |= {name: weight for name in match_joints([pattern], joints, where)}
    return {name: weight for name, weight in table.items() if weight}


def term_names(weights: RewardWeights) -> tuple[str, ...]:
    """The terms that `make_reward` makes of these weights; each is logged as ``env/<name>``."""
    by_name = weights.terms
    blocks = [name for name in IMITATION_BLOCKS if any(getattr(weights, name).values())]
    return (
        *(name for name in SCALAR_TERMS if by_name[name]),
        *blocks,
        *(name for name, weight in weights.extra_terms.items() if weight),
    )


def own_term(name: str) -> Term:
    """A term of the user's, by its dotted name; imports their package.

    Raises:
        UserError: there is no such function; when it is called: what it returns is not one number a walker.
    """
    where = "config key 'env_params.reward_keys_and_weights.extra_terms'"
    function = imported(name, where)

    def term(c: StepContext, xp: Any) -> Any:
        value = xp.asarray(function(c, xp))
        if value.shape not in ((), np.shape(c.velocity)):
            raise UserError(f"{where}: {name!r} must return one number a walker, returned an array {value.shape}.")
        return value + xp.zeros_like(c.velocity)

    return term


def make_reward(
    weights: RewardWeights, joints: tuple[str, ...], slides: tuple[str, ...] = ()
) -> Callable[[StepContext, Any], tuple[Any, dict]]:
    """``reward(context, xp) -> (total, {name: weighted term})`` for a config's weights; terms at weight 0 are left out.

    Imitation weights name joints by patterns (``*knee_angle_?``). ``slides`` names the joints measured in metres: our
    own tracking terms use a sharper kernel for them.

    As in MyoAssist, an imitation block is weighted inside and multiplied once more by the sum of its weights.

    Raises:
        UserError: an imitation weight matches no joint of the model, or a term of the user's is no function.
    """
    blocks = {}
    for key in IMITATION_BLOCKS:
        used = {joints.index(name): w for name, w in joint_weights(weights, key, joints).items()}
        if used:
            blocks[key] = (np.array(list(used)), np.array(list(used.values()), np.float32))
    scalars = {name: (getattr(weights, name), term) for name, term in SCALAR_TERMS.items() if getattr(weights, name)}
    own = {name: (weight, own_term(name)) for name, weight in weights.extra_terms.items() if weight}
    tracking = np.array([HEIGHT_TRACKING_KERNEL if j in slides else TRACKING_KERNEL for j in joints], np.float32)

    def kernel(error: Any, scale: Any, xp: Any) -> Any:
        return xp.exp(-scale * error**2)

    def reward(c: StepContext, xp: Any = np) -> tuple[Any, dict]:
        terms = {name: weight * term(c, xp) for name, (weight, term) in scalars.items()}
        for key, (index, weight) in blocks.items():
            if key == "qvel_imitation_rewards":
                stands = c.reference_velocity == 0.0  # the reference at 0 m/s
                ratio = xp.where(stands, 1.0, c.target_velocity / xp.where(stands, 1.0, c.reference_velocity))[
                    ..., None
                ]
                error, scale = c.qvel[..., index] - ratio * c.reference_qvel[..., index], POSE_KERNEL
            else:
                error = c.qpos[..., index] - c.reference_qpos[..., index]
                scale = tracking[index] if key == "pose_tracking_rewards" else POSE_KERNEL
            outer = 1.0 if key == "pose_tracking_rewards" else float(weight.sum())
            terms[key] = outer * c.dt * (weight * kernel(error, scale, xp)).sum(-1)
        terms |= {name: weight * term(c, xp) for name, (weight, term) in own.items()}
        return sum(terms.values()), terms

    return reward
