"""Costs at the same speed: each policy's regressed over the speeds it reached, and what differs between the sides.

Every policy is one sample; `trainings` has the intervals. It simulates nothing and draws nothing."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from mjx_assist.config.study import Walker, Walks
from mjx_assist.eval.gait.metabolics import STANDING_W_PER_KG
from mjx_assist.eval.studies import cohort, conclusions, trainings
from mjx_assist.eval.studies.conclusions import COST, KEY_MODEL, POWER
from mjx_assist.eval.studies.sides import Physics, Trained, Walked
from mjx_assist.eval.studies.stress import OFF_AFTER, OFF_WINDOW
from mjx_assist.files.plain import plain
from mjx_assist.model.human_key import without_person
from mjx_assist.sim.device.drive import drives

SCHEMA_VERSION = 1
_CURVED, _SLOPED = 0.15, 0.05  # m/s: speeds that spread less than this tell no curve, no slope
_REACHED = 0.01  # m/s: a cost is not read off farther than this from the speeds that were reached
_PEAKS = ("torque_peak_nm", "torque_rate_peak_nm_per_s", "power_peak_w", "torque_limit_nm", "torque_limit_share_peak")
_MEANS = ("positive_power_w", "time_at_limit_share")
_OVER_TRAININGS = {"over": "trainings", "difference": "Welch", "percent": "Fieller"}
_OVER_PEOPLE = {"over": "people", "difference": "paired by person, t", "percent": "people's own, t"}


def read_off(speed: Sequence[float], cost: Sequence[float], at: float) -> float | None:
    """The cost at a speed (m/s), from walks at speeds around it: least squares with a parabola.

    A line where fewer than three walks or less than `_CURVED` m/s lie between the speeds reached, their mean where less
    than `_SLOPED` does. None where there is no walk or none reached the speed: nothing is extrapolated.
    """
    x, y = np.asarray(speed, float), np.asarray(cost, float)
    if not x.size or not x.min() - _REACHED <= at <= x.max() + _REACHED:
        return None
    degree = 2 if np.ptp(x) >= _CURVED else 1 if np.ptp(x) >= _SLOPED else 0
    degree = min(degree, x.size - 1)
    return float(np.polynomial.Polynomial.fit(x - at, y, degree)(0.0))


def result(
    policies: Sequence[Trained],
    walks: Walks,
    physics: Sequence[Physics],
    walked: Sequence[Walked],
    device_mass: Mapping[Walker, float],
) -> dict:
    """What study.json holds. ``walks``: with their speeds; ``device_mass``: kg that everyone wears and carries."""
    at = walks.at_speed or 0.0
    rows = [
        _policy(policy, part.label, at, walked, device_mass[policy.walker]) for part in physics for policy in policies
    ]
    names = list(dict.fromkeys(policy.side for policy in policies))
    first = [row for row in rows if row["physics"] == physics[0].label]
    people = cohort.people(policies)
    found = {
        "schema_version": SCHEMA_VERSION,
        "at_speed_m_s": at,
        "speeds_asked_m_s": walks.speeds,
        "episodes": walks.episodes,
        "seconds": walks.seconds,
        "physics": [part.label for part in physics],
        "device_off_s": [OFF_AFTER, OFF_AFTER + OFF_WINDOW],
        "resting_w_per_kg": STANDING_W_PER_KG,
        "interval": {"level": trainings.LEVEL, **(_OVER_PEOPLE if people else _OVER_TRAININGS)},
        "people": people,
        "sides": [_side(name, policies, [row for row in first if row["side"] == name], device_mass) for name in names],
        "means": cohort.means(names, rows) if people else _means(names, rows),
        "differences": cohort.differences(names, rows, people) if people else _differences(names, rows),
        "policies": rows,
    }
    found = plain(found)
    return {**found, "findings": conclusions.findings(found), "notes": conclusions.notes(found)}


def _policy(policy: Trained, physics: str, at: float, walked: Sequence[Walked], device_mass: float) -> dict:
    """A policy in one physics: falls, the speeds reached, its costs at the speed, what the device did."""
    all_own = [w for w in walked if (w.side, w.name, w.physics) == (policy.side, policy.name, physics)]
    own = [w for w in all_own if not w.device_off]
    points = [_point(w, device_mass) for w in own if not w.figures["fell"] and w.figures["strides"]]
    speeds = [point["speed_m_s"] for point in points]
    figures: dict[str, float | None] = {}
    for name in dict.fromkeys(name for point in points for name in point if name.endswith(POWER)):
        power = read_off(speeds, [point[name] for point in points], at)
        cost = None if power is None else (power + STANDING_W_PER_KG) / at
        figures |= {name: power, name.replace(POWER, COST): cost}
    fallen = [w for w in own if w.figures["fell"]]
    return {
        "side": policy.side,
        "policy": policy.name,
        "source": policy.source,
        "person": policy.person,
        "seed": policy.seed,
        "physics": physics,
        "person_mass_kg": own[0].figures["body_mass_kg"] - device_mass,
        "walks": len(own),
        "falls": len(fallen),
        "fell_at_m_s": sorted({w.speed_asked_m_s for w in fallen}),
        "speeds_m_s": [min(speeds), max(speeds)] if speeds else None,
        "figures": figures,
        "device": _device([w.figures["device"] for w in own if not w.figures["fell"]]),
        "device_off": _device_off([w.figures for w in all_own if w.device_off]),
        "points": points,
    }


def _point(walk: Walked, device_mass: float) -> dict:
    """A walk's place in the regression: W per kg of the body without the device."""
    figures = walk.figures
    person = figures["body_mass_kg"] - device_mass
    powers = {f"{model}{POWER}": power / person for model, power in figures["muscle_power_w"].items()}
    return {
        "speed_asked_m_s": walk.speed_asked_m_s,
        "seed": figures["seed"],
        "speed_m_s": figures["speed_m_s"],
        **powers,
    }


def _device_off(walks: Sequence[dict]) -> dict | None:
    """Of those who were up when the device went off, how many fell in `OFF_WINDOW` s; None where it never did."""
    up = [figures for figures in walks if not figures["fell"] or figures["time_s"] >= OFF_AFTER]
    falls = [figures["time_s"] - OFF_AFTER for figures in up if figures["fell"]]
    return {"walks": len(up), "falls": len(falls), "earliest_s": min(falls, default=None)} if up else None


def _device(walks: Sequence[Sequence[dict]]) -> list[dict]:
    """By driven joint: the largest peaks of all walks, and means over them."""
    found = []
    for rows in zip(*walks, strict=True):
        joint = {"joint": rows[0]["joint"]}
        for pick, names in ((max, _PEAKS), (np.mean, _MEANS)):
            joint |= {n: None if rows[0][n] is None else float(pick([row[n] for row in rows])) for n in names}
        found.append(joint)
    return found


def _side(name: str, policies: Sequence[Trained], rows: Sequence[dict], worn: Mapping[Walker, float]) -> dict:
    """Who walked on a side; ``rows``: of its policies in the first physics. Over people: masses are their mean."""
    own = [policy for policy in policies if policy.side == name]
    people = {row["person"]: row["person_mass_kg"] for row in rows}
    mass = float(np.mean(list(people.values())))
    device_mass = float(np.mean([worn[Walker(name, person)] for person in people]))
    speeds, drive = [policy.speeds for policy in own], drives().get(own[0].bundle.device)
    return {
        "side": name,
        "human": without_person(own[0].bundle.human) if own[0].person else own[0].bundle.human,
        "device": own[0].bundle.device,
        "body_mass_kg": device_mass + mass,
        "device_mass_kg": device_mass,
        "person_mass_kg": mass,
        "drive": asdict(drive) if drive else None,
        "trainings": len(own),
        "trained_speeds_m_s": [max(low for low, _ in speeds), min(high for _, high in speeds)],
        "trained_physics_hz": sorted({p.bundle.config.env_params.physics_sim_framerate for p in own}),
        "median_policy": None if own[0].person else median(rows),
    }


def median(rows: Sequence[dict], figure: str = KEY_MODEL + COST) -> str | None:
    """The policy whose cost has as many below it as above (of an even number the cheaper of the two in the middle).

    One without a cost counts as dearer than all; None where no policy has one.
    """

    def cost(row: dict) -> float:
        value = row["figures"].get(figure)
        return np.inf if value is None else value

    middle = sorted(rows, key=cost)[(len(rows) - 1) // 2]
    return middle["policy"] if np.isfinite(cost(middle)) else None


def _values(rows: Sequence[dict], side: str, physics: str, figure: str) -> dict[int, float]:
    """Seed -> figure of those policies of a side that have it; a seed that is there twice has no partner."""
    found: dict[int, float] = {}
    for row in rows:
        value = row["figures"].get(figure) if (row["side"], row["physics"]) == (side, physics) else None
        if value is not None:
            found[-1 - len(found) if row["seed"] in found else row["seed"]] = value
    return found


def _means(sides: Sequence[str], rows: Sequence[dict]) -> list[dict]:
    """Every side's mean over trainings, with its t interval."""
    found = []
    for physics, figure in cohort.places(rows):
        for side in sides:
            values = list(_values(rows, side, physics, figure).values())
            mean, low, high = trainings.mean(values) if values else (None, None, None)
            row = {"physics": physics, "figure": figure, "side": side, "trainings": len(values)}
            found.append({**row, "mean": mean, "low": low, "high": high, "values": values})
    return found


def _differences(sides: Sequence[str], rows: Sequence[dict]) -> list[dict]:
    """Every later side less every earlier one."""
    found = []
    for physics, figure in cohort.places(rows):
        for against, side in itertools.combinations(sides, 2):
            of, other = (_values(rows, name, physics, figure) for name in (side, against))
            row = {"physics": physics, "figure": figure, "side": side, "against": against}
            row |= {"trainings": len(of), "trainings_against": len(other)}
            found.append({**row, **_difference(of, other)})
    return found


def _difference(of: Mapping[int, float], other: Mapping[int, float]) -> dict:
    """Unpaired and in percent, and paired over the seeds that both sides have; None where it cannot be told."""
    both = sorted(of.keys() & other.keys())
    nothing = (None, None, None)
    sides = list(of.values()), list(other.values())
    told = {
        "difference": trainings.welch(*sides) if of and other else nothing,
        "percent": trainings.percent(*sides) if of and other else nothing,
        "paired": trainings.paired([of[s] for s in both], [other[s] for s in both]) if len(both) > 1 else nothing,
    }
    limits = {
        name + end: value for name, part in told.items() for end, value in zip(("", "_low", "_high"), part, strict=True)
    }
    return {**limits, "pairs": len(both)}
