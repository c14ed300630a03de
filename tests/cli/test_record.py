"""What `mjx-assist record` writes."""

import pytest

from mjx_assist.cli.main import main
from mjx_assist.eval.replay.record import GaitRecord


@pytest.mark.parametrize(("rate", "samples_per_step"), [("control", 1), ("physics", 8), (None, 8)])
def test_record_samples_at_the_rate_asked_for(bundle_path, tmp_path, rate, samples_per_step, capsys):
    """30 Hz control, 240 Hz physics."""
    out = tmp_path / "walk.npz"
    arguments = ["record", str(bundle_path), "-o", str(out), "--steps", "6", *(["--rate", rate] if rate else [])]
    assert main(arguments) == 0
    assert GaitRecord.load(out).time.size == 6 * samples_per_step
    assert str(out) in capsys.readouterr().out


def test_another_ending_is_refused_before_the_walk(tmp_path, capsys):
    assert main(["record", "nowhere", "-o", str(tmp_path / "walk.csv")]) == 2
    assert "ends in .npz" in capsys.readouterr().err
