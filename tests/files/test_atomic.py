"""Files and folders that are whole or not there: what a reader finds while one is written, and after it failed."""

import os
import stat
import threading
from pathlib import Path

import pytest

from mjx_assist.errors import UserError
from mjx_assist.files import atomic


def is_ours(path: Path) -> bool:
    return (path / "ours").is_file()


def replacing_ours(path: Path):
    return atomic.replacing_folder(path, "one of ours", is_ours, lambda reason: f"no {path.name}: {reason}!")


def make(path: Path, text: str) -> None:
    with replacing_ours(path) as folder:
        (folder / "ours").write_text(text)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_the_old_one_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "new" / "file"
    atomic.write_text(path, "old")
    with atomic.replacing(path) as stream:
        stream.write("μ".encode())
        stream.flush()
        assert path.read_text() == "old"
    assert path.read_bytes() == "μ".encode()
    assert names(path.parent) == ["file"]


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt])
def test_an_error_in_the_block_leaves_what_was_there_and_nothing_else(tmp_path, error):
    atomic.write_text(tmp_path / "file", "old")
    make(tmp_path / "folder", "old")
    with pytest.raises(error), atomic.replacing(tmp_path / "file") as stream:
        stream.write(b"half")
        raise error
    with pytest.raises(error), replacing_ours(tmp_path / "folder") as folder:
        (folder / "half").write_text("half")
        raise error
    assert (tmp_path / "file").read_text() == (tmp_path / "folder" / "ours").read_text() == "old"
    assert names(tmp_path) == ["file", "folder"]
    assert names(tmp_path / "folder") == ["ours"]


def test_a_file_below_a_file_is_a_sentence_with_its_path(tmp_path):
    atomic.write_text(tmp_path / "file", "")
    for write in (lambda path: atomic.write_text(path, ""), lambda path: atomic.replace_link(path, path.parent / "x")):
        with pytest.raises(UserError, match=r"file/below: cannot be written \((File exists|Not a directory)\)\.$"):
            write(tmp_path / "file" / "below")


def test_a_new_file_has_the_rights_that_any_new_file_has(tmp_path):
    (tmp_path / "plain").write_text("")
    atomic.write_text(tmp_path / "file", "")
    make(tmp_path / "folder", "")
    (tmp_path / "made").mkdir()

    def rights(name):
        return stat.S_IMODE((tmp_path / name).stat().st_mode)

    assert rights("file") == rights("plain")
    assert rights("folder") == rights("made")


def test_many_writers_of_one_file_never_mix(tmp_path):
    texts = [str(i) * 200_000 for i in range(4)]
    threads = [
        threading.Thread(target=lambda text=text: [atomic.write_text(tmp_path / "file", text) for _ in range(20)])
        for text in texts
    ]
    for thread in threads:
        thread.start()
    seen = set()
    while any(thread.is_alive() for thread in threads):
        if (tmp_path / "file").exists():
            seen.add((tmp_path / "file").read_text())
    assert seen <= set(texts)
    assert names(tmp_path) == ["file"]


def test_a_pipe_is_written_to_and_stays_one(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    atomic.write_text(tmp_path / "pipe", "text")
    assert os.read(reader, 10) == b"text"
    os.close(reader)
    assert (tmp_path / "pipe").is_fifo()


def test_a_folder_is_the_old_one_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "deep" / "folder"
    make(path, "old")
    (path / "more").write_text("")
    with replacing_ours(path) as folder:
        assert not list(folder.iterdir())
        (folder / "ours").write_text("new")
        assert (path / "ours").read_text() == "old"
    assert (path / "ours").read_text() == "new"
    assert names(path) == ["ours"] and names(path.parent) == ["folder"]


@pytest.mark.parametrize("make_foreign", [Path.mkdir, Path.touch])
def test_what_is_not_ours_is_left_as_it_is(tmp_path, make_foreign):
    make_foreign(tmp_path / "mine")
    left = r"^-o '.*mine' exists and is not one of ours; it is left as it is\.$"
    with pytest.raises(UserError, match=left), replacing_ours(tmp_path / "mine"):
        pytest.fail("the block is run")
    assert names(tmp_path) == ["mine"]


def test_neighbours_with_names_like_leftovers_are_nobodys(tmp_path):
    for name in ("folder.part", "folder.old"):
        make(tmp_path / name, "the user's")
    make(tmp_path / "folder", "first")
    make(tmp_path / "folder", "second")
    texts = {name: (tmp_path / name / "ours").read_text() for name in names(tmp_path)}
    assert texts == {"folder": "second", "folder.part": "the user's", "folder.old": "the user's"}


def test_what_the_file_system_refuses_is_in_the_callers_words(tmp_path):
    with pytest.raises(UserError, match=r"^no folder: No space left on device!$"), replacing_ours(tmp_path / "folder"):
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())


def test_the_old_folder_comes_back_where_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    make(tmp_path / "folder", "old")
    move = os.replace

    def refuse(source, target):
        if Path(source).suffix == ".part":
            raise OSError(1, "Operation not permitted")
        move(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(UserError, match="Operation not permitted"):
        make(tmp_path / "folder", "new")
    assert (tmp_path / "folder" / "ours").read_text() == "old"
    assert names(tmp_path) == ["folder"]


def test_a_link_to_a_folder_is_replaced_and_the_folder_stays(tmp_path):
    make(tmp_path / "kept", "kept")
    (tmp_path / "link").symlink_to("kept")
    make(tmp_path / "link", "new")
    assert (tmp_path / "kept" / "ours").read_text() == "kept"
    assert (tmp_path / "link" / "ours").read_text() == "new" and not (tmp_path / "link").is_symlink()
    assert names(tmp_path) == ["kept", "link"]


def test_a_link_leads_elsewhere_in_one_step_and_moves_with_its_folder(tmp_path):
    for name in ("a", "b"):
        make(tmp_path / "run" / name, name)
        atomic.replace_link(tmp_path / "run" / "best", tmp_path / "run" / name)
    (tmp_path / "run").rename(tmp_path / "moved")
    assert (tmp_path / "moved" / "best" / "ours").read_text() == "b"
    assert names(tmp_path / "moved") == ["a", "b", "best"]
