"""Sides of a study compared over people: who they are, every side's mean over them, and every pair's differences.

From the rows of policies that `matched` makes; `nested` has the intervals. It simulates nothing and draws nothing."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from mjx_assist.eval.studies import nested, trainings
from mjx_assist.eval.studies.sides import Trained
from mjx_assist.model import person

_UNKNOWN = ("difference", "difference_low", "difference_high", "percent", "percent_low", "percent_high")
_UNKNOWN = (*_UNKNOWN, "over_trainings_low", "over_trainings_high", "people_sd")
_NOBODY: dict[str, Any] = {name: None for name in _UNKNOWN}  # what `nested.compare` gives, where it has nobody
_NOBODY |= {"people": 0, "less": 0, "surely_less": 0, "surely_more": 0, "each": []}
# What people's differences are held against: figure of `model.person` -> title.
TRAITS = {"height_m": "height (m)", "mass_kg": "mass (kg)", "strength": "strength (standard: 1)"}


def people(policies: Sequence[Trained]) -> list[dict]:
    """Everybody's body in numbers, in the order in which they are there; empty for a study of one body."""
    humans = {policy.person: policy.bundle.human for policy in policies if policy.person}
    return [{"person": name, "human": human, **person.figures(human)} for name, human in humans.items()]


def means(sides: Sequence[str], rows: Sequence[dict]) -> list[dict]:
    """Every side's mean over people, each the mean of their trainings, with its t interval."""
    found = []
    for physics, figure in places(rows):
        for side in sides:
            each = _values(rows, side, physics, figure)
            values = [float(np.mean(own)) for own in each.values()]
            mean, low, high = trainings.mean(values) if values else (None, None, None)
            row = {"physics": physics, "figure": figure, "side": side, "people": len(values)}
            row |= {"trainings": sum(map(len, each.values()))}
            found.append({**row, "mean": mean, "low": low, "high": high, "values": values})
    return found


def differences(sides: Sequence[str], rows: Sequence[dict], known: Sequence[dict]) -> list[dict]:
    """Every later side less every earlier one, by person; ``known``: of `people`, for how it goes with their traits.

    ``left_out``: who has the figure on one side only, or on none. None where nobody has it on both.
    """
    by_name = {each["person"]: each for each in known}
    found = []
    for physics, figure in places(rows):
        for against, side in itertools.combinations(sides, 2):
            of, other = (_values(rows, name, physics, figure) for name in (side, against))
            row = {"physics": physics, "figure": figure, "side": side, "against": against}
            row |= {"trainings": sum(map(len, of.values())), "trainings_against": sum(map(len, other.values()))}
            row |= {"left_out": [name for name in by_name if name not in of or name not in other]}
            both = of.keys() & other.keys()
            told = nested.compare(of, other) if both else _NOBODY
            found.append({**row, **told, "ranks": _ranks(told["each"], by_name)})
    return found


def places(rows: Sequence[dict]) -> list[tuple[str, str]]:
    """(physics, figure) that any policy has, in order."""
    return list(dict.fromkeys((row["physics"], figure) for row in rows for figure in row["figures"]))


def _values(rows: Sequence[dict], side: str, physics: str, figure: str) -> dict[str, list[float]]:
    """Person -> figure of those of their trainings that have it."""
    found: dict[str, list[float]] = {}
    for row in rows:
        value = row["figures"].get(figure) if (row["side"], row["physics"]) == (side, physics) else None
        if value is not None:
            found.setdefault(row["person"], []).append(value)
    return found


def _ranks(each: Sequence[dict], known: dict[str, dict]) -> dict[str, dict]:
    """Trait -> rank correlation of people's differences in percent with it, with its limits; those that can be told."""
    found = {}
    for trait in TRAITS:
        told = nested.ranks([known[row["person"]][trait] for row in each], [row["percent"] for row in each])
        if told:
            found[trait] = dict(zip(("r", "low", "high"), told, strict=True))
    return found
