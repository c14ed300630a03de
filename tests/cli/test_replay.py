"""What `mjx-assist replay` says."""

import argparse
import sys
from pathlib import Path

import pytest

from mjx_assist.cli import replay
from mjx_assist.cli.main import main
from mjx_assist.eval.view import web


def test_replay_without_a_display_suggests_headless(refused, bundle_path: Path, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert "--headless" in refused("replay", bundle_path)


def test_headless_replay_tells_the_real_time_factor(bundle_path: Path, capsys):
    assert main(["replay", str(bundle_path), "--headless", "--steps", "5"]) == 0
    assert "real-time factor" in capsys.readouterr().out


def test_on_a_terminal_without_a_display_the_page_is_served(bundle_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("viser", reason="needs the extra [web]")
    for screen in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(screen, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    served = []
    monkeypatch.setattr(web, "serve", lambda choices, host, port: served.append((choices, host, port)))
    assert main(["replay", str(bundle_path)]) == 0
    ((choices, host, port),) = served
    assert (choices.policy, host, port) == ("untrained", "127.0.0.1", 8080)
    assert {"walk22_exo", "walk22_all"} < set(choices.policies)


def test_of_a_run_the_best_policy_and_every_checkpoint_can_be_chosen(tmp_path: Path):
    for name in ("checkpoints/7", "checkpoints/12", "checkpoints/12.tmp", "best"):
        (tmp_path / "run" / name).mkdir(parents=True)
    asked = argparse.Namespace(policy=str(tmp_path / "run"))
    names = list(replay._policies(asked, None, "reduced"))
    assert names[:4] == ["run", "run, best", "run, update 12", "run, update 7"]
