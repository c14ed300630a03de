"""Gait files: what is written reads back within its precision, means the same in each format, and errors are named."""

import dataclasses
import json

import mujoco
import numpy as np
import pytest
from synthetic_gait import synthetic_gait

from mjx_assist.cli.main import main
from mjx_assist.errors import UserError
from mjx_assist.eval.formats import combine, convert, myoassist, opensim
from mjx_assist.eval.gait import summary as metrics
from mjx_assist.eval.replay.record import NAMES, SERIES, GaitRecord
from mjx_assist.model.names import GRAVITY

DIGITS = 1e-8  # 9 significant ones


@pytest.fixture(scope="module")
def record():
    """A walk with a left foot that differs from the right one, of a human that no package knows."""
    made = synthetic_gait(6.0, 100.0)
    rng = np.random.default_rng(1)
    noisy = {
        name: getattr(made, name) + 0.01 * rng.normal(size=getattr(made, name).shape)
        for name in ("free_moment", "passive_moment", "com_velocity", "sensors", "muscle_max_force")
    }
    ground = made.ground_reaction.copy()
    ground[:, :, 1] = 0.05 * ground[:, :, 2]
    center = made.center_of_pressure + np.array([0.0, 0.1, 0.0])
    unloaded = ~(ground[:, :, 2] > 0)
    noisy["free_moment"][unloaded] = 0.0
    return dataclasses.replace(made, ground_reaction=ground, center_of_pressure=center, **noisy)


def back(record, folder, *names):
    files = [folder / name for name in names]
    for file in files:
        convert.write(record, file)
    return convert.read(files)


def check_same(found: GaitRecord, record: GaitRecord, fields) -> None:
    for name in fields:
        np.testing.assert_allclose(getattr(found, name), getattr(record, name), rtol=DIGITS, atol=1e-9, err_msg=name)


def test_saved_record_is_the_same_bit_for_bit(record, tmp_path):
    found = convert.read([record.save(tmp_path / "walk.npz")]).record
    for field in dataclasses.fields(GaitRecord):
        ours, theirs = getattr(record, field.name), getattr(found, field.name)
        same = ours.tobytes() == theirs.tobytes() if isinstance(ours, np.ndarray) else ours == theirs
        assert same, field.name


def test_csv_holds_the_whole_record(record, tmp_path):
    imported = back(record, tmp_path, "walk.csv")
    assert imported.absent == () and imported.notes == ()
    check_same(imported.record, record, SERIES)
    for name in (*NAMES, *combine.SCALARS):
        assert getattr(imported.record, name) == getattr(record, name), name


def test_csv_columns_carry_their_units(record, tmp_path):
    convert.write(record, tmp_path / "walk.csv")
    header = next(line for line in (tmp_path / "walk.csv").read_text().splitlines() if not line.startswith("#"))
    labels = header.split(",")
    assert len(set(labels)) == len(labels)
    expected = ("time.s", "qpos.pelvis_tx.m", "qpos.knee_angle_r.rad", "ground_reaction.left.up.N", "phase.cycle")
    assert set(expected) <= set(labels)


def test_opensim_files_together_give_the_record_back(record, tmp_path):
    imported = back(record, tmp_path, "walk.mot", "walk_grf.mot", "walk.sto")
    lost = ("phase", "reference_qpos", "foot_position", "toe_position", "com_position")
    assert set(imported.absent) == {*lost, "com_velocity", "sensors"}
    check_same(imported.record, record, set(SERIES) - set(imported.absent) - {"qvel"})
    np.testing.assert_allclose(imported.record.qvel[2:-2], record.qvel[2:-2], atol=0.02)
    assert imported.record.body_mass == record.body_mass and imported.record.device_names == record.device_names
    assert "differences" in imported.notes[0] and "mean speed" in imported.notes[1]


def test_a_folder_of_opensim_files_is_one_walk(record, tmp_path):
    written = convert.write(record, tmp_path / "walk")
    assert [file.name for file in written] == ["kinematics.mot", "ground_reaction.mot", "forces.sto"]
    found = convert.read([tmp_path / "walk"]).record
    check_same(found, record, ("qpos", "ground_reaction", "center_of_pressure", "muscle_force", "device_torque"))


def test_ground_reaction_in_opensims_axes(record, tmp_path):
    """OpenSim: x forward, y up, z right."""
    convert.write(record, tmp_path / "walk_grf.mot")
    lines = (tmp_path / "walk_grf.mot").read_text().splitlines()
    start = lines.index("endheader")
    labels = lines[start + 1].split("\t")
    rows = np.array([line.split("\t") for line in lines[start + 2 :]], float)
    table = dict(zip(labels, rows.T, strict=True))
    assert labels[:4] == ["time", "ground_force_vx", "ground_force_vy", "ground_force_vz"]
    assert f"nRows={record.time.size}" in lines and f"nColumns={len(labels)}" in lines
    right, left = record.ground_reaction.transpose(1, 0, 2)
    np.testing.assert_allclose(table["ground_force_vy"], right[:, 2], rtol=DIGITS)
    np.testing.assert_allclose(table["1_ground_force_vz"], -left[:, 1], rtol=DIGITS)
    center = np.nan_to_num(record.center_of_pressure[:, 1])
    np.testing.assert_allclose(table["1_ground_force_px"], center[:, 0], rtol=DIGITS)
    np.testing.assert_allclose(table["ground_torque_y"], record.free_moment[:, 0], rtol=DIGITS)


def test_kinematics_are_in_degrees_and_metres(record, tmp_path):
    convert.write(record, tmp_path / "walk.mot")
    text = (tmp_path / "walk.mot").read_text()
    assert "inDegrees=yes" in text
    lines = text.splitlines()
    row = dict(zip(*(lines[lines.index("endheader") + i].split("\t") for i in (1, 2)), strict=True))
    assert float(row["knee_angle_r"]) == pytest.approx(np.degrees(record.column(record.qpos, "knee_angle_r")[0]))
    assert float(row["pelvis_ty"]) == pytest.approx(record.column(record.qpos, "pelvis_ty")[0])


def test_signs_are_opensims_on_both_sides():
    """Composed myolegs26 turns the left hip the other way; myolegs bends its knees in the positive direction."""
    joints = ("hip_flexion_l", "hip_adduction_r", "hip_adduction_l", "knee_angle_r")
    assert opensim.coordinate_signs("myolegs26", "none", joints).tolist() == [1, 1, -1, 1]
    assert opensim.coordinate_signs("myolegs", "none", joints).tolist() == [1, 1, 1, -1]
    assert opensim.coordinate_signs("unknown", "none", joints).tolist() == [1, 1, 1, 1]


def test_the_joints_sign_goes_there_and_back(record, tmp_path):
    turned = dataclasses.replace(record, human="myolegs", device="none")
    found = back(turned, tmp_path, "walk.mot", "walk.sto").record
    check_same(found, turned, ("qpos", "joint_moment", "device_torque"))
    plain = back(dataclasses.replace(record, human="nobody"), tmp_path, "plain.mot").record
    knee = record.joint_names.index("knee_angle_r")
    text = (tmp_path / "walk.mot").read_text().splitlines()
    first = dict(zip(*(text[text.index("endheader") + i].split("\t") for i in (1, 2)), strict=True))
    assert float(first["knee_angle_r"]) == pytest.approx(-np.degrees(plain.qpos[0, knee]), rel=1e-7)


def test_foreign_knees_that_flex_positively_are_turned(record, tmp_path):
    """As Rajagopal's model counts; a file of another program does not name its human."""
    knees = [record.joint_names.index(f"knee_angle_{side}") for side in "rl"]
    qpos = record.qpos.copy()
    qpos[:, knees] *= -1.0
    foreign = dataclasses.replace(record, qpos=qpos, human="unknown")
    np.testing.assert_allclose(back(foreign, tmp_path, "walk.mot").record.qpos, record.qpos, atol=1e-8)


def test_myoassist_json_round_trip(record, tmp_path):
    imported = back(record, tmp_path, "gait_evaluated_data.json")
    held = ("time", "qpos", "qvel", "activation", "excitation", "muscle_force", "device_torque", "ground_reaction")
    found = imported.record
    check_same(found, record, (*held, "target_velocity", "muscle_velocity", "muscle_max_force"))
    np.testing.assert_allclose(found.center_of_pressure[..., :2], record.center_of_pressure[..., :2], atol=1e-8)
    np.testing.assert_allclose(found.free_moment, record.free_moment, atol=1e-5)
    assert {"phase", "joint_moment", "foot_position"} <= set(imported.absent)
    assert found.sensor_names == record.sensor_names and found.body_mass == record.body_mass


def myoassist_file(path, samples=90, rate_known=False):
    """As MyoAssist's GaitData writes it: no rate, no mass, every number in a list of its own."""
    time = np.arange(samples) / 30
    angle = 0.3 * np.sin(2 * np.pi * time)
    load = np.maximum(800 * np.sin(2 * np.pi * time), 0)

    def series(x):
        return [[float(v)] for v in x]

    joints = {
        name: {"qpos": series(angle), "qvel": series(0 * angle)}
        for name in ("hip_flexion_r", "hip_flexion_l", "ankle_angle_r", "ankle_angle_l", "knee_r_translation1")
    }
    actuators = {
        name: {"force": series(-load), "velocity": series(angle), "ctrl": series(0 * load)}
        for name in ("soleus_r", "Exo_R")
    }
    touch = {"r_foot": load, "r_toes": 0 * load, "l_foot": load[::-1], "l_toes": 0 * load}
    tree = {
        "series_data": {
            "joint_data": joints,
            "actuator_data": actuators,
            "sensor_data": {name: {"data": series(x)} for name, x in touch.items()},
            "physics_data": {"contacts": {"data": [[] for _ in time]}},
            "target_data": {"target_velocity": series(0 * time + 1.2)},
        },
        "metadata": {"data_length": samples} | ({"sample_rate": 30} if rate_known else {}),
    }
    path.write_text(json.dumps(tree, indent=4))
    return tree


def test_myoassists_own_file_is_read_and_what_is_assumed_is_told(tmp_path):
    myoassist_file(tmp_path / "gait_evaluated_data.json")
    imported = convert.read([tmp_path / "gait_evaluated_data.json"])
    found, notes = imported.record, " ".join(imported.notes)
    assert found.muscle_names == ("soleus_r",) and found.device_joints == ("ankle_angle_r",)
    assert (found.muscle_force >= 0).all() and found.sample_dt == pytest.approx(1 / 30)
    assert "30 samples per second assumed" in notes and "touch sensors" in notes and "body_mass" in notes
    mean_load = found.ground_reaction[:, :, 2].sum(axis=1).mean()
    assert found.body_mass == pytest.approx(mean_load / GRAVITY)


def test_myoassists_rate_comes_from_its_session_config(tmp_path):
    (tmp_path / "session_config.json").write_text(json.dumps({"env_params": {"control_framerate": 60}}))
    (tmp_path / "analyze_results_00").mkdir()
    file = tmp_path / "analyze_results_00" / "gait_evaluated_data.json"
    myoassist_file(file)
    assert convert.read([file]).record.sample_dt == pytest.approx(1 / 60)


def test_contact_frame_is_mujocos():
    """A ball that slides over flat ground: MuJoCo's contact force, read by our axes, is what slows it."""
    model = mujoco.MjModel.from_xml_string(
        "<mujoco><worldbody><geom type='plane' size='9 9 1'/><body pos='0 0 .0999'><freejoint/>"
        "<geom name='foot_r' size='.1' mass='1'/></body></worldbody></mujoco>"
    )
    data = mujoco.MjData(model)
    data.qvel[:2] = 1.0, 0.5
    mujoco.mj_forward(model, data)
    wrench = np.zeros(6)
    mujoco.mj_contactForce(model, data, 0, wrench)
    fields = {}
    contact = {"pos": data.contact[0].pos.tolist(), "force": wrench[:3].tolist(), "torque": wrench[3:].tolist()}
    myoassist._take_contacts([[contact | {"geom1": "terrain", "geom2": "foot_r"}]], fields)
    np.testing.assert_allclose(fields["ground_reaction"][0, 0], data.qfrc_constraint[:3], atol=1e-6)


def test_metrics_of_imported_files_are_those_of_the_record(record, tmp_path):
    ours = metrics.summarize([record])["right"]
    theirs = metrics.summarize([back(record, tmp_path, "walk.mot", "walk_grf.mot", "walk.sto").record])["right"]
    for key in ("strides", "stride_time_s", "stance_percent", "grf_peak_bw", "knee_range_deg", "cadence_steps_per_min"):
        assert theirs[key] == pytest.approx(ours[key], rel=1e-6), key
    assert theirs["step_length_m"] is None and ours["step_length_m"] is not None


def test_kinematics_alone_are_summarised(record, tmp_path):
    summary = metrics.summarize([back(record, tmp_path, "walk.mot").record])
    assert summary["right"]["strides"] == 0 and summary["right"]["step_length_m"] is None


def test_files_at_other_rates_are_interpolated_and_it_is_told(record, tmp_path):
    convert.write(record, tmp_path / "walk.mot")
    slow = synthetic_gait(6.0, 50.0)
    convert.write(slow, tmp_path / "walk_grf.mot")
    imported = convert.read([tmp_path / "walk_grf.mot", tmp_path / "walk.mot"])
    assert any("interpolated" in note for note in imported.notes)
    found = imported.record
    assert found.sample_dt == pytest.approx(0.01) and found.time[0] == pytest.approx(0.02)
    exact = np.interp(found.time, record.time, record.ground_reaction[:, 0, 2])
    # The slow one misses the corner of a contact.
    np.testing.assert_allclose(found.ground_reaction[:, 0, 2], exact, atol=25.0)


def cut(text):
    return text[: len(text) // 2].rpartition("\n")[0]


def replaced(old, new):
    return lambda text: text.replace(old, new, 1)


@pytest.mark.parametrize(("rate", "samples_per_step"), [("control", 1), ("physics", 8), (None, 8)])
def test_record_command_samples_at_the_rate_asked_for(bundle_path, tmp_path, rate, samples_per_step, capsys):
    """30 Hz control, 240 Hz physics."""
    out = tmp_path / "walk.npz"
    arguments = ["record", str(bundle_path), "-o", str(out), "--steps", "6", *(["--rate", rate] if rate else [])]
    assert main(arguments) == 0
    assert GaitRecord.load(out).time.size == 6 * samples_per_step
    assert str(out) in capsys.readouterr().out


def test_convert_command_tells_what_is_missing(record, tmp_path, capsys):
    source, out = record.save(tmp_path / "walk.npz"), tmp_path / "walk.mot"
    assert main(["convert", str(source), "-o", str(out)]) == 0
    assert main(["convert", str(out), "-o", str(tmp_path / "back.npz")]) == 0
    printed = capsys.readouterr().out
    assert "not in the files (NaN): phase, " in printed and "note: joint velocities" in printed
    assert main(["convert", str(out), "-o", str(tmp_path / "back.xls")]) == 2
    assert "Allowed: .csv" in capsys.readouterr().err
    assert main(["record", "nowhere", "-o", str(tmp_path / "walk.csv")]) == 2
    assert "ends in .npz" in capsys.readouterr().err


SPOILED = {
    "no endheader": ("walk.mot", replaced("endheader", ""), "no line 'endheader'"),
    "truncated mot": ("walk.mot", cut, "truncated: it holds"),
    "word in mot": ("walk.mot", replaced("\n0.02\t", "\n0.02\tabc\t"), "sample 2 has"),
    "not rising": ("walk.mot", replaced("\n0.03\t", "\n0.01\t"), "time must rise"),
    "columns": ("walk.mot", replaced("knee_angle_r\t", ""), "columns"),
    "repeated": ("walk.mot", replaced("knee_angle_r\t", "knee_angle_l\t"), "knee_angle_l appears more than once"),
    "grf column": ("walk_grf.mot", replaced("ground_force_vy\t", "force_of_y\t"), "lacks ground_force_vy"),
    "truncated csv": ("walk.csv", lambda text: text[:-20], "values, the header names"),
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
        (["walk.xlsx"], "Allowed: .csv"),
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
    with pytest.raises(UserError):
        convert.convert([tmp_path / "bad.mot"], tmp_path / "walk.npz")
    assert (tmp_path / "walk.npz").read_bytes() == old
    (tmp_path / "x.mot").mkdir()
    with pytest.raises(UserError, match="is a folder"):
        convert.convert([tmp_path / "walk.npz"], tmp_path / "x.mot")
