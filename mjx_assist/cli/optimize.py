"""The command `optimize`: the best device of a family, for a policy that was trained with all of them."""

import argparse
import sys
from pathlib import Path

from mjx_assist.cli.arguments import Parser
from mjx_assist.config.design_study import read_design_study
from mjx_assist.files.atomic import check_writable


def add_optimize(parser: Parser) -> None:
    parser.add_argument("study", metavar="STUDY.json", help="policies, objective, constraints, sizes (docs/design.md)")
    text = "the search's folder; what it holds is not walked or trained again, and it goes on where it stopped"
    parser.add_argument("-o", "--out", metavar="DIR", required=True, help=text)
    parser.set_defaults(run=optimize)


def optimize(arguments: argparse.Namespace) -> None:
    """Search, write the page and the firmware's files, train the best alone, say what was found."""
    out = Path(arguments.out)
    check_writable(out, folder=True)
    study = read_design_study(arguments.study)
    from mjx_assist.eval.report.pages.design import JSON, write_design
    from mjx_assist.lab import confirm, findings, firmware
    from mjx_assist.lab import optimize as search

    lab = search.open_lab(study)
    result = search.run(lab, out, lambda line: print(line, file=sys.stderr, flush=True))
    best = [row["design"] for row in result["best"]]
    torque = firmware.write(out, lab.bundles[0], best[0], lab.speed)
    page = write_design(out, result, torque)
    if study.confirm.best:
        print(f"page so far {page}\n\nthe best {min(study.confirm.best, len(best))} are trained alone", flush=True)
        off = findings.nothing(lab.family, lab, lab.unit(best[0]))
        without = None if off is None else lab.design(off)
        chosen = best[: study.confirm.best]
        result["confirmed"] = confirm.confirm(study, lab.bundles, chosen, without, lab.speed, out)
        page = write_design(out, result, torque)
    print()
    for sentence in result["findings"]:
        print(sentence)
    for note in result["notes"]:
        print(f"note: {note}")
    for row in result.get("confirmed", ()):
        cost = "none walked on" if row["mean"] is None else f"{row['mean']:.3f} W/kg"
        print(f"trained alone: {row['side']}, {row['physics']}: {cost} {row['percent'] or ''}".rstrip())
    print(f"\npage     {page}\nfigures  {out / JSON}\nfirmware {out / firmware.TORQUE}, {out / firmware.DEVICE}")
