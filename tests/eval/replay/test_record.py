"""A gait record survives its file, and a file that is not one says so."""

import dataclasses

import numpy as np
import pytest
from synthetic_gait import in_3d, synthetic_gait

from mjx_assist.errors import UserError
from mjx_assist.eval.replay.record import NAMES, SCALARS, SCHEMA_VERSION, SERIES, GaitRecord
from mjx_assist.files.atomic import replacing


@pytest.fixture(scope="module")
def record():
    return synthetic_gait(duration=2.0, seed=7, fell=True)


def without_device(record):
    """The same walk with no device on it."""
    return dataclasses.replace(
        record,
        device_torque=np.zeros((record.time.size, 0)),
        device_moment=np.zeros_like(record.device_moment),
        device_names=(),
        device_joints=(),
        device="none",
    )


@pytest.mark.parametrize("device", [True, False])
def test_saved_record_loads_back_equal(record, tmp_path, device):
    record = record if device else without_device(record)
    loaded = GaitRecord.load(record.save(tmp_path / "new" / "walk"))
    for field in dataclasses.fields(GaitRecord):
        before, after = getattr(record, field.name), getattr(loaded, field.name)
        assert type(after) is type(before), field.name
        np.testing.assert_array_equal(before, after, err_msg=field.name)


def test_record_refuses_arrays_that_do_not_fit_its_names(record):
    with pytest.raises(ValueError, match=r"activation has shape \(480, 21\), expected \(480, 22\)"):
        dataclasses.replace(record, activation=record.activation[:, 1:])
    with pytest.raises(ValueError, match="device_joints"):
        dataclasses.replace(record, device_joints=("ankle_angle_r", "elbow_l"))
    with pytest.raises(ValueError, match="increase"):
        dataclasses.replace(record, time=record.time[::-1])


@pytest.mark.parametrize("name", SERIES)
def test_every_array_is_checked_along_all_of_its_axes(record, name):
    array = getattr(record, name)
    assert array.ndim == len(SERIES[name].axes)
    wrong = "phase" if name == "time" else name  # all are to be as long as time
    for axis in range(array.ndim):
        longer = np.concatenate([array, np.take(array, [0], axis)], axis)
        with pytest.raises(ValueError, match=f"{wrong} has shape"):
            dataclasses.replace(record, **{name: longer})


def test_what_a_record_holds_is_declared_once_and_completely(record):
    declared = (*SERIES, *NAMES, *SCALARS)
    assert sorted(declared) == sorted(field.name for field in dataclasses.fields(record))
    arrays = {name for name in declared if isinstance(getattr(record, name), np.ndarray)}
    assert arrays == set(SERIES)
    assert {name for name in declared if isinstance(getattr(record, name), tuple)} == set(NAMES)
    assert (SERIES["ground_reaction"].axes, SERIES["ground_reaction"].unit) == ("T23", "N")
    assert (SERIES["qvel"].axes, SERIES["qvel"].unit) == ("TJ", ("rad_per_s", "m_per_s"))
    assert all(part.about for part in (*SERIES.values(), *NAMES.values()))


def test_diverged_record_is_cut_before_its_first_bad_sample(record):
    qvel = record.qvel.copy()
    qvel[300, 4] = np.inf
    cut = dataclasses.replace(record, qvel=qvel).finite_part()
    assert cut.time.size == 300
    assert cut.foot_position.shape == (300, 2, 3)
    assert record.finite_part() is record
    with pytest.raises(UserError, match="seed 7"):
        dataclasses.replace(record, qvel=np.full_like(qvel, np.nan)).finite_part()


def test_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"walk\.npz: there is no such file"):
        GaitRecord.load(tmp_path / "walk.npz")


def entries(path):
    with np.load(path) as archive:
        return dict(archive)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": SCHEMA_VERSION + 1}, f"schema version {SCHEMA_VERSION + 1}, this program reads"),
        ({"schema": "something else"}, "not a gait record"),
        ({"qvel": np.zeros((3, 3))}, "qvel has shape"),
        ({"qvel": np.array([["a"]])}, "could not convert"),
        ({"seed": np.array("x")}, "invalid literal"),
        ({"qpos": np.array([{"a": 1}], dtype=object)}, "cannot be read"),  # would need a pickle
        ({"qpos": None}, "lacks qpos"),
    ],
)
def test_altered_file_is_refused_with_its_reason(record, tmp_path, change, message):
    path = record.save(tmp_path / "walk.npz")
    stored = {name: value for name, value in {**entries(path), **change}.items() if value is not None}
    np.savez(path, **stored)
    with pytest.raises(UserError, match=message):
        GaitRecord.load(path)


def test_a_file_from_before_stops_tips_and_device_mass_were_recorded_tells_that_it_lacks_them(record, tmp_path):
    path = record.save(tmp_path / "walk.npz")
    later = ("limit_moment", "toe_tip", "device_mass")
    np.savez(path, **{name: value for name, value in entries(path).items() if name not in later})
    old = GaitRecord.load(path)
    assert np.isnan(old.limit_moment).all() and np.isnan(old.toe_tip).all()
    assert old.device_mass == 0 and old.finite_part() is old
    np.testing.assert_array_equal(old.foot_ground, record.foot_ground)


@pytest.mark.parametrize(("kind", "told"), [("reduced", True), ("imported", False)])
def test_a_3d_walk_from_before_the_signs_were_recorded_says_that_its_left_hip_may_be_wrong(
    record, tmp_path, capsys, kind, told
):
    path = in_3d(dataclasses.replace(record, model_kind=kind)).save(tmp_path / "walk.npz")
    np.savez(path, **{name: value for name, value in entries(path).items() if name != "joint_sign"})
    assert (GaitRecord.load(path).joint_sign == 1).all()
    assert ("may have the wrong sign" in capsys.readouterr().err) == told


def test_a_device_as_heavy_as_everything_leaves_no_person(record):
    with pytest.raises(ValueError, match=r"more than device_mass, not 75\.0 and 75\.0"):
        dataclasses.replace(record, device_mass=record.body_mass)


def test_damaged_file_never_raises_anything_but_user_error(record, tmp_path):
    whole = record.save(tmp_path / "walk.npz").read_bytes()
    rng = np.random.default_rng(0)
    path = tmp_path / "damaged.npz"
    refused = 0
    damaged = [whole[:length] for length in (0, 1, 100, len(whole) // 2, len(whole) - 1)]
    for _ in range(60):
        content = bytearray(whole)
        content[rng.integers(len(whole))] ^= 1 << int(rng.integers(8))
        damaged.append(bytes(content))
    for content in damaged:
        path.write_bytes(content)
        try:
            GaitRecord.load(path)
        except UserError:
            refused += 1
    assert refused > 50  # a few bytes of a zip file mean nothing


def test_array_file_is_not_taken_for_a_record(tmp_path):
    np.save(tmp_path / "walk.npy", np.zeros(3))
    with pytest.raises(UserError, match="cannot be read"):
        GaitRecord.load(tmp_path / "walk.npy")


def test_file_is_replaced_whole_or_not_at_all(record, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(UserError, match="No space left"), replacing(path) as stream:
        stream.write(b"half")
        raise OSError(28, "No space left on device")
    assert path.read_bytes() == b"old"
    with replacing(path) as stream:
        stream.write(b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert path.read_bytes() == b"new"
    with pytest.raises(UserError, match="cannot be written"):
        record.save(path / "below_a_file.npz")
