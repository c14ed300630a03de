"""Intervals over trainings against SciPy's tests, a printed t table, and the truth of synthetic trainings."""

import numpy as np
import pytest
from scipy import stats

from mjx_assist.eval.studies import trainings

OFF = [5.51, 5.02, 5.77, 5.30, 5.15]
ON = [4.82, 4.61, 5.20, 4.44, 4.95, 4.71]
# Student's t at 97.5 % by degrees of freedom, as textbooks print it.
PRINTED_T = {1: 12.706, 2: 4.303, 4: 2.776, 9: 2.262}


@pytest.mark.parametrize(("freedom", "t"), PRINTED_T.items())
def test_a_mean_has_the_interval_of_the_printed_t_table(freedom, t):
    values = np.random.default_rng(freedom).normal(5, 1, freedom + 1)
    reach = t * np.std(values, ddof=1) / np.sqrt(values.size)
    found = trainings.mean(values)
    assert found == pytest.approx((values.mean(), values.mean() - reach, values.mean() + reach), rel=1e-3)


def test_differences_are_those_of_scipys_tests():
    limits = stats.ttest_ind(ON, OFF, equal_var=False).confidence_interval(0.95)
    assert trainings.welch(ON, OFF) == pytest.approx((np.mean(ON) - np.mean(OFF), *limits))
    limits = stats.ttest_rel(ON[:5], OFF).confidence_interval(0.95)
    assert trainings.paired(ON[:5], OFF) == pytest.approx((np.mean(np.subtract(ON[:5], OFF)), *limits))
    assert trainings.welch(ON, OFF, level=0.9)[1] > trainings.welch(ON, OFF)[1]


def test_percents_limits_are_the_ratios_that_a_t_test_just_does_not_reject():
    """Fieller's definition, by bisection: for the true ratio r the mean of x - r y is zero."""
    estimate, low, high = trainings.percent(ON, OFF)
    assert estimate == pytest.approx(100 * (np.mean(ON) / np.mean(OFF) - 1))
    ratio = np.mean(ON) / np.mean(OFF)
    above, below = np.var(ON, ddof=1) / len(ON), np.var(OFF, ddof=1) / len(OFF)
    freedom = (above + ratio**2 * below) ** 2 / (above**2 / (len(ON) - 1) + (ratio**2 * below) ** 2 / (len(OFF) - 1))
    t = stats.t.ppf(0.975, freedom)
    for limit in (low, high):
        r = 1 + limit / 100
        assert abs(np.mean(ON) - r * np.mean(OFF)) == pytest.approx(t * np.sqrt(above + r**2 * below))
    assert low < estimate < high < 0


def test_a_sure_baseline_leaves_welch_over_it():
    """With a baseline that does not vary Fieller's interval is the difference's, over the baseline's mean."""
    off = [5.0, 5.0, 5.0]
    expected = 100 * np.array(trainings.welch(ON, off)) / 5.0
    assert trainings.percent(ON, off) == pytest.approx(tuple(expected))


@pytest.mark.parametrize(("spread", "trainings_a_side"), [((0.1, 0.6), 5), ((0.5, 0.3), 3)])
def test_intervals_hold_the_truth_as_often_as_they_say(spread, trainings_a_side):
    """Five trainings a side, spread by 10 % of their mean as retrained walkers are; the device truly saves 12 %."""
    rng, told = np.random.default_rng(0), np.zeros(2)
    trials = 400
    for _ in range(trials):
        on, off = (rng.normal(m, s, trainings_a_side) for m, s in zip((4.4, 5.0), spread, strict=True))
        _, low, high = trainings.welch(on, off)
        _, least, most = trainings.percent(on, off)
        told += (low <= -0.6 <= high), least is None or least <= -12 <= most
    np.testing.assert_allclose(told / trials, 0.95, atol=0.033)  # three standard errors of a share of 400


def test_what_cannot_be_told_has_no_limits():
    assert trainings.mean([3.0]) == (3.0, None, None)
    assert trainings.welch([3.0], OFF)[1:] == (None, None)
    assert trainings.percent([3.0], OFF)[1:] == (None, None)
    assert trainings.paired([3.0], [2.0]) == (1.0, None, None)
    assert trainings.percent([1.0, 2.0], [-1.0, 1.0])[1:] == (None, None)  # a mean of zero
    assert trainings.percent([1.0, 2.0], [0.1, 0.5])[1:] == (None, None)  # one that is not told from zero
    assert trainings.mean([2.0, 2.0, 2.0]) == (2.0, 2.0, 2.0)
    assert trainings.welch([2.0, 2.0], [3.0, 3.0]) == (-1.0, -1.0, -1.0)
