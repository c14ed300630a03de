"""Angles, moments, powers and ground reaction of every stride against closed forms."""

import dataclasses

import numpy as np
import pytest
from scipy.integrate import quad
from synthetic_gait import JOINT_WAVES, JOINTS, MASS, PEAK_BW, PULSE, in_3d, synthetic_gait, with_box_load

from mjx_assist.eval.gait import events, metrics
from mjx_assist.model.names import GRAVITY

pytestmark = pytest.mark.filterwarnings("error")
STRIDE_TIME, STANCE = 1.1, 0.6


@pytest.fixture(scope="module")
def record():
    return synthetic_gait(duration=13.0)


def means(figures):
    return {name: values.mean() for name, values in figures.items()}


def test_impulses_of_half_sine_and_sine(record):
    """Integral of P sin(pi t / S) is 2 P S / pi; of the fore-aft sine's each half, 0.2 S / pi."""
    stance = STANCE * STRIDE_TIME
    figures = means(metrics.figures(record))
    assert figures["grf_vertical_impulse_bw_s"] == pytest.approx(2 * PEAK_BW * stance / np.pi, rel=2e-3)
    assert figures["grf_braking_impulse_bw_s"] == pytest.approx(-0.2 * stance / np.pi, rel=5e-3)
    assert figures["grf_propulsive_impulse_bw_s"] == pytest.approx(0.2 * stance / np.pi, rel=5e-3)
    assert figures["grf_braking_peak_bw"] == pytest.approx(0.2, rel=5e-3)
    assert figures["grf_propulsive_peak_bw"] == pytest.approx(0.2, rel=5e-3)


def test_impulses_of_both_feet_carry_the_body(record):
    """Over a stride of a steady walk the vertical impulses of both feet add up to body weight times its time."""
    stance = 2 * PEAK_BW * STANCE / np.pi  # of body weight times stride time, one foot
    ground = record.ground_reaction / (2 * stance)
    figures = metrics.figures(dataclasses.replace(record, ground_reaction=ground))
    assert 2 * figures["grf_vertical_impulse_bw_s"].mean() == pytest.approx(STRIDE_TIME, rel=2e-3)


def test_two_humps_and_the_valley_between(record):
    """sin x + a sin 3x over stance: humps where cos x = -3 a cos 3x, the valley 1 - a in the middle."""
    a, through = 0.45, np.stack([record.phase, (record.phase + 0.5) % 1], axis=1) / STANCE
    load = np.where(through < 1, np.sin(np.pi * through) + a * np.sin(3 * np.pi * through), 0)
    ground = record.ground_reaction.copy()
    ground[:, :, 2] = load * record.body_weight
    figures = means(metrics.figures(dataclasses.replace(record, ground_reaction=ground)))
    grid = np.linspace(0, np.pi, 100001)
    hump = (np.sin(grid) + a * np.sin(3 * grid)).max()
    assert figures["grf_loading_peak_bw"] == pytest.approx(hump, rel=0.01)
    assert figures["grf_push_off_peak_bw"] == pytest.approx(hump, rel=0.01)
    assert figures["grf_valley_bw"] == pytest.approx(1 - a, rel=0.01)


def test_angle_peaks_have_the_signs_of_gait_laboratories(record):
    """The model's knee angle is negative in flexion; a peak is positive in the direction that it names."""
    figures = means(metrics.figures(record))
    hip, knee, ankle = (np.degrees(JOINT_WAVES[j][:2]) for j in ("hip_flexion", "knee_angle", "ankle_angle"))
    expected = {
        "hip_flexion": hip[0] + hip[1],
        "hip_extension": hip[1] - hip[0],
        "knee_flexion": knee[1] - knee[0],
        "knee_extension": knee[0] + knee[1],
        "ankle_dorsiflexion": ankle[0] + ankle[1],
        "ankle_plantarflexion": ankle[1] - ankle[0],
        "pelvis_backward_tilt": np.degrees(-0.05 + 0.03),
        "pelvis_forward_tilt": np.degrees(0.05 + 0.03),
    }
    for name, degrees in expected.items():
        assert figures[f"{name}_peak_deg"] == pytest.approx(degrees, abs=0.02), name
    assert "hip_adduction_range_deg" not in figures


def test_pelvis_of_a_3d_walker_looks_alike_from_both_legs(record):
    """The pelvis lifts the side whose foot has landed: each leg sees its own side go up by the same angle."""
    walk = in_3d(record, obliquity=0.07)
    figures = metrics.figures(walk)
    for side in ("right", "left"):
        chosen = [stride.side == side for stride in events.strides(walk)]
        for name in ("pelvis_upward_obliquity", "pelvis_downward_obliquity"):
            assert figures[f"{name}_peak_deg"][chosen].mean() == pytest.approx(np.degrees(0.07), abs=0.01)


def with_moments(record, muscles, device):
    """The record with a right and left ankle moment of muscles(phase) and of the device(phase), N*m."""
    moment, worn = np.zeros_like(record.qpos), np.zeros_like(record.qpos)
    for leg, side in enumerate("rl"):
        phase = (record.phase - 0.5 * leg) % 1
        column = JOINTS.index(f"ankle_angle_{side}")
        worn[:, column] = device(phase)
        moment[:, column] = muscles(phase) + device(phase)
    return dataclasses.replace(record, joint_moment=moment, device_moment=worn)


def test_moment_of_the_joint_is_muscles_and_device_and_biological_is_muscles_alone():
    walk = with_box_load(synthetic_gait(duration=13.0))
    walk = with_moments(walk, lambda p: -90 * np.sin(np.pi * p), lambda p: -30 * np.sin(np.pi * p))
    figures = means(metrics.figures(walk))
    assert figures["ankle_plantarflexion_moment_peak_nm_per_kg"] == pytest.approx(120 / MASS, rel=1e-3)
    assert figures["ankle_plantarflexion_biological_moment_peak_nm_per_kg"] == pytest.approx(90 / MASS, rel=1e-3)
    assert figures["ankle_dorsiflexion_moment_peak_nm_per_kg"] == pytest.approx(0, abs=0.01)
    assert figures["knee_extension_moment_peak_nm_per_kg"] == 0


def test_work_is_the_integral_of_positive_and_negative_power():
    """A constant moment does the work M (turning one way) and takes as much turning back."""
    walk = with_box_load(synthetic_gait(duration=13.0))
    walk = with_moments(walk, lambda p: -60.0 + 0 * p, lambda p: 0 * p)
    figures = means(metrics.figures(walk))
    swing = 2 * JOINT_WAVES["ankle_angle"][1]  # rad, there and back once a stride
    assert figures["ankle_positive_work_j_per_kg"] == pytest.approx(60 * swing / MASS, rel=1e-3)
    assert figures["ankle_negative_work_j_per_kg"] == pytest.approx(-60 * swing / MASS, rel=1e-3)
    fastest = JOINT_WAVES["ankle_angle"][1] * 2 * np.pi / STRIDE_TIME
    assert figures["ankle_power_peak_w_per_kg"] == pytest.approx(60 * fastest / MASS, rel=1e-3)
    assert figures["ankle_power_lowest_w_per_kg"] == pytest.approx(-60 * fastest / MASS, rel=1e-3)
    assert figures["hip_positive_work_j_per_kg"] == 0


def test_biological_work_is_without_the_devices():
    """The device's half-sine pulse alone: net work by quadrature, biological work none."""
    walk = with_box_load(synthetic_gait(duration=13.0))
    begin, end = PULSE

    def pulse(phase):
        inside = (phase > begin) & (phase < end)
        return np.where(inside, -30 * np.sin(np.pi * (phase - begin) / (end - begin)), 0.0)

    def power(phase):
        _, amplitude, shift = JOINT_WAVES["ankle_angle"]
        return pulse(phase) * amplitude * 2 * np.pi / STRIDE_TIME * np.cos(2 * np.pi * (phase - shift)) / MASS

    figures = means(metrics.figures(with_moments(walk, lambda p: 0 * p, pulse)))
    gain = quad(power, 0.47, end)[0] * STRIDE_TIME  # the ankle turns at 47 %
    assert figures["ankle_positive_work_j_per_kg"] == pytest.approx(gain, rel=2e-3)
    assert figures["ankle_biological_positive_work_j_per_kg"] == pytest.approx(0, abs=1e-12)


def test_loading_rate_is_that_of_a_ramp(record):
    """A load that rises by 1.2 BW in 0.15 s, slowly enough for the 20 Hz filter: 8 BW/s."""
    elapsed = np.stack([record.phase, (record.phase + 0.5) % 1], axis=1) * STRIDE_TIME
    load = np.interp(elapsed, [0, 0.15, 0.55, 0.66, 1.1], [0, 1.2, 1.2, 0, 0])
    ground = record.ground_reaction.copy()
    ground[:, :, 2] = load * MASS * GRAVITY
    figures = means(metrics.figures(dataclasses.replace(record, ground_reaction=ground)))
    assert figures["grf_loading_rate_bw_per_s"] == pytest.approx(8.0, rel=0.06)


def test_moments_and_work_have_passive_structures_in_and_the_biological_part_only_leaves_out_the_device():
    """Muscles 60, a stop 30 and the device 15 N*m, all constant: 105 in all, 90 without the device."""
    walk = with_moments(with_box_load(synthetic_gait(duration=13.0)), lambda p: -60 + 0 * p, lambda p: -15 + 0 * p)
    passive = np.zeros_like(walk.qpos)
    passive[:, [JOINTS.index(f"ankle_angle_{side}") for side in "rl"]] = -30
    figures = means(metrics.figures(dataclasses.replace(walk, passive_moment=passive)))
    swing = 2 * JOINT_WAVES["ankle_angle"][1]
    for kind, moment in (("", 105), ("biological_", 90)):
        peak = figures[f"ankle_plantarflexion_{kind}moment_peak_nm_per_kg"]
        assert peak == pytest.approx(moment / MASS, rel=1e-9)
        assert figures[f"ankle_{kind}positive_work_j_per_kg"] == pytest.approx(moment * swing / MASS, rel=1e-3)
