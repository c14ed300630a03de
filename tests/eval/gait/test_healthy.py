"""Deviation from healthy walking: GPS by hand, bands against published peaks, a walker that walks the bands."""

import dataclasses

import numpy as np
import pytest
from synthetic_gait import JOINTS, MASS, in_3d, synthetic_gait, with_box_load

from mjx_assist.eval.gait import healthy
from mjx_assist.model.names import GRAVITY
from mjx_assist.reference.published import ADULT_LEG_LENGTH, healthy_band

pytestmark = pytest.mark.filterwarnings("error")
SPEED = 1.25
COLUMNS = {"hip": "hip_flexion", "knee": "knee_angle", "ankle": "ankle_angle"}


@pytest.fixture(scope="module")
def published_walker():
    """A walker whose angles and moments are the published means themselves, each leg on its cycle."""
    record = with_box_load(synthetic_gait(duration=13.0))
    qpos, moment = record.qpos.copy(), np.zeros_like(record.qpos)
    for leg, side in enumerate("rl"):
        percent = 100 * ((record.phase - 0.5 * leg) % 1)
        for name, joint in COLUMNS.items():
            column = JOINTS.index(f"{joint}_{side}")
            qpos[:, column] = np.radians(np.interp(percent, *healthy_band(joint, SPEED)[:2]))
            moment[:, column] = MASS * np.interp(percent, *healthy_band(f"{name}_moment", SPEED)[:2])
    qpos[:, JOINTS.index("pelvis_tilt")] = np.radians(
        np.interp(100 * record.phase, *healthy_band("pelvis_tilt", SPEED)[:2])
    )
    return dataclasses.replace(record, qpos=qpos, joint_moment=moment)


def test_gait_variable_and_profile_scores_by_hand():
    """Differences 3 and 4 on two samples: RMS sqrt(12.5); scores 3, 4 and 12: sqrt(169 / 3)."""
    assert healthy.gait_variable_score(np.array([[13.0, 24.0], [10.0, 20.0]]), np.array([10.0, 20.0])) == pytest.approx(
        [np.sqrt(12.5), 0]
    )
    assert healthy.gait_profile_score([3.0, 4.0, 12.0]) == pytest.approx(np.sqrt(169 / 3))
    assert healthy.gait_profile_score([3.0, np.nan, 4.0]) == pytest.approx(np.sqrt(12.5))
    assert np.isnan(healthy.gait_profile_score([np.nan]))


def test_a_walker_of_the_published_curves_does_not_deviate(published_walker):
    found = healthy.healthy_summary([published_walker], SPEED)
    for name in COLUMNS:
        assert found["map_deg"][name] == pytest.approx(0, abs=0.3), name
        assert found["correlation"][name] > 0.999
        assert found["rmse"][f"{name}_moment_nm_per_kg"] == pytest.approx(0, abs=0.02)
    assert found["gps_deg"] < 0.5
    assert found["gps_angles"] == ["hip", "knee", "ankle", "pelvis_tilt"]


def test_published_powers_do_not_deviate_either(published_walker):
    """Joints that turn at 1 rad/s throughout, under the published power as their moment."""
    qpos, moment = published_walker.qpos.copy(), np.zeros_like(published_walker.qpos)
    for leg, side in enumerate("rl"):
        percent = 100 * ((published_walker.phase - 0.5 * leg) % 1)
        for name, joint in COLUMNS.items():
            column = JOINTS.index(f"{joint}_{side}")
            qpos[:, column] = published_walker.time
            moment[:, column] = MASS * np.interp(percent, *healthy_band(f"{name}_power", SPEED)[:2])
    turning = dataclasses.replace(published_walker, qpos=qpos, joint_moment=moment)
    found = healthy.healthy_summary([turning], SPEED)
    for name in COLUMNS:
        assert found["rmse"][f"{name}_power_w_per_kg"] == pytest.approx(0, abs=0.06)
        assert found["correlation"][f"{name}_power"] > 0.995


def test_offsets_are_the_profile_and_their_rms_the_score(published_walker):
    """Right knee 10 deg off, left hip 5 deg, pelvis 2 deg: each leg's own score, and both with the pelvis once."""
    qpos = published_walker.qpos.copy()
    for joint, degrees in (("knee_angle_r", 10), ("hip_flexion_l", 5), ("pelvis_tilt", 2)):
        qpos[:, JOINTS.index(joint)] += np.radians(degrees)
    found = healthy.healthy_summary([dataclasses.replace(published_walker, qpos=qpos)], SPEED)
    assert found["right"]["map_deg"]["knee"] == pytest.approx(10, abs=0.1)
    assert found["left"]["map_deg"]["hip"] == pytest.approx(5, abs=0.1)
    assert found["map_deg"]["knee"] == pytest.approx(5, abs=0.2)
    assert found["right"]["gps_deg"] == pytest.approx(np.sqrt((100 + 4) / 4), abs=0.1)
    assert found["left"]["gps_deg"] == pytest.approx(np.sqrt((25 + 4) / 4), abs=0.1)
    assert found["gps_deg"] == pytest.approx(np.sqrt((100 + 25 + 4) / 7), abs=0.1)
    assert found["right"]["rmse"]["knee_deg"] == pytest.approx(10, abs=0.1)


def test_the_pelvis_of_a_left_leg_is_seen_from_its_side(published_walker):
    """A pelvis that follows the published obliquity and rotation, each odd between the legs, deviates for neither."""
    walk = in_3d(published_walker)
    qpos = walk.qpos.copy()
    for name in ("pelvis_list", "pelvis_rotation"):
        curve = healthy_band(name, SPEED)[1][:-1]
        odd = (curve - np.roll(curve, 50)) / 2  # what both legs can have at once
        qpos[:, walk.joint_names.index(name)] = np.radians(np.interp(100 * walk.phase, np.arange(100), odd, period=100))
    found = healthy.healthy_summary([dataclasses.replace(walk, qpos=qpos)], SPEED)
    assert len(found["gps_angles"]) == 8
    for name in ("pelvis_list", "pelvis_rotation"):
        assert found["right"]["map_deg"][name] < 0.6
        assert found["left"]["map_deg"][name] < 0.6


# Schwartz et al. (2008), supplementary tables, group "free": largest and smallest mean and where (% of the cycle).
FREE_PEAKS = {
    "knee_angle": (-59.1, 72),
    "ankle_angle": (-19.8, 64),
    "grf_vertical": (1.10, 14),
    "ankle_moment": (-1.23, 48),
    "ankle_power": (2.80, 54),
    "hip_moment": (0.63, 50),
}


@pytest.mark.parametrize("quantity", FREE_PEAKS)
def test_bands_have_the_published_peaks(quantity):
    """In the model's signs; the bands are Fourier series of the printed values, hence a few percent."""
    percent, mean, _ = healthy_band(quantity, 0.429 * np.sqrt(GRAVITY * ADULT_LEG_LENGTH))
    value, place = FREE_PEAKS[quantity]
    at = np.argmax(np.sign(value) * mean)
    assert mean[at] == pytest.approx(value, rel=0.06)
    assert percent[at] == pytest.approx(place, abs=3)


def test_bands_agree_with_adults_of_other_laboratories():
    """Perry & Burnfield (2010): 60 deg of knee flexion in swing, 40 deg of hip motion; Winter (1991): natural cadence,
    plantarflexor moment 1.6 N*m/kg: the children's are within a fifth of it at a speed of 1.4 m/s."""
    assert healthy_band("knee_angle", 1.4)[1].min() == pytest.approx(-60, abs=4)
    assert np.ptp(healthy_band("hip_flexion", 1.4)[1]) == pytest.approx(43, abs=4)
    assert healthy_band("ankle_moment", 1.4)[1].min() == pytest.approx(-1.6, rel=0.25)


def test_unknown_speed_and_missing_joint_are_nan_and_do_not_spoil_the_rest(published_walker):
    nothing = healthy.healthy_summary([published_walker], float("nan"))
    assert np.isnan(nothing["gps_deg"]) and nothing["gps_angles"] == []
    names = tuple("pylon" if name == "ankle_angle_r" else name for name in published_walker.joint_names)
    worn = healthy.healthy_summary(
        [dataclasses.replace(published_walker, joint_names=names, device_joints=("pylon", "ankle_angle_l"))], SPEED
    )
    assert np.isnan(worn["right"]["map_deg"]["ankle"]) and np.isnan(worn["right"]["correlation"]["ankle_moment"])
    assert worn["right"]["gps_deg"] < 0.5 and worn["left"]["map_deg"]["ankle"] < 0.3
