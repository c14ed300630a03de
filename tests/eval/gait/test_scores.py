"""MyoAssist's scores where each part is known by hand."""

import dataclasses

import numpy as np
import pytest
from synthetic_gait import MASS, synthetic_gait

from mjx_assist.eval.gait.scores import lower_is_better, score_summary, within


def test_a_steady_even_well_timed_pulse_scores_one():
    got = score_summary([synthetic_gait()])
    for name in ("stability", "symmetry", "plausibility", "total"):
        assert got[name] == pytest.approx(1.0, abs=0.01)
    assert got["joint"] == "ankle_angle"


def test_scales():
    assert [lower_is_better(x, 1.0, 3.0) for x in (0.0, 1.0, 2.0, 3.0, 9.0)] == [1.0, 1.0, 0.5, 0.0, 0.0]
    assert [within(x, 1.0, 2.0, 0.5) for x in (0.0, 0.75, 1.0, 1.5, 2.0, 2.25, 3.0)] == [0.0, 0.5, 1, 1, 1, 0.5, 0.0]


def test_half_the_torque_on_one_leg_halves_two_parts_of_symmetry():
    got = score_summary([synthetic_gait(device_peak=(-30.0, -15.0))])
    assert got["parts"]["symmetry"] == pytest.approx(
        {"peak": 0.5, "impulse": 0.5, "timing": 1.0, "correlation": 1.0}, abs=0.01
    )
    assert got["symmetry"] == pytest.approx(0.75, abs=0.01)


@pytest.mark.parametrize("peak_nm_per_kg, part", [(0.05, 0.6), (0.15, 1.0), (0.8, 1.0), (0.925, 0.5), (1.2, 0.0)])
def test_peak_torque_is_plausible_within_its_band(peak_nm_per_kg, part):
    peak = -peak_nm_per_kg * MASS
    got = score_summary([synthetic_gait(rate=1000.0, device_peak=(peak, peak))])
    assert got["parts"]["plausibility"]["peak"] == pytest.approx(part, abs=0.01)


def test_torque_outside_the_window_is_implausible():
    """The pulse moved half a cycle on: all of it early in stance, its peak at 1 % of the cycle."""
    record = synthetic_gait()
    late = dataclasses.replace(record, device_torque=record.device_torque[:, ::-1])
    parts = score_summary([late])["parts"]["plausibility"]
    assert parts["timing"] == pytest.approx(0.0, abs=0.02)
    assert parts["in_window"] == pytest.approx(0.0, abs=0.02)


def test_two_pulses_are_not_a_single_peak():
    record = synthetic_gait()
    double = dataclasses.replace(record, device_torque=record.device_torque + record.device_torque[:, ::-1])
    parts = score_summary([double])["parts"]["plausibility"]
    assert parts["single_peak"] == 0.0
    assert parts["smooth"] == pytest.approx((8.0 - 4.0) / 5.5, abs=0.03)


def test_stability_counts_the_error_of_speed_and_stance():
    record = synthetic_gait(stance=(0.75, 0.75))
    got = score_summary([dataclasses.replace(record, target_velocity=record.target_velocity + 0.225)])
    assert got["parts"]["stability"]["speed"] == pytest.approx(0.5, abs=0.01)
    assert got["parts"]["stability"]["stance"] == pytest.approx(
        1 / 3, abs=0.06
    )  # a half sine is below the contact threshold at its ends


def test_what_does_not_apply_is_nan():
    record = synthetic_gait()
    one = dataclasses.replace(
        record, device_torque=record.device_torque[:, 1:], device_names=("Foot",), device_joints=("ankle_angle_l",)
    )
    for case in (one, synthetic_gait(device_peak=(0.0, 0.0)), synthetic_gait(duration=1.0)):
        got = score_summary([case])
        assert np.isnan(got["symmetry"]) and np.isnan(got["plausibility"]) and np.isnan(got["total"])
