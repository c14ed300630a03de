"""Replay, metrics and reports work where JAX is not wanted: nothing that they import imports it."""

import subprocess
import sys
from pathlib import Path

import pytest

NEEDS_JAX = tuple(
    f"mjx_assist.sim.{name}"
    for name in (
        *("composed_physics", "constraint_solver", "env", "episode", "hfield_contact"),
        *("implicit", "linear", "physics"),
    )
)
IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
import mjx_assist, mjx_assist.control, mjx_assist.curriculum, mjx_assist.eval, mjx_assist.sim
modules = [m.name for m in pkgutil.iter_modules(mjx_assist.eval.__path__, "mjx_assist.eval.")]
modules += [m.name for m in pkgutil.iter_modules(mjx_assist.control.__path__, "mjx_assist.control.")]
modules += [m.name for m in pkgutil.iter_modules(mjx_assist.curriculum.__path__, "mjx_assist.curriculum.")]
modules += [m.name for m in pkgutil.iter_modules(mjx_assist.sim.__path__, "mjx_assist.sim.")]
modules += [m.name for m in pkgutil.iter_modules(mjx_assist.__path__, "mjx_assist.") if ".cli" in m.name]
modules = [name for name in modules if name not in sys.argv]
for name in modules:
    importlib.import_module(name)
print(*modules)
print("JAX" if "jax" in sys.modules else "no JAX")
"""
RUN_COMMAND = """
import sys
from mjx_assist import cli
code = cli.main(sys.argv[1:])
print("JAX" if "jax" in sys.modules else "no JAX")
sys.exit(code)
"""


def run(script: str, *arguments: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_all_but_training_imports_without_jax():
    modules, verdict = run(IMPORT_EVERYTHING, *NEEDS_JAX)
    assert {"mjx_assist.eval.replay", "mjx_assist.eval.report", "mjx_assist.cli_train"} <= set(modules.split())
    assert verdict == "no JAX"


@pytest.mark.parametrize(
    "arguments",
    [["models", "list"], ["evaluate", "BUNDLE", "--steps", "3", "--episodes", "1"], ["replay", "BUNDLE", "--headless"]],
)
def test_commands_that_only_replay_run_without_jax(arguments: list[str], bundle_path: Path):
    arguments = [str(bundle_path) if word == "BUNDLE" else word for word in arguments]
    assert run(RUN_COMMAND, *arguments)[-1] == "no JAX"


def test_help_imports_nothing_heavy():
    script = "import sys; from mjx_assist import cli; cli.main(['--help']); print('numpy' in sys.modules)"
    assert run(script)[-1] == "False"
