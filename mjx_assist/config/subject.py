"""Who walks: a person's size, build, strength and stiff joints, in the place of assist_sim's standard body."""

import math
from dataclasses import dataclass, field
from typing import Annotated, Any

from mjx_assist.config.limits import Limit, OneOf
from mjx_assist.config.words import SUBJECT_MARK
from mjx_assist.errors import UserError

FEMALE, MALE = SEXES = ("female", "male")
HEIGHT = Limit("lie in 1.2..2.2 m, as an adult's", ge=1.2, le=2.2)
MASS = Limit("lie in 30..200 kg, as an adult's", ge=30, le=200)
AGE = Limit("lie in 18..100 years: no rule here holds for children", ge=18, le=100)
LENGTH = Limit("lie in 0.05..0.8 m", ge=0.05, le=0.8)
FACTOR = Limit("lie in 0.02..3", ge=0.02, le=3)
CARRIED = Limit("lie in 0..100 kg", ge=0, le=100)
BMI = (12.0, 70.0)  # kg/m2
_NAMED = ("segment_lengths", "strength", "contracture", "added_mass")  # groups with names of their own
BODY_TRAITS = ("height_m", "mass_kg", "strength")  # what a policy for a cohort sees of a body
ABOUT, SUBJECTS = "about", "subjects"  # keys of a file
_SPAN = ".."  # between the ends of a range in a key


@dataclass(frozen=True)
class Subject:
    """A person; what is not given is the standard body's, scaled (docs/subjects.md).

    Attributes:
        height (m): from vertex to sole, standing; null: what the segments' lengths make
        mass (kg): of the body alone; null: that of the standard body's build at this height
        sex: female or male, for how mass is shared among the segments; null: as the standard body, a man's
        age (years): for strength; null: a young adult's
        segment_lengths (m): between joint centres; thigh, shank, foot, or one side's (thigh_r), pelvis: hip to hip
        strength (factor): of a muscle group or one side's (plantarflexors_l), of a muscle, or of all
        contracture (rad): joint: the lowest and highest angle that it still reaches
        added_mass (kg): carried by a segment, at its centre of mass
    """

    height: Annotated[float | None, HEIGHT] = None
    mass: Annotated[float | None, MASS] = None
    sex: Annotated[str | None, OneOf(SEXES)] = None
    age: Annotated[float | None, AGE] = None
    segment_lengths: Annotated[dict[str, float], LENGTH] = field(default_factory=dict)
    strength: Annotated[dict[str, float], FACTOR] = field(default_factory=dict)
    contracture: dict[str, tuple[float, ...]] = field(default_factory=dict)
    added_mass: Annotated[dict[str, float], CARRIED] = field(default_factory=dict)


def check(subject: Subject, where: str) -> None:
    """What no number alone can tell. Raises `UserError`; ``where`` says where the subject stands."""
    if subject.height and subject.mass:
        bmi = subject.mass / subject.height**2
        if not BMI[0] <= bmi <= BMI[1]:
            raise UserError(
                f"{where}: {subject.mass:g} kg at {subject.height:g} m is a body mass index of {bmi:.0f} kg/m2; "
                f"{BMI[0]:g} to {BMI[1]:g} are simulated. Is one of them in other units?"
            )
    for joint, span in subject.contracture.items():
        if len(span) != 2 or not -math.pi <= span[0] < span[1] <= math.pi:
            raise UserError(
                f"{where}.contracture.{joint}: must be the lowest and the highest angle in rad, such as [-1.0, -0.2], "
                f"not {list(span)}."
            )


def to_text(subject: Subject | None) -> str:
    """As part of a human's key: ``@subject=height:1.62,mass:55,strength.dorsiflexors_l:0.3``; "" for None."""
    if subject is None:
        return ""
    plain = {name: value for name, value in vars(subject).items() if name not in _NAMED and value is not None}
    named = {f"{group}.{name}": value for group in _NAMED for name, value in sorted(getattr(subject, group).items())}
    return SUBJECT_MARK + ",".join(f"{name}:{_written(value)}" for name, value in (plain | named).items())


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    return _SPAN.join(f"{part:.10g}" for part in value) if isinstance(value, tuple) else f"{value:.10g}"


def to_tree(text: str) -> dict[str, Any]:
    """What `to_text` wrote, without its mark, as the data of a config; "" is the standard body.

    Raises:
        UserError: something that is no ``name:value``.
    """
    tree: dict[str, Any] = {}
    for entry in filter(None, text.split(",")):
        name, colon, value = entry.rpartition(":")
        group, dot, inner = name.partition(".")
        place, key = (tree.setdefault(group, {}), inner) if dot else (tree, name)
        if not colon or not isinstance(place, dict):
            raise UserError(f"{SUBJECT_MARK}{text}: {entry!r} must be NAME:VALUE, such as height:1.62.")
        place[key] = _read(value)
    return tree


def _read(text: str) -> Any:
    parts = text.split(_SPAN)
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        return text
    return numbers if len(numbers) > 1 else numbers[0]
