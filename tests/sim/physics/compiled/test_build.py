"""Compilers and the cache of kernels: what is damaged or foreign is made again, what is missing is said."""

import subprocess
import sys

import pytest

from mjx_assist.config.words import AUTO, COMPILED, MUJOCO
from mjx_assist.errors import note
from mjx_assist.sim.physics import make
from mjx_assist.sim.physics.compiled import build

_PROGRAM = """from pathlib import Path
from mjx_assist.sim.physics.compiled import build
print(build.build({source!r}, folder=Path({folder!r})).answer())"""
SOURCE = 'extern "C" int answer() { return 42; }'


@pytest.fixture
def own_compiler():
    if build.compiler() is None:
        pytest.skip("no C++ compiler")


def _entry(folder):
    (entry,) = folder.glob("*.so")
    return entry


def test_a_kernel_is_compiled_once(own_compiler, tmp_path):
    assert build.build(SOURCE, folder=tmp_path).answer() == 42
    entry, made = _entry(tmp_path), _entry(tmp_path).stat().st_mtime_ns
    assert build.build(SOURCE, folder=tmp_path).answer() == 42
    assert entry.stat().st_mtime_ns == made
    assert [path.name for path in tmp_path.iterdir()] == [entry.name]  # nothing half done stays


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b[:100] + b"x" + b[101:]])
def test_a_damaged_entry_is_made_again_and_never_loaded(own_compiler, tmp_path, damage):
    build.build(SOURCE, folder=tmp_path)
    entry = _entry(tmp_path)
    whole = entry.read_bytes()
    entry.unlink()  # the one that is loaded stays as it is
    entry.write_bytes(damage(whole))
    code = _PROGRAM.format(source=SOURCE, folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "42"
    assert _entry(tmp_path).read_bytes() != damage(whole)


def test_another_cpu_has_other_entries(own_compiler, tmp_path, monkeypatch):
    build.build(SOURCE, folder=tmp_path)
    name, features = build.cpu()
    monkeypatch.setattr(build, "cpu", lambda: (name, features | {"another"}))
    build.build(SOURCE, folder=tmp_path)
    assert len(list(tmp_path.glob("*.so"))) == 2


def test_processes_that_build_at_once_do_not_disturb_each_other(own_compiler, tmp_path):
    code = _PROGRAM.format(source=SOURCE, folder=str(tmp_path))
    running = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate()[0].strip() for process in running] == ["42"] * 3


def test_a_compiler_that_fails_or_is_not_there_is_told(tmp_path, monkeypatch):
    for command, words in (("false", "failed"), ("/no/such/compiler", "does not start")):
        monkeypatch.setenv(build.COMPILER_VARIABLE, command)
        with pytest.raises(build.BuildError, match=words):
            build.build(SOURCE, folder=tmp_path)


def test_without_a_compiler_walkers_walk_in_c_mujoco(monkeypatch, reduced, capsys):
    monkeypatch.setattr(build, "compiler", lambda: None)
    note.cache_clear()
    assert make.resolve_backend(AUTO) == MUJOCO
    for _ in range(2):
        assert make.make_physics(COMPILED, reduced.xml, 8, 1).backend == MUJOCO
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1 and "pip install ziglang" in said[0] and "'mujoco' is taken" in said[0]


def test_a_model_with_something_unknown_walks_in_c_mujoco_which_is_said(reduced, capsys):
    own = reduced.xml.replace('integrator="implicitfast"', 'integrator="implicit"')
    note.cache_clear()
    assert make.make_physics(COMPILED, own, 8, 1).backend == MUJOCO
    assert "mjINT_IMPLICIT" in capsys.readouterr().err
