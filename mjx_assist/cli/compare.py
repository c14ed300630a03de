"""The command `compare`: policies and device conditions with the same seeds; with ``--against`` sides of trainings."""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from mjx_assist.cli.arguments import (
    POLICY,
    POLICY_HELP,
    Parser,
    add_episodes,
    model_of,
    names_of,
    number_of,
    one_of,
    parts_of,
    short_names,
    speeds_of,
)
from mjx_assist.cli.figures import add_figures, formats_of, labels_of
from mjx_assist.config.study import MODELS, Walks, check_walks
from mjx_assist.config.words import COMPOSED, FULL, MODEL_KINDS, REDUCED
from mjx_assist.errors import UserError
from mjx_assist.files.atomic import check_writable
from mjx_assist.files.tables import number, table

STEPS, EPISODES = 1000, 10


def add_compare(parser: Parser) -> None:
    parser.add_argument("policies", metavar=POLICY, nargs="+", help=POLICY_HELP)
    text = "with commas: trained, learned, zero_torque, profile, spline, impedance, impedance_phases, or .json files"
    more = "default: trained, and for one policy zero_torque too"
    parser.add_argument("--conditions", metavar="A,B,...", help=f"what drives the device, {text} ({more})")
    text = "several trainings a side: these are the other side (again for a third), one policy a training; runs, "
    text += "bundles, or folders of 'train --seeds'. Intervals are then over trainings, at the same speed reached "
    text += "(default: 2 episodes of 20 s)"
    parser.add_argument("--against", metavar=POLICY, nargs="+", action="append", help=text)
    text = "with --against: the speed at which costs are compared, m/s (default: the middle of the speeds)"
    parser.add_argument("--at", metavar="V", type=number_of, help=text)
    text = "with --against: other physics rates for the reduced model, Hz, with commas (default: 960; none: '')"
    parser.add_argument("--physics-rates", metavar="HZ,...", type=str, help=text)
    text = "speeds to walk at, m/s, with commas (default: the middle of what the first policy was trained for; with "
    parser.add_argument("--speeds", metavar="V,...", help=text + "--against five over what all were trained for)")
    text = "full: the unreduced model with rigid couplings; composed: as it is (default: that all were trained on, "
    text += "else reduced; with --against reduced and full)"
    parser.add_argument("--model", metavar="|".join(MODEL_KINDS), type=one_of(MODEL_KINDS), help=text)
    parser.add_argument("-o", "--out", metavar="DIR", required=True, help="the comparison's folder")
    add_figures(parser, "names of the cases in page, tables and figures (of the sides with --against)")
    add_episodes(parser, episodes=EPISODES)
    parser.set_defaults(run=compare, steps=None, episodes=None)


def compare(arguments: argparse.Namespace) -> None:
    """Walk all cases at all speeds, then write table, figures and page."""
    if arguments.against:
        _compare_sides(arguments)
        return
    for flag, given in (("--at", arguments.at), ("--physics-rates", arguments.physics_rates)):
        if given is not None:
            raise UserError(f"{flag} goes with --against only.")
    from mjx_assist.eval.report.pages.comparison import CSV, JSON, write_comparison
    from mjx_assist.eval.studies import cases
    from mjx_assist.training.export import load_policy

    out, formats = Path(arguments.out), formats_of(arguments.figures)
    check_writable(out, folder=True)
    sources = dict(zip(short_names(arguments.policies), map(str, arguments.policies), strict=True))
    policies = {name: load_policy(path) for name, path in sources.items()}
    compared = cases.compare(
        policies,
        names_of("--conditions", arguments.conditions),
        speeds_of(arguments.speeds),
        model_of(arguments.model, policies.values()),
        arguments.steps or STEPS,
        arguments.episodes or EPISODES,
        arguments.seed,
        sources,
        labels=partial(labels_of, arguments.labels),
    )
    page = write_comparison(out, compared, formats)
    print("\n" + _headline(compared.result))
    for note in compared.result["notes"]:
        print(f"note: {note}")
    print(f"\npage   {page}\ntable  {out / CSV}, {out / JSON}")


def _compare_sides(arguments: argparse.Namespace) -> None:
    """``--against``: every policy is a training of its side."""
    from mjx_assist.cli import study
    from mjx_assist.eval.studies.sides import Trained
    from mjx_assist.training.export import load_policy

    if arguments.conditions is not None:
        raise UserError("--conditions does not go with --against: its sides walk as they were trained.")
    if arguments.model == COMPOSED:
        raise UserError(f"--model {COMPOSED} does not go with --against: choose {REDUCED} or {FULL}.")
    out = Path(arguments.out)
    check_writable(out, folder=True)
    given = [_trainings(paths) for paths in (arguments.policies, *arguments.against)]
    names = short_names([str(path) for side in given for path in side])
    policies = []
    for paths, side in zip(given, labels_of(arguments.labels, _side_names(given)), strict=True):
        for path in paths:
            policies.append(Trained(side, names[len(policies)], str(path), load_policy(path)))
    dt, usual = 1.0 / policies[0].bundle.config.env_params.control_framerate, Walks()
    walks = Walks(
        speeds=tuple(speeds_of(arguments.speeds) or ()),
        at_speed=arguments.at,
        models=(arguments.model,) if arguments.model else MODELS,
        physics_rates=_rates(arguments.physics_rates),
        episodes=arguments.episodes or usual.episodes,
        seconds=arguments.steps * dt if arguments.steps else usual.seconds,
        first_seed=arguments.seed,
    )
    check_walks(walks)
    # The others are what the first is held against.
    sides = list(dict.fromkeys(policy.side for policy in policies))
    policies.sort(key=lambda policy: policy.side == sides[0])
    study.compare(policies, walks, out, formats_of(arguments.figures))


def _trainings(paths: Sequence[str]) -> list[Path]:
    """The policies' folders; those in it for a folder of runs with several seeds."""
    from mjx_assist.training import seeds

    return [run for path in map(Path, paths) for run in (seeds.runs_in(path) if seeds.is_parent(path) else [path])]


def _side_names(sides: Sequence[Sequence[Path]]) -> list[str]:
    """The first policy's name, with how many there are."""
    firsts = short_names([str(side[0].parent if side[0].name.startswith("seed_") else side[0]) for side in sides])
    return [
        name if len(side) == 1 else f"{name} and {len(side) - 1} more" for name, side in zip(firsts, sides, strict=True)
    ]


def _rates(text: str | None) -> tuple[int, ...]:
    if text is None:
        return Walks().physics_rates
    try:
        return tuple(int(part) for part in parts_of(text) or ())
    except ValueError:
        raise UserError(f"--physics-rates: must be whole numbers of Hz with commas between, not {text!r}.") from None


def _headline(result: dict) -> str:
    """The key figures: every case's mean, and its difference to the baseline with limits."""
    from mjx_assist.eval.report.pages.compare import KEY_FIGURES

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
