"""The command `plot`."""

import argparse
from pathlib import Path

from mjx_assist.cli.arguments import Parser
from mjx_assist.errors import UserError
from mjx_assist.files.atomic import check_writable


def add_plot(parser: Parser) -> None:
    text = "a run's folder, a session of MyoAssist's, or a folder of such (train --seeds)"
    parser.add_argument("runs", metavar="RUN", nargs="+", help=text)
    text = "the folder for the pictures (default: RUN/plots; needed for several RUNs)"
    parser.add_argument("-o", "--out", metavar="DIR", help=text)
    parser.set_defaults(run=plot)


def plot(arguments: argparse.Namespace) -> None:
    """Draw the curves of some runs, of several with their mean and spread."""
    from mjx_assist.eval.plots import training

    if not arguments.out and len(arguments.runs) > 1:
        raise UserError("plot: several RUNs need -o DIR, the folder for the pictures.")
    out = Path(arguments.out or Path(arguments.runs[0]) / training.PLOTS)
    check_writable(out, folder=True)
    runs = [run for path in arguments.runs for run in training.runs_in(path)]
    for picture in training.draw(runs, out):
        print(picture)
