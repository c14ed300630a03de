"""The command `record`."""

import argparse
from pathlib import Path

from mjx_assist.cli.arguments import Parser, add_policy, model_of, natural, one_of, positive, record_line
from mjx_assist.cli.conditions import add_conditions, under
from mjx_assist.config.words import MODEL_KINDS
from mjx_assist.errors import UserError
from mjx_assist.files.atomic import check_writable


def add_record(parser: Parser) -> None:
    add_policy(parser, MODEL_KINDS)
    add_conditions(parser)
    parser.add_argument("-o", "--out", metavar="FILE.npz", required=True, help="the gait record's file")
    parser.add_argument("--steps", type=positive, default=1000, help="control steps of the episode (default: 1000)")
    parser.add_argument("--seed", type=natural, default=0, help="seed of the episode (default: 0)")
    text = "a sample every control step, or every physics step (default: physics, at most 250 a second)"
    rates = ("control", "physics")
    parser.add_argument("--rate", metavar="|".join(rates), type=one_of(rates, "--rate"), help=text)
    parser.set_defaults(run=record)


def record(arguments: argparse.Namespace) -> None:
    """Replay one episode and save its gait record."""
    from mjx_assist.eval.replay.replay import walk
    from mjx_assist.training.export import load_policy

    out = Path(arguments.out)
    check_writable(out, folder=False)
    if out.suffix != ".npz":
        raise UserError(f"-o {str(out)!r}: a gait record's file ends in .npz ('mjx-assist convert' makes others).")
    bundle, conditions = under(arguments, load_policy(arguments.policy))
    control = float(bundle.config.env_params.control_framerate)
    rate = {"control": control, "physics": float("inf"), None: None}[arguments.rate]
    kind = model_of(arguments.model, [bundle])
    walked = walk(bundle, kind, arguments.steps, arguments.seed, rate, conditions)
    print(f"{record_line(walked)}\nrecord {walked.save(out)}")
