"""What `mjx-assist convert` says."""

from synthetic_gait import synthetic_gait

from mjx_assist.cli.main import main


def test_convert_tells_what_is_missing(tmp_path, capsys):
    record = synthetic_gait(3.0, 100.0)
    source, out = record.save(tmp_path / "walk.npz"), tmp_path / "walk.mot"
    assert main(["convert", str(source), "-o", str(out)]) == 0
    assert main(["convert", str(out), "-o", str(tmp_path / "back.npz")]) == 0
    printed = capsys.readouterr().out
    assert "not in the files (NaN): phase, " in printed and "note: joint velocities" in printed
    assert main(["convert", str(out), "-o", str(tmp_path / "back.xls")]) == 2
    assert "Allowed: .csv" in capsys.readouterr().err
