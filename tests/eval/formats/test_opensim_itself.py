"""OpenSim itself reads the files: tables, storages, coordinates and external loads. Runs where it is installed."""

import numpy as np
import pytest
from synthetic_gait import synthetic_gait

from mjx_assist.eval.formats import convert

opensim = pytest.importorskip("opensim", reason="pip install opensim")

SIDE_COLUMNS = {"right": "", "left": "1_"}


@pytest.fixture(scope="module")
def record():
    return synthetic_gait(3.0, 100.0)


@pytest.fixture(scope="module")
def folder(record, tmp_path_factory):
    folder = tmp_path_factory.mktemp("opensim")
    opensim.Logger.setLevelString("Error")
    convert.write(record, folder)
    return folder


def table(file):
    read = opensim.TimeSeriesTable(str(file))
    columns = {label: read.getDependentColumn(label).to_numpy() for label in read.getColumnLabels()}
    return np.array(read.getIndependentColumn()), columns, read


def test_kinematics_are_a_table_in_degrees(record, folder):
    time, columns, read = table(folder / "kinematics.mot")
    assert read.getTableMetaDataAsString("inDegrees") == "yes" and tuple(columns) == record.joint_names
    np.testing.assert_allclose(time, record.time, rtol=1e-8)
    for joint, column in columns.items():
        angle = record.column(record.qpos, joint)
        ours = angle if joint in ("pelvis_tx", "pelvis_ty") else np.degrees(angle)
        np.testing.assert_allclose(column, ours, rtol=1e-8, atol=1e-8, err_msg=joint)


def test_ground_reaction_is_a_table(record, folder):
    _, columns, _ = table(folder / "ground_reaction.mot")
    for foot, before in enumerate(SIDE_COLUMNS.values()):
        force = record.ground_reaction[:, foot]
        for axis, ours in (("x", force[:, 0]), ("y", force[:, 2]), ("z", -force[:, 1])):
            np.testing.assert_allclose(columns[f"{before}ground_force_v{axis}"], ours, rtol=1e-8, atol=1e-8)


def test_forces_are_a_table(record, folder):
    _, columns, _ = table(folder / "forces.sto")
    soleus, ankle = record.muscle_names.index("soleus_l"), record.joint_names.index("ankle_angle_l")
    expected = {
        "/forceset/soleus_l/activation": record.activation[:, soleus],
        "/forceset/soleus_l|tendon_force": record.muscle_force[:, soleus],
        "/forceset/Exo_L|actuation": record.device_torque[:, 1],
        "ankle_angle_l_moment": record.joint_moment[:, ankle],
        "ankle_angle_l_power": record.joint_power[:, ankle],
    }
    for label, ours in expected.items():
        np.testing.assert_allclose(columns[label], ours, rtol=1e-8, atol=1e-8, err_msg=label)


def test_a_model_with_these_coordinates_moves_as_recorded(record, folder):
    """A storage that drives a model: its pin and slider coordinates take radians and metres."""
    model = opensim.Model()
    parent = model.getGround()
    for name, kind in (("pelvis_tx", opensim.SliderJoint), ("knee_angle_r", opensim.PinJoint)):
        body = opensim.Body(f"{name}_body", 1.0, opensim.Vec3(0), opensim.Inertia(1))
        joint = kind(f"{name}_joint", parent, body)
        joint.updCoordinate().setName(name)
        model.addBody(body)
        model.addJoint(joint)
        parent = body
    state = model.initSystem()
    storage = opensim.Storage(str(folder / "kinematics.mot"))
    assert storage.isInDegrees() and storage.getSize() == record.time.size
    model.getSimbodyEngine().convertDegreesToRadians(storage)
    trajectory = opensim.StatesTrajectory.createFromStatesStorage(model, storage, True, True)
    for sample in (0, 57, record.time.size - 1):
        state = trajectory.get(sample)
        for joint in ("pelvis_tx", "knee_angle_r"):
            value = model.getCoordinateSet().get(joint).getValue(state)
            assert value == pytest.approx(record.column(record.qpos, joint)[sample], abs=1e-7)


def test_external_loads_find_force_point_and_torque(record, folder):
    """The column names are those from which OpenSim's inverse dynamics takes its loads."""
    storage = opensim.Storage(str(folder / "ground_reaction.mot"))
    for before in SIDE_COLUMNS.values():
        for name in ("ground_force_v", "ground_force_p", "ground_torque_"):
            places = [storage.getStateIndex(f"{before}{name}{axis}") for axis in "xyz"]
            assert places == list(range(places[0], places[0] + 3)) and places[0] >= 0


def test_a_table_that_opensim_wrote_is_read(record, folder, tmp_path):
    """OpenSim's own writer, and labels of a states file."""
    _, _, read = table(folder / "kinematics.mot")
    opensim.STOFileAdapter.write(read, str(tmp_path / "back.sto"))
    np.testing.assert_allclose(convert.read([tmp_path / "back.sto"]).record.qpos, record.qpos, atol=1e-6)
    states = opensim.TimeSeriesTable()
    states.setColumnLabels(["/jointset/knee_r/knee_angle_r/value", "/jointset/knee_r/knee_angle_r/speed"])
    for sample in range(3):
        states.appendRow(0.1 * sample, opensim.RowVector([-0.1 * sample, -1.0]))
    states.addTableMetaDataString("inDegrees", "no")
    opensim.STOFileAdapter.write(states, str(tmp_path / "states.sto"))
    found = convert.read([tmp_path / "states.sto"]).record
    assert found.joint_names == ("knee_angle_r",)
    np.testing.assert_allclose(found.qpos[:, 0], [0, -0.1, -0.2], atol=1e-9)
    np.testing.assert_allclose(found.qvel[:, 0], -1.0)
