"""A person's body in numbers, by the human's key: what reports of people say of each. No model is made for it."""

from typing import Any

import numpy as np

from mjx_assist.config.subject import Subject
from mjx_assist.model import human_key
from mjx_assist.model.assembly import compose
from mjx_assist.model.subjects.proportions import proportions, sole, strengths
from mjx_assist.model.subjects.standard import standard


def figures(key: str) -> dict[str, Any]:
    """``height_m``, ``mass_kg`` (of the body alone), ``sex``, ``age_years`` (None: not said), ``root_to_sole_m``,
    ``thigh_m``, ``shank_m`` (of the longer leg), ``strength``: peak isometric force against the standard body's, the
    mean of all muscles.

    Raises:
        UserError: a subject that cannot be, an unknown human.
    """
    parts = human_key.parse(key)
    subject = parts.subject or Subject()
    body = standard(parts.human, compose)
    made = proportions(subject, body, parts.human)
    lengths = {name: metres * made.length[name] for name, metres in body.lengths.items()}
    weakness = strengths(subject, list(body.muscles), parts.human)
    return {
        "height_m": made.height,
        "mass_kg": made.total_mass,
        "sex": subject.sex,
        "age_years": subject.age,
        "root_to_sole_m": -sole(made.length, body),
        "thigh_m": max(lengths["thigh_r"], lengths["thigh_l"]),
        "shank_m": max(lengths["shank_r"], lengths["shank_l"]),
        "strength": made.force / made.size * float(np.mean(list(weakness.values()))),
    }
