"""A laboratory's .c3d, written here by ezc3d: raw plates in millimetres with z up become forces on feet."""

import ezc3d
import numpy as np
import pytest
from laboratory_walk import MASS, RATE, TIME, angles, plate, radians, write

from mjx_assist.cli.main import main
from mjx_assist.errors import UserError
from mjx_assist.eval.formats import convert

CENTRE = np.array([5000.0, 0.0, 0.0])  # mm, of both plates
AXES = np.diag([1.0, -1.0, -1.0])  # of a plate: x forward, y right, z down
ANGLES = {"RHipAngles": ("hip_flexion_r", 1), "LHipAngles": ("hip_flexion_l", 1), "RKneeAngles": ("knee_angle_r", -1)}
ANGLES |= {"LKneeAngles": ("knee_angle_l", -1), "Subject:RAnkleAngles": ("ankle_angle_r", 1)}
ANGLES |= {"LAnkleAngles": ("ankle_angle_l", 1), "RPelvisAngles": ("pelvis_tilt", -1)}


def channels(side):
    """Fx to Mz [6, T] of an AMTI plate (type 2), N and N*mm: what the foot does to it, about its centre."""
    force, point, _ = plate(side)
    on_plate = -np.stack([force[:, 0], -force[:, 2], force[:, 1]], axis=1) @ AXES
    arm = (1000 * np.stack([point[:, 0], -point[:, 2], 0 * point[:, 1]], axis=1) - CENTRE) @ AXES
    return np.concatenate([on_plate, np.cross(arm, on_plate)], axis=1).T


def make(path, with_angles=True, first=("r", "l"), spoil=None):
    file = ezc3d.c3d()
    labels = [*(ANGLES if with_angles else ()), "R.Heel"]
    points = np.ones((4, len(labels), TIME.size))
    points[:3] = 0.0
    for place, (coordinate, sign) in enumerate(ANGLES.values() if with_angles else ()):
        points[0, place] = sign * angles()[coordinate]
    point = file["parameters"]["POINT"]
    point["RATE"]["value"], point["LABELS"]["value"], point["UNITS"]["value"] = [RATE], labels, ["mm"]
    file["data"]["points"] = points
    file["data"]["meta_points"]["residuals"] = np.zeros((1, len(labels), TIME.size))
    if spoil:
        spoil(file)
    file["parameters"]["ANALOG"]["RATE"]["value"] = [RATE]
    named = [f"{kind}{number}" for number in (1, 2) for kind in ("Fx", "Fy", "Fz", "Mx", "My", "Mz")]
    file["parameters"]["ANALOG"]["LABELS"]["value"] = named
    file["data"]["analogs"] = np.concatenate([channels(side) for side in first])[None]
    corners = np.array([[6e3, 1e3, 0], [-6e3, 1e3, 0], [-6e3, -1e3, 0], [6e3, -1e3, 0]]) @ AXES.T + CENTRE
    plates = file["parameters"]["FORCE_PLATFORM"]
    plates["USED"]["value"], plates["TYPE"]["value"], plates["ZERO"]["value"] = [2], [2, 2], [1, 0]
    plates["CORNERS"]["value"] = np.stack([corners.T] * 2, axis=-1)
    plates["ORIGIN"]["value"] = np.zeros((3, 2))
    plates["CHANNEL"]["value"] = np.arange(1, 13).reshape(2, 6).T
    file.write(str(path))
    return path


def check_forces(found):
    for foot, side in enumerate("rl"):
        force = plate(side)[0]
        own = np.stack([force[:, 0], -force[:, 2], force[:, 1]], axis=1)
        np.testing.assert_allclose(found.ground_reaction[:, foot], own, atol=1e-3)
    assert found.body_mass == pytest.approx(MASS, rel=0.01)


@pytest.mark.parametrize("first", ["rl", "lr"])
def test_forces_and_angles_of_a_c3d(tmp_path, first):
    imported = convert.read([make(tmp_path / "walk.c3d", first=first)])
    found = imported.record
    check_forces(found)
    for name in ("pelvis_tilt", "hip_flexion_l", "knee_angle_r", "ankle_angle_r"):
        np.testing.assert_allclose(found.column(found.qpos, name), radians(angles())[name], atol=1e-6, err_msg=name)
    force, point, _ = plate("r")
    on = force[:, 1] > 20
    place = found.center_of_pressure[on, 0, 0]
    np.testing.assert_allclose(place - place[0], point[on, 0] - point[on, 0][0], atol=1e-4)
    assert any("1 markers" in note for note in imported.notes)


def test_a_c3d_gives_the_forces_beside_angles_of_opensim(tmp_path):
    ik = write(tmp_path / "ik.mot", angles(), time=TIME - TIME[0])
    for with_angles in (True, False):
        found = convert.read([make(tmp_path / "walk.c3d", with_angles), ik]).record
        check_forces(found)
        assert found.target_velocity[0] == pytest.approx(1.25, rel=1e-3)


def lose(frame):
    def spoil(file):
        file["data"]["points"][:3, 2, frame] = np.nan
        file["data"]["meta_points"]["residuals"][0, 2, frame] = -1

    return spoil


def test_a_gap_in_an_angle_is_named_and_one_at_the_edge_is_cut(tmp_path):
    with pytest.raises(UserError, match=r"knee_angle_r is not known at 2\.000 s \(frame 201\)"):
        convert.read([make(tmp_path / "gap.c3d", spoil=lose(200))])
    found = convert.read([make(tmp_path / "edge.c3d", spoil=lose(slice(0, 10)))]).record
    assert found.time[0] == pytest.approx(0.1)


@pytest.mark.parametrize("content", [b"", b"no such file", b"\x02\x50" + bytes(2000)])
def test_what_is_no_c3d_is_named(tmp_path, content):
    (tmp_path / "walk.c3d").write_bytes(content)
    with pytest.raises(UserError, match=r"walk\.c3d"):
        convert.read([tmp_path / "walk.c3d"])


def test_c3d_is_not_written(tmp_path, capsys):
    source = str(write(tmp_path / "ik.mot", angles()))
    assert main(["convert", source, "-o", str(tmp_path / "walk.c3d")]) == 2
    assert "Allowed: .csv, .json" in capsys.readouterr().err
