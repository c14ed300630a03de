"""From what is said of a person to the factors of each segment: lengths, masses, and the strength of all muscles."""

import fnmatch
import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from mjx_assist.config.subject import FEMALE, MALE, Subject
from mjx_assist.errors import UserError, unknown
from mjx_assist.model.subjects.standard import WORLD, Standard, rules, segments
from mjx_assist.paths import data_path

_SIDES = ("_r", "_l")
_FACTORS = (0.6, 1.5)  # of a segment's length: what is beyond is no adult
_DIGITS = 9  # of a factor: the standard body's own figures give exactly 1
_ALL = "all"


@dataclass(frozen=True)
class Proportions:
    """A person against the standard body. ``length``, ``mass``: factors by segment; ``force``: of a muscle's peak
    force, before it is divided by how much longer its fibres are; ``size``: of the height; ``weight``: of the whole
    mass; ``leg``: of the height of the root over the ground. ``height`` m, ``total_mass`` kg."""

    length: dict[str, float]
    mass: dict[str, float]
    force: float
    size: float
    weight: float
    leg: float
    height: float
    total_mass: float

    @property
    def same(self) -> bool:
        """Whether size, masses and forces are the standard body's."""
        return all(f == 1.0 for f in (*self.length.values(), *self.mass.values(), self.force))


def proportions(subject: Subject, body: Standard, human: str) -> Proportions:
    """The factors of a person. Raises `UserError` for an unknown segment, and for lengths that no adult has."""
    asked = f"subject on {human!r}"
    given = _given(subject.segment_lengths, body, asked)
    other = _other_lengths(subject, given, body)
    length = {name: round(given.get(name, other), _DIGITS) for name in segments()} | {WORLD: 1.0}
    for name, factor in sorted(length.items(), key=lambda entry: entry[0] not in given):
        if not _FACTORS[0] <= factor <= _FACTORS[1]:
            raise UserError(
                f"{asked}: segment {name!r} would be {factor:.2f} times as long as the standard body's; "
                f"{_FACTORS[0]:g} to {_FACTORS[1]:g} are simulated. Do height and segment_lengths belong together?"
            )
    height = _height(length, body)
    size = round(height / body.height, _DIGITS)
    total = subject.mass or body.total_mass * size**2
    parts = {name: kg * length[name] ** 3 * _sex(subject, name) for name, kg in body.mass.items()}
    share = total / sum(parts.values())
    mass = {name: round(parts[name] * share / kg, _DIGITS) for name, kg in body.mass.items()}
    leg = round(-sole(length, body) / -sole(dict.fromkeys(length, 1.0), body), _DIGITS)
    volume = _volume(height, total) / _volume(body.height, body.total_mass)
    force = round(volume * _of_age(subject.age), _DIGITS)
    weight = round(total / body.total_mass, _DIGITS)
    return Proportions(length, mass, force, size, weight, leg, height, total)


def _given(lengths: dict[str, float], body: Standard, asked: str) -> dict[str, float]:
    """Factors of the segments whose lengths are given; ``thigh`` is both thighs."""
    known = {name.removesuffix(_SIDES[0]).removesuffix(_SIDES[1]) for name in body.lengths} | set(body.lengths)
    factors = {}
    for name, metres in sorted(lengths.items(), key=lambda entry: len(entry[0])):  # one side's after both sides'
        if name not in known:
            raise unknown(f"{asked}: segment_lengths", name, known)
        for segment in (name, *(name + side for side in _SIDES)):
            if segment in body.lengths:
                factors[segment] = metres / body.lengths[segment]
    return factors


def _other_lengths(subject: Subject, given: dict[str, float], body: Standard) -> float:
    """The one factor of all other segments that makes the height that is asked; without one, the given ones' mean."""
    if subject.height is None:
        return sum(given.values()) / len(given) if given else 1.0
    found = []
    for under in (body.sole_r, body.sole_l):
        fixed = free = 0.0
        for sign, shares in ((1.0, body.vertex), (-1.0, under)):
            for segment, rise in shares.items():
                if segment in given:
                    fixed += sign * rise * given[segment]
                else:
                    free += sign * rise
        found.append((subject.height - fixed) / free)
    return min(found)  # on the longer leg


def sole(length: dict[str, float], body: Standard) -> float:
    """Height of the lower sole over the root, m (negative)."""
    return min(sum(rise * length[s] for s, rise in under.items()) for under in (body.sole_r, body.sole_l))


def _height(length: dict[str, float], body: Standard) -> float:
    return sum(rise * length[s] for s, rise in body.vertex.items()) - sole(length, body)


def _sex(subject: Subject, segment: str) -> float:
    """How a sex's share of the mass in a segment is to that of men, whose the standard body is."""
    if subject.sex != FEMALE:
        return 1.0
    table, part = rules()["mass_shares_percent"], segment.split("_")[0]
    return table[FEMALE][part] / table[MALE][part]


@cache
def muscle_rules() -> dict[str, Any]:
    """models/subjects/muscles.json."""
    return json.loads(data_path("models", "subjects", "muscles.json").read_text(encoding="utf-8"))


def _volume(height: float, mass: float) -> float:
    """Muscle of a leg, cm3 (Handsfield et al. 2014)."""
    rule = muscle_rules()["volume_cm3"]
    return rule["per_kg_m"] * mass * height + rule["constant"]


def _of_age(age: float | None) -> float:
    """Isometric force against a young adult's (Thelen 2003)."""
    rule = muscle_rules()["age"]
    if age is None:
        return 1.0
    young, old = rule["young_years"], rule["old_years"]
    share = min(max((age - young) / (old - young), 0.0), 1.0)
    return 1.0 - share * (1.0 - rule["force_at_old"])


def strengths(subject: Subject, muscles: list[str], human: str) -> dict[str, float]:
    """Factor of each muscle's force from `Subject.strength`: that of all, of its group, of one side's and its own.

    Raises `UserError` for a name that is none of these.
    """
    factor = dict.fromkeys(muscles, 1.0)
    groups = {name: _members(patterns, muscles) for name, patterns in muscle_rules()["groups"].items()}
    known = {_ALL: muscles} | groups
    known |= {
        name + side: [m for m in members if m.endswith(side)] for name, members in known.items() for side in _SIDES
    }
    known |= {muscle: [muscle] for muscle in muscles}
    for name, value in subject.strength.items():
        if not known.get(name):
            raise unknown(f"subject on {human!r}: strength", name, [name for name, some in known.items() if some])
        for muscle in known[name]:
            factor[muscle] *= value
    return factor


def _members(patterns: list[str], muscles: list[str]) -> list[str]:
    return [m for m in muscles if any(fnmatch.fnmatch(m.removesuffix(m[-2:]), p) for p in patterns)]
