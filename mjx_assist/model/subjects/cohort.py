"""A cohort: people drawn from a population whose heights and builds were measured (models/subjects/adults.json)."""

import json
import math
from typing import Any

import numpy as np

from mjx_assist.config.subject import BMI, FEMALE, HEIGHT, MALE, MASS
from mjx_assist.errors import UserError
from mjx_assist.paths import data_path

_TRIES = 10_000  # draws for one person


def adults() -> dict[str, Any]:
    """The population: by sex, mean and deviation of the height (m) and of the body mass index's logarithm."""
    return json.loads(data_path("models", "subjects", "adults.json").read_text(encoding="utf-8"))


def draw(
    count: int,
    seed: int,
    women: float = 0.5,
    heights: tuple[float, float] | None = None,
    masses: tuple[float, float] | None = None,
    ages: tuple[float, float] | None = None,
) -> dict[str, dict[str, Any]]:
    """Name (``S01``) -> data of a subject. The same seed draws the same people.

    ``women``: their share, exactly as far as ``count`` allows; ``heights`` (m) and ``masses`` (kg): who lies outside,
    or outside what is simulated, is drawn again; ``ages`` (years): uniform, None: not said.

    Raises:
        UserError: hardly anybody lies within the limits.
    """
    rng, width = np.random.default_rng(seed), max(2, len(str(count)))
    sexes = np.array([FEMALE] * round(women * count) + [MALE] * (count - round(women * count)))
    people = {}
    for number, sex in enumerate(rng.permutation(sexes), 1):
        height, mass = _person(rng, adults()[str(sex)], heights or (HEIGHT.ge, HEIGHT.le), masses or (MASS.ge, MASS.le))
        person = {"height": height, "mass": mass, "sex": str(sex)}
        people[f"S{number:0{width}}"] = person | ({"age": round(float(rng.uniform(*ages)))} if ages else {})
    return people


def _person(rng: np.random.Generator, of: dict, heights: tuple, masses: tuple) -> tuple[float, float]:
    """Height to a millimetre, mass to 100 g."""
    for _ in range(_TRIES):
        height, bmi = round(float(rng.normal(*of["height_m"])), 3), math.exp(float(rng.normal(*of["ln_bmi"])))
        mass = round(bmi * height**2, 1)
        if (
            heights[0] <= height <= heights[1]
            and masses[0] <= mass <= masses[1]
            and BMI[0] <= mass / height**2 <= BMI[1]
        ):
            return height, mass
    raise UserError(
        f"cohort: of {_TRIES:,} people drawn none is {heights[0]:g} to {heights[1]:g} m tall and weighs "
        f"{masses[0]:g} to {masses[1]:g} kg (of their sex {of['height_m'][0]:.2f} m is the mean). Widen the limits."
    )
