"""Two conditions over people: every person's difference, and intervals over people, who count once each.

From what reports wrote (metrics.json); walks and trainings of one person are averaged first. Nothing is simulated."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.eval.studies import nested, trainings
from mjx_assist.eval.studies.statistics import LEVEL
from mjx_assist.files.untrusted import read_json

METRICS = "metrics.json"


def read(folder: str | Path) -> dict[str, Any]:
    """A report's metrics.json, by its folder or itself. Raises `UserError` for what is none."""
    path = Path(folder)
    path = path / METRICS if path.is_dir() else path
    content = read_json(path, f"report {str(path)!r}")
    if not isinstance(content, dict) or not {"human", "person_mass_kg"} <= content.keys():
        raise UserError(f"report {str(path)!r}: is no {METRICS} of 'mjx-assist report' (it names no human).")
    return content


def figure_of(report: Mapping[str, Any], figure: str, where: str) -> float:
    """A number by its dotted name. Raises `UserError` where the report has none."""
    node: Any = report
    for name in figure.split("."):
        node = node.get(name) if isinstance(node, Mapping) else None
    if isinstance(node, bool) or not isinstance(node, int | float):
        raise UserError(f"{where}: {figure!r} is no figure of it, or could not be told there; docs/metrics.md has all.")
    return float(node)


def compare(
    reports: Mapping[str, Mapping[str, Any]], against: Mapping[str, Mapping[str, Any]], figure: str
) -> dict[str, Any]:
    """``reports`` and ``against``: file -> its metrics. Difference = first less second, by person (the human's key).

    ``mean`` and its limits are over the people whom both have, by the t distribution; ``gain``: how many have less of
    the figure. ``rank_correlation`` of the differences with the person's mass, where it can be told.

    Raises:
        UserError: a figure that a report lacks; nobody whom both sides have.
    """
    sides = [_by_person(side, figure) for side in (reports, against)]
    both = [person for person in sides[0] if person in sides[1]]
    if not both:
        raise UserError(
            f"nobody has walked on both sides: {', '.join(sides[0])} against {', '.join(sides[1])}. People are paired "
            "by their human's key, with the subject in it."
        )
    rows = [_row(person, *(side[person] for side in sides)) for person in both]
    differences = [row["difference"] for row in rows]
    estimate, low, high = trainings.mean(differences)
    masses = [row["person_mass_kg"] for row in rows]
    return {
        "figure": figure,
        "level": LEVEL,
        "people": rows,
        "mean": estimate,
        "low": low,
        "high": high,
        "gain": sum(difference < 0 for difference in differences),
        "rank_correlation": {"person_mass_kg": (nested.ranks(masses, differences) or (None,))[0]},
        "left_out": sorted(set(sides[0]) ^ set(sides[1])),
    }


def _by_person(side: Mapping[str, Mapping[str, Any]], figure: str) -> dict[str, list[tuple[float, float]]]:
    """Human's key -> (figure, mass) of each of its reports."""
    found: dict[str, list[tuple[float, float]]] = {}
    for where, report in side.items():
        value = figure_of(report, figure, where)
        found.setdefault(str(report["human"]), []).append((value, float(report["person_mass_kg"])))
    return found


def _row(person: str, own: Sequence[tuple[float, float]], other: Sequence[tuple[float, float]]) -> dict[str, Any]:
    with_it, without = (float(np.mean([value for value, _ in side])) for side in (own, other))
    return {
        "person": person,
        "person_mass_kg": own[0][1],
        "reports": [len(own), len(other)],
        "with": with_it,
        "against": without,
        "difference": with_it - without,
    }
