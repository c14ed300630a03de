"""What the command line answers: exit codes, one sentence for a mistake, a word misspelt, a reader that stops."""

import subprocess
import sys
from pathlib import Path

import pytest

from mjx_assist.cli.main import main


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
def test_a_misspelt_word_answers_with_the_nearest(refused, arguments: list[str], meant: str):
    assert meant in refused(*arguments)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["evaluate"], "POLICY"),
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
def test_a_wrong_argument_is_named(refused, arguments: list[str], told: str):
    assert told in refused(*arguments)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["train", "--help"], ["models", "report", "--help"]])
def test_help_and_version_exit_with_0(arguments: list[str], capsys: pytest.CaptureFixture):
    assert main(arguments) == 0
    assert "mjx-assist" in capsys.readouterr().out


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
