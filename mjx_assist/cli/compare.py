"""The command `compare`: policies and device conditions at several speeds, with the same seeds."""

import argparse
from pathlib import Path

from mjx_assist.cli.arguments import Parser, add_episodes, one_of, parts_of, short_names, speeds_of
from mjx_assist.config.words import FULL, REDUCED
from mjx_assist.files.atomic import check_writable
from mjx_assist.files.tables import number, table


def add_compare(parser: Parser) -> None:
    parser.add_argument("policies", metavar="RUN_OR_BUNDLE", nargs="+", help="training runs or policy bundles")
    text = "with commas: trained, learned, zero_torque, profile, spline, impedance, or .json files"
    more = "default: trained, and for one policy zero_torque too"
    parser.add_argument("--conditions", metavar="A,B,...", help=f"what drives the device, {text} ({more})")
    text = "speeds to walk at, m/s, with commas (default: the middle of what the first policy was trained for)"
    parser.add_argument("--speeds", metavar="V,...", help=text)
    text = "reduced: as trained (default); full: the unreduced model with rigid couplings"
    parser.add_argument("--model", metavar="reduced|full", type=one_of((REDUCED, FULL)), default=REDUCED, help=text)
    parser.add_argument("-o", "--out", metavar="DIR", required=True, help="the comparison's folder")
    add_episodes(parser, episodes=10)
    parser.set_defaults(run=compare)


def compare(arguments: argparse.Namespace) -> None:
    """Walk all cases at all speeds, then write table, figures and page."""
    from mjx_assist.eval.report.comparison import CSV, JSON, write_comparison
    from mjx_assist.eval.studies import cases
    from mjx_assist.training.export import load_policy

    out = Path(arguments.out)
    check_writable(out, folder=True)
    sources = dict(zip(short_names(arguments.policies), map(str, arguments.policies), strict=True))
    compared = cases.compare(
        {name: load_policy(path) for name, path in sources.items()},
        parts_of(arguments.conditions),
        speeds_of(arguments.speeds),
        arguments.model,
        arguments.steps,
        arguments.episodes,
        arguments.seed,
        sources,
    )
    page = write_comparison(out, compared)
    print("\n" + _headline(compared.result))
    for note in compared.result["notes"]:
        print(f"note: {note}")
    print(f"\npage   {page}\ntable  {out / CSV}, {out / JSON}")


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
