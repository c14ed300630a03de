"""Differences over people, each trained several times a side: people paired with themselves, two intervals.

Over people: of the mean over all such people, from people's own differences (of the means of their trainings), by the t
distribution; the spread of trainings is in them. Over trainings: of the mean of these very people, had they been
trained again, and of each of them, from the spread of trainings within a person and side: the analysis of a nested
design (Searle, Casella & McCulloch 1992, Variance Components, chapter 3)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, rankdata

from mjx_assist.eval.studies import trainings
from mjx_assist.eval.studies.statistics import LEVEL
from mjx_assist.eval.studies.trainings import Interval

Side = Mapping[str, Sequence[float]]  # person -> a figure of each training
_FEWEST = 4  # people, of whom a rank correlation says something; with one more it has limits


@dataclass(frozen=True, eq=False)
class _Within:
    """The spread of a side's trainings within a person: its variance, pooled over people (NaN: nobody was trained

    twice), with its degrees of freedom, and [P] one over each person's number of trainings.
    """

    variance: float
    freedom: int
    shares: np.ndarray


def compare(of: Side, against: Side) -> dict:
    """``of`` less ``against``, over the people whom both have, one at least.

    ``difference`` and ``percent`` (the mean of people's own) with limits over people; ``over_trainings_*``: limits of
    the difference for these people; ``people_sd``: by how much people differ in truth, the spread of trainings taken
    out (0 where that is all; None where it is not known); ``each``: by person, limits over trainings.
    """
    people = [person for person in of if person in against]
    sides = [[list(side[person]) for person in people] for side in (of, against)]
    own, other = (np.array([np.mean(values) for values in side]) for side in sides)
    within = [_within(side) for side in sides]
    differences, percents = own - other, 100 * (own / other - 1)
    each = [
        {"person": person, "of": float(own[i]), "against": float(other[i]), "percent": float(percents[i])}
        | _named("difference", _over_trainings(differences[[i]], within, [i]))
        for i, person in enumerate(people)
    ]
    _, low, high = _over_trainings(differences, within, range(len(people)))
    return {
        **_named("difference", trainings.mean(differences.tolist())),
        **_named("percent", trainings.mean(percents.tolist())),
        "over_trainings_low": low,
        "over_trainings_high": high,
        "people_sd": _people_sd(differences, within),
        "people": len(people),
        "less": int((differences < 0).sum()),
        "surely_less": sum(row["difference_high"] is not None and row["difference_high"] < 0 for row in each),
        "surely_more": sum(row["difference_low"] is not None and row["difference_low"] > 0 for row in each),
        "each": each,
    }


def ranks(trait: Sequence[float], values: Sequence[float], level: float = LEVEL) -> Interval | None:
    """Spearman's rank correlation; None for few people, or where nothing varies.

    Limits from Fisher's z with the variance of Bonett & Wright (2000), Psychometrika 65:23.
    """
    count = len(trait)
    if count < _FEWEST or np.ptp(trait) == 0 or np.ptp(values) == 0:
        return None
    found = float(np.corrcoef(rankdata(trait), rankdata(values))[0, 1])
    if count == _FEWEST or abs(found) > 1 - 1e-12:
        return found, None, None
    reach = norm.ppf((1 + level) / 2) * math.sqrt((1 + found**2 / 2) / (count - 3))
    z = math.atanh(found)
    return found, math.tanh(z - reach), math.tanh(z + reach)


def _within(side: Sequence[Sequence[float]]) -> _Within:
    counts = np.array([len(values) for values in side])
    freedom = int((counts - 1).sum())
    squares = sum(float(np.square(np.subtract(values, np.mean(values))).sum()) for values in side)
    return _Within(squares / freedom if freedom else math.nan, freedom, 1 / counts)


def _over_trainings(differences: np.ndarray, within: Sequence[_Within], people: Sequence[int]) -> Interval:
    """Mean difference of these ``people`` (their places), with its limits over trainings."""
    parts = [side.variance * side.shares[list(people)].sum() / len(people) ** 2 for side in within]
    freedom = trainings.freedom(parts, [side.freedom for side in within])
    return trainings.limits(float(differences.mean()), math.sqrt(sum(parts)), freedom)


def _people_sd(differences: np.ndarray, within: Sequence[_Within]) -> float | None:
    """Method of moments."""
    of_trainings = sum(side.variance * side.shares.mean() for side in within)
    if differences.size < 2 or not math.isfinite(of_trainings):
        return None
    return math.sqrt(max(0.0, float(differences.var(ddof=1)) - of_trainings))


def _named(name: str, interval: Interval) -> dict[str, float | None]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), interval, strict=True))
