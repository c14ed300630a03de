"""Bootstrap intervals: coverage on synthetic walks whose truth is known, against closed forms and a naive bootstrap."""

from statistics import NormalDist

import numpy as np
import pytest

from mjx_assist.eval.studies.statistics import FEWEST_EPISODES, interval, pooled_mean, wilson


def walks(rng, episodes, mean, between, within, strides):
    """(sums, counts, values) of strides that share their episode's offset of SD ``between``."""
    offset = rng.normal(0, between, episodes)
    count = rng.integers(*strides, episodes, endpoint=True)
    values = [mean + offset[e] + rng.normal(0, within, n) for e, n in enumerate(count)]
    return np.array([v.sum() for v in values]), count.astype(float), values


@pytest.mark.parametrize(("episodes", "strides"), [(10, (20, 60)), (20, (30, 30)), (6, (50, 60))])
def test_intervals_cover_the_truth_as_often_as_they_say(episodes, strides):
    rng, covered, trials = np.random.default_rng(0), 0, 400
    for trial in range(trials):
        total, count, _ = walks(rng, episodes, 3.0, 0.2, 0.3, strides)
        _, low, high = interval(total, count, resamples=600, seed=trial)
        covered += low <= 3.0 <= high
    assert covered / trials == pytest.approx(0.95, abs=0.035)  # three standard errors of a share of 400


def test_strides_drawn_one_by_one_would_be_far_too_sure():
    """Why episodes are drawn: the naive bootstrap over strides misses the truth half the time."""
    rng, naive, trials = np.random.default_rng(1), 0, 200
    for _ in range(trials):
        _, _, values = walks(rng, 10, 3.0, 0.2, 0.3, (40, 40))
        pool = np.concatenate(values)
        means = rng.choice(pool, (300, pool.size)).mean(axis=1)
        low, high = np.quantile(means, [0.025, 0.975])
        naive += low <= 3.0 <= high
    assert naive / trials < 0.7


def test_difference_covers_and_gains_from_equal_seeds():
    """What a seed does to both cases drops out: the interval of the difference is narrower than of either mean."""
    rng, covered, trials, narrower = np.random.default_rng(2), 0, 300, 0
    for trial in range(trials):
        shared = rng.normal(0, 0.5, 10)
        cases = []
        for mean in (3.0, 2.8):
            count = rng.integers(20, 40, 10).astype(float)
            own = rng.normal(0, 0.05, 10)
            cases.append(((mean + shared + own) * count, count))
        _, low, high = interval(*cases[0], cases[1], resamples=600, seed=trial)
        covered += low <= 0.2 <= high
        _, single_low, single_high = interval(*cases[0], resamples=600, seed=trial)
        narrower += high - low < 0.6 * (single_high - single_low)
    assert covered / trials == pytest.approx(0.95, abs=0.04)
    assert narrower / trials > 0.95


def test_many_equal_episodes_give_the_normal_interval():
    """With 200 episodes of one stride each the studentised bootstrap is the textbook's mean +- 1.97 SD / sqrt(n)."""
    values = np.random.default_rng(3).normal(5, 2, 200)
    estimate, low, high = interval(values, np.ones(200), resamples=20_000)
    error = values.std(ddof=1) / np.sqrt(200)
    assert estimate == pytest.approx(values.mean())
    assert (low, high) == pytest.approx((estimate - 1.97 * error, estimate + 1.97 * error), abs=0.1 * error)


def test_what_cannot_be_told_is_nan_and_what_does_not_vary_has_no_width():
    few = np.ones(FEWEST_EPISODES - 1)
    estimate, low, high = interval(2 * few, few)
    assert estimate == 2.0
    assert np.isnan([low, high]).all()
    same = np.full(8, 3.0)
    assert interval(0.7 * same, same) == pytest.approx((0.7, 0.7, 0.7))
    assert interval(same, same, (same, same)) == pytest.approx((0.0, 0.0, 0.0))
    assert np.isnan(interval(np.zeros(6), np.zeros(6))).all()
    assert np.isnan(pooled_mean(np.zeros(3), np.zeros(3)))


def test_a_seed_that_one_case_did_not_walk_does_not_count():
    total, count = np.arange(1.0, 9.0), np.ones(8)
    other_total, other_count = total - 0.5, count.copy()
    other_total[0], other_count[0] = 0.0, 0.0  # fell before its first stride
    assert interval(total, count, (other_total, other_count))[0] == pytest.approx(0.5)


@pytest.mark.parametrize(("successes", "count"), [(0, 10), (5, 10), (9, 10), (10, 10), (1, 1), (33, 200)])
def test_wilson_limits_are_the_shares_whose_score_test_just_does_not_reject(successes, count):
    """The roots of (share - p)^2 = z^2 p (1 - p) / n (Wilson 1927)."""
    share, z2 = successes / count, NormalDist().inv_cdf(0.975) ** 2 / count
    roots = np.sort(np.roots([1 + z2, -2 * share - z2, share**2]).real)
    np.testing.assert_allclose(wilson(successes, count), roots, rtol=0, atol=1e-8)


def test_without_a_trial_the_share_may_be_anything():
    assert wilson(0, 0) == (0.0, 1.0)
