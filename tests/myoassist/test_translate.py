"""A config of MyoAssist's becomes one of ours that means the same, and every key of it is told about."""

import copy
import json
import math
from pathlib import Path

import pytest
import theirs

from mjx_assist import config as configs
from mjx_assist.errors import UserError
from mjx_assist.myoassist.read import load, recognised
from mjx_assist.myoassist.task import as_task
from mjx_assist.myoassist.translation import translate
from mjx_assist.paths import data_path

SESSIONS = data_path("configs")


def translated(**env):
    return translate(theirs.config(**env)).checked()


def test_ours_are_not_taken_for_theirs():
    assert not any(recognised(json.loads(path.read_text())) for path in SESSIONS.glob("*.json"))
    assert not recognised(configs.to_dict(configs.RunConfig()))


def test_what_is_fixed_there_is_said_here():
    run = translated()
    policy, ppo, env = run.policy_params, run.ppo_params, run.env_params
    assert (policy.activation, policy.output_activation, policy.normalize_observations) == ("tanh", "tanh", False)
    assert (policy.mirror_symmetric, policy.initial_gains, ppo.adam_epsilon) == (False, (1.0, 1.0), 1e-8)
    assert (ppo.target_kl, ppo.max_kl) == (0.0, pytest.approx(0.015))
    assert (env.device_action, env.observation_activations, env.observe_gait_phase) == ("whole_range", "muscles", False)
    assert (env.reference_playback, env.reference_speed) == ("recorded", 1.281)
    assert env.trunk_lean == pytest.approx(2 * math.atan(0.13)) and math.degrees(env.trunk_lean) == pytest.approx(
        14.8, abs=0.1
    )
    assert env.joint_limit_keys == ("*hip_flexion_?", "*knee_angle_?", "*ankle_angle_?", "*mtp_angle_?")


def test_what_a_file_does_not_say_is_theirs_and_not_ours():
    run = translated()
    assert (run.ppo_params.learning_rate, run.ppo_params.ent_coef, run.env_params.custom_max_episode_steps) == (
        3e-4,
        0.01,
        500,
    )
    assert run.env_params.reward_keys_and_weights.muscle_activation_diff_penalty == 0.1
    assert run.logger_params.evaluation_frequency == 64


def test_every_key_of_the_file_is_in_the_table():
    tree = theirs.config()
    sheet = translate(tree).sheet
    rows = " ".join(row.key for part in (sheet.translated, sheet.idle, sheet.refused) for row in part)
    leaves = [*tree["env_params"], *tree["ppo_params"], *tree["env_params"]["reward_keys_and_weights"]]
    leaves += [*tree["policy_params"]["custom_policy_params"], "total_timesteps", "auto_reward_adjust_params"]
    assert [leaf for leaf in leaves if leaf not in rows and leaf != "reward_keys_and_weights"] == []
    assert "muscle_activation_penalty" in sheet.table() and "without effect" in sheet.table()


@pytest.mark.parametrize(
    ("env", "key", "value"),
    [
        ({"min_target_velocity": 0.7}, "velocity_mode", "RANDOM"),
        ({}, "velocity_mode", "UNIFORM"),
        ({"scale_reference_playback": True}, "reference_playback", "scaled"),
        ({"device_ctrl_scale": 0.15}, "device_torque_limit", 0.15),
        ({}, "out_of_trajectory_joint_keys", ("knee_angle_l", "knee_angle_r", "pelvis_tilt")),
        ({"out_of_trajectory_joint_keys": ["pelvis_tilt"]}, "out_of_trajectory_joint_keys", ("pelvis_tilt",)),
        ({"joint_limit_sensor_keys": ["r_knee_sensor"]}, "joint_limit_keys", ("*knee_angle_r",)),
        ({"terrain": {"terrain": "slope", "deg": 8}}, "terrain", {"terrain": "slope", "deg": 8}),
        (
            {"terrain_type": "harmonic_sinusoidal", "terrain_params": "0.2 20 0.1 8"},
            "terrain_params",
            "0.2 4 0.1 1.6",  # cells of 0.2 m
        ),
    ],
)
def test_a_key_means_there_what_its_translation_means_here(env, key, value):
    assert getattr(translated(**env).env_params, key) == value


def test_0_1_pays_for_the_mean_of_activation_and_1_0_for_its_square():
    old = theirs.config(msk_key=None, device_key=None, model_path="models/22muscle_2D/myoLeg22_2D_TUTORIAL.xml")
    first, second = (translate(tree).checked().env_params for tree in (old, theirs.config()))
    weights = [env.reward_keys_and_weights for env in (first, second)]
    assert [(w.muscle_activation_mean_penalty, w.muscle_activation_penalty) for w in weights] == [
        (10.0, 0.0),
        (0.0, 10.0),
    ]
    assert (first.msk_key, first.device_key, first.observation_activations) == ("myolegs22", "Tutorial_L1", "all")


def test_curricula_over_shares_are_schedules_over_the_runs_steps():
    ramps = {"qpos_imitation_rewards": [1.0, 0.0], "forward_reward": [0.2, 1.0], "foot_force_penalty": [0.0, 1.0]}
    run = translated(reward_curriculum=ramps, curriculum_start_velocity=0.3, curriculum_fraction=0.5)
    steps = run.env_params.curriculum.by_step
    assert steps["min_target_velocity"] == ((0.0, 0.3), (5e5, 1.25))
    assert steps["reward_keys_and_weights.forward_reward"] == ((2e5, 0.2), (6e5, 1.0))
    assert steps["reward_keys_and_weights.qpos_imitation_rewards"] == ((2e5, 1.0), (6e5, 0.0))
    assert steps["out_of_trajectory_threshold"][0] == (6e5, 1.0)  # then nobody is ended for it
    assert "reward_keys_and_weights.foot_force_penalty" not in steps


def test_a_pair_of_device_heads_is_one_for_both_sides():
    tree = theirs.config()
    custom = tree["policy_params"]["custom_policy_params"]
    del custom["net_arch"]["exo_actor"], custom["net_indexing_info"]["exo_actor"]
    for side, seen, first in (("r", [1, 0, 9, 8, 39, 40], 22), ("l", [0, 1, 8, 9, 40, 39], 23)):
        custom["net_arch"][f"exo_actor_{side}"] = [8]
        head = {"observation": [{"type": "index", "index": seen}], "action": [theirs.mapping(first, first + 1)]}
        custom["net_indexing_info"][f"exo_actor_{side}"] = head
    tree["ppo_params"]["mirror_coef"] = 0.1
    run = translate(tree).checked()
    assert run.policy_params.head_options["exo_actor"].mirror_symmetric is True
    assert set(run.policy_params.net_arch) == {"human_actor", "exo_actor", "common_critic"}
    assert run.ppo_params.mirror_loss_coef == pytest.approx(0.1 / 24)
    custom["net_indexing_info"]["exo_actor_l"]["observation"][0]["index"][0] = 2
    with pytest.raises(UserError, match=r"exo_actor_l .*: the left one must see"):
        translate(tree).checked()


def test_without_heads_for_the_device_one_network_sees_and_drives_all():
    run = translated(env_id="myoAssistLegImitation-v0")
    info = run.policy_params.net_indexing_info
    assert set(info) == {"human_actor", "common_critic"} and info["human_actor"].action == ("*",)


def test_an_evaluation_at_a_uniform_speed_is_at_the_middle():
    (entry,) = translated().evaluate_param_list
    assert (entry.min_target_velocity, entry.max_target_velocity) == (1.25, 1.25)


def test_flat_and_nested_files_say_the_same():
    nested = theirs.config()
    flat = copy.deepcopy(nested)
    flat["policy_params"] = flat["policy_params"]["custom_policy_params"]
    one = {
        key: value for group in ("env_params", "ppo_params", "logger_params") for key, value in nested[group].items()
    }
    rest = {key: nested[key] for key in ("total_timesteps", "evaluate_param_list", "auto_reward_adjust_params")}
    at_the_top = one | nested["policy_params"]["custom_policy_params"] | rest
    assert translate(flat).config == translate(nested).config == translate(at_the_top).config
    assert recognised(flat) and recognised(at_the_top)


def test_all_that_cannot_be_honoured_is_in_one_message():
    tree = theirs.changed(
        env_params={"env_id": "fork-v2", "max_rot": 0.6, "enable_lumbar_joint": True, "device_key": "Tutorial_L9"},
        ppo_params={"use_sde": True},
    )
    tree["env_params"]["reward_keys_and_weights"]["pelvis_list_penalty"] = 0.1
    with pytest.raises(UserError) as caught:
        translate(tree).checked()
    message = str(caught.value)
    for told in ("6 of", "fork-v2", "max_rot", "enable_lumbar_joint", "Tutorial_L9", "use_sde", "pelvis_list_penalty"):
        assert told in message
    assert "--as-mjx" in message


def test_overrides_are_theirs_where_they_have_the_key_and_ours_elsewhere():
    given = [("ppo_params.target_kl", "0.02"), ("env_params.backend", "mujoco"), ("total_timesteps", "64")]
    given += [("policy_params.custom_policy_params.log_std_init", "-1"), ("env_params.lumbar_joint_fixed_angle", "0")]
    run = translate(theirs.config(), given).checked()
    assert (run.ppo_params.max_kl, run.env_params.backend, run.total_timesteps) == (pytest.approx(0.03), "mujoco", 64)
    assert (run.policy_params.log_std_init, run.env_params.trunk_lean) == (-1.0, 0.0)


@pytest.mark.parametrize(
    ("group", "key", "value", "told"),
    [
        ("policy_params", "custom_policy_params", {"net_arch": {}, "net_indexing_info": {}}, "net_arch .*lacks human"),
        ("policy_params", "custom_policy_params", {"net_arch": [64, 64]}, "net_arch .*must be a group"),
        ("env_params", "reward_curriculum", [1.0, 0.0], "reward_curriculum .*must be a group"),
        ("env_params", "reward_curriculum", {"forward_reward": 1.0}, "not of the kind"),
        ("env_params", "terrain_type", "sinusoidal", "no such ground"),
        ("env_params", "terrain", "nowhere.json", "no such file"),
        ("env_params", "reference_data_path", "mine.npz", "no such file"),
        ("env_params", "prev_trained_policy_path", "mine.zip", "no such file"),
        ("env_params", "joint_limit_sensor_keys", ["r_wrist_sensor"], "no limit sensor of MyoAssist"),
        ("env_params", "device_ctrl_scale", 1.5, "more than the device can"),
        ("env_params", "num_envs", "many", "num_envs .*must be a number"),
    ],
)
def test_a_value_that_cannot_be_is_named(tmp_path: Path, group, key, value, told):
    tree = theirs.config()
    tree[group][key] = value
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps(tree))
    with pytest.raises(UserError, match=told):
        load(path).checked()


def test_files_are_found_from_the_folder_that_the_config_is_in(tmp_path: Path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "own.xml").write_text("<mujoco/>")
    (tmp_path / "course.json").write_text('{"terrain": "slope", "deg": 3}')
    path = tmp_path / "rl" / "configs" / "mine.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(theirs.config(msk_key=None, model_path="models/own.xml", terrain="course.json")))
    env = load(path).checked().env_params
    assert Path(env.model_path) == tmp_path / "models" / "own.xml" and env.terrain == {"terrain": "slope", "deg": 3}


def test_a_policy_to_start_from_is_found_without_its_ending_and_its_heads_reset(tmp_path: Path):
    (tmp_path / "model_5.zip").write_bytes(b"")
    tree = theirs.changed(env_params={"prev_trained_policy_path": "model_5"}, ppo_params={"mirror_coef": 0.1})
    tree["policy_params"]["custom_policy_params"]["reset_value_net_after_load"] = True
    made = translate(tree, path=tmp_path / "mine.json")
    init = made.checked().init_from
    assert Path(init.source) == tmp_path / "model_5.zip" and init.heads == {"common_critic": "reset"}
    assert made.config["ppo_params"].get("mirror_loss_coef") is None  # nor there, in such a run


def test_a_forks_word_for_sensors_is_theirs():
    tree = theirs.config()
    tree["env_params"]["observation_sensor_keys"] = tree["env_params"].pop("observation_joint_sensor_keys")
    assert translate(tree).checked().env_params.observation_joint_sensor_keys == tuple(theirs.SENSORS)


def test_the_task_alone_is_trained_as_ours():
    tree = theirs.config(min_target_velocity=0.8, terrain={"terrain": "slope", "deg": 3})
    made = as_task(tree)
    run, preset = made.checked(), configs.load(SESSIONS / "walk22_exo.json")
    assert (run.env_params.min_target_velocity, run.env_params.velocity_mode) == (0.8, "MIXED")
    assert run.env_params.terrain == {"terrain": "slope", "deg": 3}
    assert (run.policy_params, run.ppo_params) == (preset.policy_params, preset.ppo_params)
    assert run.env_params.trunk_lean == 0.0
    assert any(row.key == "ppo_params" and "--as-mjx" in row.told for row in made.sheet.idle)


def test_a_file_of_a_task_alone_is_that_task(tmp_path: Path):
    path = tmp_path / "env.json"
    path.write_text('{"msk": "myolegs22", "device": "Humotech_L1", "terrain": {"terrain": "slope", "deg": 8}}')
    env = load(path).checked().env_params
    assert (env.msk_key, env.device_key, env.terrain) == ("myolegs22", "Humotech_L1", {"terrain": "slope", "deg": 8})
