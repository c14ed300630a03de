"""Published experiments as data (models/experiments.json): who walked under which conditions, and what cost less."""

import dataclasses
import json
import math
from dataclasses import dataclass, field
from functools import cache

from mjx_assist.config.tree import build
from mjx_assist.eval.replay.conditions import Conditions, constant, fixed
from mjx_assist.eval.replay.design import wearing
from mjx_assist.paths import data_path
from mjx_assist.policy.bundle import Bundle

GENERAL, PROFILE, SPRING = KINDS = ("general", "profile", "spring")  # what a policy must have been trained for
POWER, TRANSPORT = "metabolic_power", "cost_of_transport"


@dataclass(frozen=True)
class Condition:
    """One of an experiment's: m/s (None: the experiment's), tangent of the ground, kg, a design of the family."""

    speed_m_s: float | None = None
    slope: float = 0.0
    foot_mass: float = 0.0
    shank_mass: float = 0.0
    waist_mass: float = 0.0
    design: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Claim:
    """Under the condition ``lower`` walking costs less than under ``than``: by ``percent`` of that or ``watt``, both
    negative, measured with ``spread`` (a standard deviation); None where only the order was published."""

    lower: str
    than: str
    percent: float | None = None
    watt: float | None = None
    spread: float | None = None


@dataclass(frozen=True)
class Experiment:
    """``people``: how many walked, None where that could not be read; ``figure``: what is compared."""

    key: str
    title: str
    source: str
    people: int | None
    policy: str
    figure: str
    speed_m_s: float
    conditions: dict[str, Condition]
    claims: tuple[Claim, ...]


@cache
def experiments() -> tuple[Experiment, ...]:
    """All of them, in the file's order."""
    rows = json.loads(data_path("models", "experiments.json").read_text(encoding="utf-8"))
    return tuple(build(Experiment, row, f"experiments.json[{i}]") for i, row in enumerate(rows))


def walker(bundle: Bundle, condition: Condition) -> Bundle:
    """The policy, wearing the condition's device."""
    return wearing(bundle, condition.design) if condition.design else bundle


def conditions(experiment: Experiment, condition: Condition) -> Conditions:
    """What a walk is put under."""
    speed = experiment.speed_m_s if condition.speed_m_s is None else condition.speed_m_s
    put = dataclasses.asdict(condition)
    on = {name: put[name] for name in ("slope", "foot_mass", "shank_mass", "waist_mass") if put[name]}
    return Conditions(command=constant(speed), randomization=fixed(**on))


def agrees(claim: Claim, percent: float | None, watt: float | None) -> tuple[bool | None, bool | None]:
    """(does the simulated difference have the published sign, is its size within two spreads, or half of the published
    where no spread is); None where nobody walked or no size was published."""
    if percent is None or not math.isfinite(percent):
        return None, None
    measured, found = (claim.percent, percent) if claim.watt is None else (claim.watt, watt)
    if measured is None or found is None:
        return percent < 0, None
    reach = 2 * claim.spread if claim.spread else 0.5 * abs(measured)
    return percent < 0, abs(found - measured) <= reach
