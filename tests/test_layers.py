"""Replay, metrics and reports work where JAX is not wanted: nothing that they import imports it. And folders' doors."""

import ast
import importlib
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from checkout import ROOT

import mjx_assist

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
WITHOUT_JAX = next(
    contract["source_modules"] for contract in CONTRACTS if "jax" in contract.get("forbidden_modules", [])
)
IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
for package in sys.argv[1:]:
    found = importlib.import_module(package)
    for module in pkgutil.walk_packages(found.__path__, package + "."):
        importlib.import_module(module.name)
print(len([name for name in sys.modules if name.startswith("mjx_assist.")]))
print("JAX" if "jax" in sys.modules else "no JAX")
"""
PACKAGE = Path(mjx_assist.__file__).parent
STUBS = sorted(PACKAGE.rglob("__init__.pyi"))
IMPORT_FOLDERS = """
import importlib, sys
for folder in sys.argv[1:]:
    importlib.import_module(folder)
print(*sorted(name for name in sys.modules if name.startswith("mjx_assist") or name in ("numpy", "jax", "mujoco")))
"""
RUN_COMMAND = """
import sys
from mjx_assist.cli.main import main
code = main(sys.argv[1:])
print("JAX" if "jax" in sys.modules else "no JAX")
sys.exit(code)
"""


def run(script: str, *arguments: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_what_must_work_without_jax_imports_nothing_that_needs_it():
    """import-linter reads imports; here they are done, with all that other packages import in turn."""
    count, verdict = run(IMPORT_EVERYTHING, "mjx_assist.cli", *WITHOUT_JAX)
    assert int(count) > 150
    assert verdict == "no JAX"


def test_imports_go_down_only_and_a_wrong_one_is_found(tmp_path: Path):
    shutil.copytree(
        Path(mjx_assist.__file__).parent, tmp_path / "mjx_assist", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    wrong = {
        "model/names.py": "mjx_assist.sim.env",
        "eval/gait/events.py": "mjx_assist.eval.report.gait",
        "eval/plots/style.py": "jax",
        "files/plain.py": "mjx_assist.cli",
        "policy/check.py": "mjx_assist.sim.own_code",
        "eval/gait/cycles.py": "mjx_assist.sim.reward",
    }
    assert lint(tmp_path) == 0
    for file, imported in wrong.items():
        path = tmp_path / "mjx_assist" / file
        right = path.read_text()
        path.write_text(right + f"\n\ndef wrong():\n    import {imported}\n")
        assert lint(tmp_path) == 1, file
        path.write_text(right)


def lint(folder: Path) -> int:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=120).returncode


@pytest.mark.parametrize(
    "arguments",
    [["models", "list"], ["evaluate", "BUNDLE", "--steps", "3", "--episodes", "1"], ["replay", "BUNDLE", "--headless"]],
)
def test_commands_that_only_replay_run_without_jax(arguments: list[str], bundle_path: Path):
    arguments = [str(bundle_path) if word == "BUNDLE" else word for word in arguments]
    assert run(RUN_COMMAND, *arguments)[-1] == "no JAX"


def test_help_imports_nothing_heavy():
    script = "import sys; from mjx_assist.cli.main import main; main(['--help']); print('numpy' in sys.modules)"
    assert run(script)[-1] == "False"


def folder_of(stub: Path) -> str:
    return ".".join((PACKAGE.name, *stub.parent.relative_to(PACKAGE).parts))


def imports(file: Path) -> list[ast.ImportFrom]:
    return [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ImportFrom)]


@pytest.mark.parametrize("stub", STUBS, ids=folder_of)
def test_every_door_opens_on_what_the_module_behind_it_defines(stub: Path):
    """After every module of the folder is imported too: a module of a door's name would stand in its place."""
    folder = folder_of(stub)
    beside = {file.stem for file in stub.parent.iterdir()}
    for node in imports(stub):
        behind = importlib.import_module("." + (node.module or ""), folder) if node.module else None
        for name in (alias.name for alias in node.names):
            thing = getattr(importlib.import_module(folder), name)
            assert behind is None or name not in beside
            assert thing is (getattr(behind, name) if behind else sys.modules[f"{folder}.{name}"])


def opened_as_text(node: ast.AST) -> bool:
    """Whether a call opens, reads or writes a file as text."""
    if not isinstance(node, ast.Call):
        return False
    of = getattr(getattr(node.func, "value", None), "id", "")
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    words = [part.value for part in node.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    if name in ("read_text", "write_text"):
        return isinstance(node.func, ast.Attribute) and of != "sheets"  # ours, which knows its encoding
    return name == "open" and of not in ("os", "archive", "Image") and not any("b" in word[:4] for word in words)


def test_every_text_is_read_and_written_in_an_encoding_that_is_named():
    """Else it is the locale's, which is not UTF-8 everywhere."""
    for file in (*PACKAGE.rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")):
        calls = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if opened_as_text(node)]
        unnamed = [node.lineno for node in calls if "encoding" not in [word.arg for word in node.keywords]]
        assert not unnamed, (file, unnamed)


def test_a_folder_with_doors_imports_nothing_until_one_is_opened():
    folders = [folder_of(stub) for stub in STUBS]
    loaded = run(IMPORT_FOLDERS, *folders)[-1].split()
    assert sorted(loaded) == sorted(folders)


def test_the_package_itself_goes_round_no_door():
    """A lazy name hides what it imports from the contracts: inside, a thing comes from the module that defines it."""
    doors = {(folder_of(stub), a.name) for stub in STUBS for node in imports(stub) if node.module for a in node.names}
    for file in PACKAGE.rglob("*.py"):
        through = {(node.module, alias.name) for node in imports(file) for alias in node.names} & doors
        assert not through, file
