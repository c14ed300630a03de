"""OpenSim's kinematics become a reference gait: strides found, signs and units understood, mistakes named."""

import numpy as np
import pytest

from mjx_assist.config.schema import EnvParams
from mjx_assist.errors import UserError
from mjx_assist.files.opensim_table import Table, is_length, table_text
from mjx_assist.reference.cycle import sample
from mjx_assist.reference.motion import load_motion

RATE, SPEED, STRIDE = 100.0, 1.25, 1.12
LEG = ("hip_flexion", "knee_angle", "ankle_angle")
NEEDED = ("pelvis_tilt", *(f"{joint}_{side}" for side in "rl" for joint in LEG))


def walk(gait, seconds=4.0, start=0.37):
    """Coordinates {name: [T]} rad and m of healthy walking that begins anywhere in the cycle."""
    time = np.arange(round(seconds * RATE)) / RATE
    qpos, _, _ = sample(gait, start + time / STRIDE, SPEED)
    columns = {name: qpos[:, gait.joint_names.index(name)] for name in NEEDED}
    return time, {"pelvis_tx": 3.0 + SPEED * time, "pelvis_ty": 1.4 + 0 * time, **columns}


def write(path, time, columns, degrees=True, fields=None):
    shown = {k: c if is_length(k) or not degrees else np.degrees(c) for k, c in columns.items()}
    path.write_text(table_text("walk", Table(fields or {}, degrees, time, shown)))
    return path


def check(loaded, gait, atol=0.06):
    """The same cycle: angles at each phase (rad), and the best alignment within 3 % of the cycle.

    A heel is farthest ahead a little before it lands: 2 % of the cycle in this gait.
    """
    middle = int(np.argmin(np.abs(gait.speed - SPEED)))
    for name in NEEDED:
        place = gait.joint_names.index(name)
        ours, theirs = loaded.qpos[0, :, place], gait.qpos[middle, :, place]
        shifts = range(-10, 11)
        gaps = [np.abs(np.roll(ours, shift) - theirs).max() for shift in shifts]
        assert abs(shifts[int(np.argmin(gaps))]) <= 6, name  # of 200 phases
        assert min(gaps) < atol, (name, min(gaps))


@pytest.fixture(scope="module")
def model(reduced):
    return reduced.model


@pytest.mark.parametrize("degrees", [True, False])
def test_strides_are_found_and_averaged(tmp_path, model, gait, degrees):
    loaded = load_motion(write(tmp_path / "walk.mot", *walk(gait), degrees), model)
    assert loaded.speed == pytest.approx([SPEED], rel=1e-3)
    assert loaded.stride_frequency == pytest.approx([1 / STRIDE], rel=0.01)
    check(loaded, gait)


def test_one_stride_that_begins_anywhere_is_turned_to_its_contact(tmp_path, model, gait):
    loaded = load_motion(write(tmp_path / "walk.mot", *walk(gait, seconds=STRIDE)), model)
    assert loaded.stride_frequency == pytest.approx([1 / STRIDE], rel=0.01)
    check(loaded, gait)


def test_knees_that_flex_positively_are_understood(tmp_path, model, gait):
    """Rajagopal's model counts knee flexion positive, gait2392 negative."""
    time, columns = walk(gait)
    turned = {name: -c if name.startswith("knee") else c for name, c in columns.items()}
    loaded = load_motion(write(tmp_path / "walk.mot", time, turned), model)
    check(loaded, gait)


def test_a_states_file_of_opensim_is_read(tmp_path, model, gait):
    time, columns = walk(gait)
    states = {f"/jointset/some_joint/{name}/value": column for name, column in columns.items()}
    states |= {f"/jointset/some_joint/{name}/speed": 0 * column for name, column in columns.items()}
    check(load_motion(write(tmp_path / "walk.sto", time, states, degrees=False), model), gait)


def test_on_a_treadmill_the_header_tells_the_speed(tmp_path, model, gait):
    time, columns = walk(gait)
    columns["pelvis_tx"] = 0.01 * np.sin(time)
    with pytest.raises(UserError, match=r"stands still.*header line such as speed=1.25"):
        load_motion(write(tmp_path / "walk.mot", time, columns), model)
    told = write(tmp_path / "told.mot", time, columns, fields={"speed": "1.1"})
    assert load_motion(told, model).speed == [1.1]


def test_the_header_may_tell_the_strides(tmp_path, model, gait):
    time, columns = walk(gait)
    fields = {"stride_time": str(STRIDE), "first_contact": str((1 - 0.37) * STRIDE)}
    loaded = load_motion(write(tmp_path / "walk.mot", time, columns, fields=fields), model)
    assert loaded.stride_frequency == [1 / STRIDE]
    check(loaded, gait, atol=0.02)


def test_a_missing_joint_is_named(tmp_path, model, gait):
    time, columns = walk(gait)
    columns["ankle_l"] = columns.pop("ankle_angle_l")
    with pytest.raises(UserError, match=r"walk.mot: q_ankle_angle_l is missing.*Needed are .*q_hip_flexion_r"):
        load_motion(write(tmp_path / "walk.mot", time, columns), model)


def test_half_a_stride_is_refused(tmp_path, model, gait):
    with pytest.raises(UserError, match=r"not periodic|make a stride of"):
        load_motion(write(tmp_path / "walk.mot", *walk(gait, seconds=0.6)), model)


@pytest.mark.slow
def test_the_env_trains_on_it(tmp_path, gait):
    from mjx_assist.sim.env import make_env

    path = write(tmp_path / "walk.mot", *walk(gait))
    env = make_env(EnvParams(reference_data_path=str(path), backend="mujoco"))
    assert env.gait.speed == pytest.approx([SPEED], rel=1e-3)
