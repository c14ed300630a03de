"""A gait record as one table of comma-separated values."""

from round_trip import back, check_same

from mjx_assist.eval.formats import convert
from mjx_assist.eval.replay.record import NAMES, SCALARS, SERIES


def test_csv_holds_the_whole_record(record, tmp_path):
    imported = back(record, tmp_path, "walk.csv")
    assert imported.absent == () and imported.notes == ()
    check_same(imported.record, record, SERIES)
    for name in (*NAMES, *SCALARS):
        assert getattr(imported.record, name) == getattr(record, name), name


def test_csv_columns_carry_their_units(record, tmp_path):
    convert.write(record, tmp_path / "walk.csv")
    header = next(line for line in (tmp_path / "walk.csv").read_text().splitlines() if not line.startswith("#"))
    labels = header.split(",")
    assert len(set(labels)) == len(labels)
    expected = ("time.s", "qpos.pelvis_tx.m", "qpos.knee_angle_r.rad", "ground_reaction.left.up.N", "phase.cycle")
    assert set(expected) <= set(labels)
