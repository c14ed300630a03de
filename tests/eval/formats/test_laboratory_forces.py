"""Force plates come out under the feet that stood on them, in the walker's frame, with the body's mass, or not."""

import re

import numpy as np
import pytest
from laboratory_walk import (
    BODY_WEIGHTS,
    FORCE,
    MASS,
    SPEED,
    TIME,
    TORQUE,
    angles,
    forces,
    labelled,
    plate,
    write,
    write_forces,
)

from mjx_assist.errors import UserError
from mjx_assist.eval.formats import convert
from mjx_assist.eval.formats.laboratory.plausibility import plausibility
from mjx_assist.reference.published import healthy_band

WALK = angles()
ADAPTER = ("ground_force_{}_v", "ground_force_{}_p", "ground_moment_{}_m")


def adapter(first, second):
    """Labels of OpenSim's C3D scripts."""
    pairs = ((1, first), (2, second))
    return {
        k: c
        for number, side in pairs
        for k, c in labelled(plate(side), "{}", [a.format(number) for a in ADAPTER]).items()
    }


def c3d_names(first, second):
    pairs = ((1, first), (2, second))
    columns = {}
    for number, side in pairs:
        for kind, array in zip("fpm", plate(side), strict=True):
            columns |= {f"{kind}{number}_{axis + 1}": array[:, axis] for axis in range(3)}
    return columns


def walkway(plates=4):
    """Each contact on the next of several plates, as on a walkway; each plate has several feet in turn."""
    parts = {number: [np.zeros((TIME.size, 3)) for _ in range(3)] for number in range(1, plates + 1)}
    begins = []
    for side in "rl":
        on = plate(side)[0][:, 1] > 0
        edges = np.flatnonzero(np.diff(np.concatenate([[0], on, [0]]).astype(int))).reshape(-1, 2)
        begins += [(begin, end, side) for begin, end in edges]
    for step, (begin, end, side) in enumerate(sorted(begins)):
        for whole, part in zip(plate(side), parts[step % plates + 1], strict=True):
            part[begin:end] = whole[begin:end]
    return {k: c for n, arrays in parts.items() for k, c in labelled(arrays, f"{n}_" + "{}").items()}


def z_up(array):
    """(x, y up, z right) as (x, y left, z up)."""
    return np.stack([array[:, 0], -array[:, 2], array[:, 1]], axis=1)


def half_turn(array):
    return array * [-1, 1, -1]


def quarter_turn(array):
    return np.stack([array[:, 2], array[:, 1], -array[:, 0]], axis=1)


def in_millimetres(right="{}", left="1_{}"):
    columns = {}
    for form, side in ((right, "r"), (left, "l")):
        force, point, torque = plate(side)
        columns |= labelled((force, 1000 * point, 1000 * torque * 100), form)
    return {k: c / 100 if "torque" in k else c for k, c in columns.items()}


def shifted_torque():
    """A laboratory with z up that wrote the free moment about the vertical into the wrong column."""
    columns = forces(change=z_up)
    for before in ("", "1_"):
        columns[f"{before}ground_torque_y"] = columns.pop(f"{before}ground_torque_z")
        columns[f"{before}ground_torque_z"] = 0 * TIME
    return columns


# kind: columns of both feet's forces; what they are in the record is always the same
READ = {
    "OpenSim's examples": forces(),
    "R_ and L_": forces("R_{}", "L_{}"),
    "r_ and l_": forces("r_{}", "l_{}"),
    "right_ and left_": forces("right_{}", "left_{}"),
    "_r and _l within": labelled(plate("r"), kinds=("ground_force_r_v", "ground_force_r_p", "ground_torque_r_"))
    | labelled(plate("l"), kinds=("ground_force_l_v", "ground_force_l_p", "ground_torque_l_")),
    "_r and _l after": forces("{}_r", "{}_l"),
    "_calcn_r and _calcn_l": forces("{}_calcn_r", "{}_calcn_l"),
    "calcn_r_ and calcn_l_": forces("calcn_r_{}", "calcn_l_{}"),
    "left_foot and right_foot": forces("{}_right_foot", "{}_left_foot"),
    "plates 1 and 2": forces("1_{}", "2_{}"),
    "plates 2 and 1": forces("2_{}", "1_{}"),
    "the left foot without a prefix": forces("1_{}", "{}"),
    "plates FP1 and FP2": forces("FP1_{}", "FP2_{}"),
    "C3D scripts": adapter("r", "l"),
    "C3D scripts, left first": adapter("l", "r"),
    "C3D adapter": c3d_names("l", "r"),
    "a walkway of four plates": walkway(4),
    "a walkway of three plates": walkway(3),
    "an empty third plate": forces("1_{}", "2_{}") | labelled([np.zeros((TIME.size, 3))] * 3, "3_{}"),
    "z up": forces(change=z_up),
    "z up, on the plates": forces("1_{}", "2_{}", change=lambda a: -z_up(a)),
    "on the plates": {k: -c if "_p" not in k else c for k, c in forces().items()},
    "all negative": forces(change=np.negative),
    "millimetres": in_millimetres(),
    "the moment in another column": shifted_torque(),
    "no torques": {k: c for k, c in forces().items() if "torque" not in k},
    "turned by half a turn": forces(change=half_turn),
    "turned by a quarter": forces(change=quarter_turn),
}


def check(found):
    for foot, side in enumerate("rl"):
        force, point, torque = plate(side)
        own = np.stack([force[:, 0], -force[:, 2], force[:, 1]], axis=1)
        np.testing.assert_allclose(found.ground_reaction[:, foot], own, atol=1e-4)
        loaded = force[:, 1] > 20
        if np.isfinite(found.center_of_pressure).any():
            place = found.center_of_pressure[loaded, foot]
            np.testing.assert_allclose(place[:, 0] - place[0, 0], point[loaded, 0] - point[loaded, 0][0], atol=1e-6)
            np.testing.assert_allclose(np.abs(place[:, 1]), np.abs(point[loaded, 2]), atol=1e-6)
        if found.free_moment.any():
            np.testing.assert_allclose(found.free_moment[:, foot], torque[:, 1], atol=1e-5)
    assert found.body_mass == pytest.approx(MASS, rel=0.01)


@pytest.mark.parametrize("kind", READ)
def test_forces_come_under_the_right_feet(tmp_path, kind):
    files = [write(tmp_path / "ik.mot", WALK), write_forces(tmp_path / "grf.mot", READ[kind])]
    imported = convert.read(files)
    check(imported.record)
    line, doubts = plausibility(imported.record)
    assert not doubts
    braking, pushing = (float(re.search(rf"([\d.]+) BW {word}", line)[1]) for word in ("braking", "pushing"))
    anterior = BODY_WEIGHTS * healthy_band("grf_anterior", SPEED)[1]
    np.testing.assert_allclose((braking, pushing), (-anterior.min(), anterior.max()), atol=0.006)


@pytest.mark.parametrize("yaw", [0.6, np.pi / 2, np.pi, -2.0])
def test_forces_turn_with_the_walk(tmp_path, yaw):
    """Wherever in the laboratory somebody walks to, braking is backward and pushing forward."""

    def placed(array):
        x, z = array[:, 0], array[:, 2]
        return np.stack([np.cos(yaw) * x + np.sin(yaw) * z, array[:, 1], -np.sin(yaw) * x + np.cos(yaw) * z], axis=1)

    far = WALK["pelvis_tx"]
    walk = WALK | {"pelvis_tx": np.cos(yaw) * far, "pelvis_tz": -np.sin(yaw) * far}
    files = [
        write(tmp_path / "ik.mot", walk | {"pelvis_rotation": 0 * far + np.degrees(yaw)}),
        write_forces(tmp_path / "grf.mot", forces("1_{}", "2_{}", change=placed)),
    ]
    check(convert.read(files).record)


def test_on_a_belt_the_points_are_carried_too(tmp_path):
    """A treadmill's plates see the foot go back; over ground it stays where it is."""
    travel = np.stack([SPEED * (TIME - TIME[0]), 0 * TIME, 0 * TIME], axis=1)
    columns = {}
    for form, side in (("r_{}", "r"), ("l_{}", "l")):
        force, point, torque = plate(side)
        columns |= labelled((force, np.where(force[:, 1:2] > 0, point - travel - [3.0, 0, 0], 0), torque), form)
    still = WALK | {"pelvis_tx": 0.01 * np.sin(TIME)}
    files = [
        write(tmp_path / "ik.mot", still, head="version=1\ninDegrees=yes\nspeed=1.25"),
        write_forces(tmp_path / "grf.mot", columns),
    ]
    found = convert.read(files).record
    check(found)
    assert found.column(found.qpos, "pelvis_tx")[-1] == pytest.approx(SPEED * (TIME[-1] - TIME[0]), abs=0.03)


def test_rajagopals_moments_turn_with_its_knees(tmp_path):
    """Angles of one file and moments of another keep their product, the power."""
    knees = {n: -c for n, c in WALK.items() if n.startswith("knee")}
    sides = ("r", "l")
    moments = {
        f"{n}_{s}_moment": 10 * np.sin(TIME) for s in sides for n in ("ankle_angle", "knee_angle", "hip_flexion")
    }
    files = [write(tmp_path / "ik.mot", WALK | knees), tmp_path / "id.sto"]
    named = ("Inverse Dynamics Generalized Forces", "version=1\ninDegrees=no")
    write(files[1], {n: c for n, c in moments.items() if "ankle" not in n}, *named)
    with pytest.raises(UserError, match="joint_moment lacks ankle_angle_r, ankle_angle_l"):
        convert.read(files)
    write(files[1], {"pelvis_tilt_moment": 0 * TIME, "mtp_angle_r_moment": TIME, **moments}, *named)
    found = convert.read(files).record
    np.testing.assert_allclose(found.column(found.joint_moment, "knee_angle_r"), -10 * np.sin(TIME), atol=1e-6)
    assert not found.column(found.joint_moment, "pelvis_tx").any()
    np.testing.assert_allclose(found.column(found.joint_moment, "hip_flexion_r"), 10 * np.sin(TIME), atol=1e-6)


def one_step_each():
    columns = forces("r_{}", "l_{}")
    for before, begin, end in (("r_", 2.8, 3.7), ("l_", 3.2, 4.3)):
        outside = (begin > TIME) | (end < TIME)
        columns = {k: np.where(outside, 0, c) if k.startswith(before) else c for k, c in columns.items()}
    return columns


MASS_NOT_KNOWN = {
    "one step each": one_step_each(),
    "right foot only": labelled(plate("r"), "r_{}") | labelled([np.zeros((TIME.size, 3))] * 3, "l_{}"),
    "one plate": labelled(plate("l"), "1_{}"),
    "half a stride": {k: np.where(TIME < 2.9, c, 0) for k, c in forces("1_{}", "2_{}").items()},
}


@pytest.mark.parametrize("kind", MASS_NOT_KNOWN)
def test_without_whole_strides_the_mass_is_not_known(tmp_path, kind):
    from mjx_assist.eval.gait.summary import summarize

    files = [write(tmp_path / "ik.mot", WALK), write_forces(tmp_path / "grf.mot", MASS_NOT_KNOWN[kind])]
    imported = convert.read(files)
    assert np.isnan(imported.record.body_mass)
    assert any("body_mass: not known" in note and "body_mass=75" in note for note in imported.notes)
    summary = summarize([imported.record])
    assert summary["both"]["grf_peak_bw"] is None and summary["both"]["double_support_percent"] in (
        None,
        pytest.approx(24, abs=2),
    )
    write(tmp_path / "ik.mot", WALK, head="version=1\ninDegrees=yes\nbody_mass=70")
    assert convert.read(files).record.body_mass == 70


def changed(factor):
    return {k: factor * c if "_v" in k else c for k, c in forces().items()}


def swapped():
    return forces("l_{}", "r_{}")


def both_on_one():
    both = [a + b for a, b in zip(plate("r"), plate("l"), strict=True)]
    return labelled(both, "1_{}")


REFUSED = {
    "body weights": (changed(1 / (MASS * 9.81)), "less than any walker's; are these body weights"),
    "kN": (changed(1e-3), "are these body weights, kN"),
    "a doll": (changed(0.18), "a body of 14.* kg; 15 to 300 make sense"),
    "swapped labels": (swapped(), "while the .* leg stands, by the joint angles. Are the feet swapped"),
    "both feet on a plate": (both_on_one(), "both feet on one plate, or standing"),
    "x up": (forces(change=lambda a: a[:, [1, 0, 2]]), "the vertical force is along x"),
    "no vertical force": (
        {k: c * (not k.endswith("vy")) for k, c in forces().items()},
        "the vertical force is along x|no axis",
    ),
    "a component missing": (
        {k: c for k, c in forces("r_{}", "l_{}").items() if k != "l_ground_force_vy"},
        "lacks l_ground_force_vy",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_forces_that_cannot_be_a_walkers_are_refused(tmp_path, kind):
    columns, words = REFUSED[kind]
    files = [write(tmp_path / "ik.mot", WALK), write_forces(tmp_path / "grf.mot", columns)]
    with pytest.raises(UserError, match=words) as caught:
        convert.read(files)
    assert str(tmp_path / "grf.mot") in str(caught.value)


def test_forces_alone_ask_for_the_angles(tmp_path):
    with pytest.raises(UserError, match=r"no joint angles but ground reaction.*Give the file of the joint angles"):
        convert.read([write_forces(tmp_path / "grf.mot", forces())])


def test_forces_at_their_own_rate_keep_the_mass(tmp_path):
    """Angles at 100 Hz, forces at 1000: the mass is that of all samples of the forces."""
    fine = np.arange(TIME[0], TIME[-1], 0.001)
    columns = {k: np.interp(fine, TIME, c) for k, c in forces("1_{}", "2_{}").items()}
    files = [write(tmp_path / "ik.mot", WALK), write_forces(tmp_path / "grf.mot", columns, fine)]
    assert convert.read(files).record.body_mass == pytest.approx(MASS, rel=0.005)


def test_labels_are_all_used():
    assert len(forces()) == 2 * (len(FORCE) + len(TORQUE))
