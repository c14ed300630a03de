"""Every figure of the metrics on a walker whose answers are known in closed form."""

import dataclasses
import json

import numpy as np
import pytest
from scipy.integrate import quad
from synthetic_gait import JOINT_WAVES, JOINTS, LIFT_M, MASS, PEAK_BW, PULSE, in_3d, synthetic_gait

from mjx_assist.eval.gait import angles, cycles
from mjx_assist.eval.gait import metrics as gait_metrics
from mjx_assist.eval.gait import summary as metrics
from mjx_assist.eval.gait.cycles import stride_average
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
    assert summary["symmetry"]["angle_correlation"] == pytest.approx({"hip": 1, "knee": 1, "ankle": 1})


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


@pytest.mark.parametrize("frequency", [2.0, 10.0, 20.0, 40.0, 80.0])
def test_low_pass_has_the_butterworth_gain_and_no_delay(frequency):
    """Two passes of a 2nd-order Butterworth: gain 1 / (1 + (f / f2)^4), with f2 such that 20 Hz is at -3 dB."""
    time, middle = np.arange(8000) / 2000, slice(2000, 6000)
    wave = np.sin(2 * np.pi * frequency * time)
    gain = 1 / (1 + (2**0.5 - 1) * (frequency / 20) ** 4)
    np.testing.assert_allclose(cycles.low_pass(wave, 1 / 2000, 20.0)[middle], gain * wave[middle], atol=0.002)


def test_low_pass_leaves_alone_what_it_cannot_filter():
    coarse, short = np.random.default_rng(0).normal(size=100), np.ones(5)
    assert cycles.low_pass(coarse, 1 / 30) is coarse  # 20 Hz is over half of 30 Hz
    assert cycles.low_pass(short, 1 / 240) is short


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


def test_an_amputated_joint_is_left_out_and_the_other_side_stays(record):
    """A prosthesis' joint has its own name; the right ankle's figures are None, the left one's as before."""
    names = tuple("Leg_motor_ankle" if name == "ankle_angle_r" else name for name in record.joint_names)
    worn = dataclasses.replace(
        record, joint_names=names, device_names=(), device_joints=(), device_torque=np.zeros((record.time.size, 0))
    )
    both, one = metrics.summarize([record]), metrics.summarize([worn])
    assert one["right"]["corr_reference"]["ankle"] is None and one["right"]["ankle_range_deg"] is None
    assert one["left"]["corr_reference"] == both["left"]["corr_reference"]
    assert one["both"]["rmse_deg"]["ankle"] == both["left"]["rmse_deg"]["ankle"]
    assert one["symmetry"]["angle_correlation"]["ankle"] is None
    json.dumps(metrics.episode_summary(worn), allow_nan=False)


def test_stride_average_is_the_cycle_itself(record):
    average = stride_average(record, angles.model_angle(record, angles.SAGITTAL["knee"]))
    assert average["mean"].shape == average["sd"].shape == (101, 2)
    assert average["strides"] == (9, 9)
    mean, amplitude, shift = JOINT_WAVES["knee_angle"]
    late = np.arcsin(0.02 / PEAK_BW) / np.pi * 60  # percent of the cycle until contact is seen
    phase = (average["percent"] + late) / 100
    expected = np.degrees(mean + amplitude * np.sin(2 * np.pi * (phase - shift)))
    np.testing.assert_allclose(average["mean"], np.stack([expected, expected], axis=1), atol=0.6)
    np.testing.assert_allclose(average["sd"], 0, atol=1e-6)


def test_stride_average_tells_stride_to_stride_spread(record):
    """A quantity that is k in the k-th right stride: mean and sample SD of consecutive whole numbers."""
    number = np.cumsum(np.concatenate([[0], np.diff(record.phase) < 0])).astype(float)
    average = stride_average(record, np.stack([number, number], axis=1))
    counted = np.arange(9)
    assert average["mean"][50, 0] == pytest.approx(number.max() / 2, abs=1)
    assert average["sd"][50, 0] == pytest.approx(counted.std(ddof=1))


def test_episode_summary_has_exactly_the_promised_fields(record):
    episode = metrics.episode_summary(record)
    fields = "seed steps time_s distance_m mean_speed_m_s fell corr_reference rmse_deg"
    assert list(episode) == fields.split()
    assert list(episode["corr_reference"]) == list(episode["rmse_deg"]) == ["hip", "knee", "ankle", "pelvis_tilt"]
    assert episode["steps"] == 13 * 30
    assert episode["time_s"] == pytest.approx(13.0)
    assert episode["distance_m"] == pytest.approx(13 * 1.25, abs=0.01)
    assert episode["mean_speed_m_s"] == pytest.approx(1.25)
    assert episode["fell"] is False


def test_mean_speed_leaves_out_the_start(record):
    qpos = record.qpos.copy()
    qpos[:, 0] = np.where(record.time < 2, 0.0, (record.time - 2) * 1.1)
    episode = metrics.episode_summary(dataclasses.replace(record, qpos=qpos))
    assert episode["mean_speed_m_s"] == pytest.approx(1.1)


def test_episodes_are_pooled(record):
    slow = synthetic_gait(duration=13.0, stride_length=1.1, peak_bw=(1.0, 1.0), seed=3, fell=True)
    both, one = metrics.summarize([record, slow]), metrics.summarize([record])
    assert both["episodes"] == 2 and both["falls"] == 1
    assert both["right"]["strides"] == 2 * one["right"]["strides"]
    assert both["both"]["grf_peak_bw"] == pytest.approx(1.1, abs=0.01)
    assert both["both"]["sd"]["grf_peak_bw"] == pytest.approx(0.1 * np.sqrt(36 / 35), abs=0.001)
    assert both["speed_m_s"] == pytest.approx((1.25 + 1.0) / 2)
    assert [episode["seed"] for episode in both["per_episode"]] == [0, 3]
    assert both["notes"] == ["Seed 3: fell after 13.00 s."]


@pytest.mark.parametrize("duration", [1 / 240, 3 / 240, 0.8, 2.2])
def test_early_fall_gives_none_and_says_so(duration):
    summary = metrics.summarize([synthetic_gait(duration=duration, fell=True, seed=5)])
    full = metrics.summarize([synthetic_gait()])
    for leg in LEGS:
        assert list(summary[leg]) == list(full[leg])
        assert summary[leg]["strides"] == 0
        unknown = ("stance_percent", "grf_peak_bw", "stride_length_m", "grf_peak_unfiltered_max_bw")
        assert [summary[leg][key] for key in unknown] == [None] * 4
    assert summary["symmetry"]["index_percent"]["stance_percent"] is None
    assert summary["device"]["ankle_angle"]["both"]["torque_peak_nm"] is None
    assert summary["device"]["ankle_angle"]["both"]["torque_max_nm"] >= 0
    assert "Seed 5: fell" in summary["notes"][0]
    assert "No complete stride of the right and the left leg" in summary["notes"][1]
    json.dumps(summary, allow_nan=False)


def test_diverged_episode_is_measured_up_to_there(record):
    qpos = record.qpos.copy()
    qpos[2400:] = np.nan
    diverged = metrics.summarize([dataclasses.replace(record, qpos=qpos, fell=True)])
    assert diverged["per_episode"][0]["time_s"] == pytest.approx(10.0)
    assert diverged["both"]["stance_percent"] == pytest.approx(59.4, abs=0.5)


def test_a_fall_and_a_diverged_end_are_told_and_measured_up_to_there(record):
    qpos = record.qpos.copy()
    qpos[2400:] = np.nan
    summary = metrics.summarize([dataclasses.replace(record, qpos=qpos, fell=True, seed=4)])
    assert summary["notes"] == [
        "Seed 4: fell after 10.00 s.",
        "Seed 4: not finite after 10.00 s, measured up to there.",
    ]
    assert summary["stability"]["fall_times_s"] == [pytest.approx(10.0)]


@pytest.mark.parametrize(
    "missing",
    ["ground_reaction", "joint_moment", "activation", "com_velocity", "foot_position", "device_torque"],
)
def test_what_a_file_lacks_is_named_and_costs_only_its_own_figures(record, missing):
    """An imported record without one series: its figures are None, a note says which series is not recorded."""
    lacking = dataclasses.replace(record, **{missing: np.full_like(getattr(record, missing), np.nan)})
    summary = metrics.summarize([lacking])
    assert f"Seed 0: not recorded: {missing}." in " ".join(summary["notes"])
    assert summary["both"]["corr_reference"]["hip"] == pytest.approx(1)
    known = {
        "ground_reaction": None,
        "foot_position": summary["both"]["stride_time_s"],
        "com_velocity": summary["both"]["stride_length_m"],
    }.get(missing, summary["both"]["grf_peak_bw"])
    assert (known is None) == (missing == "ground_reaction")
    assert not any("never touches" in note for note in summary["notes"])
    json.dumps(summary, allow_nan=False)


def test_a_3d_walker_has_what_a_planar_one_lacks(record, summary):
    wide = metrics.summarize([in_3d(record)])
    more = set(wide["both"]) - set(summary["both"])
    assert more == {
        *(f"{name}_range_deg" for name in ("hip_adduction", "hip_rotation", "pelvis_list", "pelvis_rotation")),
        *("hip_adduction_peak_deg", "hip_abduction_peak_deg"),
        *("hip_internal_rotation_peak_deg", "hip_external_rotation_peak_deg"),
        *("pelvis_upward_obliquity_peak_deg", "pelvis_downward_obliquity_peak_deg"),
        *("pelvis_forward_rotation_peak_deg", "pelvis_backward_rotation_peak_deg"),
        *("step_width_m", "margin_of_stability_lateral_m"),
    }
    assert {key: wide["both"][key] for key in ("stride_time_s", "step_length_m", "hip_range_deg")} == pytest.approx(
        {key: summary["both"][key] for key in ("stride_time_s", "step_length_m", "hip_range_deg")}
    )
    assert len(wide["healthy"]["gps_angles"]) == 8


def test_a_record_of_a_prosthesis_has_figures_of_what_is_left(record):
    """Right knee and ankle replaced by a device's joints, the muscles that crossed them gone."""
    names = {"knee_angle_r": "Leg_knee_angle_r", "ankle_angle_r": "Leg_ankle_angle_r"}
    gone = ("bifemsh_r", "edl_r", "fdl_r", "vasti_r", "gastroc_r", "soleus_r", "tibant_r")
    keep = np.array([name not in gone for name in record.muscle_names])
    series = ("activation", "excitation", "muscle_length", "muscle_velocity", "muscle_force", "muscle_active_force")
    constants = ("max_force", "optimal_length", "tendon_length", "max_velocity")
    worn = dataclasses.replace(
        record,
        joint_names=tuple(names.get(name, name) for name in record.joint_names),
        device_names=("knee_motor", "ankle_motor"),
        device_joints=("Leg_knee_angle_r", "Leg_ankle_angle_r"),
        muscle_names=tuple(np.array(record.muscle_names)[keep]),
        **{name: getattr(record, name)[:, keep] for name in series},
        **{f"muscle_{name}": getattr(record, f"muscle_{name}")[keep] for name in constants},
    )
    summary = metrics.summarize([worn])
    assert summary["right"]["knee_range_deg"] is None and summary["left"]["knee_range_deg"] > 40
    assert summary["both"]["knee_range_deg"] == summary["left"]["knee_range_deg"]
    assert summary["right"]["ankle_positive_work_j_per_kg"] is None
    assert summary["right"]["activation_peak"]["soleus"] is None and summary["left"]["activation_peak"]["soleus"] > 0.4
    assert summary["emg"]["soleus"]["right"]["on_percent"] is None
    assert summary["symmetry"]["cross_correlation"]["knee"]["r"] is None
    assert summary["healthy"]["right"]["gps_deg"] > 0
    assert set(summary["device"]) == {"Leg_knee_angle", "Leg_ankle_angle"}


def test_stride_rows_have_the_same_figures_with_and_without_strides(record):
    rows = metrics.stride_rows(record)
    assert len(rows) == 18 and {row["side"] for row in rows} == {"right", "left"}
    assert [*rows[0]] == ["side", *gait_metrics.figures(synthetic_gait(duration=0.5))]
    assert all(isinstance(value, float) for value in [*rows[0].values()][1:])


def test_every_number_is_json(summary):
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
