"""Curves that are shifted, and strides that differ, by known amounts."""

import dataclasses

import numpy as np
import pytest
from synthetic_gait import JOINT_WAVES, synthetic_gait, with_box_load

from mjx_assist.eval.gait import curves, metrics, summary
from mjx_assist.eval.studies import compare
from mjx_assist.reference.published import healthy_band

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def record():
    return with_box_load(synthetic_gait(duration=13.0))


def with_angle(record, coordinate, side, angle):
    qpos = record.qpos.copy()
    qpos[:, record.joint_names.index(f"{coordinate}_{side}")] = angle
    return dataclasses.replace(record, qpos=qpos)


@pytest.mark.parametrize("late", [0, 7, -20, 50])
def test_cross_correlation_finds_the_shift(late):
    percent = np.arange(100)
    curve = np.sin(2 * np.pi * percent / 100) + 0.4 * np.cos(4 * np.pi * percent / 100)
    r, lag = curves.cross_correlation(curve, 3 * np.roll(curve, late) + 5)
    assert r == pytest.approx(1) and lag == late
    assert np.isnan(curves.cross_correlation(curve, np.ones(100))).all()


def test_a_leg_whose_knee_moves_late_is_told_by_lag_and_correlation(record):
    """The left knee 5 % of its cycle behind: r = cos(2 pi 0.05) on equal cycles, 1 at the lag."""
    mean, amplitude, shift = JOINT_WAVES["knee_angle"]
    late = mean + amplitude * np.sin(2 * np.pi * (record.phase - 0.5 - shift - 0.05))
    told = summary.summarize([with_angle(record, "knee_angle", "l", late)])
    for side, lag in (("left", 5), ("right", -5)):
        assert told[side]["knee_legs_correlation"] == pytest.approx(np.cos(0.1 * np.pi), abs=0.002)
        assert told[side]["knee_shifted_legs_correlation"] == pytest.approx(1, abs=1e-3)
        assert told[side]["knee_legs_lag_percent"] == pytest.approx(lag, abs=1)


def test_strides_that_alternate_deviate_by_half_their_difference(record):
    """Every second right stride is 4 degrees more flexed: each is 2 degrees from their mean."""
    stride = np.floor(0.3 + record.time / 1.1)
    hip = record.column(record.qpos, "hip_flexion_r") + np.radians(4) * (stride % 2)
    walk = with_angle(record, "hip_flexion", "r", hip)
    told = summary.summarize([walk])
    count = told["right"]["strides"]
    mean = (count // 2 if count % 2 else count / 2) / count * 4  # of an odd number one kind is one more
    expected = np.mean([abs(4 * (i % 2) - mean) for i in range(count)])
    assert told["right"]["hip_deviation_deg"] == pytest.approx(expected, abs=0.1)
    assert told["left"]["hip_deviation_deg"] == pytest.approx(0, abs=1e-6)


def test_correlation_with_healthy_is_that_of_the_published_curve(record):
    """The published knee itself, and the same a tenth of the cycle late by NumPy's corrcoef."""
    percent, mean, _ = healthy_band("knee_angle", 1.25)
    for late in (0.0, 0.1):
        phase = (record.phase - late) % 1
        knee = np.radians(np.interp(100 * phase, percent, mean))
        found = summary.summarize([with_angle(record, "knee_angle", "r", knee)])["right"]["knee_healthy_correlation"]
        shifted = np.interp((percent - 100 * late) % 100, percent, mean)
        assert found == pytest.approx(np.corrcoef(mean, shifted)[0, 1], abs=0.01)


def test_comparisons_and_strides_have_every_curve_figure(record):
    names = {row.name for row in curves.rows() if row.known(record)}
    assert {"ankle_legs_correlation", "grf_vertical_legs_lag_percent", "pelvis_tilt_healthy_correlation"} <= names
    compared = {name for figures in compare.episode(record).figures.values() for name in figures}
    assert names <= compared and names <= set(summary.stride_rows(record)[0]) and names <= set(metrics.METRICS)
