"""Two processes on one machine train as one does, and either goes on with what the other saved."""

import json
import os
import socket
import subprocess
import sys
import time

import pytest
import small_runs
from small_runs import UPDATE

# One thread each, for two processes at once.
CONFIG = {**small_runs.CONFIG, "env_params": {**small_runs.CONFIG["env_params"], "num_threads": 1}}


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "tiny.json"
    path.write_text(json.dumps({**CONFIG, "total_timesteps": 3 * UPDATE}))
    return path


@pytest.fixture(scope="module")
def alone(config, tmp_path_factory):
    """Rows of three updates in one process."""
    out = tmp_path_factory.mktemp("alone")
    finish(start(config, "--out", out))
    return rows(out)


def start(*words, **environment):
    command = [sys.executable, "-m", "mjx_assist", "train", *map(str, words)]
    environment = {**os.environ, **environment}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)


def start_both(*words):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    return [start(*words, "--hosts", address, "--host-count", 2, "--host-index", i) for i in range(2)]


def finish(process):
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output


def run_of(out):
    (run,) = out.glob("train_session_*")
    return run


def rows(out):
    return small_runs.rows(run_of(out))


@pytest.mark.slow
def test_two_processes_log_what_one_does_and_one_goes_on_from_there(alone, config, tmp_path):
    for process in start_both(config, "--out", tmp_path, "--total_timesteps", 2 * UPDATE):
        finish(process)
    both = rows(tmp_path)
    assert len(both) == 2
    finish(start("--resume", run_of(tmp_path), "--total_timesteps", 3 * UPDATE))
    for found, expected in zip(rows(tmp_path), alone, strict=True):
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert (run_of(tmp_path) / "policy" / "bundle.json").is_file()


@pytest.mark.slow
def test_slurm_tells_each_process_which_one_it_is(alone, config, tmp_path):
    slurm = {"SLURM_JOB_ID": str(os.getpid()), "SLURM_STEP_NODELIST": "localhost", "SLURM_NTASKS": "2"}
    words = (config, "--out", tmp_path, "--hosts", "auto")
    for process in [start(*words, **slurm, SLURM_PROCID=str(i), SLURM_LOCALID=str(i)) for i in range(2)]:
        finish(process)
    for found, expected in zip(rows(tmp_path), alone, strict=True):
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_a_host_index_beyond_the_count_is_a_plain_error(config):
    process = start(config, "--hosts", "localhost:1", "--host-count", 2, "--host-index", 2)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 2 and "--host-index 2" in output and "Traceback" not in output


@pytest.mark.slow
def test_a_lost_process_ends_the_run_with_an_error_and_it_resumes(config, tmp_path):
    first, second = start_both(config, "--out", tmp_path, "--total_timesteps", 10**8)
    deadline = time.monotonic() + 200
    while not list(tmp_path.glob("*/checkpoints/3")) and time.monotonic() < deadline:
        time.sleep(0.5)
    second.kill()
    output, _ = first.communicate(timeout=240)
    assert first.returncode != 0, output
    updates = max(int(path.name) for path in (run_of(tmp_path) / "checkpoints").iterdir() if path.name.isdigit())
    finish(start("--resume", run_of(tmp_path), "--total_timesteps", (updates + 1) * UPDATE))
    assert len(rows(tmp_path)) == updates + 1
