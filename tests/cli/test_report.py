"""What `mjx-assist report` writes."""

import json
from pathlib import Path

import pytest

from mjx_assist.cli.main import main


def test_report_writes_its_files_and_prints_the_table(bundle_path: Path, tmp_path: Path, monkeypatch, capsys):
    from mjx_assist.eval.view import strip

    monkeypatch.setattr(strip, "_gl_backends", lambda: [])
    out = tmp_path / "report"
    assert main(["report", str(bundle_path), "-o", str(out), "--steps", "10", "--episodes", "2"]) == 0
    files = {"report.html", "composite.png", "composite.svg", "metrics.json", "strides.csv", "curves.csv", "walker.png"}
    assert {path.name for path in out.iterdir()} == files
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["episodes"] == 2
    assert metrics["verdict_facts"]["full_model_time_s"] == pytest.approx(0.3, abs=0.05)
    printed = capsys.readouterr().out
    assert str(out / "report.html") in printed
    assert "Speed (m/s)" in printed
