"""The command `study`: several trainings of every side, then what differs between them at the same speed."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from mjx_assist.cli.arguments import Parser
from mjx_assist.cli.figures import add_figures, formats_of
from mjx_assist.config.study import Walks, read_study
from mjx_assist.eval.studies.conclusions import COST, KEY_MODEL, POWER
from mjx_assist.eval.studies.sides import Trained
from mjx_assist.files.atomic import check_writable
from mjx_assist.files.tables import number, table
from mjx_assist.processes import cpus
from mjx_assist.training import study as studies


def add_study(parser: Parser) -> None:
    parser.add_argument("study", metavar="STUDY.json", help="sides, seeds and walks (docs/compare.md)")
    text = "the study's folder; trainings and walks that it holds are not made again, stopped ones go on"
    parser.add_argument("-o", "--out", metavar="DIR", required=True, help=text)
    add_figures(parser)
    parser.set_defaults(run=study)


def study(arguments: argparse.Namespace) -> None:
    """Train what is missing, walk what is missing, write the report, print what was found."""
    out, formats = Path(arguments.out), formats_of(arguments.figures)
    check_writable(out, folder=True)
    asked, configs = read_study(arguments.study)
    compare(studies.train(asked, configs, out), asked.walks, out, formats)


def compare(policies: Sequence[Trained], walks: Walks, out: Path, formats: Sequence[str] = ()) -> None:
    """Walk, then write page, figures and study.json, and print what was found."""
    from mjx_assist.eval.report.pages.study import JSON, write_study

    result = studies.compare(policies, walks, out, cpus())
    page = write_study(out, result, formats)
    print("\n" + _table(result))
    for sentence in result["findings"]:
        print(sentence)
    for note in result["notes"]:
        print(f"note: {note}")
    for side in result["sides"]:
        print(f"median training of {side['side']}: {side['median_policy'] or 'none walked at that speed'}")
    print(f"\npage   {page}\nfigures {out / JSON}")


def _table(result: dict) -> str:
    """Power and cost of every side with their intervals over trainings."""
    lines = []
    for row in result["means"]:
        if row["figure"] in (KEY_MODEL + POWER, KEY_MODEL + COST):
            limits = "" if row["low"] is None else f"[{row['low']:.3f}, {row['high']:.3f}]"
            name = "W/kg" if row["figure"].endswith(POWER) else "J/(kg m)"
            lines.append((row["physics"], row["side"], name, number(row["mean"], ".3f"), limits, str(row["trainings"])))
    title = f"at {result['at_speed_m_s']:g} m/s"
    return table((title, "side", "Umberger 2010", "mean", "95 % over trainings", "trainings"), lines)
