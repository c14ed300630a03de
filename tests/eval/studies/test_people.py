"""People paired with themselves: the textbook's t interval of the differences, whatever the people differ by."""

import numpy as np
import pytest
from scipy.stats import ttest_rel

from mjx_assist.errors import UserError
from mjx_assist.eval.studies import people

MASSES = [50.0, 60.0, 70.0, 80.0, 95.0]
PLAIN = [3.1, 2.8, 3.6, 2.9, 3.3]
WORN = [2.9, 2.7, 3.2, 3.0, 2.8]


def reports(values: list[float], masses: list[float] = MASSES) -> dict:
    return {
        f"run{i}": {"human": f"h@subject=mass:{m:g}", "person_mass_kg": m, "cost": {"total": v}}
        for i, (v, m) in enumerate(zip(values, masses, strict=True))
    }


def test_intervals_are_those_of_the_paired_t_test():
    found = people.compare(reports(WORN), reports(PLAIN), "cost.total")
    expected = ttest_rel(WORN, PLAIN).confidence_interval(0.95)
    assert (found["low"], found["high"]) == pytest.approx((expected.low, expected.high))
    assert found["mean"] == pytest.approx(np.mean(WORN) - np.mean(PLAIN)) and found["gain"] == 4
    assert found["rank_correlation"]["person_mass_kg"] == pytest.approx(-0.3)  # ranks 3 4 2 5 1 of 1..5


def test_several_trainings_of_a_person_count_as_one():
    twice = reports([*WORN, WORN[0] + 0.4], [*MASSES, MASSES[0]])
    found = people.compare(twice, reports(PLAIN), "cost.total")
    assert found["people"][0]["difference"] == pytest.approx(WORN[0] + 0.2 - PLAIN[0])
    assert found["people"][0]["reports"] == [2, 1]


def test_who_walked_on_one_side_only_is_named():
    found = people.compare(reports(WORN[:3], MASSES[:3]), reports(PLAIN), "cost.total")
    assert len(found["people"]) == 3 and found["left_out"] == ["h@subject=mass:80", "h@subject=mass:95"]


@pytest.mark.parametrize(
    ("worn", "figure", "said"),
    [
        (reports(WORN), "cost", "'cost' is no figure of it"),
        (reports(WORN), "cost.totl", "run0: 'cost.totl' is no figure of it"),
        (reports(WORN, [m + 1 for m in MASSES]), "cost.total", "nobody has walked on both sides"),
    ],
)
def test_what_cannot_be_compared_is_said(worn: dict, figure: str, said: str):
    with pytest.raises(UserError) as error:
        people.compare(worn, reports(PLAIN), figure)
    assert said in str(error.value)
