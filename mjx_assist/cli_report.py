"""The command `report`: let a policy walk (with its device, without, and on the full model), or read saved records."""

import argparse
from pathlib import Path

from mjx_assist.cli_output import check_writable, table
from mjx_assist.errors import UserError
from mjx_assist.eval.record import GaitRecord

ZERO_TORQUE = "zero_torque"
FULL, REDUCED = "full", "reduced"


def report(arguments: argparse.Namespace) -> None:
    """Write the report's folder and print the verdict and the key figures."""
    out = Path(arguments.out)
    check_writable(out, folder=True)
    files = [source.endswith(".npz") for source in arguments.sources]
    if all(files):
        metrics = _of_records(arguments, out)
    elif len(files) == 1:
        metrics = _of_policy(arguments, out)
    else:
        raise UserError("report: give one RUN_OR_BUNDLE, or gait records (.npz) only.")

    from mjx_assist.eval.report import PAGE, PDF, headline

    print(f"\n{metrics['verdict']['overall']}\n")
    print(table(("", "measured", "asked or healthy"), [tuple(row) for row in headline(metrics)]))
    print(f"\nreport {out / PAGE}" + (f"\npdf    {out / PDF}" if arguments.pdf else ""))


def _of_records(arguments: argparse.Namespace, out: Path) -> dict:
    """Report on saved records; those with zero torque are what the others are compared with."""
    given = [flag for flag, value in (("--model", arguments.model), ("--controller", arguments.controller)) if value]
    if given:
        raise UserError(f"report: {given[0]} is for a RUN_OR_BUNDLE; a gait record is as it was recorded.")

    from mjx_assist.eval.report import write_report
    from mjx_assist.eval.run_info import run_info

    records = [GaitRecord.load(path) for path in arguments.sources]
    walks = {(record.human, record.device) for record in records}
    if len(walks) > 1:
        raise UserError(f"report: the records are of different walkers: {sorted(walks)}.")
    baseline = [record for record in records if record.controller == ZERO_TORQUE]
    own = [record for record in records if record.controller != ZERO_TORQUE]
    if not own:
        own, baseline = baseline, []
    info = run_info(own, ", ".join(arguments.sources))
    return write_report(out, own, None, _title(own[0]), info, baseline=baseline, pdf=arguments.pdf)


def _of_policy(arguments: argparse.Namespace, out: Path) -> dict:
    """Walk, once more with the device at zero torque, once on the other model; report with a picture of the walker."""
    from mjx_assist.cli_walk import walk
    from mjx_assist.eval import pictures
    from mjx_assist.eval.controller_choice import with_controller
    from mjx_assist.eval.export import open_policy
    from mjx_assist.eval.metrics import episode_summary
    from mjx_assist.eval.report import write_report
    from mjx_assist.eval.run_info import run_info
    from mjx_assist.sim.assembly import NO_DEVICE

    bundle = with_controller(open_policy(arguments.sources[0]), arguments.controller)
    kind, seed = arguments.model or REDUCED, arguments.seed
    seeds = range(seed, seed + arguments.episodes)
    records = [walk(bundle, kind, arguments.steps, seed) for seed in seeds]
    baseline = []
    if bundle.device != NO_DEVICE and records[0].controller != ZERO_TORQUE:
        bare = with_controller(bundle, ZERO_TORQUE)
        baseline = [walk(bare, kind, arguments.steps, seed) for seed in seeds]
    full = records[0] if kind == FULL else walk(bundle, FULL, arguments.steps, seed)
    picture = out / "walker.png"
    caption = pictures.walker_strip(bundle, records[0], picture)
    return write_report(
        out,
        records,
        list(bundle.learning_curve) or None,
        _title(records[0]),
        run_info(records, arguments.sources[0], bundle),
        pictures=[(caption, picture)],
        baseline=baseline,
        full_model=episode_summary(full),
        pdf=arguments.pdf,
    )


def _title(record: GaitRecord) -> str:
    return f"Gait of {record.human} with {record.device}"
