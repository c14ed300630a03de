"""Sides of a study, each of several trained policies: what all of them walk, and the walks' figures.

Every policy walks the same speeds from the same seeds, in the same physics. What is made of it is in `matched`."""

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import mujoco
import numpy as np

from mjx_assist.config.device import ZeroTorque
from mjx_assist.config.study import Walker, Walks
from mjx_assist.config.words import FULL, REDUCED
from mjx_assist.errors import UserError
from mjx_assist.eval.replay.conditions import Conditions, constant, describe, fixed
from mjx_assist.eval.studies import trials
from mjx_assist.eval.studies.challenge import fingerprint
from mjx_assist.eval.studies.effort import effort
from mjx_assist.eval.studies.stress import OFF_AFTER, OFF_WINDOW
from mjx_assist.files.plain import plain
from mjx_assist.model.human_key import subject_of
from mjx_assist.model.mjcf import with_physics_rate
from mjx_assist.model.names import is_muscle
from mjx_assist.policy.bundle import Bundle, reduced_model

MEASURE = trials.Measure(effort, None)
_MEASURED = 1  # to be counted up when `effort` tells something else
_AROUND = 0.05  # m/s to either side of the one speed that policies were trained for


@dataclass(frozen=True)
class Trained:
    """One training's policy: on which side, by which name, from where, and of whom if over people."""

    side: str
    name: str
    source: str
    bundle: Bundle
    person: str = ""

    @property
    def walker(self) -> Walker:
        return Walker(self.side, self.person)

    @property
    def seed(self) -> int:
        """Of its training."""
        return self.bundle.config.env_params.seed

    @property
    def speeds(self) -> tuple[float, float]:
        """The slowest and the fastest command in training, m/s."""
        env = self.bundle.config.env_params
        return env.min_target_velocity, env.max_target_velocity


@dataclass(frozen=True)
class Physics:
    """What walks: the ``reduced`` model at a rate (Hz; None: as trained), or the ``full`` one at its own."""

    kind: str
    rate: int | None = None

    @property
    def label(self) -> str:
        if self.kind == FULL:
            return "full model"
        return "reduced model, as trained" if self.rate is None else f"reduced model, {self.rate} Hz"

    def of(self, bundle: Bundle) -> Bundle:
        """The policy with its model at this rate."""
        if self.rate is None:
            return bundle
        env = replace(bundle.config.env_params, physics_sim_framerate=self.rate)
        xml = with_physics_rate(bundle.xml, self.rate)
        return replace(bundle, xml=xml, config=replace(bundle.config, env_params=env))


@dataclass(frozen=True)
class Walked:
    """A row of the walks: whose, in which physics, under what, and what came of it (`effort`)."""

    side: str
    name: str
    physics: str
    conditions: Conditions
    figures: dict

    @property
    def device_off(self) -> bool:
        """Whether the device went off on the way."""
        return bool(self.conditions.randomization.device_off)

    @property
    def speed_asked_m_s(self) -> float:
        return self.conditions.command.speed[0] if self.conditions.command else math.nan


def physics_of(walks: Walks) -> list[Physics]:
    """The physics that are asked for, the trained one first."""
    reduced = [Physics(REDUCED), *(Physics(REDUCED, rate) for rate in walks.physics_rates)]
    return [*(reduced if REDUCED in walks.models else []), *([Physics(FULL)] if FULL in walks.models else [])]


def with_speeds(walks: Walks, policies: Sequence[Trained]) -> Walks:
    """The walks with their speeds: those asked for, else five over what all policies were trained for.

    Where that is one speed, to either side of it too. The speed that is compared: the one asked for, else the middle.

    Raises:
        UserError: the policies have no speed in common, a reference gait does not know one that is asked for, or a
            physics rate does not hold a policy's control steps.
    """
    low, high = (
        pick(ends) for pick, ends in zip((max, min), zip(*(p.speeds for p in policies), strict=True), strict=True)
    )
    speeds = walks.speeds
    if not speeds and low > high + 1e-9:
        raise UserError("speeds: the policies have none in common that they were trained for; say at which to walk.")
    if not speeds and high - low < _AROUND:
        middle = (low + high) / 2
        low, high = middle - _AROUND, middle + _AROUND
    speeds = speeds or tuple(round(low + (high - low) * i / 4, 4) for i in range(5))
    at = walks.at_speed or round((min(speeds) + max(speeds)) / 2, 4)
    trained = {policy.bundle.config.env_params.physics_sim_framerate for policy in policies}
    rates = tuple(rate for rate in walks.physics_rates if trained != {rate})  # that is the trained one
    chosen = replace(walks, speeds=tuple(sorted(speeds)), at_speed=at, physics_rates=rates)
    for policy in policies:
        check(chosen, policy.bundle.gait.speed, policy.bundle.config.env_params.control_framerate, policy.name)
    return chosen


def check(walks: Walks, known: np.ndarray, control_rate: int, whose: str) -> None:
    """Raises `UserError` where a walker cannot be asked what the walks say: ``known`` speeds of its reference gait."""
    for speed in walks.speeds:
        if not float(known[0]) <= speed <= float(known[-1]):
            raise UserError(
                f"speeds: {whose}: the reference gait knows {known[0]:g} to {known[-1]:g} m/s, not {speed:g}."
            )
    for rate in walks.physics_rates:
        if rate % control_rate:
            raise UserError(
                f"physics_rates: {rate} Hz is not a multiple of {whose}'s control_framerate {control_rate}."
            )


def by_person(policies: Sequence[Trained]) -> list[Trained]:
    """The policies with whom they are, where they are of several people; as they are where all are of one body.

    Raises:
        UserError: nobody is on all sides, so that nobody is paired.
    """
    people = {policy.source: subject_of(policy.bundle.human) for policy in policies}
    if len(set(people.values())) == 1:
        return list(policies)
    told = [replace(policy, person=people[policy.source]) for policy in policies]
    sides = {side: {p.person for p in told if p.side == side} for side in dict.fromkeys(p.side for p in told)}
    if not set.intersection(*sides.values()):
        each = "; ".join(f"{side}: {', '.join(sorted(people))}" for side, people in sides.items())
        raise UserError(f"nobody has trained on all sides, so nobody is compared with themselves ({each}).")
    return told


def check_different(policies: Sequence[Trained]) -> None:
    """Raises `UserError` for a policy that is there twice: it would count as another training."""
    known: dict[str, Trained] = {}
    for policy in policies:
        other = known.setdefault(fingerprint(policy.bundle), policy)
        if other is not policy:
            raise UserError(
                f"{other.source!r} and {policy.source!r} are the same policy; an interval over trainings needs each "
                "training once."
            )


def walk(
    policies: Sequence[Trained],
    walks: Walks,
    processes: int,
    known: Mapping[str, dict],
    keep: Callable[[str, dict], None],
) -> list[Walked]:
    """All walks of all policies. ``known``: figures of walks that were made before, by `key_of`; ``keep`` is called
    with every new one."""
    bundles, asked = [], []
    for physics in physics_of(walks):
        for policy in policies:
            bundles.append(physics.of(policy.bundle))
            asked += [(policy, physics, trial) for trial in _trials(len(bundles) - 1, bundles[-1], physics, walks)]
    keys = [key_of(bundles[trial.policy], trial) for *_, trial in asked]
    figures = {key: known[key] for key in keys if key in known}
    missing = [index for index, key in enumerate(keys) if key not in figures]
    for index, found in trials.run(bundles, [asked[i][-1] for i in missing], processes, MEASURE):
        key = keys[missing[index]]
        figures[key] = found
        keep(key, found)
    return [
        Walked(p.side, p.name, physics.label, trial.conditions, figures[key])
        for (p, physics, trial), key in zip(asked, keys, strict=True)
    ]


def _trials(number: int, bundle: Bundle, physics: Physics, walks: Walks) -> Iterator[trials.Trial]:
    """The walks of a policy in one physics; as trained, in some more its device, if one is driven, goes off."""
    for speed in walks.speeds:
        for seed in range(walks.first_seed, walks.first_seed + walks.episodes):
            yield trials.Trial(number, physics.kind, walks.seconds, seed, Conditions(command=constant(speed)))
    controller = bundle.config.env_params.controller
    driven = not is_muscle(reduced_model(bundle)).all() and not isinstance(controller, ZeroTorque)
    if driven and physics == Physics(REDUCED) and walks.at_speed:
        off = Conditions(
            command=constant(walks.at_speed), randomization=fixed(device_off=1.0, device_off_time=OFF_AFTER)
        )
        for seed in range(walks.first_seed, walks.first_seed + walks.device_off_episodes):
            yield trials.Trial(number, physics.kind, OFF_AFTER + OFF_WINDOW, seed, off)


def key_of(bundle: Bundle, trial: trials.Trial) -> str:
    """What a walk's figures depend on, as a checksum: the policy, the walk, the simulator."""
    walk = {**asdict(trial), "policy": fingerprint(bundle), "conditions": describe(trial.conditions)}
    text = json.dumps(plain({**walk, "measured": _MEASURED, "mujoco": mujoco.__version__}), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
