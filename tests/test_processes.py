"""Processes that are started: they import nothing of the current folder, and end with who started them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mjx_assist import processes
from mjx_assist.eval.studies import trials

# Names of modules that commands, their renderers and the workers of multiprocessing import.
PLANTED = ("random", "socket", "struct", "numpy", "mujoco", "matplotlib", "PIL", "scipy", "ctypes", "lazy_loader")


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """The current folder holds modules that note their import, as one that came with a policy could."""
    for name in PLANTED:
        (tmp_path / f"{name}.py").write_text("open('ran', 'a').write(__name__)\nraise SystemExit(9)\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "ran"


def test_a_planted_module_would_run_without_care(planted):
    assert subprocess.run([sys.executable, "-m", "mjx_assist.eval.view.strip"], capture_output=True).returncode == 9
    assert planted.exists()


@pytest.mark.slow
def test_nothing_of_the_current_folder_is_imported(planted, bundle_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(processes.__file__).parents[1]))
    command = processes.python("-m", "mjx_assist", "evaluate", bundle_path, "--episodes", 1, "--steps", 1)
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    film = processes.python("-m", "mjx_assist.eval.view.film")
    done = subprocess.run(film, capture_output=True, env=processes.environment())
    assert b"IndexError" in done.stderr  # imported all it needs, and misses its arguments
    assert not planted.exists()


@pytest.mark.slow
def test_workers_of_a_study_leave_the_current_folder_alone(planted, untrained_bundle):
    ((_, outcome),) = trials.run([untrained_bundle], [trials.Trial(0, "reduced", 0.1, 0)])
    assert outcome["steps"] == 3
    assert not planted.exists()


def test_every_python_that_the_package_starts_is_started_so():
    package = Path(processes.__file__).parent
    for path in package.rglob("*.py"):
        assert path.name == "processes.py" or "sys.executable" not in path.read_text(encoding="utf-8"), path


def test_a_process_ends_when_who_started_it_is_killed(tmp_path):
    child = "import os, time; from mjx_assist import processes as p; p.end_with_stdin(); "
    child += "open('child', 'w').write(str(os.getpid())); time.sleep(600)"
    parent = f"from mjx_assist import processes as p; p.start(p.python('-c', {child!r}), 'said'); "
    parent += "import time; time.sleep(600)"
    started = subprocess.Popen([sys.executable, "-c", parent], cwd=tmp_path)
    wait_for(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text())
    started.send_signal(signal.SIGKILL)
    started.wait()
    wait_for(lambda: not is_running(int((tmp_path / "child").read_text())))


WINDOWS = """
import os, pathlib, signal, subprocess, sys, types
for name in ("setpriority", "getpriority", "sched_getaffinity", "fork", "mkfifo", "getuid"):
    delattr(os, name)
del signal.SIGHUP
sys.modules.update(fcntl=None, resource=None, msvcrt=types.SimpleNamespace(LK_NBLCK=2, locking=lambda *_: None))
from mjx_assist import processes
from mjx_assist.cli.main import main
from mjx_assist.files.lock import locked
with locked(pathlib.Path("lock"), str):
    assert main(["models", "list"]) == 0 and processes.cpus() > 0
assert processes.start(processes.python("-c", ""), pathlib.Path("said")).wait() == 0
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there it is real")
def test_what_only_posix_has_is_missed_by_nothing(tmp_path):
    """An emulation: what Windows lacks is taken away."""
    done = subprocess.run([sys.executable, "-c", WINDOWS], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_other_processes_of_a_users_program_keep_their_path(monkeypatch):
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    with processes.current_folder_left_alone():
        assert os.environ["PYTHONSAFEPATH"] == "1"
    assert "PYTHONSAFEPATH" not in os.environ


def wait_for(true, limit=60.0):
    end = time.monotonic() + limit
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def is_running(pid):
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"
