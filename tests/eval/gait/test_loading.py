"""Joint stops, centre of pressure, calf and landing against what was put into a record."""

import dataclasses

import healthy_gait
import numpy as np
import pytest

from mjx_assist.eval.gait import loading, metrics

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def record():
    return healthy_gait.healthy_gait()


def test_stop_peak_is_the_peak_of_each_stride_whatever_its_sign(record):
    leaning = healthy_gait.leaning_on_a_stop(record, peak=-0.7)
    np.testing.assert_allclose(loading.stop_peak(leaning, "hip"), 0.7, rtol=0.01)
    np.testing.assert_allclose(loading.stop_peak(leaning, "knee"), 0.0)


def test_stop_peak_is_not_known_where_limits_were_not_recorded(record):
    assert np.isnan(loading.stop_peak(dataclasses.replace(record, limit_moment=None), "hip")).all()


def test_pressure_comes_back_as_far_as_it_was_moved(record):
    """From 0.02 m it rolls 0.20 m in a stance; a bump of b m that fades from 12 to 30 % of the cycle takes some of it
    back: b less what it rolls meanwhile."""
    np.testing.assert_allclose(loading.pressure_backward(record), 0.0, atol=1e-3)
    meanwhile = 0.2 * (0.30 - 0.12) / healthy_gait.STANCE
    found = loading.pressure_backward(healthy_gait.pressure_back(record))
    np.testing.assert_allclose(found, 0.08 - meanwhile, atol=0.003)


def test_a_heel_that_rises_does_not_move_the_pressure_back(record):
    """The heel-body moves forward by 10 cm late in stance, the centre of pressure stays where it is on the ground."""
    foot = record.foot_position.copy()
    for leg in range(2):
        at = healthy_gait.phase(record, leg)
        foot[:, leg, 0] += np.interp(at, [0.4, 0.6, 0.65, 1], [0, 0.1, 0, 0])
    moved = dataclasses.replace(record, foot_position=foot)
    np.testing.assert_allclose(loading.pressure_backward(moved), 0.0, atol=1e-3)


def test_calf_moment_is_the_published_one_at_30_percent(record):
    np.testing.assert_allclose(loading.calf_moment(record), -healthy_gait.band("ankle_moment", 0.30), atol=0.02)


def test_foot_drop_rate_is_the_slope_of_the_ankle(record):
    """9 degrees in 2.5 % of 1.12 s, rounded by 20 Hz, and people's own fall with it."""
    own, slapping = loading.foot_drop_rate(record), loading.foot_drop_rate(healthy_gait.foot_slap(record))
    slope = 9 / (0.025 * healthy_gait.STRIDE_TIME)
    assert 0.9 * slope < slapping.mean() - own.mean() + 60 < 1.3 * slope
    percent = np.linspace(0, 0.15, 16)
    steepest = -np.gradient(healthy_gait.band("ankle_angle", percent), percent * healthy_gait.STRIDE_TIME).min()
    np.testing.assert_allclose(own, steepest, rtol=0.1)


def test_every_figure_is_in_the_table(record):
    assert {row.name for row in loading.rows()} <= set(metrics.figures(record))
