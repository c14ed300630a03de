"""The command `analyze`: what a config's `evaluate_param_list` asks, once more."""

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from mjx_assist.cli.arguments import Parser, add_controller
from mjx_assist.errors import UserError, note
from mjx_assist.files.atomic import check_writable

if TYPE_CHECKING:
    from mjx_assist.eval.replay.record import GaitRecord
    from mjx_assist.policy.bundle import Bundle


def add_analyze(parser: Parser) -> None:
    text = "a training run's folder or a policy bundle; a session or zip of MyoAssist's"
    parser.add_argument("policy", metavar="RUN_OR_BUNDLE", help=text)
    add_controller(parser)
    parser.add_argument("-o", "--out", metavar="DIR", help="where the folders go (default: RUN_OR_BUNDLE)")
    parser.add_argument("--no-film", action="store_true", help="leave the film of each entry out")
    parser.set_defaults(run=analyze)


def analyze(arguments: argparse.Namespace) -> None:
    """Write ``analyze_results_<control steps>_<nn>/`` for each entry of the policy's config."""
    from mjx_assist.eval.replay.controller import with_controller
    from mjx_assist.eval.report import evaluations
    from mjx_assist.training.export import load_policy

    source = Path(arguments.policy)
    out = Path(arguments.out or (source.parent if source.is_file() else source))
    check_writable(out, folder=True)
    bundle = with_controller(load_policy(source), arguments.controller)
    if not bundle.config.evaluate_param_list:
        raise UserError(
            f"{str(source)!r}: its config has no evaluate_param_list, so nothing is asked. Use 'mjx-assist report', or "
            "give the config entries (docs/compare.md)."
        )
    asked = dataclasses.replace(bundle, may_import=True)
    film = None if arguments.no_film else _film
    for folder in evaluations.analyze(asked, out, bundle.info["control_steps"], film):
        print(f"report {folder}", flush=True)


def _film(bundle: "Bundle", record: "GaitRecord", path: Path) -> None:
    """A film where there is what draws it; else a sentence, since nothing else depends on it."""
    from mjx_assist.eval.view.video import write_video

    try:
        write_video(bundle, record, path)
    except UserError as error:
        note(f"no {path.name}: {error}")
