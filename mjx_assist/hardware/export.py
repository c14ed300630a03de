"""A trained device head for the device's own computer: what it may see there, its files, and how fast it answers."""

import json
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import mujoco
import numpy as np

import mjx_assist
from mjx_assist.errors import UserError
from mjx_assist.eval.gait import cycles
from mjx_assist.eval.gait.angles import BY_COORDINATE
from mjx_assist.eval.replay.record import GaitRecord
from mjx_assist.eval.replay.tape import Tape
from mjx_assist.eval.replay.walk import Walk
from mjx_assist.files.atomic import write_bytes, write_text
from mjx_assist.hardware import graph
from mjx_assist.hardware.graph import Wiring
from mjx_assist.model import anatomy
from mjx_assist.model.names import actuator_names
from mjx_assist.policy.bundle import Bundle, reduced_model
from mjx_assist.sim import action
from mjx_assist.sim.observation import observe, varied

SCHEMA, SCHEMA_VERSION = "mjx-assist-device-controller", 1
CONTROLLER, DESCRIPTION, PROFILE = "controller.onnx", "controller.json", "torque_profile.csv"
AGREEMENT = 1e-3  # of an output's range, between ONNX (float32) and NumPy
RUNS, WARM_UP = 5000, 100  # inferences that are timed
# What an inertial unit on the pelvis tells: inclinations from gravity, all rates. A heading would drift.
_IMU_ANGLES, _IMU_RATES = ("pelvis_tilt", "pelvis_list"), ("pelvis_tilt", "pelvis_list", "pelvis_rotation")


@dataclass(frozen=True)
class Output:
    """What one actuator of the device is told to do: ``gain`` N*m about ``joint`` (or N of cable) per control."""

    name: str
    joint: str | None
    unit: str
    gain: float
    limits: tuple[float, float]
    lag: float  # s, time constant of the actuator's own low-pass, 0 for none


def export(bundle: Bundle, folder: Path, source: str, steps: int = 600) -> dict:
    """Write controller.onnx, controller.json and torque_profile.csv; returns what controller.json holds.

    Raises UserError: no learned device head, one that sees more than on-board sensors tell, an actuator without a fixed
    gain, or a graph that does not answer as NumPy does.
    """
    model = reduced_model(bundle)
    actions = action.make_action_spec(model, bundle.config.env_params.device_action)
    driven = _driven(bundle, actions)
    outputs = [_output(model, actuator) for actuator in driven]
    names = bundle.observation.names
    signals = graph.seen(bundle.policy, ~actions.muscle)
    device = [_output(model, actuator) for actuator in np.flatnonzero(~actions.muscle).tolist()]
    sensed = {names[i]: _sensor(names[i], device, model) for i in signals}
    inputs = [given for given in sensed.values() if given is not None]
    refused = [name for name, given in sensed.items() if given is None]
    if refused:
        raise UserError(
            f"--device-controller: the device head sees what no sensor of a device tells: {', '.join(refused)}. Train "
            "one that sees only device joint angles and velocities, foot loads, pelvis inclination and rates, and the "
            "target velocity (configs/walk22_exo_onboard.json, docs/hardware.md)."
        )
    scale = np.where([given["unit"] == "N" for given in inputs], 1.0 / bundle.observation.body_weight, 1.0)
    wiring = Wiring(signals, scale, driven, np.array([o.gain for o in outputs]), _limits(outputs, driven, actions))
    walked = _walk(bundle, wiring, actions, steps)
    for given, column, i, factor in zip(inputs, walked.signals.T, signals, scale, strict=True):
        given["range_in_replay"] = [float(column.min()), float(column.max())]
        if not varied(bundle.policy.std[i]):
            given["fed_as"] = float(bundle.policy.mean[i] / factor)
    description = _description(bundle, source, inputs, outputs, wiring, walked.record)
    metadata = {k: v if isinstance(v, str) else json.dumps(v) for k, v in description.items() if k != "training"}
    content = graph.build(bundle.policy, actions, wiring, metadata).SerializeToString()
    description |= {"agreement": _agreement(content, walked, wiring), "inference": _timing(content, walked.signals)}
    description["torque_profile"] = _write_profile(walked.record, folder / PROFILE)
    write_bytes(folder / CONTROLLER, content)
    write_text(folder / DESCRIPTION, json.dumps(description, indent=1) + "\n")
    return description


@dataclass(frozen=True)
class _Walk:
    """A replay: raw ``signals`` [steps, n] and NumPy's ``torque`` [steps, k] at each control step, and the record."""

    signals: np.ndarray
    torque: np.ndarray
    record: GaitRecord


def _walk(bundle: Bundle, wiring: Wiring, actions: action.ActionSpec, steps: int) -> _Walk:
    session = Walk(bundle)
    tape, observations = Tape(session.walker), []
    for _ in range(steps):
        target = session.commanded(session.time)
        straight = np.zeros(())  # the walk is: its heading is the world's
        body = session.walker.state()
        observations.append(observe(bundle.observation, body, target, session.phase, heading_rate=straight))
        if not session.step(tape):
            break
    seen = np.array(observations)
    torque = graph.torque(bundle.policy, actions, wiring, seen)
    return _Walk(seen[:, wiring.signals] / wiring.scale, torque, session.record(tape))


def _driven(bundle: Bundle, actions: action.ActionSpec) -> np.ndarray:
    """The device's actuators that a learned head drives, in order; UserError where there is none."""
    settings = bundle.config.env_params.controller
    if actions.muscle.all():
        raise UserError(f"--device-controller: {bundle.human} wears no device that is driven.")
    if settings is not None:
        raise UserError("--device-controller: the config's device_controller drives this device, not a learned head.")
    heads = graph.device_heads(bundle.policy, ~actions.muscle)
    if not heads:
        raise UserError("--device-controller: no head of this policy drives the device (is it switched off?).")
    return np.unique(np.concatenate([driven for _, _, driven, _ in heads]))


def _output(model: mujoco.MjModel, actuator: int) -> Output:
    """Gain and unit: a torque where it acts on a joint (or on a tendon fixed to one joint), else cable tension."""
    name = actuator_names(model)[actuator]
    if (
        model.actuator_gaintype[actuator] != mujoco.mjtGain.mjGAIN_FIXED
        or model.actuator_biastype[actuator] != mujoco.mjtBias.mjBIAS_NONE
    ):
        raise UserError(f"--device-controller: actuator {name!r} has no fixed gain from command to torque.")
    gain = float(model.actuator_gainprm[actuator, 0])
    target, joint, unit = int(model.actuator_trnid[actuator, 0]), None, "N"
    lever = float(model.actuator_gear[actuator, 0])
    if model.actuator_trntype[actuator] == mujoco.mjtTrn.mjTRN_TENDON:
        first, count = model.tendon_adr[target], model.tendon_num[target]
        fixed = model.wrap_type[first] == mujoco.mjtWrap.mjWRAP_JOINT
        if fixed and count == 1:
            target, lever = int(model.wrap_objid[first]), lever * float(model.wrap_prm[first])
            joint = model.joint(target).name
        else:
            lever = -lever  # a tendon that pulls is shortened: tension is a negative force along it
    elif model.actuator_trntype[actuator] == mujoco.mjtTrn.mjTRN_JOINT:
        joint = model.joint(target).name
    unit = "N*m" if joint else "N"
    force = model.actuator_forcerange[actuator] * lever
    limits = tuple(sorted(force.tolist())) if model.actuator_forcelimited[actuator] else (-np.inf, np.inf)
    filtered = model.actuator_dyntype[actuator] != mujoco.mjtDyn.mjDYN_NONE
    lag = float(model.actuator_dynprm[actuator, 0]) if filtered else 0.0
    return Output(name, joint, unit, gain * lever, limits, lag)


def _limits(outputs: list[Output], driven: np.ndarray, actions: action.ActionSpec) -> np.ndarray:
    """``[k, 2]`` what the controls' ranges and the actuators' own limits leave."""
    ends = np.stack([actions.at_minus_one[driven], actions.at_plus_one[driven]], axis=1)
    reach = np.sort(ends * np.array([[output.gain] for output in outputs]), axis=1)
    reach = np.stack([np.minimum(reach[:, 0], 0.0), np.maximum(reach[:, 1], 0.0)], axis=1)
    return np.array([np.clip(own, *output.limits) for own, output in zip(reach, outputs, strict=True)])


def _sensor(name: str, device: list[Output], model: mujoco.MjModel) -> dict | None:
    """An observation as a signal of the device: name, sensor, unit, sign; None for what no sensor on board tells."""
    kind, _, what = name.partition(".")
    joints = {output.joint for output in device}
    unit = {"qpos": "rad", "qvel": "rad/s"}.get(kind, "")
    if kind in ("qpos", "qvel") and what in joints:
        sensor = "joint encoder" if kind == "qpos" else "joint encoder, differentiated"
    elif what in (_IMU_ANGLES if kind == "qpos" else _IMU_RATES if kind == "qvel" else ()):
        sensor = "inertial unit on the pelvis, " + ("inclination" if kind == "qpos" else "rate")
    elif kind == "load":
        return {"name": name, "sensor": f"normal force under the {_place(what)}", "unit": "N", "positive": "pressed"}
    elif kind == "act" and what in {output.name for output in device}:
        return {"name": name, "sensor": "the actuator's own state", "unit": "control", "positive": "as commanded"}
    elif name == "target_velocity":
        return {"name": name, "sensor": "set by the wearer or operator", "unit": "m/s", "positive": "forward"}
    else:
        return None
    return {"name": name, "sensor": sensor, "unit": unit, "positive": _positive(model, what)}


def _place(sensor: str) -> str:
    side, _, part = sensor.partition("_")
    return f"{ {'r': 'right', 'l': 'left'}.get(side, side) } {'forefoot' if part == 'toes' else part}"


def _positive(model: mujoco.MjModel, joint: str | None) -> str:
    """The anatomical direction in which a joint's coordinate grows."""
    for coordinate in anatomy.coordinates(model):
        for place, sign in zip(coordinate.joints, coordinate.sign, strict=True):
            if model.joint(place).name == joint:
                base = cycles.base_name(coordinate.name)
                if base in BY_COORDINATE:
                    return BY_COORDINATE[base].towards(sign)
                return base if sign > 0 else f"against {base}"
    return "as the model's joint"


def _description(bundle: Bundle, source, inputs, outputs, wiring, record: GaitRecord) -> dict:
    model = reduced_model(bundle)
    rate = bundle.config.env_params.control_framerate
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "policy": source,
        "human": bundle.human,
        "device": bundle.device,
        "body_mass_kg": record.body_mass,
        "control_rate_hz": rate,
        "hold": f"call it every {1000 / rate:.1f} ms and hold the torque between the calls",
        "inputs": inputs,
        "outputs": [
            {
                "name": output.name,
                "joint": output.joint,
                "unit": output.unit,
                "positive": _positive(model, output.joint) if output.joint else "tension",
                "range": limits.tolist(),
                "actuator_time_constant_s": output.lag,
            }
            for output, limits in zip(outputs, wiring.limits, strict=True)
        ],
        "training": {name: bundle.info.get(name) for name in ("control_steps", "wall_s", "assist_sim", "myo_sim")},
        "versions": {"mjx_assist": mjx_assist.__version__, "mujoco": version("mujoco"), **_runtime_versions()},
    }


def _runtime_versions() -> dict[str, str]:
    return {name: graph._imported(name).__version__ for name in ("onnx", "onnxruntime")}


def _agreement(content: bytes, walked: _Walk, wiring: Wiring) -> dict:
    """The largest difference between ONNX and NumPy over the replay. Raises UserError where it is not rounding."""
    run = graph.session(content)
    (answer,) = run.run(None, {graph.INPUT: walked.signals.astype(np.float32)})
    worst = float(np.abs(answer - walked.torque).max())
    allowed = AGREEMENT * float(np.abs(wiring.limits).max())
    if not worst <= allowed:
        raise UserError(f"--device-controller: ONNX and NumPy differ by {worst:g} (allowed {allowed:g}); not written.")
    return {"largest_difference": worst, "samples": len(answer), "output_range_in_replay": _range(walked.torque)}


def _range(torque: np.ndarray) -> list[list[float]]:
    return np.stack([torque.min(axis=0), torque.max(axis=0)], axis=1).tolist()


def _timing(content: bytes, signals: np.ndarray) -> dict:
    """Time of one inference with onnxruntime on one thread here, ms."""
    run = graph.session(content)
    rows = signals.astype(np.float32)[:, None, :]
    took = []
    for i in range(WARM_UP + RUNS):
        row = {graph.INPUT: rows[i % len(rows)]}
        start = time.perf_counter()
        run.run(None, row)
        took.append(time.perf_counter() - start)
    median, p99, worst = np.percentile(1000 * np.array(took[WARM_UP:]), [50, 99, 100]).tolist()
    return {"median_ms": median, "p99_ms": p99, "worst_ms": worst, "runs": RUNS, "threads": 1}


def _write_profile(record: GaitRecord, path: Path) -> str | None:
    """Mean and SD of each actuator's torque about its joint over the leg's gait cycle, as CSV; None without strides."""
    columns = {"gait_cycle_percent": np.linspace(0.0, 100.0, 101)}
    for place, (name, joint) in enumerate(zip(record.device_names, record.device_joints, strict=True)):
        series = np.repeat(record.device_torque[:, place : place + 1], 2, axis=1)
        strides = cycles.stride_cycles(record, series)[cycles.side_of(joint)]
        if not len(strides):
            return None
        columns[f"{name}_about_{joint}_mean_N_m"] = strides.mean(axis=0)
        columns[f"{name}_about_{joint}_sd_N_m"] = strides.std(axis=0, ddof=1 if len(strides) > 1 else 0)
    rows = [",".join(columns), *(",".join(f"{x:.6g}" for x in row) for row in zip(*columns.values(), strict=True))]
    write_text(path, "\n".join(rows) + "\n")
    return path.name
