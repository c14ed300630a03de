"""Intervals over people and over trainings: each covers what it says it does, and the figures are the textbook's."""

import numpy as np
import pytest
from scipy.stats import spearmanr, ttest_ind, ttest_rel

from mjx_assist.eval.studies import nested

PEOPLE = tuple("ABCDEF")
MEAN, PEOPLE_SD, TRAINING_SD = -0.5, 0.4, 0.3


def draw(rng, people_sd, counts=(3, 2)):
    """Both sides of a study and these people's own mean difference: people differ, and trainings scatter about them."""
    own = rng.normal(3.0, 1.0, len(PEOPLE))  # what a person costs, which drops out
    gain = rng.normal(MEAN, people_sd, len(PEOPLE))
    sides = [
        {p: list(level[i] + rng.normal(0, TRAINING_SD, count)) for i, p in enumerate(PEOPLE)}
        for level, count in ((own + gain, counts[0]), (own, counts[1]))
    ]
    return *sides, gain.mean()


@pytest.mark.parametrize("people_sd", [0.0, PEOPLE_SD])
def test_each_interval_covers_what_it_is_over(people_sd):
    """95 of 100 times: over people the mean of all, over trainings that of these people. Where people differ the

    interval over trainings does not cover the mean of all, which is why there are two.
    """
    rng, studies = np.random.default_rng(4), 400
    covered = np.zeros(3)
    for _ in range(studies):
        of, against, theirs = draw(rng, people_sd)
        told = nested.compare(of, against)
        covered += [
            told["difference_low"] <= MEAN <= told["difference_high"],
            told["over_trainings_low"] <= theirs <= told["over_trainings_high"],
            told["over_trainings_low"] <= MEAN <= told["over_trainings_high"],
        ]
    share = covered / studies
    assert share[:2] == pytest.approx(0.95, abs=3.3 * np.sqrt(0.95 * 0.05 / studies))
    assert share[2] < 0.8 if people_sd else share[2] > 0.9


def test_one_training_a_person_is_the_paired_t_test_and_nothing_over_trainings():
    rng = np.random.default_rng(1)
    of, against, _ = draw(rng, PEOPLE_SD, counts=(1, 1))
    told = nested.compare(of, against)
    limits = ttest_rel([v[0] for v in of.values()], [v[0] for v in against.values()]).confidence_interval(0.95)
    assert (told["difference_low"], told["difference_high"]) == pytest.approx((limits.low, limits.high))
    assert told["over_trainings_low"] is None and told["people_sd"] is None
    assert all(row["difference_low"] is None for row in told["each"]) and told["surely_less"] == 0


def test_one_person_is_welchs_difference_of_their_trainings():
    of, against = {"A": [2.1, 2.4, 2.0]}, {"A": [2.9, 3.3], "B": [1.0]}
    told = nested.compare(of, against)
    limits = ttest_ind(of["A"], against["A"], equal_var=False).confidence_interval(0.95)
    assert (told["over_trainings_low"], told["over_trainings_high"]) == pytest.approx((limits.low, limits.high))
    assert told["difference_low"] is None and told["people"] == 1
    assert told["percent"] == pytest.approx(100 * (np.mean(of["A"]) / 3.1 - 1))


def test_the_spread_of_people_is_told_without_that_of_trainings():
    rng = np.random.default_rng(2)
    squares = [nested.compare(*draw(rng, PEOPLE_SD)[:2])["people_sd"] ** 2 for _ in range(300)]
    assert np.mean(squares) == pytest.approx(PEOPLE_SD**2, rel=0.15)


def test_rank_correlations():
    rng = np.random.default_rng(3)
    trait, values = rng.normal(size=9), rng.normal(size=9)
    r, low, high = nested.ranks(trait, values)
    assert r == pytest.approx(spearmanr(trait, values).statistic) and -1 < low < r < high < 1
    assert nested.ranks(trait[:4], values[:4])[1:] == (None, None)
    assert nested.ranks(trait[:3], values[:3]) is None and nested.ranks(trait, np.ones(9)) is None
    assert nested.ranks(trait, np.exp(trait)) == (pytest.approx(1.0), None, None)
