"""The command `demo`: what a trained policy is good for, in a few commands that anybody can type; no training."""

import argparse
import sys
import time
from pathlib import Path

from mjx_assist.cli.arguments import Parser
from mjx_assist.errors import UserError
from mjx_assist.files.atomic import check_writable

POLICY, WITHOUT = "walk22_exo", "walk22_zero_torque"


def add_demo(parser: Parser) -> None:
    text = "the folder for its pages (default: results/demo)"
    parser.add_argument("-o", "--out", metavar="DIR", default="results/demo", help=text)
    parser.set_defaults(run=demo)


def demo(arguments: argparse.Namespace) -> None:
    """Replay a policy, write its report, compare it with the same human whose device is off; say how to go on."""
    from mjx_assist.cli.main import main

    out, began = Path(arguments.out), time.perf_counter()
    check_writable(out, folder=True)
    for command in commands(out):
        print(f"\n$ mjx-assist {' '.join(command)}", flush=True)
        if code := main(command):
            raise UserError(f"demo: 'mjx-assist {' '.join(command)}' ended with exit code {code}.")
    print(_next(out, time.perf_counter() - began))


def commands(out: Path) -> list[list[str]]:
    """The commands of the demonstration, as their words."""
    return [
        ["replay", POLICY, "--headless", "--steps", "300"],
        ["report", POLICY, "-o", str(out / "report"), "--episodes", "3"],
        ["compare", WITHOUT, POLICY, "-o", str(out / "comparison"), "--episodes", "5"],
    ]


def _next(out: Path, seconds: float) -> str:
    """Where the pages are, and what can be done now."""
    watch = "mjx-assist replay walk22_exo" + ("" if sys.stdout.isatty() else " --web")
    return f"""
{seconds:.0f} s. Open in a browser:
  {out / "report" / "report.html"}        is the gait healthy, does the device help
  {out / "comparison" / "compare.html"}   with the device and with it off, side by side
next:
  {watch}                             watch it walk
  mjx-assist evaluate walk22_all --slope 4 --speed 1.5     walks of your choice
  mjx-assist policies; mjx-assist configs list             what is there to walk, and to train
  mjx-assist train walk22_exo                              train your own (minutes on a laptop)"""
