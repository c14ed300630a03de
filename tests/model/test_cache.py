"""The store of built models: what is kept comes back exactly, and nothing else does."""

import json
import multiprocessing
import os
import subprocess
import sys

import pytest

from mjx_assist.model import cache

CONTENT = {"xml": "<mujoco/>", "polycoef": [[0.1 + 0.2, -1e-17], [1 / 3, 5.0]]}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(tmp_path / "models"))
    return tmp_path / "models"


def never():
    raise AssertionError("built again")


def test_built_once_and_read_back_to_the_last_bit():
    key = cache.key(b"human", b"device")
    assert cache.fetch("human device", key, lambda: CONTENT) == CONTENT
    assert cache.fetch("human device", key, never) == CONTENT


def test_key_follows_every_part_and_where_parts_end():
    keys = {cache.key(*parts) for parts in ((b"ab", b"c"), (b"a", b"bc"), (b"abc",), (b"ab", b"d"))}
    assert len(keys) == 4
    assert cache.key(b"ab", b"c") in keys


def test_key_follows_library_versions_and_code(monkeypatch):
    before = cache.key(b"x")
    monkeypatch.setattr(cache, "version", lambda library: "0.0")
    other_libraries = cache.key(b"x")
    monkeypatch.undo()
    monkeypatch.setattr(cache, "_CODE", (b"changed",))
    assert len({before, other_libraries, cache.key(b"x")}) == 3


def test_key_covers_all_code_that_builds_a_model():
    listing = "import sys, mjx_assist.model.reduction; print(*(n for n in sys.modules if n.startswith('mjx_assist.')))"
    loaded = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True).stdout.split()
    others = {"errors", "paths", "files", "files.atomic", "files.untrusted", "config", "config.words"}
    others |= {"config.limits", "config.own_code", "config.subject", "config.tree"}  # a person's text is in the key
    # tell where things are and what words mean, not how models look
    names = {name.removeprefix("mjx_assist.") for name in loaded}
    assert {name.split(".")[0] for name in names - others} == set(cache._FOLDERS)


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff\xfe", b"cut"])
def test_damaged_entry_is_built_again(folder, damage):
    cache.fetch("a", "k", lambda: CONTENT)
    (path,) = folder.iterdir()
    path.write_bytes(path.read_bytes()[:40] if damage == b"cut" else damage)
    other = {"xml": "other"}
    assert cache.fetch("a", "k", lambda: other) == other
    assert cache.fetch("a", "k", never) == other


def test_altered_content_is_not_believed(folder):
    cache.fetch("a", "k", lambda: CONTENT)
    (path,) = folder.iterdir()
    path.write_text(path.read_text().replace("5.0", "6.0"))
    assert cache.fetch("a", "k", lambda: CONTENT) == CONTENT


def test_without_a_writable_folder_models_are_still_built(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(tmp_path / "file" / "below"))
    assert cache.fetch("a", "k", lambda: CONTENT) == CONTENT


def _build_many(folder: str) -> bool:
    os.environ[cache.FOLDER_VARIABLE] = folder
    large = {"xml": "x" * 300_000}
    return all(cache.fetch("a", str(n), lambda: large) == large for n in range(40))


def test_two_processes_at_once(folder):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert all(pool.map(_build_many, [str(folder)] * 2))
    assert not list(folder.glob("*.part"))
    assert len(list(folder.iterdir())) == 40
    assert all(json.loads(path.read_text().partition("\n")[2]) for path in folder.iterdir())
