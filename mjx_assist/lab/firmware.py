"""What a device's firmware wants of a design: its torque over the gait cycle as CSV, and its parameters as JSON."""

from pathlib import Path

import numpy as np

from mjx_assist.config.family import TIMES, DeviceFamily, with_design
from mjx_assist.eval.gait import cycles, events
from mjx_assist.eval.replay.conditions import Conditions, constant
from mjx_assist.eval.replay.design import wearing
from mjx_assist.eval.replay.replay import replay
from mjx_assist.files.atomic import write_text
from mjx_assist.files.plain import write_json
from mjx_assist.model.names import GRAVITY, body_weight
from mjx_assist.policy.bundle import Bundle, reduced_model
from mjx_assist.sim.device import curves
from mjx_assist.sim.device.family import Design, design_of

TORQUE, DEVICE = "torque.csv", "device.json"
_SECONDS = 15.0


def write(out: Path, bundle: Bundle, design: dict[str, float], speed: float) -> tuple[list[float], dict]:
    """Write ``torque.csv`` and ``device.json`` of a design; returns (percent of the cycle, name -> N*m) to draw.

    ``profile`` is the design's own; ``applied``, spring and limits included, the mean over a walk's strides.
    """
    chosen = wearing(bundle, design)
    family = chosen.config.env_params.device_family
    assert family is not None
    write_json(out / DEVICE, {**_told(family), "design": family.design})
    dt = 1.0 / bundle.config.env_params.control_framerate
    record = replay(chosen, steps=round(_SECONDS / dt), conditions=Conditions(command=constant(speed)))
    percent = np.linspace(0.0, curves.CYCLE, 101)
    columns = {"profile": _profile(family, percent, body_weight(reduced_model(bundle)) / GRAVITY)}
    if len(events.strides(record)):
        applied = np.nanmean([_applied(record, joint) for joint in cycles.driven_joints(record)], axis=0)
        columns["applied"] = applied
    head = ",".join(("gait_cycle_percent", *(f"{name}_N_m" for name in columns)))
    rows = [",".join(f"{x + 0.0:.6g}" for x in row) for row in zip(percent, *columns.values(), strict=True)]
    write_text(out / TORQUE, "\n".join([head, *rows]) + "\n")
    return percent.tolist(), {name: curve.tolist() for name, curve in columns.items()}


def _told(family: DeviceFamily) -> dict:
    """The parameters that all its devices share."""
    fixed = {name: getattr(family, name) for name in (*TIMES, "peak_torque", "stiffness_nm_per_rad", "rest_angle_rad")}
    fixed = {name: value for name, value in fixed.items() if not isinstance(value, tuple)}
    return {"joint": family.joint, "torque_unit": family.torque_unit, "fixed": fixed}


def _profile(family: DeviceFamily, percent: np.ndarray, mass: float) -> np.ndarray:
    """N*m of the design's torque profile, without its spring, limits and path."""
    design: Design = design_of(with_design(family, family.design), np.zeros(len(family.free)))
    scale = mass if family.torque_unit == "N*m/kg" else 1.0
    return scale * design["peak_torque"] * curves.four_parameter_at(percent, *(design[name] for name in TIMES))


def _applied(record, joint: str) -> np.ndarray:
    """``[101]`` N*m: the mean over both legs' strides."""
    return np.concatenate(cycles.stride_cycles(record, cycles.device_torque(record, joint))).mean(axis=0)
