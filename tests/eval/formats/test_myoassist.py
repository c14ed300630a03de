"""MyoAssist's JSON: ours reads back, its own is read, and what is assumed is told."""

import json

import mujoco
import numpy as np
import pytest
from round_trip import back, check_same

from mjx_assist.eval.formats import convert, myoassist
from mjx_assist.model.names import GRAVITY


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
    assert found.body_mass == pytest.approx(mean_load / GRAVITY, rel=0.02)


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
