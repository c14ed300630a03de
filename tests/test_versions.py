"""The package works at both ends of the versions that it allows: with the lowest of them, and with the newest."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from checkout import ROOT
from packaging.requirements import Requirement

# What touches the packages with a range: training and its checkpoints, physics in C and in XLA, inference, figures.
TESTED = (
    "tests/ppo/test_learner.py",
    "tests/ppo/test_networks.py",
    "tests/training/test_checkpoint.py",
    "tests/training/test_run.py",
    "tests/sim/test_env.py",
    "tests/policy/test_bundle.py",
    "tests/eval/gait",
    "tests/eval/replay",
    "tests/model/test_reduction.py",
)


def ranges() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [Requirement(text) for text in project["dependencies"]]


def lowest(wanted: Requirement) -> str:
    """The requirement at its lower end."""
    (floor,) = [part.version for part in wanted.specifier if part.operator in (">=", "==")]
    return f"{wanted.name}=={floor}"


def test_every_dependency_has_a_lowest_version():
    assert len([lowest(wanted) for wanted in ranges()]) > 20


@pytest.mark.slow
@pytest.mark.parametrize("end", ["lowest", "newest"])
def test_it_works_at_both_ends(end: str, tmp_path: Path):
    """Needs the package index: it makes an environment."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
    python = tmp_path / "env" / "bin" / "python"
    pins = [lowest(wanted) for wanted in ranges()] if end == "lowest" else []
    (tmp_path / "pins.txt").write_text("\n".join(pins))
    install = [python, "-m", "pip", "install", "--quiet", "-c", tmp_path / "pins.txt", "pytest", "imageio", ROOT]
    done = subprocess.run(install, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "jax")}
    done = subprocess.run([python, "-m", "pytest", *TESTED], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:]
