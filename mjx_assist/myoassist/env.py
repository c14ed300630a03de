"""Their env_params as ours: what is seen, what is rewarded, what ends an episode, what is commanded."""

import fnmatch
from pathlib import Path
from typing import Any

from mjx_assist.config.words import ALL_ACTIVATIONS, MUSCLE_ACTIVATIONS, RANDOM, UNIFORM, WHOLE_RANGE
from mjx_assist.errors import unknown
from mjx_assist.myoassist.curriculum import put_curriculum
from mjx_assist.myoassist.sheet import Sheet
from mjx_assist.myoassist.vocabulary import ENVIRONMENTS, IMITATION, LIMITED, OLD_REWARDS, REWARDS, WEIGHTS
from mjx_assist.myoassist.walker import put_model, put_reference, put_terrain, put_trunk

_SAME = (
    *("num_envs", "seed", "safe_height", "control_framerate", "physics_sim_framerate", "custom_max_episode_steps"),
    *("flag_random_ref_index", "out_of_trajectory_threshold"),
    *("min_target_velocity", "max_target_velocity", "min_target_velocity_period", "max_target_velocity_period"),
)
_OBSERVED = ("observation_joint_pos_keys", "observation_joint_vel_keys", "observation_joint_sensor_keys")
_PER_STEP = ("footstep_delta_time", "average_velocity_per_step", "muscle_activation_penalty_per_step")
_LUMBAR = "lumbar_extension"
_QPOS = "qpos_imitation_rewards"


def is_first(env: dict[str, Any]) -> bool:
    """Whether it is a config of 0.1, which knew models by their files."""
    return not env["msk_key"]


def put_env(sheet: Sheet, env: dict[str, Any], weights: dict[str, Any], total: float, config: Path | None) -> None:
    """All of ``env_params``; ``weights``: the file's own, ``total``: control steps of the run."""
    if env["env_id"] not in ENVIRONMENTS:
        sheet.refuse("env_params.env_id", env["env_id"], str(unknown("environment", env["env_id"], ENVIRONMENTS)))
    else:
        sheet.say("env_params.env_id", env["env_id"], "which networks there are")
    put_model(sheet, env, config)
    put_trunk(sheet, env)
    put_reference(sheet, env, config)
    put_terrain(sheet, env, config)
    for key in _SAME:
        sheet.take(f"env_params.{key}", env[key], f"env_params.{key}")
    _put_observation(sheet, env)
    named = put_rewards(sheet, weights, is_first(env))
    _put_ends(sheet, env, named)
    _put_limits(sheet, env)
    _put_command(sheet, env)
    put_curriculum(sheet, env, total)
    scale = env["device_ctrl_scale"]
    if 0 <= scale <= 1:
        sheet.take("env_params.device_ctrl_scale", scale, "env_params.device_torque_limit")
    else:
        sheet.refuse("env_params.device_ctrl_scale", scale, "more than the device can; must lie in 0..1")
    sheet.put("env_params.device_action", WHOLE_RANGE)
    told = "-1 and +1 are the ends of a device's range: 0 is half the torque of one that pushes one way"
    sheet.say("(device's action)", "fixed there", f"device_action = {WHOLE_RANGE}; {told}")
    why = "here every joint starts at its reference, those without one as the model stands"
    sheet.ignore("env_params.reset_keyframe_joint_keys", env["reset_keyframe_joint_keys"], why)
    sheet.ignore("env_params.hidden_geom_groups", env["hidden_geom_groups"], "rendering")


def _put_observation(sheet: Sheet, env: dict[str, Any]) -> None:
    for key in _OBSERVED:
        seen = [name for name in env[key] if name != _LUMBAR]
        sheet.take(f"env_params.{key}", env[key], f"env_params.{key}", env[key] if seen == env[key] else seen)
    sheet.put("env_params.observe_gait_phase", False)
    acts = ALL_ACTIVATIONS if is_first(env) else MUSCLE_ACTIVATIONS
    sheet.put("env_params.observation_activations", acts)
    sheet.say("(observation)", "fixed there", f"no gait phase; activations of {acts}, in the same order")


def put_rewards(sheet: Sheet, weights: dict[str, Any], first: bool) -> list[str]:
    """The terms with their weights; returns the joints that the imitation of angles names, weight 0 or not."""
    key = f"env_params.{WEIGHTS}"
    weights = {OLD_REWARDS.get(name, name): weight for name, weight in weights.items()}
    given = {**REWARDS, **IMITATION, **{k: v for k, v in weights.items() if not k.startswith("_comment")}}
    for name, weight in given.items():
        here = f"{key}.{name}"
        if name not in REWARDS and name not in IMITATION:
            sheet.refuse(here, weight, "no term of MyoAssist; take it out, or write it as an extra_terms of your own")
        elif isinstance(weight, dict):
            told = "of the momentary speed there, of the stride's mean here" if name.startswith("qvel") else ""
            used = {joint: w for joint, w in weight.items() if w}
            sheet.take(here, weight, here, weight if used == weight else used, told if used else "")
        elif name == "muscle_activation_penalty" and first:
            sheet.take(here, weight, f"{key}.muscle_activation_mean_penalty", weight, "0.1: the mean of activation")
        elif name == "end_effector_imitation_reward":
            sheet.take(here, weight, f"{key}.alive_reward", weight, "a constant there")
        elif name in _PER_STEP and weight:
            sheet.take(here, weight, here, weight, "DIFFERS: heel strikes at 0.1 body weights, there at 0.1 N")
        else:
            sheet.take(here, weight, here)
    return [joint for joint in given[_QPOS] if joint != _LUMBAR]


def _put_ends(sheet: Sheet, env: dict[str, Any], named: list[str]) -> None:
    """The joints that end an episode: where it names none, all of the imitation's, with weight 0 too in 0.1."""
    key, keys = "env_params.out_of_trajectory_joint_keys", env["out_of_trajectory_joint_keys"]
    paid = sheet.ours["env_params"][WEIGHTS].get(_QPOS, {})
    told = ""
    if not is_first(env) and not any(paid.values()):
        named, told = [], "none, since no imitation of angles is rewarded"
    elif not keys:
        told = "none named there means all of the imitation's"
    sheet.take(key, keys, key, keys if keys and not told else named, told)


def _put_limits(sheet: Sheet, env: dict[str, Any]) -> None:
    """The joints whose limits are penalised, by the names of their sensors."""
    key, sensors = "env_params.joint_limit_sensor_keys", env["joint_limit_sensor_keys"]
    if not sensors:
        joints = [f"*{joint}_?" for joint in LIMITED.values()]
        sheet.take(key, sensors, "env_params.joint_limit_keys", joints, "none named there means these")
        return
    joints = []
    for sensor in sensors:
        side, _, word = sensor.removesuffix("_sensor").partition("_")
        if side not in ("r", "l") or word not in LIMITED or not fnmatch.fnmatch(sensor, "?_*_sensor"):
            sheet.refuse(key, sensor, f"no limit sensor of MyoAssist; known are r_ and l_ of {', '.join(LIMITED)}")
        else:
            joints.append(f"*{LIMITED[word]}_{side}")
    sheet.take(key, sensors, "env_params.joint_limit_keys", joints)


def _put_command(sheet: Sheet, env: dict[str, Any]) -> None:
    constant = env["min_target_velocity"] == env["max_target_velocity"]
    mode = UNIFORM if constant else RANDOM
    sheet.put("env_params.velocity_mode", mode)
    told = "one speed" if constant else "each episode draws one of the three modes, as 1.0 does"
    sheet.say("(velocity mode)", "drawn there", f"velocity_mode = {mode}; {told}")
