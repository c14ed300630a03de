"""A training reference of any kind gives the same cycle, speed and stride, or says what is wrong with it."""

import json
import warnings

import numpy as np
import pytest

from mjx_assist.errors import UserError
from mjx_assist.files.opensim_table import Table, is_length, table_text
from mjx_assist.reference.cycle import sample
from mjx_assist.reference.motion import load_motion

RATE, SPEED, STRIDE = 100.0, 1.25, 1.12
LEG = ("hip_flexion", "knee_angle", "ankle_angle")
NEEDED = ("pelvis_tilt", *(f"{joint}_{side}" for side in "rl" for joint in LEG))


def walk(gait, time, start=0.37):
    """Coordinates {name: [T]} in rad and m of healthy walking from ``start`` of the cycle on."""
    qpos, _, _ = sample(gait, start + time / STRIDE, SPEED)
    return {"pelvis_tx": SPEED * time} | {name: qpos[:, gait.joint_names.index(name)] for name in NEEDED}


def over(seconds):
    return np.arange(round(seconds * RATE)) / RATE


def opensim(path, time, columns):
    shown = {k: c if is_length(k) else np.degrees(c) for k, c in columns.items()}
    path.write_text(table_text("Coordinates", Table({}, True, time, shown)))
    return path


def csv(path, time, columns, notes=(), **fields):
    named = {"time": time} | {f"q_{k}": c for k, c in columns.items()} if time is not None else columns
    lines = [*notes, *(f"# {k}: {v}" for k, v in fields.items()), ",".join(named)]
    path.write_text("\n".join([*lines, *(",".join(map(str, row)) for row in zip(*named.values(), strict=True))]))
    return path


def check(loaded, gait, atol=0.06):
    """Speed, stride, and the angles at each phase, with the best alignment within 2 % of the cycle."""
    assert loaded.speed == pytest.approx([SPEED], rel=0.01)
    assert loaded.stride_frequency == pytest.approx([1 / STRIDE], rel=0.01)
    middle = int(np.argmin(np.abs(gait.speed - SPEED)))
    places = [gait.joint_names.index(name) for name in NEEDED]
    gaps = [np.abs(np.roll(loaded.qpos[0], shift, 0) - gait.qpos[middle])[:, places].max() for shift in range(-5, 6)]
    assert min(gaps) < atol, gaps


def quietly(path, model):
    """(the reference, what was told)."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        return load_motion(path, model), " ".join(str(warning.message) for warning in told)


def stood_first(gait):
    """Two seconds of standing, then walking."""
    time = over(6.5)
    columns = walk(gait, np.maximum(time - 2.0, 0.0))
    return time, {n: np.where(time < 2.0, c[0] if n == "pelvis_tx" else 0.0, c) for n, c in columns.items()}


def closed(gait, strides):
    """Whole strides whose last sample is the first again."""
    time = np.linspace(0, strides * STRIDE, 1 + round(strides * STRIDE * RATE))
    return time, walk(gait, time, start=0.0)


def along(gait, yaw):
    time, far = over(4), SPEED * over(4)
    placed = {"pelvis_tx": np.cos(yaw) * far, "pelvis_tz": -np.sin(yaw) * far, "pelvis_rotation": 0 * far + yaw}
    return time, walk(gait, time) | placed


def at(gait, time):
    return time, walk(gait, time)


JITTER = over(4) + np.random.default_rng(0).uniform(-0.002, 0.002, 400)
ADAPTIVE = np.sort(np.concatenate([np.arange(0, 2, 0.05), np.arange(2, 4, 0.012)]))
# kind: (time and columns of a walk, what is told of it)
KINDS = {
    "two strides": (lambda gait: at(gait, over(2 * STRIDE)), ""),
    "three strides": (lambda gait: at(gait, over(3 * STRIDE)), ""),
    "2.4 strides": (lambda gait: at(gait, over(2.4 * STRIDE)), ""),
    "many strides": (lambda gait: at(gait, over(9)), ""),
    "one closed stride": (lambda gait: closed(gait, 1), ""),
    "two closed strides": (lambda gait: closed(gait, 2), ""),
    "standing first": (stood_first, ""),
    "towards -x": (lambda gait: along(gait, np.pi), "180 deg from x"),
    "along z": (lambda gait: along(gait, -np.pi / 2), "-90 deg from x"),
    "oblique": (lambda gait: along(gait, 0.6), "34 deg from x"),
    "a clock that jitters": (lambda gait: at(gait, JITTER), "uneven steps"),
    "adaptive steps": (lambda gait: at(gait, ADAPTIVE), "uneven steps"),
    "a lost frame": (lambda gait: at(gait, np.delete(over(4), 150)), "uneven steps"),
    "a window": (lambda gait: (over(4) + 100.3, walk(gait, over(4))), ""),
}


@pytest.mark.parametrize("form", [opensim, csv])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_same_cycle(tmp_path, model, gait, kind, form):
    make, words = KINDS[kind]
    loaded, told = quietly(form(tmp_path / f"walk.{'mot' if form is opensim else 'csv'}", *make(gait)), model)
    check(loaded, gait)
    assert words in told


def test_whole_strides_from_contact_to_contact_are_counted(tmp_path, model, gait):
    """Without a way to find contacts inside, three strides are not one of 3.4 s."""
    time = np.arange(336) / RATE
    columns = walk(gait, time * 3 * STRIDE / 3.36, start=0.0)
    loaded, _ = quietly(csv(tmp_path / "walk.csv", time, columns), model)
    assert loaded.stride_frequency == pytest.approx([1 / STRIDE], rel=0.01)


def test_a_stride_longer_than_legs_reach_is_refused(tmp_path, model, gait):
    columns = walk(gait, over(STRIDE), start=0.0)
    with pytest.raises(UserError, match=r"a stride is 3\.36 m long, 4\.0 lengths of the model's leg; .* at most 2\.4"):
        load_motion(csv(tmp_path / "walk.csv", over(STRIDE), columns, speed=3.0), model)


@pytest.mark.parametrize("turned", ["ankle_angle_r", "ankle_angle_l"])
def test_an_ankle_upside_down_is_told(tmp_path, model, gait, turned):
    columns = walk(gait, over(4))
    columns[turned] = -columns[turned]
    _, told = quietly(opensim(tmp_path / "walk.mot", over(4), columns), model)
    assert f"{turned} is healthy walking's upside down (dorsiflexion is positive)" in told


def test_toes_beyond_the_joint_are_computed(tmp_path, model, gait):
    """A walker's own soft toe may bend farther than its joint's range; toes are optional."""
    toes = {f"mtp_angle_{side}": 0.5 + 0.6 * np.sin(6 * over(4)) for side in "rl"}
    loaded, told = quietly(opensim(tmp_path / "walk.mot", over(4), walk(gait, over(4)) | toes), model)
    check(loaded, gait)
    plain, _ = quietly(opensim(tmp_path / "plain.mot", over(4), walk(gait, over(4))), model)
    np.testing.assert_array_equal(loaded.qpos, plain.qpos)
    assert "q_mtp_angle_r is beyond the joint's range: not used" in told


def test_two_trials_in_one_json_are_refused(tmp_path, model, gait):
    trial = {f"q_{name}": column.tolist() for name, column in walk(gait, over(STRIDE)).items()}
    (tmp_path / "walk.json").write_text(json.dumps({"trial1": trial, "trial2": trial, "sample_rate": RATE}))
    with pytest.raises(UserError, match="comes twice, again in trial2"):
        load_motion(tmp_path / "walk.json", model)


@pytest.mark.parametrize(
    "described",
    [{"sample_rate": 100.0, "subject": {"mass": np.float64(70.0)}}, {"names": ["a"], "values": np.arange(3)}, None],
)
def test_myoassists_columns_are_read_and_its_pickle_is_not_run(tmp_path, model, gait, described):
    """One stride of plain q_ and dq_ arrays and a dict; the pelvis' height is measured from standing."""
    time = over(STRIDE)
    columns = walk(gait, time, start=0.0) | {"pelvis_ty": 0.02 * np.cos(time)}
    arrays = {f"q_{n}": c for n, c in columns.items()} | {f"dq_{n}": np.gradient(c) * RATE for n, c in columns.items()}
    more = {} if described is None else {"meta_data": np.array(described, dtype=object)}
    np.savez(tmp_path / "segmented.npz", **arrays, **more)
    loaded, told = quietly(tmp_path / "segmented.npz", model)
    check(loaded, gait)
    assert "q_pelvis_ty is not measured from the ground" in told
    assert ("dq_ columns make it 100 Hz" in told) == (described is None or "names" in described)


def test_columns_that_are_pickled_as_one_entry_are_read(tmp_path, model, gait):
    """A short reference of MyoAssist's: dicts of arrays, each a pickled entry."""
    series = {f"q_{n}": c for n, c in walk(gait, over(4), start=0.0).items() if n != "pelvis_ty"}
    series |= {f"d{name}": np.gradient(column) * RATE for name, column in series.items()}
    entries = {"series_data": series, "metadata": {"sample_rate": RATE, "data_length": len(over(4))}}
    np.savez(tmp_path / "short.npz", **{name: np.array(entry, dtype=object) for name, entry in entries.items()})
    check(quietly(tmp_path / "short.npz", model)[0], gait)


def test_a_decimal_comma_in_a_note_is_a_number(tmp_path, model, gait):
    columns = {n: c for n, c in walk(gait, over(4)).items() if n != "pelvis_tx"}
    check(load_motion(csv(tmp_path / "walk.csv", over(4), columns, notes=["# speed: 1,25;;;"]), model), gait)


def test_walking_backwards_is_refused(tmp_path, model, gait):
    time, columns = along(gait, 0.0)
    columns["pelvis_tx"] = -columns["pelvis_tx"]
    with pytest.raises(UserError, match="walks backwards"):
        load_motion(opensim(tmp_path / "walk.mot", time, columns), model)
