"""`demo` runs commands that anybody can type and says where their pages are; `train --dry-run` writes nothing."""

import itertools
import re
import sys
from pathlib import Path

import pytest
import small_runs

from mjx_assist.cli.main import build_parser, main

commands = sys.modules["mjx_assist.cli.main"]


def test_demo_types_commands_that_there_are_and_says_where_their_pages_are(tmp_path, monkeypatch, capsys):
    typed = []
    monkeypatch.setattr(commands, "main", lambda words: typed.append(words) or 0)
    assert main(["demo", "-o", str(tmp_path / "demo")]) == 0
    told = capsys.readouterr().out
    for words in typed:
        assert not build_parser(words[0])[0].parse_known_args(words)[1]
        assert f"$ mjx-assist {' '.join(words)}" in told
    assert [words[0] for words in typed] == ["replay", "report", "compare"]
    for line in re.findall(r"^  mjx-assist (.*?)(?:  .*)?$", told, re.MULTILINE):
        for words in (command.removeprefix("mjx-assist ").split() for command in line.split("; ")):
            names = " ".join(words[:2]) if words[0] == "configs" else words[0]
            assert not build_parser(names)[0].parse_known_args(words)[1], line


def test_demo_ends_where_a_command_does(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(commands, "main", lambda words: 2)
    assert main(["demo", "-o", str(tmp_path / "demo")]) == 2
    assert "replay walk22_exo --headless --steps 300' ended with exit code 2" in capsys.readouterr().err


@pytest.mark.slow
def test_the_whole_demo_leaves_its_pages(tmp_path, capsys):
    assert main(["demo", "-o", str(tmp_path / "demo")]) == 0
    for page in re.findall(r"^  (\S+\.html)", capsys.readouterr().out, re.MULTILINE):
        assert "<html" in Path(page).read_text()[:2000]


def test_a_dry_run_counts_what_would_train_and_writes_nothing(quick_gait, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "walk22_exo", "--dry-run", *small_runs.flags(updates=5)]) == 0
    rows = [re.split(r"\s+", line, maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    told = {what: value for what, value in rows if what}
    assert told["training"] == "20 control steps: 5 updates of 4"
    assert told["update"] == "2 epochs of 1 minibatches of 4"
    networks = [[int(n) for n in re.findall(r"\d+", value.split(": ")[1])] for what, value in rows if what == "network"]
    networks.append([int(told["observes"].split()[0]), 4, 1])  # the critic
    weights = sum((a + 1) * b for layers in networks for a, b in itertools.pairwise(layers))
    spread = sum(layers[-1] for layers in networks[:-1])  # a standard deviation for each action
    assert told["parameters"] == f"{weights + spread:,}, from fresh networks"
    assert "control steps/s" in told["time"] and "MB" in told["memory"]
    assert list(tmp_path.iterdir()) == []
