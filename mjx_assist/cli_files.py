"""The commands that write and convert gait files: `record`, `convert`, and `export --device-controller`."""

import argparse
from pathlib import Path

from mjx_assist.cli_output import check_writable
from mjx_assist.errors import UserError
from mjx_assist.eval.record import GaitRecord


def record(arguments: argparse.Namespace) -> None:
    """Replay one episode and save its gait record."""
    from mjx_assist.cli_walk import walk
    from mjx_assist.eval.controller_choice import with_controller
    from mjx_assist.eval.export import open_policy

    out = Path(arguments.out)
    check_writable(out, folder=False)
    if out.suffix != ".npz":
        raise UserError(f"-o {str(out)!r}: a gait record's file ends in .npz ('mjx-assist convert' makes others).")
    bundle = with_controller(open_policy(arguments.policy), arguments.controller)
    control = float(bundle.config.env_params.control_framerate)
    rate = {"control": control, "physics": float("inf"), None: None}[arguments.rate]
    walked = walk(bundle, arguments.model, arguments.steps, arguments.seed, rate)
    print(f"{_told(walked)}\nrecord {walked.save(out)}")


def convert(arguments: argparse.Namespace) -> None:
    """From a gait record to other programs' files, or from those to a gait record."""
    from mjx_assist.eval import gait_files

    written, imported = gait_files.convert([Path(name) for name in arguments.inputs], Path(arguments.out))
    print(_told(imported.record))
    if imported.absent:
        print(f"not in the files (NaN): {', '.join(imported.absent)}")
    for note in imported.notes:
        print(f"note: {note}")
    for path in written:
        print(f"wrote {path}")


def export(arguments: argparse.Namespace) -> None:
    """A run's policy as a bundle, or with --device-controller its device head for hardware."""
    if not arguments.device_controller:
        from mjx_assist import cli_train

        return cli_train.export(arguments)
    from mjx_assist.eval import hardware
    from mjx_assist.eval.export import open_policy

    out = Path(arguments.out)
    check_writable(out, folder=True)
    told = hardware.export(open_policy(arguments.run_folder), out, arguments.run_folder)
    for put in (*told["inputs"], *told["outputs"]):
        low, high = put.get("range") or put["range_in_replay"]
        whence = put.get("sensor") or f"about {put['joint']}" if put.get("joint") or put.get("sensor") else "cable"
        print(f"{'in ' if 'sensor' in put else 'out'} {put['name']}: {low:.4g} to {high:.4g} {put['unit']}, {whence}")
    speed = told["inference"]
    median, p99, worst = (speed[f"{name}_ms"] for name in ("median", "p99", "worst"))
    print(f"inference {median:.3f} ms median, {p99:.3f} ms p99, {worst:.3f} ms worst")
    print(f"ONNX against NumPy: at most {told['agreement']['largest_difference']:.2g} apart")
    if told["torque_profile"] is None:
        print(f"no {hardware.PROFILE}: the replay has no complete stride")
    print(f"controller {out / hardware.CONTROLLER}")


def _told(record: GaitRecord) -> str:
    """A record in one line."""
    names = f"{len(record.joint_names)} joints, {len(record.muscle_names)} muscles, {len(record.device_names)} device"
    return f"{record.time[-1] - record.time[0]:.2f} s, {record.time.size} samples, {names} actuators"
