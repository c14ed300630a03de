"""What `mjx-assist replay` says."""

import sys
from pathlib import Path

from mjx_assist.cli.main import main


def test_replay_without_a_display_suggests_headless(refused, bundle_path: Path, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert "--headless" in refused("replay", bundle_path)


def test_headless_replay_tells_the_real_time_factor(bundle_path: Path, capsys):
    assert main(["replay", str(bundle_path), "--headless", "--steps", "5"]) == 0
    assert "real-time factor" in capsys.readouterr().out
