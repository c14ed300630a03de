"""Policies under device conditions walk at several speeds, all from the same seeds: what a comparison is made of."""

import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from mjx_assist.config.words import LEARNED, REDUCED, UNIFORM, ZERO_TORQUE
from mjx_assist.errors import UserError, unknown
from mjx_assist.eval.replay.controller import NAMES, with_controller
from mjx_assist.eval.replay.replay import replay
from mjx_assist.eval.studies import compare as comparison
from mjx_assist.files.plain import plain
from mjx_assist.model.assembly import NO_DEVICE
from mjx_assist.policy.bundle import Bundle
from mjx_assist.policy.held import held

TRAINED = "trained"
ONE_TRAINING = (
    "Every case is one policy: the intervals are over its episodes and say nothing about people or other trainings. "
    "Several trainings of each side: mjx-assist compare A1 A2 A3 --against B1 B2 B3, or mjx-assist study."
)


@dataclasses.dataclass(frozen=True)
class Case:
    """A policy under a condition; ``policy`` says where it came from."""

    label: str
    policy: str
    condition: str
    bundle: Bundle

    @property
    def trained_speeds(self) -> tuple[float, float]:
        """The slowest and the fastest command in training, m/s."""
        env = self.bundle.config.env_params
        return env.min_target_velocity, env.max_target_velocity


class Comparison(NamedTuple):
    """``result``: what compare.json holds, plain data; ``walks``: the strides behind it, for figures."""

    result: dict
    walks: list[comparison.Walks]


def _on_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def compare(
    policies: Mapping[str, Bundle],
    conditions: Sequence[str] | None = None,
    speeds: Sequence[float] | None = None,
    kind: str = REDUCED,
    steps: int = 1000,
    episodes: int = 10,
    seed: int = 0,
    sources: Mapping[str, str] | None = None,
    tell: Callable[[str], None] = _on_stderr,
    labels: Callable[[Sequence[str]], Sequence[str]] = list,
) -> Comparison:
    """Walk every policy, by its name, under every condition at every speed (m/s), and compare them stride by stride.

    ``conditions``: ``trained``, a controller's name or file (`cases_of` has the default); ``speeds``: the middle of
    what the first policy was trained for. Each case walks ``episodes`` of ``steps`` control steps, from ``seed`` on.
    ``sources``: where the policies came from, for the result; ``tell`` is called with a line for each episode;
    ``labels``: what becomes of the cases' names.

    Raises:
        UserError: an unknown condition, the same one twice, or a speed that the reference gait does not know.
    """
    cases = cases_of(policies, conditions, sources)
    named = labels([case.label for case in cases])
    cases = [dataclasses.replace(case, label=label) for case, label in zip(cases, named, strict=True)]
    speeds = list(speeds or [sum(cases[0].trained_speeds) / 2])
    seeds = range(seed, seed + episodes)
    walks = _walk(cases, speeds, kind, steps, seeds, tell)
    baseline = comparison.baseline_of([case.label for case in cases], [case.condition for case in cases])
    result = {
        "schema_version": comparison.SCHEMA_VERSION,
        "model": kind,
        "steps_asked": steps,
        "seeds": list(seeds),
        "baseline": baseline,
        "cases": [_about(case) for case in cases],
        "walks": [_outcome(part) for part in walks],
        "notes": [
            ONE_TRAINING,
            *_unheard(cases, speeds),
            *comparison.notes(walks, {case.label: case.trained_speeds for case in cases}),
        ],
        "figures": comparison.rows(walks, baseline),
    }
    return Comparison(plain(result), walks)


def _unheard(cases: Sequence[Case], speeds: Sequence[float]) -> list[str]:
    """A note for each policy and speed that it is not told, since its training knew one speed alone."""
    asked = ((case.label, held(case.bundle).speed(speed)) for case in cases for speed in speeds)
    return [f"{label}: {sentence}" for label, sentence in asked if sentence]


def cases_of(
    policies: Mapping[str, Bundle], conditions: Sequence[str] | None, sources: Mapping[str, str] | None = None
) -> list[Case]:
    """Every policy under every condition; by default as trained, one policy also with its device at zero torque."""
    if conditions is None:
        alone = len(policies) == 1 and next(iter(policies.values())).device != NO_DEVICE
        conditions = [TRAINED, ZERO_TORQUE] if alone else [TRAINED]
    for condition in conditions:
        if condition not in (TRAINED, *NAMES) and not condition.endswith(".json") and not Path(condition).is_file():
            raise unknown("--conditions (a name, or a .json or .csv file)", condition, (TRAINED, *NAMES))
    cases = []
    for name, bundle in policies.items():
        for condition in conditions:
            parts = ([name] if len(policies) > 1 else []) + ([condition] if len(conditions) > 1 else [])
            chosen = with_controller(bundle, None if condition == TRAINED else condition)
            cases.append(Case(", ".join(parts) or condition, (sources or {}).get(name, name), condition, chosen))
    if len({case.label for case in cases}) < len(cases):
        raise UserError(f"compare: a condition is given twice: {', '.join(conditions)}.")
    return cases


def at_speed(case: Case, speed: float) -> Bundle:
    """The case's policy, asked to walk at a constant speed (m/s); `UserError` where the reference gait has none."""
    low, high = case.bundle.speeds
    if not low <= speed <= high:
        raise UserError(f"--speeds {speed:g}: the reference gait knows {low:g} to {high:g} m/s.")
    config = case.bundle.config
    wanted = {"velocity_mode": UNIFORM, "min_target_velocity": speed, "max_target_velocity": speed}
    config = dataclasses.replace(config, env_params=dataclasses.replace(config.env_params, **wanted))
    return dataclasses.replace(case.bundle, config=config)


def _walk(
    cases: Sequence[Case],
    speeds: Sequence[float],
    kind: str,
    steps: int,
    seeds: Sequence[int],
    tell: Callable[[str], None],
) -> list[comparison.Walks]:
    """All episodes of every case at every constant speed."""
    places = [(at_speed(case, speed), case, speed) for speed in speeds for case in cases]
    walks, done, total = [], 0, len(places) * len(seeds)
    for bundle, case, speed in places:
        episodes = []
        for seed in seeds:
            record = replay(bundle, kind, steps, seed)
            episodes.append(comparison.episode(record))
            done += 1
            news = f"{'fell after' if record.fell else 'walked'} {record.time[-1]:.1f} s"
            tell(f"{done} of {total}: {case.label}, {speed:g} m/s, seed {seed}: {news}")
        walks.append(comparison.Walks(case.label, speed, tuple(episodes)))
    return walks


def _about(case: Case) -> dict:
    settings = case.bundle.config.env_params.controller
    return {
        "case": case.label,
        "policy": case.policy,
        "condition": case.condition,
        "controller": {"type": settings.type, **dataclasses.asdict(settings)} if settings else {"type": LEARNED},
        "human": case.bundle.human,
        "device": case.bundle.device,
        "trained_speeds_m_s": case.trained_speeds,
        "info": case.bundle.info,
    }


def _outcome(part: comparison.Walks) -> dict:
    return {
        "case": part.case,
        "speed_asked_m_s": part.speed_m_s,
        "episodes": len(part.episodes),
        "falls": sum(episode.fell for episode in part.episodes),
        "strides": sum(episode.figures["kinematics"]["speed_m_s"].size for episode in part.episodes),
        "walked_s": [episode.time_s for episode in part.episodes],
    }
