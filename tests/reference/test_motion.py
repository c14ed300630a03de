"""A user's motion loads in every format with the same result, and each thing that goes wrong is named."""

import json
import warnings

import numpy as np
import pytest

from mjx_assist.errors import UserError
from mjx_assist.reference.cycle import sample
from mjx_assist.reference.motion import load_motion

RATE = 100.0
SPEED = 1.25
LEG = ("hip_flexion", "knee_angle", "ankle_angle", "mtp_angle")
JOINTS = ("pelvis_tx", "pelvis_ty", "pelvis_tilt", *(f"{joint}_{side}" for side in "rl" for joint in LEG))
NEEDED = [j for j in JOINTS if j not in ("pelvis_tx", "pelvis_ty", "mtp_angle_r", "mtp_angle_l")]


@pytest.fixture
def motion(gait):
    """One stride of the healthy gait at 1.25 m/s as a user would have it: columns and fields."""
    samples = 112  # 100 Hz for 1.12 s
    qpos, _, _ = sample(gait, np.arange(samples) / samples, SPEED)
    columns = {f"q_{joint}": qpos[:, JOINTS.index(joint)].copy() for joint in NEEDED}
    return columns, {"sample_rate": RATE, "speed": SPEED}


def write_csv(path, columns, fields):
    lines = [f"# {name}: {value}" for name, value in fields.items()]
    lines.append(",".join(columns))
    lines += [",".join(str(value) for value in row) for row in zip(*columns.values(), strict=True)]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_json(path, columns, fields):
    path.write_text(json.dumps({name: list(column) for name, column in columns.items()} | fields))
    return path


def write_npz(path, columns, fields):
    np.savez(path, **columns, **fields)
    return path


WRITERS = {"csv": write_csv, "json": write_json, "npz": write_npz}


@pytest.mark.parametrize("form", WRITERS)
def test_every_format_gives_back_the_motion(tmp_path, model, gait, motion, form):
    loaded = load_motion(WRITERS[form](tmp_path / f"walk.{form}", *motion), model)
    assert loaded.speed == [SPEED] and loaded.stride_frequency == pytest.approx([1 / 1.12])
    for joint in NEEDED:
        place = JOINTS.index(joint)
        np.testing.assert_allclose(loaded.qpos[0, :, place], gait.qpos[3, :, place], atol=0.01, err_msg=joint)
    np.testing.assert_allclose(loaded.qpos[0, :, 1], gait.qpos[3, :, 1], atol=0.012)  # computed from the ground
    qpos, qvel, foot = sample(loaded, np.array([0.1, 0.7]), 2.0)
    assert qpos.shape == (2, 11) and foot.shape == (2, 2, 2)
    np.testing.assert_allclose(qvel[:, 0], SPEED)


def test_degrees_are_read_when_the_file_says_so(tmp_path, model, gait, motion):
    columns, fields = motion
    degrees = {name: np.degrees(column) for name, column in columns.items()}
    loaded = load_motion(write_csv(tmp_path / "walk.csv", degrees, fields | {"units": "deg"}), model)
    np.testing.assert_allclose(loaded.qpos[0, :, 4], gait.qpos[3, :, 4], atol=0.01)


def test_several_strides_are_cut_at_contact_and_averaged(tmp_path, model, gait, motion):
    time = np.arange(400) / RATE
    qpos, _, _ = sample(gait, (time - 0.4) / 1.12, SPEED)
    columns = {"time": time} | {f"q_{joint}": qpos[:, JOINTS.index(joint)] for joint in NEEDED}
    fields = {"speed": SPEED, "stride_time": 1.12, "first_contact": 0.4}
    loaded = load_motion(write_csv(tmp_path / "walk.csv", columns, fields), model)
    np.testing.assert_allclose(loaded.qpos[0, :, 3:6], gait.qpos[3, :, 3:6], atol=0.01)


def test_speed_comes_from_the_way_walked(tmp_path, model, motion):
    columns, _ = motion
    columns["q_pelvis_tx"] = 3.0 + SPEED * np.arange(112) / RATE
    loaded = load_motion(write_csv(tmp_path / "walk.csv", columns, {"sample_rate": RATE}), model)
    assert loaded.speed == pytest.approx([SPEED])
    assert np.all(loaded.qpos[0, :, 0] == 0)


def test_unused_columns_are_told(tmp_path, model, motion):
    columns, fields = motion
    columns["q_lumbar_extension"] = np.zeros(112)
    path = write_csv(tmp_path / "walk.csv", columns, fields)
    with pytest.warns(UserWarning, match="q_lumbar_extension"):
        load_motion(path, model)


def test_a_good_file_warns_of_nothing(tmp_path, model, motion):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_motion(write_csv(tmp_path / "walk.csv", *motion), model)


def spoil_value(name, row, value):
    def spoil(columns, fields):
        columns[name] = [value if k == row else v for k, v in enumerate(columns[name])]

    return spoil


def rename(old, new):
    def spoil(columns, fields):
        columns[new] = columns.pop(old)

    return spoil


def scale(factor, *names):
    def spoil(columns, fields):
        for name in names or columns:
            columns[name] = np.asarray(columns[name]) * factor

    return spoil


def put(**values):
    return lambda columns, fields: fields.update(values)


def drop(name):
    return lambda columns, fields: fields.pop(name)


def half(columns, fields):
    for name in columns:
        columns[name] = columns[name][:56]


def add_time(step):
    def spoil(columns, fields):
        columns["time"] = np.arange(112) * step

    return spoil


def lift(columns, fields):
    columns["q_pelvis_ty"] = np.full(112, 2.0)


def empty(columns, fields):
    for name in columns:
        columns[name] = []


MISTAKES = {
    "missing joint": (rename("q_knee_angle_r", "q_knee_r"), r"q_knee_angle_r is missing.*'q_knee_r'"),
    "nan": (spoil_value("q_hip_flexion_l", 16, float("nan")), r"q_hip_flexion_l, row 17 is nan"),
    "infinite": (spoil_value("q_hip_flexion_l", 0, float("inf")), r"q_hip_flexion_l, row 1 is inf"),
    "degrees": (scale(180 / np.pi), r"Are these degrees\? Then units: deg"),
    "radians called degrees": (put(units="deg"), r"are these radians\? Then units: rad"),
    "unknown units": (put(units="degree"), r"units: 'degree' is unknown.*'deg'"),
    "knee sign": (scale(-1, "q_knee_angle_r"), r"q_knee_angle_r.*Is the sign turned\?"),
    "absurd rate": (put(sample_rate=6000.0), r"sample_rate is 6000.0.*from 10 to 5000 Hz"),
    "low rate": (put(sample_rate=1.0), r"sample_rate is 1.0"),
    "rate that makes a stride of 11 s": (put(sample_rate=10.0), r"stride of 11.2 s"),
    "no rate": (drop("sample_rate"), r"sample_rate is missing"),
    "misspelt rate": (lambda c, f: f.update(samplerate=f.pop("sample_rate")), r"Is 'samplerate' meant"),
    "no speed": (drop("speed"), r"speed is missing.*q_pelvis_tx"),
    "speed in km/h": (put(speed=4.5), r"speed is 4.5"),
    "not periodic": (half, r"not periodic: q_"),
    "time in ms": (add_time(10.0), r"Is time in seconds\?"),
    "a gap in time": (
        lambda c, f: c.update(time=np.arange(112) / RATE + 0.3 * (np.arange(112) > 50)),
        r"0.5 to 0.81 s",
    ),
    "two trials": (lambda c, f: c.update(time=np.arange(112) % 56 / RATE), r"row 57 is at 0 s.*several trials"),
    "stride longer than the file": (put(stride_time=1.5), r"hold no whole stride"),
    "absurd stride": (put(stride_time=20.0), r"stride_time is 20.0"),
    "contact without stride": (put(first_contact=0.2), r"stride_time is missing"),
    "pelvis in the air": (lift, r"q_pelvis_ty puts the lowest foot"),
    "no samples": (empty, r"holds no samples"),
}


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_named(tmp_path, model, motion, mistake, form):
    columns, fields = motion
    spoil, message = MISTAKES[mistake]
    spoil(columns, fields)
    path = WRITERS[form](tmp_path / f"walk.{form}", columns, fields)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(UserError, match=message) as caught:
            load_motion(path, model)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("form", ["json", "npz"])
def test_columns_of_different_lengths_are_named(tmp_path, model, motion, form):
    columns, fields = motion
    columns["q_ankle_angle_l"] = columns["q_ankle_angle_l"][:-3]
    path = WRITERS[form](tmp_path / f"walk.{form}", columns, fields)
    with pytest.raises(UserError, match=r"differ in length.*q_ankle_angle_l 109"):
        load_motion(path, model)


def test_short_csv_row_is_named(tmp_path, model, motion):
    path = write_csv(tmp_path / "walk.csv", *motion)
    lines = path.read_text().splitlines()
    lines[7] = lines[7].rpartition(",")[0]
    path.write_text("\n".join(lines))
    with pytest.raises(UserError, match="sample 5 has 6 values, there are 7 labels"):
        load_motion(path, model)


@pytest.mark.parametrize("value, shown", [("", "empty"), ("n/a", "'n/a'")])
def test_cell_that_is_no_number_is_named(tmp_path, model, motion, value, shown):
    columns, fields = motion
    spoil_value("q_pelvis_tilt", 3, value)(columns, fields)
    with pytest.raises(UserError, match=f"q_pelvis_tilt, row 4 is {shown}"):
        load_motion(write_csv(tmp_path / "walk.csv", columns, fields), model)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("angles", {"q_hip_flexion_r": [0.0]}, "pickled objects"),
        ("series_data", {"q_hip": print}, "more than plain data"),
    ],
)
def test_pickled_objects_are_refused(tmp_path, model, name, value, told):
    np.savez(tmp_path / "walk.npz", **{name: np.array(value, dtype=object)})
    with pytest.raises(UserError, match=told):
        load_motion(tmp_path / "walk.npz", model)


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("walk.npz", b"no archive", "cannot be read"),
        ("walk.npz", b"PK\x03\x04 broken", "cannot be read"),
        ("walk.json", b"{", "not JSON"),
        ("walk.json", b"[1, 2]", "one object"),
        ("walk.csv", b"\xff\xfe\x00", "UTF-8"),
        ("walk.csv", b"", "no samples"),
        ("walk.csv", b"q_hip_flexion_r,q_hip_flexion_r\n1,2\n", "more than once"),
        ("walk.c3d", b"", "'.c3d' is unknown"),
        ("walk.mot", b"", "no line 'endheader'"),
    ],
)
def test_file_that_is_not_what_it_says(tmp_path, model, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        load_motion(tmp_path / name, model)


def test_missing_file_is_named(tmp_path, model):
    with pytest.raises(UserError, match="no such file"):
        load_motion(tmp_path / "nowhere.csv", model)
