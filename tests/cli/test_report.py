"""What `mjx-assist report` writes."""

import json
from pathlib import Path

import pytest
from synthetic_gait import synthetic_gait

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


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--figures", "jpg"), "'jpg' is unknown"),
        (("--figures", ","), "--figures"),
        (("--labels", "one"), "2 different names are needed, for: right; left"),
        (("--labels", "one,one"), "2 different names"),
    ],
)
def test_flags_that_ask_for_what_there_is_not_are_refused_first(refused, tmp_path, flags, told):
    record = synthetic_gait(duration=2.0).save(tmp_path / "walk.npz")
    assert told in refused("report", record, *flags, "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()
