"""OpenSim's files: axes, units and signs are its own, and give the record back."""

import dataclasses

import numpy as np
import pytest
from round_trip import DIGITS, back, check_same

from mjx_assist.eval.formats import convert, opensim
from mjx_assist.eval.replay.record import SERIES


def test_opensim_files_together_give_the_record_back(record, tmp_path):
    imported = back(record, tmp_path, "walk.mot", "walk_grf.mot", "walk.sto")
    lost = ("phase", "reference_qpos", "foot_position", "toe_position", "toe_tip", "com_position")
    assert set(imported.absent) == {*lost, "com_velocity", "sensors"}
    check_same(imported.record, record, set(SERIES) - set(imported.absent) - {"qvel"})
    np.testing.assert_allclose(imported.record.qvel[2:-2], record.qvel[2:-2], atol=0.02)
    assert imported.record.body_mass == record.body_mass and imported.record.device_names == record.device_names
    assert "differences" in imported.notes[0] and "mean speed" in imported.notes[1]


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
