"""Angles of other programs come out as the walk that they are, or are refused with what to do."""

import numpy as np
import pytest
from laboratory_walk import RATE, SPEED, STRIDE, TIME, angles, radians, write

from mjx_assist.errors import UserError
from mjx_assist.eval.formats import convert
from mjx_assist.eval.formats.laboratory.plausibility import plausibility

WALK = angles()
YES, V1 = "version=1\ninDegrees=yes", "version=1"


def along(yaw, **more):
    """The same walk at an angle to x, counter-clockwise from above, and where the pelvis faces."""
    far = WALK["pelvis_tx"]
    turned = {"pelvis_tx": np.cos(yaw) * far, "pelvis_tz": -np.sin(yaw) * far}
    return WALK | turned | {"pelvis_rotation": np.full(far.size, np.degrees(yaw))} | more


def states(form, **more):
    speeds = {form.format(n, "speed"): np.gradient(c, TIME) for n, c in radians(WALK).items()}
    return {form.format(n, "value"): c for n, c in radians(WALK).items()} | speeds | more


def old_states():
    speeds = {f"{n}_u": np.gradient(c, TIME) for n, c in WALK.items()}
    return WALK | speeds | {"soleus_r.activation": 0 * TIME + 0.2, "soleus_r.fiber_length": 0 * TIME + 0.04}


def rajagopal():
    return {n: -c if n.startswith("knee") else c for n, c in WALK.items()}


def in_3d_the_other_way():
    """Walking towards -x, as OpenSim's tilt, list and rotation have it: the tilt is about the laboratory's axis."""
    tilt, level = -WALK["pelvis_tilt"], 0 * TIME
    rotation = 180 + 3 * np.sin(TIME)
    return WALK | {
        "pelvis_tx": -WALK["pelvis_tx"],
        "pelvis_tilt": tilt,
        "pelvis_list": level,
        "pelvis_rotation": rotation,
    }


# name of the file: (columns, first line, header, separator)
READ = {
    "degrees.mot": (WALK, "Coordinates", YES),
    "radians.sto": (radians(WALK), "Coordinates", "version=1\ninDegrees=no"),
    "radians without a word.sto": (radians(WALK), "Coordinates", V1),
    "radians without a word.mot": (radians(WALK), "Coordinates", V1),
    "SIMM.mot": (WALK, "name trial", "datacolumns 10\ndatarows 450\nrange 2.0 6.49"),
    "SIMM.MOT": (WALK, "first trial", "# SIMM Motion File Header:\nname first trial"),
    "no version.mot": (WALK, "walk", "nr=450"),
    "true.mot": (WALK, "Coordinates", "version=1\ninDegrees=true"),
    "1.sto": (WALK, "Coordinates", "version=1\ninDegrees=1"),
    "blanks.sto": (WALK, "Coordinates", "version=1\ninDegrees = YES "),
    "lower case.sto": (WALK, "Coordinates", "version=1\nindegrees=yes"),
    "units.mot": (WALK, "x", "version=1\nunits: deg"),
    "prose.mot": (
        WALK,
        "walk",
        "version=1\n\nUnits are S.I. units (second, meters, Newtons, ...)\nAngles are in degrees.",
    ),
    "prose radians.mot": (radians(WALK), "walk", "Angles are in radians."),
    "a fast_speed trial.mot": (WALK, "fast_speed_01", YES),
    "states 4.sto": (states("/jointset/joint/{}/{}"), "", "DataType=double\nversion=3\ninDegrees=no"),
    "states 3.3.sto": (states("joint/{}/{}"), "ModelStates", V1),
    "states 3.sto": (old_states(), "ModelStates", YES),
    "markers.mot": (WALK | {"R.ASIS_tx": 0.3 + 0 * TIME, "V.Sacral_ty": 0 * TIME}, "Coordinates", YES),
    "Rajagopal.mot": (rajagopal(), "Coordinates", YES),
    "towards -x.mot": (along(np.pi), "Coordinates", YES),
    "towards -x without rotation.mot": (WALK | {"pelvis_tx": -WALK["pelvis_tx"]}, "Coordinates", YES),
    "towards -x in 3-D.mot": (in_3d_the_other_way(), "Coordinates", YES),
    "along z.mot": (along(-np.pi / 2), "Coordinates", YES),
    "along -z.mot": (along(np.pi / 2), "Coordinates", YES),
    "oblique.mot": (along(0.6), "Coordinates", YES),
    "treadmill.mot": (WALK | {"pelvis_tx": 0.02 * np.sin(TIME)}, "Coordinates", f"{YES}\nspeed=1.25"),
    "drifting treadmill.mot": (WALK | {"pelvis_tx": 0.15 * TIME}, "Coordinates", f"{YES}\nspeed = 1,25 m/s"),
    "no pelvis_tx.mot": ({n: c for n, c in WALK.items() if n != "pelvis_tx"}, "Coordinates", f"{YES}\nspeed=1.25"),
    "commas.mot": (WALK, "Coordinates", YES, ","),
    "semicolons.mot": (WALK, "Coordinates", YES, ";"),
}


def check(found):
    """The right angles at each time, and the speed."""
    for name, column in radians(WALK).items():
        if name != "pelvis_tx":
            exact = np.interp(found.time, TIME, column)
            np.testing.assert_allclose(found.column(found.qpos, name), exact, atol=2e-3, err_msg=name)
    way = found.column(found.qpos, "pelvis_tx")
    assert (way[-1] - way[0]) / (found.time[-1] - found.time[0]) == pytest.approx(SPEED, abs=0.16 * SPEED)
    assert found.target_velocity.mean() == pytest.approx(SPEED, rel=1e-3)


@pytest.mark.parametrize("name", READ)
def test_angles_are_read_rightly(tmp_path, name):
    columns, first, head, *mark = READ[name]
    imported = convert.read([write(tmp_path / name, columns, first, head, mark=mark[0] if mark else "\t")])
    check(imported.record)
    assert set(imported.record.joint_names) <= {*WALK, "pelvis_tz", "pelvis_rotation", "pelvis_list"}


def test_states_of_opensim_3_are_speeds_and_activations(tmp_path):
    imported = convert.read([write(tmp_path / "states.sto", old_states(), "ModelStates", YES)])
    found = imported.record
    speed = np.gradient(radians(WALK)["knee_angle_r"], TIME)
    np.testing.assert_allclose(found.column(found.qvel, "knee_angle_r"), speed, atol=1e-6)
    assert found.muscle_names == ("soleus_r",) and (found.activation == 0.2).all()
    assert any("fiber_length" in note for note in imported.notes)


def speeds(columns=WALK):
    return {n: np.gradient(c, TIME) for n, c in columns.items()}


def there_and_back():
    far = WALK["pelvis_tx"]
    return WALK | {"pelvis_tx": np.where(TIME.mean() > TIME, far, far[::-1])}


# (file, columns, first line, header, what is said)
REFUSED = [
    ("degrees.sto", WALK, "Coordinates", "version=1\ninDegrees=no", r"knee_angle_r|pelvis_tilt.*inDegrees=yes"),
    ("degrees.sto", WALK, "", "DataType=double\nversion=3", "no inDegrees, which means radians.*inDegrees=yes"),
    ("radians.mot", radians(WALK), "Coordinates", YES, "move by .* deg in all.*inDegrees=no"),
    ("a.mot", WALK, "Coordinates", "inDegrees=perhaps", "inDegrees is 'perhaps'; allowed are yes and no"),
    ("u.sto", speeds(), "Speeds", YES, "holds joint velocities, by its first line 'Speeds'"),
    ("dudt.sto", speeds(speeds()), "Accelerations", YES, "holds joint accelerations"),
    ("u.sto", speeds(), "walk1", YES, r"no joint turns so far\. Are these speeds"),
    (
        "walk_Kinematics_u.sto",
        {n: c / 9 for n, c in speeds().items()},
        "walk1",
        YES,
        "holds joint velocities.*its name",
    ),
    ("actuation.sto", WALK, "ActuatorForces", YES, "holds forces or moments"),
    ("u.sto", speeds(radians(WALK)), "walk1", "version=1\ninDegrees=no", "no joint turns so far"),
    ("c.sto", {"soleus_r": TIME, "soleus_l": TIME}, "controls", V1, r"first line says 'controls' .*soleus_r, soleus_l"),
    ("e.sto", {"sol_r_emg": TIME}, "", V1, "sol_r_emg"),
    ("k.sto", {"total_squared_error": TIME, "marker_error_RMS": TIME}, "Model Marker Errors from IK", V1, "errors of"),
    ("j.sto", {"hip_r_on_femur_r_in_ground_fx": TIME}, "Joint Reaction Loads", V1, "forces or moments"),
    ("mm.mot", WALK | {"pelvis_tx": 1000 * WALK["pelvis_tx"]}, "Coordinates", YES, r"1\.25e\+03 m/s.*millimetres"),
    ("mm.mot", WALK | {"pelvis_ty": 1000 * WALK["pelvis_ty"]}, "Coordinates", YES, r"pelvis_ty is .*millimetres"),
    ("back.mot", there_and_back(), "Coordinates", YES, "Give a straight part"),
    ("fast.mot", WALK | {"pelvis_tx": 0 * TIME}, "Coordinates", f"{YES}\nspeed=4.5", "speed is 4.5 m/s"),
    ("word.mot", WALK | {"pelvis_tx": 0 * TIME}, "Coordinates", f"{YES}\nspeed=slow", "speed is 'slow'"),
]


@pytest.mark.parametrize(("name", "columns", "first", "head", "words"), REFUSED)
def test_what_is_no_walk_is_refused_with_a_remedy(tmp_path, name, columns, first, head, words):
    with pytest.raises(UserError, match=words) as caught:
        convert.read([write(tmp_path / name, columns, first, head)])
    assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (1000 * TIME, "0.1 Hz; 10 to 5000 make sense. Is time in seconds"),
        (np.arange(TIME.size), "at 1 Hz"),
        (np.where(TIME < 4, TIME, TIME + 0.5), "from 3.99 to 4.5 s there is no sample"),
        (np.where(TIME < 4, TIME, TIME - 2.0), "several trials"),
    ],
)
def test_times_that_are_none_are_refused(tmp_path, time, words):
    with pytest.raises(UserError, match=words):
        convert.read([write(tmp_path / "walk.mot", WALK, time=time)])


def jitter():
    return TIME + np.random.default_rng(0).uniform(-0.002, 0.002, TIME.size)


UNEVEN = {
    "adaptive": np.sort(np.concatenate([np.arange(2, 4, 0.06), np.arange(4, 6.4, 0.013)])),
    "jitter": jitter(),
    "a lost frame": np.delete(TIME, 200),
}


@pytest.mark.parametrize("kind", UNEVEN)
def test_uneven_times_become_even_ones(tmp_path, kind):
    time = UNEVEN[kind]
    columns = {n: np.interp(time, TIME, c) for n, c in WALK.items()}
    found = convert.read([write(tmp_path / "walk.sto", columns, time=time)]).record
    assert np.ptp(np.diff(found.time)) < 1e-6
    for name, column in radians(WALK).items():
        exact = np.interp(found.time, TIME, column)
        assert np.abs(found.column(found.qpos, name) - exact).max() < 0.05, name  # rad, 0.06 s apart


def test_repeated_times_are_told(tmp_path):
    time = TIME.copy()
    time[100] = time[99]
    imported = convert.read([write(tmp_path / "walk.sto", WALK, time=time)])
    assert any("left out" in note for note in imported.notes)
    check(imported.record)


@pytest.mark.parametrize("start", [0.0, 2.235, 100.0])
def test_a_window_lasts_from_its_first_to_its_last_sample(tmp_path, start):
    from mjx_assist.eval.gait.summary import summarize

    found = convert.read([write(tmp_path / "walk.mot", WALK, time=TIME - TIME[0] + start)]).record
    summary = summarize([found])
    assert summary["time_s"] == pytest.approx(TIME[-1] - TIME[0])
    assert summary["per_episode"][0]["steps"] == TIME.size - 1
    assert summary["speed_m_s"] == pytest.approx(SPEED, rel=1e-6)


@pytest.mark.parametrize("speed_known", [True, False])
def test_what_a_treadmill_does_not_tell_is_not_told(tmp_path, speed_known):
    """Without the belt's speed there is none, rather than that of the pelvis over the floor."""
    from mjx_assist.eval.gait.summary import summarize

    head = f"{YES}\nspeed=1.25" if speed_known else YES
    imported = convert.read([write(tmp_path / "walk.mot", WALK | {"pelvis_tx": 0.01 * np.sin(TIME)}, head=head)])
    summary = summarize([imported.record])
    assert summary["speed_m_s"] == (pytest.approx(SPEED, rel=0.01) if speed_known else None)
    assert speed_known or any("speed=1.25" in note for note in imported.notes)


@pytest.mark.parametrize("turned", ["hip_flexion_r", "knee_angle_l", "ankle_angle_r", "ankle_angle_l"])
def test_an_angle_that_is_upside_down_is_told(tmp_path, turned):
    columns = WALK | {turned: -WALK[turned]}
    line, doubts = plausibility(convert.read([write(tmp_path / "walk.mot", columns)]).record)
    assert len(doubts) == 1 and doubts[0].startswith(f"{turned} is healthy walking's upside down")
    assert "speed 1.25 m/s" in line


def test_a_healthy_walk_is_told_in_one_line(tmp_path):
    line, doubts = plausibility(convert.read([write(tmp_path / "walk.mot", WALK)]).record)
    assert doubts == [] and f"stride {STRIDE:.2f} s, {SPEED * STRIDE:.2f} m" in line and "body mass not known" in line
    assert float(line.rpartition(" ")[2]) > 0.85  # contacts are told by the legs, some percent of a cycle off


def spreadsheet(mark, comma, line_end="\n", notes="# units: deg\n"):
    rows = [mark.join(["time", *(f"q_{name}" for name in WALK)])]
    rows += [mark.join(f"{v:.6f}" for v in row) for row in np.column_stack([TIME, *WALK.values()])]
    text = "\n".join(rows)
    return (notes + (text.replace(".", ",") if comma else text)).replace("\n", line_end)


SPREADSHEETS = {
    "commas": spreadsheet(",", False),
    "semicolons": spreadsheet(";", False),
    "decimal commas": spreadsheet(";", True),
    "tabs": spreadsheet("\t", False),
    "tabs and decimal commas": spreadsheet("\t", True),
    "Windows": spreadsheet(";", True, "\r\n", '"# units: deg";;\n'),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("kind", SPREADSHEETS)
def test_spreadsheets_of_any_kind_are_read(tmp_path, kind, encoding):
    (tmp_path / "walk.csv").write_bytes(SPREADSHEETS[kind].encode(encoding))
    check(convert.read([tmp_path / "walk.csv"]).record)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (spreadsheet(",", True), "decimal commas between commas"),
        ("time;q_pelvis_tx\n1.000,5;2\n", "two marks"),
        (spreadsheet("|", False), "separate columns with commas, semicolons or tabs"),
        (spreadsheet(";", False).replace(";", ";;", 1), "without a name|labels"),
    ],
)
def test_spreadsheets_that_cannot_be_told_are_refused(tmp_path, text, words):
    (tmp_path / "walk.csv").write_text(text)
    with pytest.raises(UserError, match=words):
        convert.read([tmp_path / "walk.csv"])


def test_rate(tmp_path):
    assert convert.read([write(tmp_path / "walk.mot", WALK)]).record.sample_dt == pytest.approx(1 / RATE)
