"""The tree that metrics.json holds: its fields, episodes pooled, falls, gaps and what a walker lacks."""

import dataclasses
import json

import numpy as np
import pytest
from synthetic_gait import in_3d, synthetic_gait

from mjx_assist.eval.gait import metrics as gait_metrics
from mjx_assist.eval.gait import summary as metrics

OFF_PLANE_ANGLES = ("hip_adduction", "hip_rotation", "pelvis_list", "pelvis_rotation")
pytestmark = pytest.mark.filterwarnings("error")
LEGS = ("right", "left", "both")


@pytest.fixture(scope="module")
def record():
    return synthetic_gait(duration=13.0)  # 2 s and ten whole strides


@pytest.fixture(scope="module")
def summary(record):
    return metrics.summarize([record])


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
    assert one["left"]["ankle_legs_correlation"] is None
    json.dumps(metrics.episode_summary(worn), allow_nan=False)


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
        *(f"{name}_range_deg" for name in OFF_PLANE_ANGLES),
        *("hip_adduction_peak_deg", "hip_abduction_peak_deg"),
        *("hip_internal_rotation_peak_deg", "hip_external_rotation_peak_deg"),
        *("pelvis_upward_obliquity_peak_deg", "pelvis_downward_obliquity_peak_deg"),
        *("pelvis_forward_rotation_peak_deg", "pelvis_backward_rotation_peak_deg"),
        *(f"{name}_{what}" for name in OFF_PLANE_ANGLES for what in ("deviation_deg", "healthy_correlation")),
        *("step_width_m", "margin_of_stability_lateral_m"),
        *(
            f"hip_{way}_{kind}moment_peak_nm_per_kg"
            for way in ("adduction", "abduction")
            for kind in ("", "biological_")
        ),
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
    assert summary["left"]["knee_shifted_legs_correlation"] is None
    assert summary["healthy"]["right"]["gps_deg"] > 0
    assert set(summary["device"]) == {"Leg_knee_angle", "Leg_ankle_angle"}


def test_stride_rows_have_the_same_figures_with_and_without_strides(record):
    rows = metrics.stride_rows(record)
    assert len(rows) == 18 and {row["side"] for row in rows} == {"right", "left"}
    assert [*rows[0]] == ["side", *gait_metrics.figures(synthetic_gait(duration=0.5))]
    assert all(isinstance(value, float) for value in [*rows[0].values()][1:])


def test_every_number_is_json(summary):
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
