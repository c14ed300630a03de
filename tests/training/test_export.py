"""A run with a reward and a controller of the user's own: it trains, is evaluated and reported, and is read without."""

import json
import os
import shutil
import sys

import pytest
from printed import example

from mjx_assist import config as configs
from mjx_assist.errors import UserError
from mjx_assist.eval.replay.controller import with_controller
from mjx_assist.eval.replay.replay import replay
from mjx_assist.eval.report import evaluations
from mjx_assist.files.logs import read_rows
from mjx_assist.paths import EVALUATION_LOG, POLICY_FOLDER, TRAIN_LOG
from mjx_assist.training import evaluation, run
from mjx_assist.training.export import load_policy

TINY = {
    "total_timesteps": 64,
    "policy_params": {"net_arch": {"human_actor": [16], "exo_actor": [8], "common_critic": [16]}},
    "ppo_params": {"n_steps": 8, "batch_size": 32, "n_epochs": 2},
    "logger_params": {"evaluation_frequency": 1},
    "evaluate_param_list": [{"num_timesteps": 30}],
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The package that docs/extending.md prints, where Python finds it, here and in processes that are started."""
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "rewards.py").write_text(example("A reward term"))
    (tmp_path / "my_package" / "controllers.py").write_text(example("A device controller"))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setattr(run, "_use_compilation_cache", lambda: None)
    monkeypatch.setattr(evaluation, "EPISODES", 1)
    monkeypatch.setattr(evaluations, "SEEDS", (0,))
    yield tmp_path / "my_package"
    forget()


def forget():
    for name in [name for name in sys.modules if name.startswith("my_package")]:
        del sys.modules[name]


@pytest.mark.slow
def test_a_run_with_own_code_is_whole_and_its_policy_does_without(package, tmp_path):
    weights = json.loads(example("A reward term", "json"))["env_params"]
    controller = json.loads(example("A device controller", "json"))
    env = {"backend": "mujoco", "num_envs": 8, "device_controller": controller, **weights}
    made = run.train(configs.from_dict({**TINY, "env_params": env}), tmp_path / "runs").path
    (row,) = read_rows(made / TRAIN_LOG)
    assert -1 < row["reward"] < 0 and row["env/my_package.rewards:upright"] == pytest.approx(row["reward"], rel=1e-4)
    assert [row["update"] for row in read_rows(made / EVALUATION_LOG)] == [1]
    assert len(list(made.glob("analyze_results_64_*/report.html"))) == 1

    exported = load_policy(made)
    shutil.rmtree(package)
    forget()
    shutil.rmtree(made / POLICY_FOLDER)
    for policy in (exported, load_policy(made)):  # the bundle, and the checkpoint
        assert policy.config.env_params.device_controller.type == controller["type"]
        with pytest.raises(UserError, match="ask for it yourself"):
            replay(policy, steps=3)
        assert replay(with_controller(policy, "zero_torque"), steps=3).time.size
    assert not [name for name in sys.modules if name.startswith("my_package")]
