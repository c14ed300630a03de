"""What `mjx-assist train` does: its flags, heads, interruptions, and the whole line to a policy that walks."""

import errno
import json
import os
from pathlib import Path

import pytest
import small_runs

from mjx_assist.cli import train
from mjx_assist.cli.main import main


def test_a_negative_number_and_an_equals_sign_are_values():
    rest, overrides = train.split_overrides(
        ["train", "--policy_params.log_std_init", "-1.5", "a.json", "--ppo_params.gamma=0.9", "--out", "dir"],
        ["--out", "--resume"],
    )
    assert rest == ["train", "a.json", "--out", "dir"]
    assert overrides == [("policy_params.log_std_init", "-1.5"), ("ppo_params.gamma", "0.9")]


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
