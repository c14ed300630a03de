"""The weights of the reward's terms; sim/reward.py has what they weigh, docs/rewards.md their formulas."""

import dataclasses
from dataclasses import dataclass, field


@dataclass(frozen=True)
class RewardWeights:
    """Weight of every term; 0 or {} switches a term off. Joints are named by patterns such as ``*ankle_angle_?``.

    Attributes:
        forward_reward: how near the pelvis' speed is to the one that is asked {}
        muscle_activation_penalty: mean squared muscle activation {}
        muscle_activation_mean_penalty: mean muscle activation {muscle_activation_penalty of 0.1}
        muscle_activation_diff_penalty: steadiness of the activations from step to step, a reward {}
        foot_force_penalty: load of both feet beyond 1.2 body weights {}
        joint_constraint_force_penalty: largest load of a joint's limit {}
        qpos_imitation_rewards: joint -> weight of how near its angle is to the reference {}
        qvel_imitation_rewards: joint -> weight of how near its velocity is to the reference {}
        end_effector_imitation_reward: how near the feet are to the reference (in MyoAssist a constant) {}
        footstep_delta_time: time between heel strikes, given at each {}
        average_velocity_per_step: distance of the step's mean speed from the one asked, at each heel strike {}
        muscle_activation_penalty_per_step: squared activation over the step, at each heel strike {}
        exo_activation_penalty: mean squared control of the device {}
        pose_tracking_rewards: joint -> weight of a sharper measure of its angle's nearness to the reference
        foot_tracking_reward: a sharper measure of the feet's nearness to the reference
        impact_penalty: peak load of a foot within the control step beyond 1.2 body weights
        metabolic_power_penalty: W/kg that all muscles take (Umberger 2010)
        device_power_penalty: W/kg that the device's motors take
        device_torque_rate_penalty: squared rate of the device's torque, relative to its limit
        trunk_steadiness_penalty: squared angular velocity of the trunk
        alive_reward: a constant for every control step without a fall
        extra_terms: terms of your own, ``package.module:function`` -> weight (docs/extending.md)
    """

    forward_reward: float = 0.0
    muscle_activation_penalty: float = 0.0
    muscle_activation_mean_penalty: float = 0.0
    muscle_activation_diff_penalty: float = 0.0
    foot_force_penalty: float = 0.0
    joint_constraint_force_penalty: float = 0.0
    qpos_imitation_rewards: dict[str, float] = field(default_factory=dict)
    qvel_imitation_rewards: dict[str, float] = field(default_factory=dict)
    end_effector_imitation_reward: float = 0.0
    footstep_delta_time: float = 0.0
    average_velocity_per_step: float = 0.0
    muscle_activation_penalty_per_step: float = 0.0
    exo_activation_penalty: float = 0.0
    pose_tracking_rewards: dict[str, float] = field(default_factory=dict)
    foot_tracking_reward: float = 0.0
    impact_penalty: float = 0.0
    metabolic_power_penalty: float = 0.0
    device_power_penalty: float = 0.0
    device_torque_rate_penalty: float = 0.0
    trunk_steadiness_penalty: float = 0.0
    alive_reward: float = 0.0
    extra_terms: dict[str, float] = field(default_factory=dict)

    @property
    def terms(self) -> dict[str, float | dict[str, float]]:
        """Every term's weight (an imitation block's: by joint), the user's own too, by the name it is logged under."""
        ours = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "extra_terms"}
        return {**ours, **self.extra_terms}
