"""Every figure of the metrics on a walker whose answers are known in closed form."""

import dataclasses

import numpy as np
import pytest
from scipy.integrate import quad
from synthetic_gait import JOINT_WAVES, JOINTS, LIFT_M, MASS, PEAK_BW, PULSE, synthetic_gait

from mjx_assist.eval.gait import angles
from mjx_assist.eval.gait import summary as metrics
from mjx_assist.model.names import GRAVITY

pytestmark = pytest.mark.filterwarnings("error")
STRIDE_TIME, STRIDE_LENGTH = 1.1, 1.375
LEGS = ("right", "left", "both")


@pytest.fixture(scope="module")
def record():
    return synthetic_gait(duration=13.0)  # 2 s and ten whole strides


@pytest.fixture(scope="module")
def summary(record):
    return metrics.summarize([record])


def without_device(record):
    empty = np.zeros((record.time.size, 0))
    return dataclasses.replace(record, device_torque=empty, device_names=(), device_joints=(), device="none")


@pytest.mark.parametrize("leg", LEGS)
def test_spatiotemporal_figures_are_the_walkers_own(summary, leg):
    figures = summary[leg]
    assert figures["stride_time_s"] == pytest.approx(STRIDE_TIME, abs=1e-6)
    assert figures["stride_length_m"] == pytest.approx(STRIDE_LENGTH, abs=1e-6)
    assert figures["speed_m_s"] == pytest.approx(1.25, abs=1e-6)
    assert figures["cadence_steps_per_min"] == pytest.approx(120 / STRIDE_TIME, abs=1e-4)
    assert figures["step_time_s"] == pytest.approx(STRIDE_TIME / 2, abs=1e-6)
    assert figures["step_length_m"] == pytest.approx(STRIDE_LENGTH / 2, abs=1e-6)
    # the load is over the threshold for all but the two ends of the half sine
    threshold = 2 * np.arcsin(0.02 / PEAK_BW) / np.pi
    sample = 100 / (STRIDE_TIME * 240)
    assert figures["stance_percent"] == pytest.approx(60 * (1 - threshold), abs=sample)
    assert figures["double_support_percent"] == pytest.approx(20 - 120 * threshold, abs=2 * sample)
    assert figures["foot_lift_m"] == pytest.approx(LIFT_M, abs=1e-3)
    for name, joint in (("hip", "hip_flexion"), ("knee", "knee_angle"), ("ankle", "ankle_angle")):
        assert figures[f"{name}_range_deg"] == pytest.approx(np.degrees(2 * JOINT_WAVES[joint][1]), rel=1e-3)


def test_steps_of_uneven_legs_differ_and_add_up_to_the_stride():
    summary = metrics.summarize([synthetic_gait(left_delay=0.45, stance=(0.62, 0.58), peak_bw=(1.3, 1.1))])
    right, left = summary["right"], summary["left"]
    # the left foot lands 0.45 of a cycle, and of a stride length, after the right
    assert left["step_length_m"] == pytest.approx(0.45 * STRIDE_LENGTH, abs=0.002)
    assert right["step_length_m"] == pytest.approx(0.55 * STRIDE_LENGTH, abs=0.002)
    assert left["step_time_s"] == pytest.approx(0.45 * STRIDE_TIME, abs=1 / 240)
    assert left["step_time_s"] + right["step_time_s"] == pytest.approx(STRIDE_TIME, abs=1 / 240)
    index = summary["symmetry"]["index_percent"]
    assert index["step_length_m"] == pytest.approx(100 * (0.55 - 0.45) / 0.5, abs=0.5)
    assert index["stance_percent"] == pytest.approx(100 * 0.04 / 0.6, abs=1.0)
    assert index["grf_peak_bw"] == pytest.approx(100 * 0.2 / 1.2, abs=0.1)


def test_equal_legs_have_symmetry_index_zero(summary):
    index = summary["symmetry"]["index_percent"]
    assert {name for name, value in index.items() if value is None} == {  # these joints have no moment at all
        "hip_positive_work_j_per_kg",
        "knee_positive_work_j_per_kg",
    }
    assert [value for value in index.values() if value is not None] == pytest.approx([0] * (len(index) - 2), abs=1e-9)
    for name in ("hip", "knee", "ankle"):
        assert summary["both"][f"{name}_legs_correlation"] == pytest.approx(1)


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.25])
def test_correlation_and_rmse_of_a_late_walker(record, shift):
    """A sine and itself shifted by s cycles: r = cos(2 pi s), RMSE = amplitude sqrt(1 - r)."""
    reference = record.qpos.copy()
    for joint, (mean, amplitude, phase) in JOINT_WAVES.items():
        for side, delay in (("r", 0.0), ("l", 0.5)):
            angle = 2 * np.pi * (0.3 + record.time / STRIDE_TIME - delay - phase + shift)
            reference[:, JOINTS.index(f"{joint}_{side}")] = mean + amplitude * np.sin(angle)
    late = dataclasses.replace(record, reference_qpos=reference)
    expected = np.cos(2 * np.pi * shift)
    episode, summary = metrics.episode_summary(late), metrics.summarize([late])
    for name, joint in (("hip", "hip_flexion"), ("knee", "knee_angle"), ("ankle", "ankle_angle")):
        error = np.degrees(JOINT_WAVES[joint][1]) * np.sqrt(1 - expected)
        assert episode["corr_reference"][name] == pytest.approx(expected, abs=2e-3)
        assert episode["rmse_deg"][name] == pytest.approx(error, abs=0.02)
        for leg in LEGS:
            assert summary[leg]["corr_reference"][name] == pytest.approx(expected, abs=2e-3)
            assert summary[leg]["rmse_deg"][name] == pytest.approx(error, abs=0.02)
    assert episode["corr_reference"]["pelvis_tilt"] == pytest.approx(1)


def test_tracking_leaves_out_the_first_two_seconds(record):
    reference = record.qpos.copy()
    reference[record.time < 2.0] += 1.0
    assert metrics.episode_summary(dataclasses.replace(record, reference_qpos=reference))["rmse_deg"]["hip"] == 0


def test_offset_from_the_reference_is_all_error_and_no_loss_of_correlation():
    summary = metrics.summarize([synthetic_gait(reference_offset=0.05)])["both"]
    assert summary["rmse_deg"] == pytest.approx(dict.fromkeys(angles.SAGITTAL, np.degrees(0.05)))
    assert summary["corr_reference"] == pytest.approx(dict.fromkeys(angles.SAGITTAL, 1.0))


def test_constant_angle_has_no_correlation(record):
    qpos = record.qpos.copy()
    qpos[:, JOINTS.index("pelvis_tilt")] = 0.1
    episode = metrics.episode_summary(dataclasses.replace(record, qpos=qpos))
    assert episode["corr_reference"]["pelvis_tilt"] is None


def test_impact_spike_counts_in_the_unfiltered_peak_only(record):
    ground = record.ground_reaction.copy()
    spikes = np.flatnonzero(np.diff(record.phase) < 0) + 2  # 8 ms after each right contact
    ground[spikes, 0, 2] = 4.0 * MASS * GRAVITY
    figures = metrics.summarize([dataclasses.replace(record, ground_reaction=ground)])
    assert figures["right"]["grf_peak_unfiltered_bw"] == pytest.approx(4.0)
    assert figures["right"]["grf_peak_unfiltered_max_bw"] == pytest.approx(4.0)
    assert figures["right"]["grf_peak_bw"] == pytest.approx(PEAK_BW, abs=0.01)
    assert figures["left"]["grf_peak_unfiltered_bw"] == pytest.approx(PEAK_BW, abs=0.01)


def test_loading_of_a_smooth_step(summary):
    figures = summary["both"]
    assert figures["grf_loading_peak_bw"] == pytest.approx(PEAK_BW, abs=0.01)
    assert figures["grf_push_off_peak_bw"] == pytest.approx(PEAK_BW, abs=0.01)
    # steepest at contact: d/dt of the half sine; the 20 Hz filter rounds its corner
    steepest = PEAK_BW * np.pi / (0.6 * STRIDE_TIME)
    assert 0.9 * steepest < figures["grf_loading_rate_bw_per_s"] <= 1.05 * steepest


def test_mean_activation_is_that_of_the_wave(summary):
    # 0.04 + 0.5 cos^12 over a cycle: the mean of cos^12 is C(12, 6) / 2^12; the window holds ten whole cycles
    expected = 0.04 + 0.5 * 924 / 4096
    for leg in LEGS:
        assert len(summary[leg]["activation_mean"]) == 11
        assert summary[leg]["activation_mean"]["soleus"] == pytest.approx(expected, abs=1e-3)


def device_power(percent):
    """W/kg of the synthetic ankle pulse at a percentage of the cycle, written out by hand."""
    _, amplitude, shift = JOINT_WAVES["ankle_angle"]
    phase = percent / 100
    inside = PULSE[0] < phase < PULSE[1]
    torque = -30 * np.sin(np.pi * (phase - PULSE[0]) / (PULSE[1] - PULSE[0])) if inside else 0.0
    return torque * amplitude * 2 * np.pi / STRIDE_TIME * np.cos(2 * np.pi * (phase - shift)) / MASS


@pytest.mark.parametrize("leg", LEGS)
def test_device_pulse_has_its_known_torque_timing_and_work(summary, leg):
    device = summary["device"]["ankle_angle"][leg]
    assert device["torque_peak_nm"] == pytest.approx(30, abs=0.1)
    assert device["torque_peak_nm_per_kg"] == pytest.approx(0.4, abs=0.002)
    assert device["torque_peak_timing_percent"] == pytest.approx(51 - 0.3, abs=0.7)
    seconds_per_percent = STRIDE_TIME / 100
    turn = 47.0  # percent where the ankle turns from dorsi- to plantarflexion: the work changes sign
    loss = quad(device_power, 42, turn)[0] * seconds_per_percent
    gain = quad(device_power, turn, 60)[0] * seconds_per_percent
    assert loss < 0 < gain
    assert device["negative_work_j_per_kg"] == pytest.approx(loss, abs=0.01 * gain)
    assert device["positive_work_j_per_kg"] == pytest.approx(gain, rel=0.01)
    assert device["push_off_positive_work_j_per_kg"] == pytest.approx(gain, rel=0.01)
    assert device["swing_torque_fraction"] < 0.1  # the pulse ends at toe-off


def test_torque_in_swing_is_seen(record):
    torque = record.device_torque.copy()
    swinging = (np.abs(record.phase - 0.8) < 0.05)[:, None] * np.array([1.0, 0.0])
    figures = metrics.summarize([dataclasses.replace(record, device_torque=torque + 12 * swinging)])["device"]
    assert figures["ankle_angle"]["right"]["swing_torque_fraction"] == pytest.approx(0.4, abs=0.01)
    assert figures["ankle_angle"]["left"]["swing_torque_fraction"] < 0.1


def test_disabled_device_is_zero_and_absent_device_is_empty(record):
    idle = metrics.summarize([dataclasses.replace(record, device_torque=np.zeros_like(record.device_torque))])
    figures = idle["device"]["ankle_angle"]["both"]
    assert figures["torque_max_nm"] == figures["torque_peak_nm"] == figures["positive_work_j_per_kg"] == 0
    assert figures["swing_torque_fraction"] is None
    assert metrics.summarize([without_device(record)])["device"] == {}


def test_device_on_one_leg_leaves_the_other_empty(record):
    one = dataclasses.replace(
        record, device_torque=record.device_torque[:, 1:], device_names=("Foot",), device_joints=("ankle_angle_l",)
    )
    figures = metrics.summarize([one])["device"]["ankle_angle"]
    assert set(figures["right"].values()) == {None}
    assert figures["both"] == figures["left"]
    assert figures["left"]["torque_peak_nm"] == pytest.approx(30, abs=0.1)
