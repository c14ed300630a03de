"""The command `subjects study`: a torque profile and people become a study, with the device and without."""

import argparse
import os
from dataclasses import asdict
from pathlib import Path

from mjx_assist.cli.arguments import Parser, natural, several
from mjx_assist.errors import UserError
from mjx_assist.files.atomic import check_writable

_SPEEDS = (1.1, 1.25, 1.4)  # m/s


def add_study(parser: Parser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help="people: a cohort's file, or a table name,height,mass")
    text = "the device's torque over the gait cycle: a table (.csv) or a controller's file (docs/controllers.md)"
    parser.add_argument("--torque", metavar="FILE", required=True, help=text)
    parser.add_argument(
        "--seeds", metavar="N", type=natural, default=3, help="trainings a person and side (default: 3)"
    )
    text = "control steps of each training (default: 2000000)"
    parser.add_argument("--steps", metavar="N", type=several, default=2_000_000, help=text)
    text = "a policy that every training begins from (default: none, from nothing)"
    parser.add_argument("--init-from", metavar="POLICY", help=text)
    parser.add_argument("-o", "--out", metavar="STUDY.json", required=True, help="the study")
    parser.set_defaults(run=study)


def study(arguments: argparse.Namespace) -> None:
    """Write a study of everybody without a device, with it worn and off, and with this torque."""
    from mjx_assist.config import device, device_file
    from mjx_assist.config.study import people_of, read_study
    from mjx_assist.files.plain import write_json

    out = Path(arguments.out)
    check_writable(out, folder=False)
    if out.exists():
        raise UserError(f"subjects study: {str(out)!r} is there already, and is left as it is; choose another name.")
    people_of(arguments.files, Path())
    controller = device_file.read(arguments.torque)
    overrides = {
        "total_timesteps": arguments.steps,
        "env_params.min_target_velocity": min(_SPEEDS),
        "env_params.max_target_velocity": max(_SPEEDS),
        "logger_params.evaluation_frequency": 0,
    }
    if arguments.init_from:
        overrides["init_from.source"] = arguments.init_from
    driven = {"env_params.device_controller": asdict(controller)}
    tree = {
        "//": f"made of {arguments.torque}; keys: docs/compare.md, docs/subjects.md",
        "subjects": [os.path.relpath(file, out.parent) for file in arguments.files],
        "sides": {
            "none": {"config": "walk22_none"},
            "off": {"config": "walk22_zero_torque"},
            "torque": {"config": "walk22_profile", "overrides": driven},
        },
        "overrides": overrides,
        "seeds": arguments.seeds,
        "walks": {"speeds": _SPEEDS, "at_speed": _SPEEDS[1], "physics_rates": []},
    }
    write_json(out, tree)
    try:
        asked, configs = read_study(out)
    except UserError:
        out.unlink()
        raise
    print(f"{arguments.torque}: {device.described(controller)}")
    print(f"{out}: {len(configs) * asked.seeds} trainings; next: mjx-assist study {out} -o study")
