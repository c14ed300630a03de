"""The command `export`: a run's policy as a bundle, or its device controller for hardware."""

import argparse
from pathlib import Path

from mjx_assist import myoassist
from mjx_assist.cli.arguments import Parser
from mjx_assist.errors import UserError
from mjx_assist.files.atomic import check_writable
from mjx_assist.paths import SESSION_CONFIG
from mjx_assist.training.run import import_mjx_quietly


def add_export(parser: Parser) -> None:
    parser.add_argument("run_folder", metavar="RUN", help="a training run's folder")
    parser.add_argument("-o", "--out", metavar="BUNDLE", required=True, help="the bundle's folder")
    text = "only the device's controller, for its computer: ONNX, torque profile; RUN may be a bundle"
    parser.add_argument("--device-controller", action="store_true", help=text)
    parser.set_defaults(run=export)


def export(arguments: argparse.Namespace) -> None:
    """A run's policy as a bundle, or with --device-controller its device head for hardware."""
    if not arguments.device_controller:
        _export_bundle(arguments)
        return
    from mjx_assist.hardware import export as hardware
    from mjx_assist.training.export import load_policy

    out = Path(arguments.out)
    check_writable(out, folder=True)
    description = hardware.export(load_policy(arguments.run_folder), out, arguments.run_folder)
    for put in (*description["inputs"], *description["outputs"]):
        low, high = put.get("range") or put["range_in_replay"]
        whence = put.get("sensor") or f"about {put['joint']}" if put.get("joint") or put.get("sensor") else "cable"
        print(f"{'in ' if 'sensor' in put else 'out'} {put['name']}: {low:.4g} to {high:.4g} {put['unit']}, {whence}")
    speed = description["inference"]
    median, p99, worst = (speed[f"{name}_ms"] for name in ("median", "p99", "worst"))
    print(f"inference {median:.3f} ms median, {p99:.3f} ms p99, {worst:.3f} ms worst")
    print(f"ONNX against NumPy: at most {description['agreement']['largest_difference']:.2g} apart")
    if description["torque_profile"] is None:
        print(f"no {hardware.PROFILE}: the replay has no complete stride")
    print(f"controller {out / hardware.CONTROLLER}")


def _export_bundle(arguments: argparse.Namespace) -> None:
    """Write the policy of a run's newest checkpoint as a bundle."""
    run, out = Path(arguments.run_folder), Path(arguments.out)
    if myoassist.is_policy(run):
        raise UserError(
            f"{str(run)!r} is MyoAssist's; its policy becomes a bundle by: mjx-assist import {run} -o {out}"
        )
    if not (run / SESSION_CONFIG).is_file():
        raise UserError(f"{str(run)!r} is not a training run: it has no {SESSION_CONFIG}.")

    from mjx_assist.policy import bundle as bundles
    from mjx_assist.training.export import export_run

    import_mjx_quietly()
    bundles.save(export_run(run), out)
    print(f"policy {out}")
