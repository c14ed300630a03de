"""Spread of strides that vary by known amounts, and curves that are shifted by known ones."""

import dataclasses

import numpy as np
import pytest
from synthetic_gait import JOINT_WAVES, synthetic_gait, with_box_load

from mjx_assist.eval.gait import summary, variability
from mjx_assist.eval.replay.record import SIDES

pytestmark = pytest.mark.filterwarnings("error")


def rows(right, left):
    """Stride rows with these stride times."""
    legs = dict(zip(SIDES, (right, left), strict=True))
    return [{"side": side, "stride_time_s": value} for side, values in legs.items() for value in values]


def test_spread_is_within_legs_and_episodes():
    """Legs at 1.0 and 1.2 s, another episode at 2 s: none of these differences is stride-to-stride variability."""
    record = with_box_load(synthetic_gait(duration=13.0))
    episodes = [rows([0.9, 1.0, 1.1], [1.1, 1.2, 1.3]), rows([2.0, 2.0, 2.0], [2.0, 2.0, 2.0])]
    found = variability.variability_summary([record, record], episodes)
    sd = np.sqrt((0.02 + 0.02) / (4 * 2))  # squares over (n - 1) of each of four groups
    assert found["stride_time_s"]["sd"] == pytest.approx(sd)
    assert found["stride_time_s"]["cv_percent"] == pytest.approx(100 * sd / np.mean([1.0, 1.2, 2.0, 2.0]))
    assert "stride_length_m" not in found


def test_single_stride_has_no_spread():
    record = synthetic_gait(duration=13.0)
    found = variability.variability_summary([record], [rows([1.0], [])])
    assert np.isnan(found["stride_time_s"]["sd"]) and np.isnan(found["stride_time_s"]["cv_percent"])


def test_synthetic_gait_varies_by_nothing():
    found = summary.summarize([synthetic_gait(duration=13.0)])["variability"]
    assert found["stride_time_s"]["cv_percent"] == pytest.approx(0, abs=1e-6)
    assert found["mean_sd_deg"] == pytest.approx(dict.fromkeys(found["mean_sd_deg"], 0), abs=1e-6)


@pytest.mark.parametrize("late", [0, 7, -20, 50])
def test_cross_correlation_finds_the_shift(late):
    percent = np.arange(100)
    curve = np.sin(2 * np.pi * percent / 100) + 0.4 * np.cos(4 * np.pi * percent / 100)
    found = variability.cross_correlation(curve, 3 * np.roll(curve, late) + 5)
    assert found["r"] == pytest.approx(1)
    assert found["lag_percent"] == late
    assert np.isnan(variability.cross_correlation(curve, np.ones(100))["r"])


def test_a_leg_whose_knee_moves_late_is_told_by_lag_and_correlation():
    """The left knee 5 % of its cycle behind: r = cos(2 pi 0.05) on equal cycles, 1 at the lag."""
    record = with_box_load(synthetic_gait(duration=13.0))
    qpos = record.qpos.copy()
    mean, amplitude, shift = JOINT_WAVES["knee_angle"]
    column = record.joint_names.index("knee_angle_l")
    qpos[:, column] = mean + amplitude * np.sin(2 * np.pi * (record.phase - 0.5 - shift - 0.05))
    symmetry = summary.summarize([dataclasses.replace(record, qpos=qpos)])["symmetry"]
    assert symmetry["angle_correlation"]["knee"] == pytest.approx(np.cos(0.1 * np.pi), abs=0.002)
    assert symmetry["cross_correlation"]["knee"]["r"] == pytest.approx(1, abs=1e-3)
    assert symmetry["cross_correlation"]["knee"]["lag_percent"] == pytest.approx(5, abs=1)


def test_symmetry_index_is_robinsons():
    assert variability.symmetry_index(1.1, 0.9) == pytest.approx(20)
    assert variability.symmetry_index(1.0, 1.0) == 0
    assert np.isnan(variability.symmetry_index(0.0, 0.0))
