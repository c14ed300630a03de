"""The command `compare`: policies and device conditions at several speeds, with the same seeds."""

import argparse
import csv
import dataclasses
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from mjx_assist.cli.arguments import MODEL_KINDS, Parser, add_episodes, one_of, parts_of, short_names, speeds_of
from mjx_assist.config.device import LEARNED
from mjx_assist.errors import UserError
from mjx_assist.eval.replay.controller import with_controller
from mjx_assist.eval.replay.replay import replay
from mjx_assist.eval.studies import compare as comparison
from mjx_assist.files.atomic import check_writable, replacing
from mjx_assist.files.plain import plain, write_json
from mjx_assist.files.tables import number, table
from mjx_assist.model.assembly import NO_DEVICE
from mjx_assist.policy.bundle import Bundle
from mjx_assist.training.export import load_policy

TRAINED = "trained"
JSON, CSV = "compare.json", "compare.csv"


@dataclasses.dataclass(frozen=True)
class Case:
    """A policy under a condition."""

    label: str
    policy: str
    condition: str
    bundle: Bundle

    @property
    def trained_speeds(self) -> tuple[float, float]:
        env = self.bundle.config.env_params
        return env.min_target_velocity, env.max_target_velocity


def add_compare(parser: Parser) -> None:
    parser.add_argument("policies", metavar="RUN_OR_BUNDLE", nargs="+", help="training runs or policy bundles")
    text = "with commas: trained, learned, zero_torque, profile, spline, impedance, or .json files"
    more = "default: trained, and for one policy zero_torque too"
    parser.add_argument("--conditions", metavar="A,B,...", help=f"what drives the device, {text} ({more})")
    text = "speeds to walk at, m/s, with commas (default: the middle of what the first policy was trained for)"
    parser.add_argument("--speeds", metavar="V,...", help=text)
    text = "reduced: as trained (default); full: the unreduced model with rigid couplings"
    parser.add_argument("--model", metavar="reduced|full", type=one_of(MODEL_KINDS[:2]), default="reduced", help=text)
    parser.add_argument("-o", "--out", metavar="DIR", required=True, help="the comparison's folder")
    add_episodes(parser, episodes=10)
    parser.set_defaults(run=compare)


def compare(arguments: argparse.Namespace) -> None:
    """Walk all cases at all speeds, then write table, figures and page."""
    out = Path(arguments.out)
    check_writable(out, folder=True)
    cases = cases_of(arguments.policies, parts_of(arguments.conditions))
    speeds = speeds_of(arguments.speeds) or [sum(cases[0].trained_speeds) / 2]
    seeds = range(arguments.seed, arguments.seed + arguments.episodes)
    walks = walk_all(cases, speeds, arguments.model, arguments.steps, seeds)
    baseline = comparison.baseline_of([case.label for case in cases], [case.condition for case in cases])
    rows = comparison.rows(walks, baseline)
    notes = comparison.notes(walks, {case.label: case.trained_speeds for case in cases})
    result = plain(
        {
            "schema_version": comparison.SCHEMA_VERSION,
            "model": arguments.model,
            "steps_asked": arguments.steps,
            "seeds": list(seeds),
            "baseline": baseline,
            "cases": [_about(case) for case in cases],
            "walks": [_outcome(part) for part in walks],
            "notes": notes,
            "figures": rows,
        }
    )
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / JSON, result)
    with replacing(out / CSV) as stream:
        stream.write(_csv(result["figures"]).encode())

    from mjx_assist.eval.report.compare_page import PAGE, write_page

    write_page(out, result, walks)
    print("\n" + _headline(result))
    for note in notes:
        print(f"note: {note}")
    print(f"\npage   {out / PAGE}\ntable  {out / CSV}, {out / JSON}")


def cases_of(policies: Sequence[str], conditions: Sequence[str] | None) -> list[Case]:
    """Every policy under every condition; by default as trained, one policy also with its device at zero torque."""
    bundles = [load_policy(path) for path in policies]
    if conditions is None:
        alone = len(bundles) == 1 and bundles[0].device != NO_DEVICE
        conditions = [TRAINED, comparison.ZERO_TORQUE] if alone else [TRAINED]
    names = short_names(policies)
    cases = []
    for name, path, bundle in zip(names, policies, bundles, strict=True):
        for condition in conditions:
            parts = ([name] if len(names) > 1 else []) + ([condition] if len(conditions) > 1 else [])
            chosen = with_controller(bundle, None if condition == TRAINED else condition)
            cases.append(Case(", ".join(parts) or condition, str(path), condition, chosen))
    if len({case.label for case in cases}) < len(cases):
        raise UserError(f"compare: a condition is given twice: {', '.join(conditions)}.")
    return cases


def walk_all(
    cases: Sequence[Case], speeds: Sequence[float], kind: str, steps: int, seeds: Sequence[int]
) -> list[comparison.Walks]:
    """All episodes of every case at every constant speed; a line for each on stderr."""
    places = [(at_speed(case, speed), case, speed) for speed in speeds for case in cases]
    walks, done, total = [], 0, len(places) * len(seeds)
    for bundle, case, speed in places:
        episodes = []
        for seed in seeds:
            record = replay(bundle, kind, steps, seed)
            episodes.append(comparison.episode(record))
            done += 1
            news = f"{'fell after' if record.fell else 'walked'} {record.time[-1]:.1f} s"
            print(f"{done} of {total}: {case.label}, {speed:g} m/s, seed {seed}: {news}", file=sys.stderr, flush=True)
        walks.append(comparison.Walks(case.label, speed, tuple(episodes)))
    return walks


def at_speed(case: Case, speed: float) -> Bundle:
    """The case's policy, asked to walk at a constant speed (m/s); `UserError` where the reference gait has none."""
    low, high = float(case.bundle.gait.speed[0]), float(case.bundle.gait.speed[-1])
    if not low <= speed <= high:
        raise UserError(f"--speeds {speed:g}: the reference gait knows {low:g} to {high:g} m/s.")
    config = case.bundle.config
    asked = {"velocity_mode": "UNIFORM", "min_target_velocity": speed, "max_target_velocity": speed}
    config = dataclasses.replace(config, env_params=dataclasses.replace(config.env_params, **asked))
    return dataclasses.replace(case.bundle, config=config)


def _about(case: Case) -> dict:
    settings = case.bundle.config.env_params.device_controller
    return {
        "case": case.label,
        "policy": case.policy,
        "condition": case.condition,
        "controller": dataclasses.asdict(settings) if settings else {"type": LEARNED},
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


def _csv(rows: Sequence[dict]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _headline(result: dict) -> str:
    """The key figures: every case's mean, and its difference to the baseline with limits."""
    from mjx_assist.eval.report.compare_page import KEY_FIGURES

    lines = []
    for row in result["figures"]:
        if row["figure"] in KEY_FIGURES:
            cells = (row["figure"], f"{row['speed_asked_m_s']:g}", row["case"], number(row["mean"], ".4g"))
            limits = ""
            if row.get("low") is not None:
                limits = f"{row['difference']:+.3g} [{row['low']:+.3g}, {row['high']:+.3g}]"
            lines.append((*cells, limits, number(row.get("difference_percent"), "+.1f")))
    lines.sort(key=lambda line: KEY_FIGURES.index(line[0]))
    title = f"minus {result['baseline']} [95 % interval]"
    return table(("figure", "m/s", "case", "mean", title, "%"), lines)
