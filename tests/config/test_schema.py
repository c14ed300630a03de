"""The config is strict: every key and type is checked, and a mistake answers with what was meant."""

import dataclasses
import json
from pathlib import Path

import pytest

from mjx_assist import config as configs
from mjx_assist.errors import UserError
from mjx_assist.paths import data_path

PRESETS = sorted(data_path("configs").glob("*.json"))


def write(folder: Path, tree: object) -> Path:
    path = folder / "config.json"
    path.write_text(tree if isinstance(tree, str) else json.dumps(tree))
    return path


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.stem)
def test_every_shipped_preset_loads_and_survives_a_roundtrip(preset: Path):
    config = configs.load(preset)
    assert configs.from_dict(json.loads(json.dumps(configs.to_dict(config)))) == config
    given = json.loads(preset.read_text())
    assert (
        configs.to_dict(config)["env_params"]["reward_keys_and_weights"].items()
        >= {**given["env_params"]["reward_keys_and_weights"]}.items()
    )


def test_walk22_exo_is_shipped():
    assert data_path("configs", "walk22_exo.json") in PRESETS


def test_an_empty_config_is_the_defaults():
    assert configs.from_dict({}) == configs.RunConfig()


@pytest.mark.parametrize(
    ("tree", "named", "meant"),
    [
        ({"env_parms": {}}, "env_parms", "env_params"),
        ({"env_params": {"num_env": 4}}, "num_env", "num_envs"),
        ({"env_params": {"reward_keys_and_weights": {"foward_reward": 1}}}, "foward_reward", "forward_reward"),
        ({"policy_params": {"head_options": {"exo_actor": {"enable": True}}}}, "enable", "enabled"),
        ({"ppo_params": {"gama": 0.9}}, "gama", "gamma"),
        ({"env_params": {"backend": "mujocu"}}, "mujocu", "mujoco"),
        ({"env_params": {"velocity_mode": "UNIFROM"}}, "UNIFROM", "UNIFORM"),
        ({"policy_params": {"head_options": {"exo_acter": {}}}}, "exo_acter", "exo_actor"),
    ],
)
def test_unknown_name_answers_with_the_nearest(tree: dict, named: str, meant: str):
    with pytest.raises(UserError, match=f"'{named}' is unknown. Did you mean '{meant}'"):
        configs.from_dict(tree)


@pytest.mark.parametrize(
    ("tree", "key", "value"),
    [
        ({"total_timesteps": "many"}, "total_timesteps", "'many'"),
        ({"env_params": {"num_envs": 2.5}}, "env_params.num_envs", "2.5"),
        ({"env_params": {"num_envs": True}}, "env_params.num_envs", "True"),
        ({"env_params": {"safe_height": "0.7"}}, "env_params.safe_height", "'0.7'"),
        ({"env_params": {"observe_gait_phase": 1}}, "env_params.observe_gait_phase", "1"),
        ({"env_params": {"msk_key": 22}}, "env_params.msk_key", "22"),
        ({"env_params": {"reference_data_path": 3}}, "env_params.reference_data_path", "3"),
        ({"env_params": []}, "env_params", "[]"),
        ({"policy_params": {"net_arch": {"human_actor": 64}}}, "policy_params.net_arch.human_actor", "64"),
        ({"policy_params": {"net_arch": {"human_actor": ["64"]}}}, "policy_params.net_arch.human_actor[0]", "'64'"),
    ],
)
def test_wrong_type_names_the_key_and_the_value(tree: dict, key: str, value: str):
    with pytest.raises(UserError) as error:
        configs.from_dict(tree)
    assert f"{key!r}" in str(error.value)
    assert value in str(error.value)


def test_a_whole_number_written_as_a_float_is_an_integer():
    assert configs.from_dict({"total_timesteps": 2e6}).total_timesteps == 2_000_000


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        (
            {"env_params": {"num_envs": 100}, "ppo_params": {"n_steps": 64, "batch_size": 4096}},
            "4096 does not divide num_envs x n_steps = 100 x 64 = 6400",
        ),
        (
            {"env_params": {"physics_sim_framerate": 250, "control_framerate": 30}},
            "250 is not a multiple of control_framerate 30",
        ),
        ({"env_params": {"num_envs": 0}}, "must lie in 1..2147483647, got 0"),
        ({"ppo_params": {"gamma": 1.5}}, "must lie in 0..1, got 1.5"),
        ({"env_params": {"min_target_velocity": 2.0}}, "need 0 < min <= max"),
        ({"env_params": {"min_heading_rate": 0.2}}, "to the left is positive"),
        ({"env_params": {"max_heading_rate": 45}}, "45 degrees/s are 0.785"),
        ({"policy_params": {"net_arch": {"human_actor": [8]}}}, "'common_critic' is missing"),
    ],
)
def test_values_that_do_not_fit_together_are_refused(tree: dict, told: str):
    with pytest.raises(UserError) as error:
        configs.from_dict(tree)
    assert told in str(error.value)


def test_overrides_take_json_and_plain_text(tmp_path: Path):
    overrides = [
        ("env_params.num_envs", "64"),
        ("env_params.backend", "mjx"),
        ("env_params.reward_keys_and_weights.qpos_imitation_rewards", '{"pelvis_tilt": 0.5}'),
        ("policy_params.net_arch.human_actor", "[32, 16]"),
        ("ppo_params.gamma", "0.9"),
    ]
    config = configs.load(write(tmp_path, configs.to_dict(configs.RunConfig())), overrides)
    assert config.env_params.num_envs == 64
    assert config.env_params.backend == "mjx"
    assert config.env_params.reward_keys_and_weights.qpos_imitation_rewards == {"pelvis_tilt": 0.5}
    assert config.policy_params.net_arch["human_actor"] == (32, 16)
    assert config.ppo_params == dataclasses.replace(configs.PPOParams(), gamma=0.9)


def test_a_models_path_takes_the_place_of_the_keys(tmp_path: Path):
    env = configs.from_dict({"env_params": {"model_path": "my.xml"}}).env_params
    assert (env.human, env.msk_key, env.device_key) == ("my.xml", None, None)
    assert configs.from_dict(json.loads(json.dumps({"env_params": dataclasses.asdict(env)}))).env_params == env
    both = {"env_params": {"model_path": "my.xml", "device_key": "Tutorial_L1"}}
    with pytest.raises(
        UserError, match=r"'env_params.model_path' \('my.xml'\).*'env_params.device_key' \('Tutorial_L1'\)"
    ):
        configs.from_dict(both)
    with pytest.raises(UserError, match=r"'env_params.msk_key' and 'env_params.model_path': one of them"):
        configs.from_dict({"env_params": {"msk_key": None}})


def test_an_override_chooses_the_model_instead_of_the_files(tmp_path: Path):
    preset = data_path("configs", "walk22_exo.json")
    own = configs.load(preset, [("env_params.model_path", "my.xml")]).env_params
    assert (own.human, own.msk_key, own.device_key) == ("my.xml", None, None)
    by_path = write(tmp_path, {"env_params": {"model_path": "my.xml"}})
    assert configs.load(by_path, [("env_params.msk_key", "myolegs26")]).env_params.human == "myolegs26"
    worn = configs.load(preset, [("env_params.device_key", "OpenSourceLeg_A_L1")]).env_params
    assert (worn.human, worn.device_key) == ("myolegs22", "OpenSourceLeg_A_L1")
    with pytest.raises(UserError, match="model_path"):
        configs.load(preset, [("env_params.model_path", "my.xml"), ("env_params.msk_key", "myolegs26")])


def test_an_override_of_an_unknown_key_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match="Did you mean 'num_envs'"):
        configs.load(write(tmp_path, {}), [("env_params.num_env", "64")])


@pytest.mark.parametrize("content", ["{", "[1]", "\x00"])
def test_a_file_that_is_no_config_is_refused_by_name(tmp_path: Path, content: str):
    path = write(tmp_path, content)
    with pytest.raises(UserError, match=str(path)):
        configs.load(path)


def test_a_missing_file_is_refused_by_name(tmp_path: Path):
    with pytest.raises(UserError, match=r"no\.json' does not exist"):
        configs.load(tmp_path / "no.json")


@pytest.mark.parametrize("name", ["walk22_none", "walk22_zero_torque", "walk22_profile"])
def test_what_is_compared_with_walk22_exo_differs_in_nothing_but_the_device(name: str):
    exo, other = (configs.load(data_path("configs", f"{preset}.json")) for preset in ("walk22_exo", name))
    rewards = dataclasses.replace(other.env_params.reward_keys_and_weights, exo_activation_penalty=0.2)
    same = {"device_key": "Tutorial_L1", "device_controller": None, "reward_keys_and_weights": rewards}
    assert dataclasses.replace(other, env_params=dataclasses.replace(other.env_params, **same)) == exo


def test_evaluate_param_list_takes_myoassists_entries_and_refuses_others():
    entry = {
        **{"num_timesteps": 200, "min_target_velocity": 0.7, "max_target_velocity": 2.0, "target_velocity_period": 5},
        **{"velocity_mode": "SINUSOIDAL", "cam_type": "follow", "cam_distance": 2.5, "visualize_activation": False},
    }
    assert configs.from_dict({"evaluate_param_list": [entry]}).evaluate_param_list[0].max_target_velocity == 2.0
    for wrong, told in (({"velocity_mode": "SINUS"}, "SINUSOIDAL"), ({"num_timestep": 3}, "num_timesteps")):
        with pytest.raises(UserError, match=told):
            configs.from_dict({"evaluate_param_list": [{**entry, **wrong}]})
