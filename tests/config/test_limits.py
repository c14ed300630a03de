"""Every number of a config has its limits, and a mistake in it is found before anything is compiled or written."""

import fnmatch
import importlib
import json

import jax
import pytest

from mjx_assist import config as configs
from mjx_assist.cli.main import main
from mjx_assist.config import limits
from mjx_assist.errors import UserError
from mjx_assist.reference import healthy
from mjx_assist.training import run

HEADS = ("human_actor", "exo_actor")
FULL = configs.to_dict(
    configs.RunConfig(
        policy_params=configs.PolicyParams(
            head_options={h: configs.HeadOptions(learning_rate=1e-4, log_std_init=-1.0) for h in HEADS}
        )
    )
)


def numbers():
    return [key for key, _ in limits._numbers(FULL, "")]


def with_value(key, value):
    """`FULL` with one number replaced; ``key`` as an error names it."""
    tree = json.loads(json.dumps(FULL))
    *parents, leaf = key.partition("[")[0].split(".")
    node = tree
    for name in parents:
        node = node[name]
    node[leaf] = [value] if isinstance(node[leaf], list) else value
    return tree


def test_every_limit_is_of_a_key_that_there_is():
    for patterns, _, _ in limits.LIMITS:
        for pattern in patterns:
            assert fnmatch.filter(numbers(), pattern), pattern


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_number_may_be_nan_or_infinite(value):
    for key in numbers():
        with pytest.raises(UserError) as error:
            configs.from_dict(with_value(key, value))
        assert key.partition("[")[0] in str(error.value) and str(value) in str(error.value)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("ppo_params.clip_range", 0.0, "must be positive, got 0.0"),
        ("ppo_params.max_grad_norm", -1.0, "must be positive"),
        ("ppo_params.target_kl", -0.1, "must be 0 or more, got -0.1"),
        ("ppo_params.max_kl", -0.1, "must be 0 or more"),
        ("ppo_params.gae_lambda", 1.1, "must lie in 0..1, got 1.1"),
        ("policy_params.net_arch.human_actor[0]", 0, "must be positive"),
        ("policy_params.head_options.exo_actor.learning_rate", -1e-3, "must be 0 or more"),
        ("policy_params.head_options.exo_actor.initial_action", 2.0, "must lie in -1..1"),
        ("env_params.num_threads", -1, "must be 0 or more"),
        ("env_params.seed", 2**32, "must lie in 0..4294967295"),
        ("logger_params.evaluation_frequency", -1, "must be 0 or more"),
    ],
)
def test_a_number_out_of_its_limits_is_named(key, value, told):
    with pytest.raises(UserError) as error:
        configs.from_dict(with_value(key, value))
    assert f"config key {key!r}: {told}" in str(error.value)


WIRING = {
    "human_actor": {"action": ["muscles"]},
    "exo_actor": {"observation": ["qpos.*"], "action": ["device"]},
    "common_critic": {},
}


def wired(**heads):
    return json.dumps({**WIRING, **heads})


REWARDS = "env_params.reward_keys_and_weights"


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"policy_params.net_arch": '{"human_actr": [4], "common_critic": [4]}'}, ("human_actor", "human_actr")),
        ({"policy_params.net_arch": '{"human_actor": [0], "exo_actor": [4], "common_critic": [4]}'}, ("positive",)),
        ({"policy_params.head_options": '{"exo_actr": {"frozen": true}}'}, ("'exo_actr'", "'exo_actor'")),
        ({"policy_params.head_options": '{"exo_actor": {"log_std_init": NaN}}'}, ("log_std_init", "finite")),
        (
            {
                "policy_params.net_indexing_info": wired(
                    exo_actor={"observation": ["hip_flexin_*"], "action": ["device"]}
                )
            },
            ("hip_flexin_*", "exo_actor.observation", "hip_flexion_"),
        ),
        (
            {"policy_params.net_indexing_info": wired(exo_actor={"observation": [], "action": ["device"]})},
            ("exo_actor.observation", "names nothing"),
        ),
        ({"policy_params.net_indexing_info": wired(exo_actor={"action": ["devise"]})}, ("'devise'", "'device'")),
        (
            {
                "policy_params.net_arch": '{"critic": [4], "common_critic": [4]}',
                "policy_params.net_indexing_info": '{"critic": {"action": ["muscles", "device"]}, "common_critic": {}}',
                "policy_params.head_options": "{}",
            },
            ("no head can be called 'critic'",),
        ),
        ({"ppo_params.batch_size": "7"}, ("'ppo_params.batch_size'", "7 does not divide")),
        ({f"{REWARDS}.qpos_imitation_rewards": '{"hip_flexin_r": 1}'}, ("'hip_flexin_r'", "'hip_flexion_r'")),
        ({f"{REWARDS}.foward_reward": "1"}, ("'foward_reward'", "'forward_reward'")),
        ({"env_params.observation_joint_pos_keys": '["hip_flexin_r"]'}, ("'hip_flexin_r'", "'hip_flexion_r'")),
        ({"env_params.observation_joint_sensor_keys": '["r_fot"]'}, ("'r_fot'", "'r_foot'")),
        ({"env_params.msk_key": "myolegs23"}, ("'myolegs23'", "myolegs2")),
        ({"env_params.device_key": "Tutorial_L2"}, ("'Tutorial_L2'", "'Tutorial_L1'")),
        ({"env_params.model_path": "no.xml"}, ("env_params.model_path", "no.xml")),
        ({"env_params.reference_data_path": "no.csv"}, ("no.csv",)),
        ({"ppo_params.learning_rate": "NaN"}, ("ppo_params.learning_rate", "finite")),
    ],
)
def test_a_mistake_is_found_before_anything_is_compiled(overrides, words, gait, tmp_path, monkeypatch, capsys):
    """In the config, the wiring or the model: exit code 2, what is wrong and what was meant, and no run's folder."""

    importlib.import_module("mjx_assist.training.loop")  # libraries decorate with jax.jit while they are imported

    def compiling(*_, **__):
        raise AssertionError("something is compiled")

    monkeypatch.setattr(healthy, "healthy_gait", lambda model, name="schwartz2008": gait)
    monkeypatch.setattr(run, "_use_compilation_cache", lambda: None)
    monkeypatch.setattr(jax, "jit", compiling)
    pairs = [word for key, value in overrides.items() for word in (f"--{key}", value)]
    assert main(["train", "walk22_exo", "--env_params.backend", "mujoco", *pairs, "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert all(word in error for word in words), error
    assert not list(tmp_path.iterdir())
