"""A search over a family of devices in its folder: walk, search, walk the best afresh, make what design.json holds.

It goes on where it stopped (`search.remembering`); the same study and policies give the same designs."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import mujoco
import numpy as np

from mjx_assist.config.design_study import FIGURES, DesignStudy
from mjx_assist.config.family import DeviceFamily, with_design
from mjx_assist.errors import UserError
from mjx_assist.eval.replay.design import said
from mjx_assist.eval.studies.challenge import fingerprint
from mjx_assist.lab import findings
from mjx_assist.lab.search import (
    STATE,
    Walk,
    Walked,
    check_installed,
    objective,
    penalised,
    remembering,
    search,
)
from mjx_assist.policy.bundle import Bundle
from mjx_assist.training.export import load_policy

FRESH = 16  # seeds that the search did not see: as many to choose among the best, and again for their figures
FRESH_FIRST = 100_000
SHORT, FEW = 8, 3  # of the best designs: so many are chosen among, so many are told


@dataclass(frozen=True, eq=False)
class Lab:
    """What a search needs: policies of one family, at which speed they walk, and how (`Walk`, with any seeds)."""

    study: DesignStudy
    names: tuple[str, ...]
    bundles: tuple[Bundle, ...]
    speed: float
    walk: Callable[[np.ndarray, Sequence[int]], np.ndarray]

    @property
    def family(self) -> DeviceFamily:
        return family_of(self.bundles[0])

    @property
    def seeds(self) -> range:
        return range(self.study.first_seed, self.study.first_seed + self.study.seeds)

    def unit(self, design: dict[str, float]) -> np.ndarray:
        """Parameters' places in 0..1 over their ranges; NaN for those that the design leaves open."""
        spans = [(name, *self.family.span(name)) for name in self.family.free]
        return np.array([(design[n] - low) / (high - low) if n in design else np.nan for n, low, high in spans])

    def design(self, unit: np.ndarray) -> dict[str, float]:
        spans = [(name, *self.family.span(name)) for name in self.family.free]
        return {name: float(low + (high - low) * u) for (name, low, high), u in zip(spans, unit, strict=True)}


def family_of(bundle: Bundle) -> DeviceFamily:
    family = bundle.config.env_params.device_family
    if family is None:
        raise UserError(
            "a policy was not trained for a family of devices: give it env_params.device_family (docs/design.md)."
        )
    return family


def open_lab(study: DesignStudy) -> Lab:
    """Open the policies and make their walks.

    Raises:
        UserError: a policy that is not there, or of another family than the first; a speed that it does not know; a
            design that leaves nothing to search.
    """
    check_installed()
    from mjx_assist.lab.walks import Walks

    bundles = tuple(load_policy(path) for path in study.policies)
    family = family_of(bundles[0])
    for path, bundle in zip(study.policies, bundles, strict=True):
        if family_of(bundle) != family:
            raise UserError(
                f"'policies': {path!r} was trained for another family of devices than {study.policies[0]!r}."
            )
    with_design(family, study.design)
    if not set(family.free) - {*study.design, *family.design}:
        raise UserError("'design': holds every free parameter of the family, so there is nothing to search.")
    env = bundles[0].config.env_params
    speed = study.speed or (env.min_target_velocity + env.max_target_velocity) / 2
    _check_speed(speed, bundles)
    size = study.population * study.seeds
    walks = [Walks(bundle, speed, study.seconds, size) for bundle in bundles]
    names = tuple(f"{number}: {path}" for number, path in enumerate(study.policies, 1))
    return Lab(study, names, bundles, speed, lambda unit, seeds: np.stack([walk(unit, seeds) for walk in walks]))


def run(lab: Lab, out: Path, tell: Callable[[str], None]) -> dict:
    """Search, then walk the best, the one that does nothing and the middle afresh; returns what design.json holds."""
    study, family = lab.study, lab.family
    head = _head(lab)
    walk = remembering(lambda unit: lab.walk(unit, lab.seeds), out / STATE, head)
    fixed = lab.unit({**study.design, **family.design})
    everything = _searched(study, fixed, walk, lab, tell)
    order = np.argsort(penalised(study, everything.figures), kind="stable")
    short = everything.unit[order[:SHORT]]
    again = lab.walk(short, range(FRESH_FIRST, FRESH_FIRST + FRESH))
    best = short[np.argsort(penalised(study, again), kind="stable")[:FEW]]
    nothing = findings.nothing(family, lab, best[0])
    asked = np.concatenate([best, *([nothing[None]] if nothing is not None else [])])
    fresh = Walked(asked, lab.walk(asked, range(FRESH_FIRST + FRESH, FRESH_FIRST + 2 * FRESH)))
    return findings.result(lab, fixed, everything, fresh, nothing is not None, head)


def _searched(study: DesignStudy, fixed: np.ndarray, walk: Walk, lab: Lab, tell: Callable[[str], None]) -> Walked:
    everything, begun = None, time.perf_counter()
    for part in search(study, fixed, walk):
        everything = part if everything is None else everything.joined(part)
        value, count = penalised(study, everything.figures), len(everything.unit)
        best = int(value.argmin())
        rate = count * study.seeds * len(lab.bundles) / (time.perf_counter() - begun) * 60
        tell(
            f"{count} of {study.designs} designs, {rate:,.0f} walks a minute; best "
            f"{objective(study, everything.figures)[best]:.4g}: {said(lab.design(everything.unit[best]))}"
        )
    assert everything is not None
    return everything


def _check_speed(speed: float, bundles: Sequence[Bundle]) -> None:
    for bundle in bundles:
        low, high = bundle.speeds
        if not low <= speed <= high:
            raise UserError(f"'speed': {speed:g} m/s is beyond the policy's reference gait, {low:g} to {high:g} m/s.")


def _head(lab: Lab) -> dict:
    """What a walk's figures depend on."""
    return {
        "policies": [fingerprint(bundle) for bundle in lab.bundles],
        "speed_m_s": lab.speed,
        "seconds": lab.study.seconds,
        "seeds": list(lab.seeds),
        "figures": list(FIGURES),
        "mujoco": mujoco.__version__,
    }
