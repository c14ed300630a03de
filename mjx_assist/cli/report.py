"""The command `report`: let a policy walk (with its device, without, and on the full model), or read saved records."""

import argparse
from pathlib import Path

from mjx_assist.cli.arguments import POLICY, POLICY_HELP, Parser, add_episodes, model_of, one_of
from mjx_assist.cli.conditions import add_conditions, given, under
from mjx_assist.cli.figures import add_figures, formats_of, labels_of
from mjx_assist.config.words import FULL, MODEL_KINDS, ZERO_TORQUE
from mjx_assist.errors import UserError
from mjx_assist.eval.replay.record import SIDES, GaitRecord
from mjx_assist.files.atomic import check_writable
from mjx_assist.files.tables import table


def add_report(parser: Parser) -> None:
    text = f"{POLICY_HELP}; or gait records (.npz), which need no simulation"
    parser.add_argument("sources", metavar=f"{POLICY}|RECORD.npz", nargs="+", help=text)
    text = "what drives the device: learned, zero_torque, profile, spline, impedance, impedance_phases, or a file"
    parser.add_argument("--controller", metavar="NAME|FILE", help=f"{text} (default: as trained)")
    text = "reduced: as trained (default); full: the unreduced model with rigid couplings; composed: as it is"
    parser.add_argument("--model", metavar="|".join(MODEL_KINDS), type=one_of(MODEL_KINDS), help=text)
    parser.add_argument("-o", "--out", metavar="DIR", required=True, help="the report's folder")
    add_conditions(parser)
    add_episodes(parser, episodes=5)
    parser.add_argument("--pdf", action="store_true", help="the page as report.pdf too (WeasyPrint or Chromium)")
    add_figures(parser, "the figures' names of right and left leg")
    parser.set_defaults(run=report)


def report(arguments: argparse.Namespace) -> None:
    """Write the report's folder and print the verdict and the key figures."""
    out = Path(arguments.out)
    check_writable(out, folder=True)
    _drawn(arguments)  # before anything walks
    files = [source.endswith(".npz") for source in arguments.sources]
    if all(files):
        metrics = _of_records(arguments, out)
    elif len(files) == 1:
        metrics = _of_policy(arguments, out)
    else:
        raise UserError("report: give one POLICY, or gait records (.npz) only.")

    from mjx_assist.eval.report.gait import PAGE, PDF, headline

    print(f"\n{metrics['verdict']['overall']}\n")
    print(table(("", "measured", "asked or healthy"), [tuple(row) for row in headline(metrics)]))
    print(f"\nreport {out / PAGE}" + (f"\npdf    {out / PDF}" if arguments.pdf else ""))


def _of_records(arguments: argparse.Namespace, out: Path) -> dict:
    """Report on saved records; those with zero torque are what the others are compared with."""
    flags = [flag for flag, value in (("--model", arguments.model), ("--controller", arguments.controller)) if value]
    if flags := [*flags, *given(arguments)]:
        raise UserError(f"report: {flags[0]} is for a POLICY; a gait record is as it was recorded.")

    from mjx_assist.eval.report.gait import write_report
    from mjx_assist.eval.report.run_info import run_info

    records = [GaitRecord.load(path) for path in arguments.sources]
    walks = {(record.human, record.device) for record in records}
    if len(walks) > 1:
        raise UserError(f"report: the records are of different walkers: {sorted(walks)}.")
    baseline = [record for record in records if record.controller == ZERO_TORQUE]
    own = [record for record in records if record.controller != ZERO_TORQUE]
    if not own:
        own, baseline = baseline, []
    info = run_info(own, ", ".join(arguments.sources))
    return write_report(out, own, info=info, baseline=baseline, **_drawn(arguments))


def _of_policy(arguments: argparse.Namespace, out: Path) -> dict:
    """Walk, once more with the device at zero torque, once on the other model; report with a picture of the walker."""
    from mjx_assist.eval.gait.summary import episode_summary
    from mjx_assist.eval.replay.controller import with_controller
    from mjx_assist.eval.replay.replay import walk
    from mjx_assist.eval.replay.walk import ground_of
    from mjx_assist.eval.report.gait import write_report
    from mjx_assist.eval.report.run_info import run_info
    from mjx_assist.eval.view import strip
    from mjx_assist.model.assembly import NO_DEVICE
    from mjx_assist.training.export import load_policy

    bundle, conditions = under(arguments, load_policy(arguments.sources[0]))
    kind, seed = model_of(arguments.model, [bundle]), arguments.seed
    seeds = range(seed, seed + arguments.episodes)
    records = [walk(bundle, kind, arguments.steps, seed, conditions=conditions) for seed in seeds]
    baseline = []
    if bundle.device != NO_DEVICE and records[0].controller != ZERO_TORQUE:
        bare = with_controller(bundle, ZERO_TORQUE)
        baseline = [walk(bare, kind, arguments.steps, seed, conditions=conditions) for seed in seeds]
    full = records[0] if kind == FULL else walk(bundle, FULL, arguments.steps, seed, conditions=conditions)
    picture = out / "walker.png"
    caption = strip.walker_strip(bundle, records[0], picture, ground=ground_of(bundle, seed, conditions))
    return write_report(
        out,
        records,
        list(bundle.learning_curve) or None,
        info=run_info(records, arguments.sources[0], bundle, conditions),
        pictures=[(caption, picture)],
        baseline=baseline,
        full_model=episode_summary(full),
        **_drawn(arguments),
    )


def _drawn(arguments: argparse.Namespace) -> dict:
    """What the flags say of figures."""
    labels = labels_of(arguments.labels, SIDES)
    return {"pdf": arguments.pdf, "formats": formats_of(arguments.figures), "labels": labels}
