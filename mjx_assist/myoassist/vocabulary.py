"""MyoAssist's config keys, 0.1 and 1.0 together, with the value that each has there when a file does not give it."""

from typing import Any

RUN: dict[str, Any] = {"total_timesteps": 1000, "evaluate_param_list": []}
LOGGER: dict[str, Any] = {"logging_frequency": 1, "evaluate_frequency": 64}
ENV: dict[str, Any] = {
    "env_id": "",
    "num_envs": 1,
    "seed": 0,
    "safe_height": 0.65,
    "control_framerate": 30,
    "physics_sim_framerate": 1200,
    "min_target_velocity": 0.5,
    "max_target_velocity": 3.0,
    "min_target_velocity_period": 3.0,
    "max_target_velocity_period": 5.0,
    "custom_max_episode_steps": 500,
    "model_path": None,
    "msk_key": None,
    "device_key": None,
    "prev_trained_policy_path": None,
    "reference_data_path": "",
    "reference_data_keys": [],
    "flag_random_ref_index": False,
    "out_of_trajectory_threshold": 1.0,
    "out_of_trajectory_joint_keys": [],
    "reset_keyframe_joint_keys": [],
    "scale_reference_playback": False,
    "enable_lumbar_joint": False,
    "lumbar_joint_fixed_angle": 0.0,
    "lumbar_joint_damping_value": 0.05,
    "observation_joint_pos_keys": [],
    "observation_joint_vel_keys": [],
    "observation_joint_sensor_keys": [],
    "joint_limit_sensor_keys": [],
    "hidden_geom_groups": [],
    "terrain_type": "flat",
    "terrain_params": "",
    "terrain": None,
    "device_ctrl_scale": 1.0,
    "curriculum_start_velocity": 0.0,
    "curriculum_fraction": 0.5,
    "reward_curriculum": {},
    "reward_curriculum_start": 0.2,
    "reward_curriculum_end": 0.6,
}
REWARDS: dict[str, Any] = {
    "forward_reward": 0.01,
    "muscle_activation_penalty": 0.1,
    "muscle_activation_diff_penalty": 0.1,
    "exo_activation_penalty": 0.0,
    "footstep_delta_time": 0.0,
    "average_velocity_per_step": 0.0,
    "muscle_activation_penalty_per_step": 0.0,
    "joint_constraint_force_penalty": 0.0,
    "foot_force_penalty": 0.0,
}
IMITATION: dict[str, Any] = {
    "qpos_imitation_rewards": {},
    "qvel_imitation_rewards": {},
    "end_effector_imitation_reward": 0.3,
}
PPO: dict[str, Any] = {
    "learning_rate": 3e-4,
    "n_steps": 4096,
    "batch_size": 2048,
    "n_epochs": 10,
    "gamma": 0.99,
    "gae_lambda": 0.95,
    "clip_range": 0.2,
    "clip_range_vf": 0.2,
    "ent_coef": 0.01,
    "vf_coef": 0.5,
    "max_grad_norm": 0.5,
    "use_sde": False,
    "sde_sample_freq": -1,
    "target_kl": None,
    "device": "cpu",
    "mirror_coef": 0.0,
}
POLICY: dict[str, Any] = {
    "net_arch": {},
    "net_indexing_info": {},
    "log_std_init": -2.0,
    "reset_shared_net_after_load": False,
    "reset_policy_net_after_load": False,
    "reset_value_net_after_load": False,
}
MAY_BE_NULL = ("clip_range_vf", "reference_data_path", "terrain_params")  # beside those that are null by default
OLD_ENV = {"observation_sensor_keys": "observation_joint_sensor_keys"}  # in forks
# What nothing there reads either.
IDLE_POLICY = ("human_observation_indices", "exo_observation_indices", "human_action_size", "exo_action_size")
IDLE_RUN = ("comment", "code_version", "auto_reward_adjust_params")
OLD_REWARDS = {  # before 0.1
    "muscle_activation_penalize": "muscle_activation_penalty",
    "muscle_activation_diff_penalize": "muscle_activation_diff_penalty",
    "foot_force_penalize": "foot_force_penalty",
}
EVALUATION = (
    *("num_timesteps", "velocity_mode", "min_target_velocity", "max_target_velocity", "target_velocity_period"),
    *("cam_type", "cam_distance", "visualize_activation"),
)
GROUPS = {"env_params": ENV, "ppo_params": PPO, "policy_params": POLICY, "logger_params": LOGGER}
CUSTOM, WEIGHTS = "custom_policy_params", "reward_keys_and_weights"
# What only MyoAssist's files have, by group.
MARKS = {
    "": ("auto_reward_adjust_params",),
    "env_params": (
        *("env_id", "enable_lumbar_joint", "lumbar_joint_fixed_angle", "reference_data_keys", "device_ctrl_scale"),
        *("prev_trained_policy_path", "reset_keyframe_joint_keys", "joint_limit_sensor_keys", "reward_curriculum"),
        *("curriculum_start_velocity", "scale_reference_playback"),
    ),
    "ppo_params": ("use_sde", "sde_sample_freq", "device", "mirror_coef"),
    "policy_params": (CUSTOM,),
    "logger_params": ("evaluate_frequency",),
}
EXO, IMITATES, BASE = "myoAssistLegImitationExo-v0", "myoAssistLegImitation-v0", "myoAssistLeg-v0"
ENVIRONMENTS = (EXO, IMITATES, BASE)
HUMAN, EXO_ACTOR, SIDES = "human_actor", "exo_actor", ("exo_actor_r", "exo_actor_l")
REFERENCE_SPEED = 1.281  # m/s, of the gait that MyoAssist ships as a reference
# The devices of its model files, as assist_sim calls them.
DEVICES = {
    "BASELINE": None,
    "TUTORIAL": "Tutorial_L1",
    "DEPHY": "DephyExoBoot_L1",
    "HMEDI": "HMEDI_L1",
    "HUMOTECH": "Humotech_L1",
    "OPENEXO": "OpenExo_L1",
    "OSL_A": "OpenSourceLeg_A_L1",
    "OSL_KA": "OpenSourceLeg_KA_L1",
}
LIMITED = {"hip": "hip_flexion", "knee": "knee_angle", "ankle": "ankle_angle", "mtp": "mtp_angle"}  # by sensors' words
