"""A search over a family of devices as a frozen dataclass, from JSON; strict about every key.

What needs the policies is checked where they are opened (`lab.optimize`)."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

from mjx_assist.config.comments import without_comments
from mjx_assist.config.limits import COUNT, NOT_NEGATIVE, POSITIVE, SEED
from mjx_assist.config.limits import check as check_numbers
from mjx_assist.config.study import people_of, subject_files
from mjx_assist.config.tree import build
from mjx_assist.errors import UserError, unknown
from mjx_assist.files.untrusted import read_json

FELL, SPEED_ERROR = "fell", "speed_error"
COST = "net_cost_of_transport"
DEVICE_POWER = "device_power_w_per_kg"
# What is measured of every walk: name -> (title, unit). `lab.walks` measures them.
FIGURES = {
    COST: ("metabolic cost of the muscles (Umberger 2010) per metre", "J/(kg·m)"),
    "metabolic_power_w_per_kg": ("metabolic power of the muscles (Umberger 2010)", "W/kg"),
    "cost_of_transport": ("cost of transport, with the resting rate", "J/(kg·m)"),
    DEVICE_POWER: ("positive mechanical power of the device", "W/kg"),
    "device_torque_peak": ("largest torque of the device", "N·m"),
    "device_torque_rms": ("root mean square torque of the device", "N·m"),
    "limit_load": ("largest load of a joint's limit", "N·m"),
    "foot_load": ("largest load of a foot", "body weights"),
    "speed": ("speed reached", "m/s"),
    SPEED_ERROR: ("distance of the speed from the one asked", "m/s"),
    FELL: ("share of walks that fell", ""),
}
_OFF_SPEED = 0.1  # m/s: a strong device drives people on, and costs at other speeds are no comparison
FEWEST = 8  # designs: fewer tell no surface


@dataclass(frozen=True)
class Confirm:
    """The best designs, each trained alone from the family's policy.

    Attributes:
        best: how many of them; 0: none
        subjects: files of people, each of whom trains with every one of the designs; none: the family's own body
        seeds: trainings of each, and of the device that does nothing
        total_timesteps (control steps): of each training
        overrides: {"dotted.key": value} of their config
    """

    best: Annotated[int, NOT_NEGATIVE] = 0
    subjects: tuple[str, ...] | str = ()
    seeds: Annotated[int, COUNT] = 2
    total_timesteps: Annotated[int, COUNT] = 500_000
    overrides: dict = field(default_factory=dict)


@dataclass(frozen=True)
class DesignStudy:
    """What is searched, and how.

    Attributes:
        policies: trainings of the family, one or several with different seeds: names, runs or bundles
        objective: figure -> weight; the weighted sum is made as small as possible
        constraints: figure -> the most that it may be
        design: parameters of the family that are held at a value
        speed (m/s): at which all walk; null: the middle of the training's
        seconds (s): that a walk lasts; the first 3 do not count
        seeds: walks of each design, the same for all of them
        first_seed: of these walks
        designs: how many are walked in all
        explored (share): of the designs that are spread evenly over the family; the others are CMA-ES's
        population: designs of a generation of CMA-ES
        seed: of the search
        confirm: training for the best designs alone
    """

    policies: tuple[str, ...] = ()
    objective: dict[str, float] = field(default_factory=lambda: {COST: 1.0})
    constraints: dict[str, float] = field(default_factory=lambda: {FELL: 0.0, SPEED_ERROR: _OFF_SPEED})
    design: dict[str, float] = field(default_factory=dict)
    speed: Annotated[float | None, POSITIVE] = None
    seconds: Annotated[float, POSITIVE] = 10.0
    seeds: Annotated[int, COUNT] = 4
    first_seed: Annotated[int, SEED] = 0
    designs: Annotated[int, COUNT] = 1000
    explored: Annotated[float, POSITIVE] = 0.5
    population: Annotated[int, COUNT] = 32
    seed: Annotated[int, SEED] = 1
    confirm: Confirm = field(default_factory=Confirm)


def read_design_study(path: str | Path) -> DesignStudy:
    """The study of a JSON file.

    Raises:
        UserError: no such file, not JSON, an unknown key or figure, a wrong type, a value out of range.
    """
    what = f"study file {str(path)!r}"
    tree = without_comments(read_json(path, what))
    if not isinstance(tree, dict):
        raise UserError(f"{what} must hold one JSON object.")
    try:
        study = build(DesignStudy, tree, "")
        _check(study)
        people = subject_files(study.confirm.subjects, Path(path).parent)
        people_of(people, Path())
    except UserError as error:
        raise UserError(f"{what}: {error}") from None
    return replace(study, confirm=replace(study.confirm, subjects=people))


def _check(study: DesignStudy) -> None:
    check_numbers(study)
    if not study.policies:
        raise UserError("'policies': name at least one policy that was trained for a family (docs/design.md).")
    for key in ("objective", "constraints"):
        for name in getattr(study, key):
            if name not in FIGURES:
                raise unknown(f"'{key}': figure", name, FIGURES)
    if not any(study.objective.values()):
        raise UserError(f"'objective': names no figure with a weight; such as {{{COST!r}: 1.0}}.")
    if study.designs < FEWEST or study.explored > 1:
        raise UserError(
            f"'designs' must be {FEWEST} or more ({study.designs}), 'explored' 1 at most ({study.explored:g})."
        )
    if study.population < 4:
        raise UserError(f"'population': CMA-ES needs 4 designs a generation or more, got {study.population}.")
    if study.seconds <= 4.0:
        raise UserError(
            f"'seconds': the first 3 s of a walk do not count, so it must last more than 4, got {study.seconds:g}."
        )
