"""What `mjx-assist train` does: its flags, heads, interruptions, and the whole line to a policy that walks."""

import argparse
import dataclasses
import errno
import json
import os
from pathlib import Path

import pytest
import small_runs
import theirs

from mjx_assist.cli import train
from mjx_assist.cli.arguments import walker_keys
from mjx_assist.cli.main import main
from mjx_assist.config.read import config_file, load
from mjx_assist.errors import UserError


def test_a_negative_number_and_an_equals_sign_are_values():
    rest, overrides = train.split_overrides(
        ["train", "--policy_params.log_std_init", "-1.5", "a.json", "--ppo_params.gamma=0.9", "--out", "dir"],
        ["--out", "--resume"],
    )
    assert rest == ["train", "a.json", "--out", "dir"]
    assert overrides == [("policy_params.log_std_init", "-1.5"), ("ppo_params.gamma", "0.9")]


def test_flags_of_myoassists_command_line_are_ours(capsys):
    words = ["train", "--config_file_path", "a.json", "--config.env_params.num_envs", "4", "--flag_rendering"]
    rest, overrides = train.split_overrides([*words, "--config.ppo_params.target_kl=0.02"], [])
    assert rest == ["train", "a.json"]
    assert overrides == [("env_params.num_envs", "4"), ("ppo_params.target_kl", "0.02")]
    assert "mjx-assist replay RUN" in capsys.readouterr().err
    with pytest.raises(UserError, match="mjx-assist replay RUN"):
        train.split_overrides(["train", "--flag_realtime_evaluate"], [])


def test_a_config_of_myoassist_that_cannot_be_honoured_trains_nothing(refused, tmp_path: Path, capsys):
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps(theirs.config(env_id="fork-v0", max_rot=0.6)))
    message = refused("train", path, "--out", tmp_path / "results")
    assert "2 of this MyoAssist config" in message and "fork-v0" in message and "max_rot" in message
    assert not (tmp_path / "results").exists()


def test_as_mjx_is_for_myoassists_configs(refused, tmp_path: Path):
    assert "leave --as-mjx out" in refused("train", "walk22_exo", "--as-mjx", "--out", tmp_path)


def test_every_config_key_is_a_flag_of_train():
    keys = list(train.config_keys())
    assert {"total_timesteps", "env_params.num_envs", "env_params.reward_keys_and_weights.forward_reward"} <= set(keys)
    assert train.split_overrides([word for key in keys for word in (f"--{key}", "1")], [])[0] == []


@pytest.mark.parametrize(
    ("actions", "told"),
    [('["device", "soleus_*"]', "actuators driven twice: soleus_r, soleus_l"), ('["Exo_R"]', "Exo_R"), ("[]", "Exo_R")],
)
def test_a_head_that_drives_twice_or_not_at_all(refused, quick_gait, tmp_path: Path, actions: str, told: str):
    key = "--policy_params.net_indexing_info.exo_actor.action"
    assert told in refused("train", "walk22_exo", key, actions, "--out", tmp_path / "results")
    assert not list((tmp_path / "results").iterdir())


def test_no_space_while_training_is_one_sentence(refused, tmp_path: Path, monkeypatch):
    from mjx_assist.training import loop as training

    def full(*_: object, **__: object):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "results/train_log.jsonl")

    monkeypatch.setattr(training, "train", full)
    message = refused("train", "walk22_exo", "--out", tmp_path)
    assert "results/train_log.jsonl" in message
    assert "No space left" in message


def test_ctrl_c_exits_with_130(monkeypatch, tmp_path: Path, capsys):
    from mjx_assist.training import loop as training

    def interrupted(*_: object, **__: object):
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", interrupted)
    assert main(["train", "walk22_exo", "--out", str(tmp_path)]) == 130
    assert "stopped by SIGINT before the first update" in capsys.readouterr().err


def test_train_exports_a_policy_that_evaluate_walks_and_resume_continues(quick_gait, tmp_path: Path, capsys, refused):
    assert main(["train", "walk22_exo", *small_runs.flags(updates=1), "--out", str(tmp_path)]) == 0
    (run,) = tmp_path.glob("train_session_*")
    assert {"session_config.json", "train_log.jsonl", "checkpoints", "policy"} <= {p.name for p in run.iterdir()}
    assert f"mjx-assist evaluate {run}" in capsys.readouterr().out
    figures = tmp_path / "figures.json"
    assert main(["evaluate", str(run), "--steps", "3", "--episodes", "1", "--json", str(figures)]) == 0
    assert json.loads(figures.read_text())["episodes"][0]["steps"] == 3
    assert main(["train", "--resume", str(run)]) == 0  # nothing left to do: restores and exports again
    assert "env_params.num_envs was 2 and would be 4" in refused("train", "--resume", run, "--env_params.num_envs", 4)


@pytest.mark.parametrize(
    ("human", "device", "keys"),
    [
        (None, None, {}),
        ("myolegs26", "KFoot_L1", {"msk_key": "myolegs26", "device_key": "KFoot_L1"}),
        ("myolegs22+passive", None, {"msk_key": "myolegs22", "body": "passive"}),
        (None, "none", {"device_key": None}),
        ("mine/leg.xml", None, {"model_path": "mine/leg.xml", "msk_key": None, "device_key": None}),
    ],
)
def test_human_and_device_are_short_for_the_configs_keys(human, device, keys):
    given = walker_keys(argparse.Namespace(human=human, device=device))
    asked, preset = load(config_file("walk"), given).env_params, load(config_file("walk")).env_params
    assert {key: getattr(asked, key) for key in keys} == keys
    assert dataclasses.replace(preset, **keys) == asked
