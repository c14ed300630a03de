"""The table of angles against the model's own geometry, and against the published figures' signs."""

from types import SimpleNamespace

import mujoco
import numpy as np
import pytest

from mjx_assist.eval.gait import angles
from mjx_assist.model import anatomy
from mjx_assist.model.names import joint_names, left_signs, mirrored_name
from mjx_assist.model.reduction import reduce_model
from mjx_assist.reference.published import BANDS

FORWARD, LEFT, UP = np.eye(3)
# Where a body goes when the angle grows in the direction that it is named by, seen on the right leg.
MOVES = {
    "hip": ("tibia_r", FORWARD),
    "knee": ("talus_r", -FORWARD),
    "ankle": ("toes_r", UP),
    "pelvis_tilt": ("tibia_r", -FORWARD),  # the trunk leans forward, the straight leg goes back
    "hip_adduction": ("tibia_r", LEFT),
    "hip_rotation": ("toes_r", LEFT),
    "pelvis_list": ("femur_r", UP),
    "pelvis_rotation": ("femur_r", FORWARD),
}


@pytest.fixture(scope="module")
def model():
    return reduce_model("myolegs26", "Tutorial_L1").model


def place(model, body, coordinate, value):
    """[3] m of a body with one anatomical coordinate at a value, the others at zero."""
    found = anatomy.coordinates(model)
    values = np.zeros(len(found))
    names = anatomy.names_of(found)
    values[names.index(coordinate if coordinate in names else f"{coordinate}_r")] = value
    data = mujoco.MjData(model)
    data.qpos[:] = anatomy.to_qpos(model, found, values)
    mujoco.mj_kinematics(model, data)
    return data.body(body).xpos.copy()


@pytest.mark.parametrize("name", MOVES)
def test_an_angle_grows_in_the_direction_that_it_is_named_by(model, name):
    angle, (body, way) = angles.MEASURED[name], MOVES[name]
    moved = place(model, body, angle.coordinate, 0.2 * angle.sign) - place(model, body, angle.coordinate, 0.0)
    assert moved @ way > 0.005


@pytest.mark.parametrize("name", [name for name in MOVES if not angles.MEASURED[name].turns and name != "pelvis_tilt"])
def test_a_left_angle_grows_where_the_right_ones_mirror_image_does(model, name):
    """The joint itself is moved, then read as from a record: both hips of this model turn about one axis."""
    angle, (body, way) = angles.MEASURED[name], MOVES[name]
    data, names = mujoco.MjData(model), joint_names(model)
    places = []
    for value in (0.0, 0.2):
        data.qpos[:] = anatomy.upright(model)
        data.qpos[names.index(f"{angle.coordinate}_l")] += value
        mujoco.mj_kinematics(model, data)
        places.append((data.body(mirrored_name(body)).xpos.copy(), data.qpos.copy()))
    qpos = np.stack([q for _, q in places])
    record = SimpleNamespace(time=np.arange(2), joint_names=names, qpos=qpos, joint_sign=np.array(left_signs(model)))
    record.column = lambda array, joint: array[:, names.index(joint)]
    grown = np.diff(angle.sign * angles.model_angle(record, angle)[:, 1])[0]
    assert abs(grown) == pytest.approx(np.degrees(0.2))
    assert (places[1][0] - places[0][0]) @ (way * [1, -1, 1]) * grown > 0


def test_the_geometry_is_checked_of_every_angle():
    assert [*MOVES] == [*angles.MEASURED]


def test_published_figures_have_the_signs_of_the_reports():
    for angle in angles.MEASURED.values():
        assert BANDS[angle.coordinate][1] == angle.sign, angle.coordinate
    for name, (sign, word) in zip(angles.LEG, angles.MOMENT_SIGNS.values(), strict=True):
        assert BANDS[f"{name}_moment"] == (f"{name}_{word}_moment", sign)


def test_what_a_reader_sees_follows_from_the_row():
    knee, tilt = angles.SAGITTAL["knee"], angles.SAGITTAL["pelvis_tilt"]
    assert (knee.title, knee.label, knee.column) == ("Knee", "flexion (deg)", "knee")
    assert (tilt.title, tilt.label, tilt.column) == ("Pelvis tilt", "forward tilt (deg)", "tilt")
    assert (knee.towards(1), knee.towards(-1)) == (
        "knee extension",
        "knee flexion",
    )  # the model's knee flexes negatively
    assert angles.MOMENT_SIGNS == {
        "hip_flexion": (-1, "extension"),
        "knee_angle": (1, "extension"),
        "ankle_angle": (-1, "plantarflexion"),
    }
