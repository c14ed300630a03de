"""Runs with several seeds: their folder, going on, mean and spread; and the command that draws runs."""

import json
import sys

import numpy as np
import pytest
import small_runs
from small_runs import as_trained

from mjx_assist import config as configs
from mjx_assist.cli.main import main
from mjx_assist.errors import UserError
from mjx_assist.training import run
from mjx_assist.training.seeds import over_seeds


@pytest.fixture
def trained(monkeypatch):
    """(seed, resumed) of the runs that were made, without training; ``trained.error`` ends the next one."""

    class Trained(list):
        error: Exception | None = None

    made = Trained()

    def train_in(path, config, resume, callbacks=()):
        made.append(config.env_params.seed)
        if made.error:
            raise made.error
        as_trained(config, path)

    monkeypatch.setattr(run, "train_in", train_in)
    monkeypatch.setattr(run, "start_jax", lambda *_: None)
    return made


def train(*words):
    return main(["train", *map(str, words)])


def test_seeds_are_runs_in_one_folder_with_mean_and_spread(trained, tmp_path, capsys):
    assert train("walk22_exo", "--env_params.seed", 1, "--seeds", 4, "--out", tmp_path) == 0
    (parent,) = tmp_path.glob("seeds_*")
    assert trained == [1, 2, 3, 4]
    assert sorted(path.name for path in parent.glob("seed_*")) == ["seed_1", "seed_2", "seed_3", "seed_4"]
    assert configs.load(parent / "seed_3" / "session_config.json").env_params.seed == 3
    figures = json.loads((parent / "seeds.json").read_text())
    spread = figures["over_seeds"]
    assert [run["seed"] for run in figures["runs"]] == trained
    # The last 5 % of 40 updates are two, of which one has a reward of 1 more.
    assert spread["reward"]["mean"] == pytest.approx(np.mean(trained) + 0.5)
    assert spread["reward"]["sd"] == pytest.approx(np.std(trained, ddof=1))
    assert spread["episode_length"]["mean"] == pytest.approx((39 * 390 + 40 * 400) / 79)
    # Seed 4 never walked without a fall.
    assert spread["steps_to_walk"] == {"known": 3, "mean": 2000.0, "sd": 1000.0, "least": 1000, "most": 3000}
    assert spread["correlation/hip"]["known"] == 3
    assert {path.stem for path in (parent / "plots").iterdir()} >= {"learning", "evaluation"}
    printed = capsys.readouterr().out
    assert [line.split()[0] for line in printed.splitlines()[3:9]] == ["1", "2", "3", "4", "mean", "sd"]


def test_seeds_that_were_stopped_go_on_where_they_were(trained, tmp_path, capsys):
    stopped = UserError("stopped by SIGINT after saving; go on with: mjx-assist train --resume seed_2")
    stopped.__cause__ = KeyboardInterrupt()
    (tmp_path / "out").mkdir()
    words = ["walk22_exo", "--env_params.seed", 1, "--seeds", 3, "--out", tmp_path / "out"]
    trained.error = stopped
    assert train(*words) == 130
    (parent,) = (tmp_path / "out").glob("seeds_*")
    assert f"--resume {parent}" in capsys.readouterr().err
    as_trained(configs.load(parent / "seed_1" / "session_config.json"), parent / "seed_1")
    trained.error = None
    trained.clear()
    assert train("--resume", parent) == 0
    assert trained == [2, 3]
    assert len(json.loads((parent / "seeds.json").read_text())["runs"]) == 3


def test_going_on_may_change_what_a_run_may(trained, tmp_path):
    train("walk22_exo", "--env_params.seed", 1, "--seeds", 2, "--out", tmp_path)
    (parent,) = tmp_path.glob("seeds_*")
    trained.clear()
    assert train("--resume", parent, "--total_timesteps", 9_000_000) == 0
    assert trained == [1, 2]
    assert train("--resume", parent, "--env_params.num_envs", 128) == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["walk22_exo", "--seeds", "0"], "--seeds: must be a whole number of at least 1"),
        (["walk22_exo", "--seeds", "2", "--hosts", "auto"], "--seeds and --hosts"),
        (["--resume", "PARENT", "--seeds", "2"], "leave --seeds out"),
    ],
)
def test_what_does_not_go_together_is_said(trained, tmp_path, capsys, words, told):
    run = tmp_path / "seeds" / "seed_1"
    run.mkdir(parents=True)
    (run / "session_config.json").write_text("{}")
    assert train(*(str(tmp_path / "seeds") if word == "PARENT" else word for word in words), "--out", tmp_path) == 2
    assert told in capsys.readouterr().err


def test_one_seed_has_no_spread(trained, tmp_path):
    train("walk22_exo", "--seeds", 1, "--out", tmp_path)
    (parent,) = tmp_path.glob("seeds_*")
    reward = json.loads((parent / "seeds.json").read_text())["over_seeds"]["reward"]
    assert reward["sd"] is None
    assert reward["known"] == 1


def test_wandb_that_is_not_installed_is_told_before_anything_is_made(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "wandb", None)
    monkeypatch.setattr(run, "start_jax", lambda *_: None)
    for more in ([], ["--seeds", "2"]):
        assert train("walk22_exo", "--wandb", "--out", tmp_path, *more) == 2
        assert "mjx-assist[wandb]" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_two_seeds_are_trained_and_measured(tmp_path, capsys):
    assert train("walk22_exo", *small_runs.flags(updates=2), "--seeds", 2, "--out", tmp_path) == 0
    (parent,) = tmp_path.glob("seeds_*")
    runs = json.loads((parent / "seeds.json").read_text())["runs"]
    assert [run["seed"] for run in runs] == [1234, 1235]
    assert runs[0]["reward"] != runs[1]["reward"]
    assert all((parent / run["run"] / "policy" / "bundle.json").is_file() for run in runs)
    assert train("--resume", parent) == 0
    assert capsys.readouterr().out.count("finished before") == 2
    assert over_seeds([parent / "seed_1234", parent / "seed_1235"])["runs"] == runs
