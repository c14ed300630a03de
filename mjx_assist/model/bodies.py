"""Humans that differ from assist_sim's on purpose, each by a file of models/bodies: ``myolegs22+passive``."""

import fnmatch
import json
from itertools import pairwise
from typing import Any

import mujoco
import numpy as np

from mjx_assist.config.words import ASSIST_SIM, BODY_MARK
from mjx_assist.errors import unknown
from mjx_assist.model.muscles import elastic
from mjx_assist.paths import data_path

_SIDES = ("r", "l")
_FAR = 1e3  # rad: where a spring that pulls one way only would begin to pull the other


def split(human: str) -> tuple[str, str]:
    """A human's key and its body's: ``"myolegs22+passive"`` is ``("myolegs22", "passive")``."""
    key, _, body = human.partition(BODY_MARK)
    return key, body or ASSIST_SIM


def known() -> tuple[str, ...]:
    """All bodies, assist_sim's first."""
    return (ASSIST_SIM, *sorted(path.stem for path in data_path("models", "bodies").glob("*.json")))


def read(body: str) -> dict[str, Any]:
    """What models/bodies/<body>.json says; angles in rad unless a key names degrees, moments in N*m.

    Raises:
        UserError: no such body.
    """
    if body not in known():
        raise unknown("body", body, known())
    if body == ASSIST_SIM:
        return {}
    rules = json.loads(data_path("models", "bodies", f"{body}.json").read_text(encoding="utf-8"))
    return read(rules.pop("extends", ASSIST_SIM)) | rules


def put_on(spec: mujoco.MjSpec, body: str) -> None:
    """Changes a composed human: ranges, springs and elastic moments of the joints that it has."""
    rules = read(body)
    joints = {joint.name: joint for joint in spec.joints}
    for pattern, limits in rules.get("range_rad", {}).items():
        for name in fnmatch.filter(joints, pattern):
            joints[name].range = np.degrees(limits) if spec.compiler.degree else limits
    for pattern, stiffness in rules.get("stiffness_nm_per_rad", {}).items():
        for name in fnmatch.filter(joints, pattern):
            joints[name].stiffness = np.array([stiffness, 0.0, 0.0])
    for moment in rules.get("elastic_moments", ()):
        for side in _SIDES:
            _add_moment(spec, moment, side, joints)
    muscles = [actuator.name for actuator in spec.actuators]
    tendons = rules.get("elastic_tendons", {}).items()
    in_series = {name: tendon for pattern, tendon in tendons for name in fnmatch.filter(muscles, pattern)}
    if in_series:
        elastic.put_tendons(spec, in_series)


def _add_moment(spec: mujoco.MjSpec, moment: dict[str, Any], side: str, joints: dict[str, Any]) -> None:
    """Springs over the joints of one side, if it has them all."""
    shares = {name.format(side=side): share for name, share in moment["joints"].items()}
    if not shares.keys() <= joints.keys():
        return
    for number, (start, stiffness) in enumerate(springs(moment["exponent"], moment["knots_deg"])):
        tendon = spec.add_tendon()
        tendon.name = f"{moment['name']}_{number}_{side}"
        tendon.stiffness = np.array([stiffness, 0.0, 0.0])
        tendon.springlength = [start, _FAR] if moment["exponent"][1] < 0 else [-_FAR, start]
        for name, share in shares.items():
            tendon.wrap_joint(name, share)


def springs(exponent: tuple[float, float], knots_deg: list[float]) -> list[tuple[float, float]]:
    """Springs that make up a moment exp(a + b x), x in degrees, by its chords: [(where it begins, stiffness)].

    Each pulls from its beginning (rad) on towards the end where the moment is largest, in N*m/rad; between the knots
    their sum lies on the chord, less what the moment is at the knot where it is smallest.
    """
    knots = np.array(knots_deg if exponent[1] > 0 else knots_deg[::-1])  # from slack to tight
    moment = np.exp(exponent[0] + exponent[1] * knots)
    slopes = [
        (b - a) / abs(np.radians(y - x)) for (a, b), (x, y) in zip(pairwise(moment), pairwise(knots), strict=True)
    ]
    more = np.diff([0.0, *slopes])
    return [(float(np.radians(x)), float(k)) for x, k in zip(knots[:-1], more, strict=True)]
