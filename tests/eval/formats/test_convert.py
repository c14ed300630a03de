"""Gait files by their names: a record comes back whole, and what is wrong with a file is named."""

import dataclasses

import numpy as np
import pytest
from round_trip import check_same

from mjx_assist.cli.main import main
from mjx_assist.errors import UserError
from mjx_assist.eval.formats import convert
from mjx_assist.eval.replay.record import GaitRecord


def test_saved_record_is_the_same_bit_for_bit(record, tmp_path):
    found = convert.read([record.save(tmp_path / "walk.npz")]).record
    for field in dataclasses.fields(GaitRecord):
        ours, theirs = getattr(record, field.name), getattr(found, field.name)
        same = ours.tobytes() == theirs.tobytes() if isinstance(ours, np.ndarray) else ours == theirs
        assert same, field.name


def test_a_folder_of_opensim_files_is_one_walk(record, tmp_path):
    written = convert.write(record, tmp_path / "walk")
    assert [file.name for file in written] == ["kinematics.mot", "ground_reaction.mot", "forces.sto"]
    found = convert.read([tmp_path / "walk"]).record
    check_same(found, record, ("qpos", "ground_reaction", "center_of_pressure", "muscle_force", "device_torque"))


def cut(text):
    return text[: len(text) // 2].rpartition("\n")[0]


def replaced(old, new):
    return lambda text: text.replace(old, new, 1)


SPOILED = {
    "no endheader": ("walk.mot", replaced("endheader", ""), "no line 'endheader'"),
    "truncated mot": ("walk.mot", cut, "truncated: it holds"),
    "word in mot": ("walk.mot", replaced("\n0.02\t", "\n0.02\tabc\t"), "sample 2 has"),
    "not rising": ("walk.mot", replaced("\n0.03\t", "\n0.01\t"), "time must rise"),
    "columns": ("walk.mot", replaced("knee_angle_r\t", ""), "columns"),
    "repeated": ("walk.mot", replaced("knee_angle_r\t", "knee_angle_l\t"), "knee_angle_l appears more than once"),
    "grf column": ("walk_grf.mot", replaced("ground_force_vy\t", "force_of_y\t"), "lacks ground_force_vy"),
    "truncated csv": ("walk.csv", lambda text: text[:-20], "values, there are"),
    "csv word": ("walk.csv", replaced("\n0.02,", "\nsoon,"), "time.s, sample 2 is 'soon'"),
    "csv header": ("walk.csv", replaced("time.s,", "when,"), "it needs a column time.s"),
    "csv column": ("walk.csv", replaced("qvel.knee_angle_r.rad_per_s", "note"), "qvel lacks knee_angle_r"),
    "csv mass": ("walk.csv", replaced("# body_mass: 75.0", "# body_mass: heavy"), "body_mass is 'heavy'"),
    "truncated json": ("walk.json", cut, "is not JSON"),
    "foreign json": ("walk.json", lambda text: "{}", "no series_data"),
    "json list": ("walk.json", lambda text: "[1]", "no series_data"),
    "json word": ("walk.json", replaced('"qpos": [[', '"qpos": [["a", '), "gait data"),
}


@pytest.mark.parametrize("case", SPOILED)
def test_bad_files_are_named(record, tmp_path, case):
    name, spoil, message = SPOILED[case]
    file = tmp_path / name
    convert.write(record, file)
    file.write_text(spoil(file.read_text()))
    with pytest.raises(UserError, match=message) as raised:
        convert.read([file])
    assert str(file) in str(raised.value)


@pytest.mark.parametrize("name", ["walk.npz", "walk.csv", "walk.mot", "walk.json"])
@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n\xff\xfe\x00"])
def test_foreign_bytes_are_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=name):
        convert.read([tmp_path / name])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["walk.xlsx"], "Allowed: .c3d, .csv"),
        (["walk.sto"], "no joint angles"),
        (["none.mot"], "no such file"),
        (["walk.mot", "walk.csv"], "both hold"),
        (["walk.npz", "walk.mot"], "cannot be joined"),
    ],
)
def test_inputs_that_make_no_record_are_named(record, tmp_path, names, message):
    for name in ("walk.npz", "walk.sto", "walk.mot", "walk.csv"):
        convert.write(record, tmp_path / name)
    with pytest.raises(UserError, match=message):
        convert.read([tmp_path / name for name in names])


def test_a_failed_conversion_leaves_the_old_file(record, tmp_path):
    old = record.save(tmp_path / "walk.npz").read_bytes()
    (tmp_path / "bad.mot").write_text("nothing")
    assert main(["convert", str(tmp_path / "bad.mot"), "-o", str(tmp_path / "walk.npz")]) == 2
    assert (tmp_path / "walk.npz").read_bytes() == old
    (tmp_path / "x.mot").mkdir()
    with pytest.raises(UserError, match="is a folder"):
        convert.check_output(tmp_path / "x.mot")
