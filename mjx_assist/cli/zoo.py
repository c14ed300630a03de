"""The command `zoo`: one config on every human and device, each trained and judged; a table and a page of all."""

import argparse
from pathlib import Path

from mjx_assist import config as configs
from mjx_assist.cli.arguments import Parser, natural, parts_of, positive
from mjx_assist.config.read import config_file
from mjx_assist.eval.studies import zoo as rules
from mjx_assist.files.atomic import check_writable, write_text
from mjx_assist.files.plain import write_json
from mjx_assist.files.tables import table
from mjx_assist.training import zoo as zoos

JSON, TABLE = "zoo.json", "zoo.md"


def add_zoo(parser: Parser) -> None:
    text = "the zoo's folder; rows that it holds are not made again, stopped trainings go on"
    parser.add_argument("-o", "--out", metavar="DIR", required=True, help=text)
    parser.add_argument("--quick", action="store_true", help="five compositions in the place of all")
    text = "only these, with commas: HUMAN/DEVICE, a human or a device; * stands for anything"
    parser.add_argument("--only", metavar="PATTERN,...", help=text)
    parser.add_argument("--config", metavar="CONFIG", default="walk", help="what trains them all (default: walk)")
    parser.add_argument(
        "--steps", metavar="N", type=positive, help="control steps of each training (default: CONFIG's)"
    )
    parser.add_argument("--seed", metavar="N", type=natural, help="seed of every training (default: CONFIG's)")
    text = "walks of each policy on each model (default: 10)"
    parser.add_argument("--episodes", metavar="N", type=positive, default=10, help=text)
    text = f"how long each walk is to last, s (default: {rules.SECONDS:g})"
    parser.add_argument("--seconds", metavar="S", type=positive, default=round(rules.SECONDS), help=text)
    parser.set_defaults(run=zoo)


def zoo(arguments: argparse.Namespace) -> None:
    """Make the rows that are missing; write table and page after each."""
    out = Path(arguments.out)
    check_writable(out, folder=True)
    base = configs.load(config_file(arguments.config))
    chosen = zoos.compositions(parts_of(arguments.only), arguments.quick)
    rows = [(one, zoos.config_of(base, one, arguments.steps, arguments.seed)) for one in chosen]
    walks = zoos.Walks(arguments.episodes, float(arguments.seconds))
    made = zoos.make(rows, walks, out, lambda done: _write(out, done))
    page = _write(out, made)
    print(f"\n{table(rules.HEADER, [rules.cells(row) for row in made])}\n{rules.headline(made)}")
    print(f"\npage  {page}\ntable {out / TABLE}, {out / JSON}")


def _write(out: Path, rows: list[dict]) -> Path:
    """The files of the rows so far; returns the page."""
    from mjx_assist.eval.report.pages.zoo import write_page

    out.mkdir(parents=True, exist_ok=True)
    write_json(out / JSON, {"rows": rows})
    write_text(out / TABLE, rules.markdown(rows))
    names = [(row["human"], row["device"]) for row in rows]
    return write_page(out, rows, {name: out / "_".join(name) / zoos.STRIP for name in names})
