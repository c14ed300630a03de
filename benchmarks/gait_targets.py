"""How near walkers come to people, a row for each measure that is aimed at: mean and range over a side's trainings.

python benchmarks/gait_targets.py --side none RUN... --side powered RUN... [--speed 1.25] [--docs]

Walks on the reduced model. Adults whom no fit has seen are those of Bovi et al. (2011) at their natural speed."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common import write_table

import mjx_assist
from mjx_assist.eval.gait import angles, cycles, emg
from mjx_assist.eval.replay.conditions import Conditions, constant
from mjx_assist.eval.replay.record import GaitRecord
from mjx_assist.eval.replay.replay import replay
from mjx_assist.eval.report.verdict.facts import facts
from mjx_assist.files.atomic import write_text
from mjx_assist.reference.published import adults, healthy_band


@dataclass(frozen=True)
class Walk:
    """What one policy did: its records, their figures, and what the verdict's rules are about."""

    records: list[GaitRecord]
    metrics: dict
    facts: dict


@dataclass(frozen=True)
class Target:
    """One measure: what is aimed at in words, whether a value reaches it, and the figure of a walk."""

    title: str
    aim: str
    reached: Callable[[float], bool]
    figure: Callable[[Walk], float | None]


def _adults_r(name: str) -> Callable[[Walk], float]:
    def figure(walk: Walk) -> float:
        angle = angles.MEASURED[name]
        own = cycles.pooled_average(walk.records, lambda record: angles.model_angle(record, angle))["mean"][::5]
        people = adults("natural").angles[angle.coordinate]
        return float(np.mean([np.corrcoef(leg, people)[0, 1] for leg in own.T]))

    return figure


def _fact(name: str) -> Callable[[Walk], float | None]:
    return lambda walk: walk.facts.get(name)


def _metabolic(model: str) -> Callable[[Walk], float]:
    return lambda walk: walk.metrics["metabolic"][model]["power_w_per_kg"]


def _hip_work(walk: Walk) -> float:
    both = walk.metrics["both"]
    return 2 * both["hip_positive_work_j_per_kg"] / both["stride_time_s"]


def _activation(walk: Walk, muscle: str) -> np.ndarray:
    """[100] of the cycle, mean of both legs."""
    profile = cycles.pooled_average(walk.records, lambda record: cycles.activation(record, muscle))["mean"]
    return profile[:-1].reshape(100, -1).mean(axis=1)


def _soleus_onset(walk: Walk) -> float:
    """The first percent of stance from which the soleus stays on to push-off at 45 %; 0 where it is on throughout."""
    off = np.flatnonzero(~emg.active(_activation(walk, "soleus"))[:45])
    return float(off[-1] + 1) if off.size else 0.0


def _on(walk: Walk, muscle: str) -> float:
    return float(np.mean(emg.active(_activation(walk, muscle))) * 100)


_at_least = lambda bound: lambda value: value >= bound  # noqa: E731
_at_most = lambda bound: lambda value: value <= bound  # noqa: E731
_between = lambda low, high: lambda value: low <= value <= high  # noqa: E731

TARGETS = (
    Target("falls, % of walks", "0", _at_most(0), _fact("fall_percent")),
    Target("speed, m/s", "1.20 to 1.30", _between(1.20, 1.30), _fact("speed_m_s")),
    Target("joint-stop load, mean of strides' peaks, N·m", "< 8", _at_most(8), _fact("stop_peak_nm")),
    Target("hip angle, r with adults", "0.98", _at_least(0.98), _adults_r("hip")),
    Target("knee angle, r with adults", "0.98", _at_least(0.98), _adults_r("knee")),
    Target("ankle angle, r with adults", "0.95", _at_least(0.95), _adults_r("ankle")),
    Target("pelvis tilt, r with adults", "> 0.3", _at_least(0.3), _adults_r("pelvis_tilt")),
    Target("worst joint moment within 2 SD, % of the cycle", "95", _at_least(95), _fact("moment_within_percent")),
    Target("farthest peak of the ground reaction, SD", "2", _at_most(2), _fact("grf_worst_sd")),
    Target("positive hip work, both legs, W/kg", "0.7", _at_most(0.7), _hip_work),
    Target("metabolic power, Umberger, W/kg", "2.5 to 3.3", _between(2.5, 3.3), _metabolic("umberger2010")),
    Target("metabolic power, Bhargava, W/kg", "2.1 to 2.8", _between(2.1, 2.8), _metabolic("bhargava2004")),
    Target("soleus on from, % of the cycle", "15", _at_most(15), _soleus_onset),
    Target(
        "rectus femoris in midstance (10 to 30 %)",
        "< 0.1",
        _at_most(0.1),
        lambda walk: float(_activation(walk, "rectfem")[10:30].mean()),
    ),
    Target("iliopsoas on, % of the cycle", "40", _at_most(40), lambda walk: _on(walk, "iliopsoas")),
    Target("centre of pressure moves back, mm", "< 5", _at_most(5), _fact("pressure_backward_mm")),
    Target("ankle moment at 30 % of the cycle, N·m/kg", "0.45", _at_least(0.45), _fact("calf_moment_nm_per_kg")),
)


def walk(policy: Path, speed: float, episodes: int, seconds: float) -> Walk:
    """A policy's walks at one speed (m/s) on the reduced model."""
    bundle = mjx_assist.load_policy(policy)
    steps = round(seconds * bundle.config.env_params.control_framerate)
    asked = Conditions(command=constant(speed))
    records = [replay(bundle, steps=steps, seed=seed, conditions=asked) for seed in range(episodes)]
    metrics = mjx_assist.summarize(records)
    return Walk(records, metrics, facts(metrics, healthy_band))


def figures(walks: list[Walk]) -> dict[str, list[float | None]]:
    """By target, a value a training."""
    return {target.title: [target.figure(one) for one in walks] for target in TARGETS}


def table(sides: dict[str, dict[str, list]]) -> str:
    """Markdown: a row a measure, a column a side: mean (range) over trainings, and how many reach the aim."""
    rows = [["measure, at the trainings' mean (range)", "aim", *sides], ["---"] * (2 + len(sides))]
    for target in TARGETS:
        rows.append([target.title, target.aim, *(_told(target, side[target.title]) for side in sides.values())])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _told(target: Target, values: list[float | None]) -> str:
    known = [value for value in values if value is not None and np.isfinite(value)]
    if not known:
        return "not known"
    reached = sum(target.reached(value) for value in known)
    spread = f" ({min(known):.3g} to {max(known):.3g})" if len(known) > 1 else ""
    return f"{np.mean(known):.3g}{spread}; {reached} of {len(values)}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", nargs="+", action="append", required=True, metavar=("NAME", "RUN"))
    parser.add_argument("--speed", type=float, default=1.25)
    parser.add_argument("--episodes", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--docs", action="store_true", help="write the table into docs/policies.md")
    options = parser.parse_args()
    sides = {}
    for name, *runs in options.side:
        walks = []
        for run in runs:
            print(f"{name}: {run}", file=sys.stderr, flush=True)
            walks.append(walk(Path(run), options.speed, options.episodes, options.seconds))
        sides[name] = figures(walks)
    text = table(sides)
    print(text)
    if options.json:
        write_text(options.json, json.dumps(sides, indent=1))
    if options.docs:
        write_table(Path("docs/policies.md"), "gait targets", text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
