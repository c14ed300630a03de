"""What the command line answers: exit codes, one sentence for a mistake, files whole or not there."""

import contextlib
import errno
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mjx_assist.cli import train
from mjx_assist.cli.main import main
from mjx_assist.reference import healthy
from mjx_assist.training import run as run_module

EPISODE_KEYS = ["seed", "steps", "time_s", "distance_m", "mean_speed_m_s", "fell", "corr_reference", "rmse_deg"]
ANGLES = ["hip", "knee", "ankle", "pelvis_tilt"]
TINY = {
    "env_params.num_envs": "2",
    "env_params.backend": "mujoco",
    "ppo_params.n_steps": "2",
    "ppo_params.batch_size": "4",
    "ppo_params.n_epochs": "2",
    "policy_params.net_arch": '{"human_actor": [4], "exo_actor": [4], "common_critic": [4]}',
    "logger_params.evaluation_frequency": "0",
    "total_timesteps": "4",
}

Refused = Callable[..., str]


@pytest.fixture
def refused(capsys: pytest.CaptureFixture) -> Refused:
    """Run a command that must fail as a user's mistake; returns its one line."""

    def run(*arguments: object) -> str:
        assert main([str(word) for word in arguments]) == 2
        lines = capsys.readouterr().err.strip().splitlines()
        assert lines[-1].startswith("mjx-assist: error: ")
        assert "Traceback" not in "".join(lines)
        return lines[-1]

    return run


@pytest.fixture
def quick_gait(monkeypatch: pytest.MonkeyPatch, untrained_bundle):
    """The shipped reference gait without fitting it again."""
    monkeypatch.setattr(healthy, "healthy_gait", lambda model, name="schwartz2008": untrained_bundle.gait)


@pytest.fixture(autouse=True)
def no_compilation_cache(monkeypatch: pytest.MonkeyPatch):
    """Leave JAX's settings in this process and the user's cache folder alone."""
    monkeypatch.setattr(run_module, "_use_compilation_cache", lambda: None)


@contextlib.contextmanager
def largest_file(size: int):
    """No file may grow beyond ``size`` bytes: a disk that is full, for one test."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


# --- commands and flags


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["trian", "walk22_exo"], "Did you mean 'train'"),
        (["models", "lst"], "Did you mean 'list'"),
        (["evaluate", "x", "--stps", "3"], "Did you mean '--steps'"),
        (["evaluate", "x", "--model", "ful"], "Did you mean 'full'"),
        (["replay", "x", "--headles"], "Did you mean '--headless'"),
        (["train", "walk22_ex"], "Did you mean 'walk22_exo'"),
        (["train", "walk22_exo", "--otu", "x"], "Did you mean --out"),
        (["train", "walk22_exo", "--num_envs", "3"], "Did you mean --env_params.num_envs"),
        (["train", "walk22_exo", "--env_params.num_env", "3"], "Did you mean 'num_envs'"),
        (["train", "walk22_exo", "--env_params.msk_key", "myolegs23"], "Did you mean 'myolegs2"),
        (["train", "walk22_exo", "--env_params.device_key", "Tutorial_L2"], "Did you mean 'Tutorial_L1'"),
        (["models", "report", "myoleg22", "Tutorial_L1"], "Did you mean 'myolegs22'"),
        (["models", "export", "myolegs22", "Tutorial_L2", "-o", "x"], "Did you mean 'Tutorial_L1'"),
    ],
)
def test_a_misspelt_word_answers_with_the_nearest(refused: Refused, arguments: list[str], meant: str):
    assert meant in refused(*arguments)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["evaluate"], "RUN_OR_BUNDLE"),
        (["evaluate", "x", "y"], "'y' is one argument too many"),
        (["evaluate", "x", "--steps", "0"], "--steps: must be a whole number of at least 1, not '0'"),
        (["evaluate", "x", "--episodes", "many"], "--episodes: must be a whole number of at least 1, not 'many'"),
        (["evaluate", "x", "--seed", "-1"], "--seed: must be a whole number of at least 0, not '-1'"),
        (["train"], "CONFIG is missing"),
        (["train", "walk22_exo", "--env_params.num_envs"], "--env_params.num_envs: its VALUE is missing"),
        (["train", "walk22_exo", "--env_params.num_envs", "--out", "x"], "its VALUE is missing"),
        (["train", "walk22_exo", "--env_params.num_envs", "abc"], "'env_params.num_envs': expected int, got 'abc'"),
        (["train", "walk22_exo", "--env_params.num_envs", "7"], "does not divide num_envs x n_steps = 7 x"),
        (["train", "no/such.json"], "config file 'no/such.json' does not exist"),
        (["evaluate", "no/such"], "'no/such' does not exist"),
        (["export", "no/such", "-o", "x"], "'no/such' is not a training run"),
        (["train", "--resume", "no/such"], "'no/such' is not a training run"),
        (["models", "report", "no_such.xml"], "no_such.xml"),
        (["models", "report", "no_such.xml", "Tutorial_L1"], "is used as it is ('none')"),
    ],
)
def test_a_wrong_argument_is_named(refused: Refused, arguments: list[str], told: str):
    assert told in refused(*arguments)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["train", "--help"], ["models", "report", "--help"]])
def test_help_and_version_exit_with_0(arguments: list[str], capsys: pytest.CaptureFixture):
    assert main(arguments) == 0
    assert "mjx-assist" in capsys.readouterr().out


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


# --- bundles


def test_evaluate_writes_the_figures_of_every_episode(bundle_path: Path, tmp_path: Path, capsys):
    file = tmp_path / "new" / "figures.json"
    arguments = ["--steps", "6", "--episodes", "2", "--seed", "3", "--json", str(file)]
    assert main(["evaluate", str(bundle_path), *arguments]) == 0
    figures = json.loads(file.read_text())
    assert [list(episode) for episode in figures["episodes"]] == [EPISODE_KEYS] * 2
    assert [episode["seed"] for episode in figures["episodes"]] == [3, 4]
    assert all(episode["steps"] == 6 for episode in figures["episodes"])
    assert all(list(episode[key]) == ANGLES for episode in figures["episodes"] for key in EPISODE_KEYS[-2:])
    out = capsys.readouterr()
    assert "fell in 0 of 2 episodes" in out.out
    assert "seed 4" in out.err


def test_a_flipped_byte_is_a_corrupt_bundle(refused: Refused, bundle_path: Path):
    arrays = bundle_path / "arrays.npz"
    content = bytearray(arrays.read_bytes())
    content[len(content) // 2] ^= 1
    arrays.write_bytes(content)
    assert "is corrupt: arrays.npz" in refused("evaluate", bundle_path)


def test_a_cut_manifest_is_a_corrupt_bundle(refused: Refused, bundle_path: Path):
    manifest = bundle_path / "bundle.json"
    manifest.write_text(manifest.read_text()[:-100])
    assert "is corrupt: bundle.json" in refused("evaluate", bundle_path)


def test_a_bundle_of_another_schema_version_says_so(refused: Refused, bundle_path: Path):
    manifest = bundle_path / "bundle.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "schema_version": 99}))
    assert "schema version 99" in refused("evaluate", bundle_path)


def test_a_folder_that_is_neither_run_nor_bundle_says_so(refused: Refused, tmp_path: Path):
    assert "neither a training run nor a policy bundle" in refused("evaluate", tmp_path)


def test_replay_without_a_display_suggests_headless(refused: Refused, bundle_path: Path, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert "--headless" in refused("replay", bundle_path)


def test_headless_replay_tells_the_real_time_factor(bundle_path: Path, capsys):
    assert main(["replay", str(bundle_path), "--headless", "--steps", "5"]) == 0
    assert "real-time factor" in capsys.readouterr().out


def test_report_writes_its_files_and_prints_the_table(bundle_path: Path, tmp_path: Path, monkeypatch, capsys):
    from mjx_assist.eval.view import strip

    monkeypatch.setattr(strip, "_gl_backends", lambda: [])
    out = tmp_path / "report"
    assert main(["report", str(bundle_path), "-o", str(out), "--steps", "10", "--episodes", "2"]) == 0
    files = {"report.html", "composite.png", "composite.svg", "metrics.json", "strides.csv", "walker.png"}
    assert {path.name for path in out.iterdir()} == files
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["episodes"] == 2
    assert metrics["verdict_facts"]["full_model_time_s"] == pytest.approx(0.3, abs=0.05)
    printed = capsys.readouterr().out
    assert str(out / "report.html") in printed
    assert "Speed (m/s)" in printed


# --- models


def test_models_list_names_humans_and_devices(capsys):
    assert main(["models", "list"]) == 0
    printed = capsys.readouterr().out
    assert "myolegs22" in printed
    assert "Tutorial_L1" in printed


def test_models_report_prints_and_writes_every_muscle(reduced, tmp_path: Path, capsys):
    file = tmp_path / "fidelity.json"
    assert main(["models", "report", "myolegs22", "Tutorial_L1", "--json", str(file)]) == 0
    printed, figures = capsys.readouterr().out, json.loads(file.read_text())
    muscles = {row["muscle"]: row for row in figures["muscles"]}
    assert len(muscles) == 22
    for name, row in muscles.items():
        (line,) = (line for line in printed.splitlines() if line.startswith(f"{name} "))
        assert f"{row['moment_arm_peak_mm']:.3f}" in line
    assert figures["size"]["reduced"]["nv"] == 11


def test_models_export_writes_a_model_that_mujoco_opens(reduced, tmp_path: Path):
    import mujoco
    import numpy as np

    out = tmp_path / "model"
    command = ["models", "export", "myolegs22", "Tutorial_L1", "-o", str(out)]
    assert main(command) == 0
    model = mujoco.MjModel.from_xml_path(str(out / "model.xml"))
    assert model.nv == 11
    coupling = json.loads((out / "coupling.json").read_text())
    qpos = np.linspace(-0.3, 0.4, model.nq)
    powers = qpos[coupling["source"]][:, None] ** np.arange(5)
    np.testing.assert_allclose((coupling["polycoef"] * powers).sum(1), reduced.coupling.lift(qpos), atol=1e-12)
    assert main(command) == 0  # an earlier export is replaced


def test_models_export_leaves_other_folders_alone(refused: Refused, tmp_path: Path):
    (tmp_path / "mine.txt").write_text("mine")
    assert "left as it is" in refused("models", "export", "myolegs22", "Tutorial_L1", "-o", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


# --- heads


@pytest.mark.parametrize(
    ("actions", "told"),
    [('["device", "soleus_*"]', "actuators driven twice: soleus_r, soleus_l"), ('["Exo_R"]', "Exo_R"), ("[]", "Exo_R")],
)
def test_a_head_that_drives_twice_or_not_at_all(refused: Refused, quick_gait, tmp_path: Path, actions: str, told: str):
    key = "--policy_params.net_indexing_info.exo_actor.action"
    assert told in refused("train", "walk22_exo", key, actions, "--out", tmp_path / "results")
    assert not list((tmp_path / "results").iterdir())


# --- the disk


def test_no_space_for_the_figures_leaves_no_half_file(refused: Refused, bundle_path: Path, tmp_path: Path):
    file = tmp_path / "figures.json"
    with largest_file(64):
        message = refused("evaluate", bundle_path, "--steps", "2", "--episodes", "1", "--json", file)
    assert str(file) in message
    assert "cannot be written" in message
    assert not [path for path in tmp_path.iterdir() if "figures" in path.name]


def test_no_space_for_an_exported_model_leaves_nothing(refused: Refused, reduced, tmp_path: Path):
    with largest_file(4096):
        message = refused("models", "export", "myolegs22", "Tutorial_L1", "-o", tmp_path / "model")
    assert "cannot be written" in message
    assert not list(tmp_path.iterdir())


def test_no_space_while_training_is_one_sentence(refused: Refused, tmp_path: Path, monkeypatch):
    from mjx_assist.training import loop as training

    def full(*_: object, **__: object):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "results/train_log.jsonl")

    monkeypatch.setattr(training, "train", full)
    message = refused("train", "walk22_exo", "--out", tmp_path)
    assert "results/train_log.jsonl" in message
    assert "no space left" in message


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_output_into_a_full_device_is_one_sentence():
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "mjx_assist", "models", "list"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines() == ["mjx-assist: error: no space left on the device"]


def test_a_reader_that_stops_reading_is_no_error():
    command = f"set -o pipefail; '{sys.executable}' -m mjx_assist models list | head -n 0"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.stderr == ""


def test_ctrl_c_exits_with_130(monkeypatch, tmp_path: Path, capsys):
    from mjx_assist.training import loop as training

    def interrupted(*_: object, **__: object):
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", interrupted)
    assert main(["train", "walk22_exo", "--out", str(tmp_path)]) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environment", "folder"),
    [({"XDG_CACHE_HOME": "/tmp/x"}, "/tmp/x/mjx-assist/jax"), ({"JAX_COMPILATION_CACHE_DIR": "/tmp/y"}, "/tmp/y")],
)
def test_compiled_programs_are_kept_in_the_users_cache(environment: dict, folder: str):
    script = "from mjx_assist.training import run; run._use_compilation_cache(); import jax; "
    script += "print(jax.config.jax_compilation_cache_dir)"
    clean = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}
    done = subprocess.run([sys.executable, "-c", script], env={**clean, **environment}, capture_output=True, text=True)
    assert done.stdout.strip() == folder


# --- the whole line


def test_train_exports_a_policy_that_evaluate_walks_and_resume_continues(quick_gait, tmp_path: Path, capsys, refused):
    overrides = [word for key, value in TINY.items() for word in (f"--{key}", value)]
    assert main(["train", "walk22_exo", *overrides, "--out", str(tmp_path)]) == 0
    (run,) = tmp_path.glob("train_session_*")
    assert {"session_config.json", "train_log.jsonl", "checkpoints", "policy"} <= {p.name for p in run.iterdir()}
    assert f"mjx-assist evaluate {run}" in capsys.readouterr().out
    figures = tmp_path / "figures.json"
    assert main(["evaluate", str(run), "--steps", "3", "--episodes", "1", "--json", str(figures)]) == 0
    assert json.loads(figures.read_text())["episodes"][0]["steps"] == 3
    assert main(["train", "--resume", str(run)]) == 0  # nothing left to do: restores and exports again
    assert "env_params.num_envs was 2 and would be 4" in refused("train", "--resume", run, "--env_params.num_envs", 4)
