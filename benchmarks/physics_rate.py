"""How low can the physics rate go? Joint angles over 0.5 s of walking at each rate against 2 kHz.

Usage: python benchmarks/physics_rate.py [RUN_OR_BUNDLE] [--json FILE]
"""

import argparse
import json
from pathlib import Path

import mujoco
import numpy as np

from mjx_assist.data import data_path
from mjx_assist.eval.bundle import Bundle
from mjx_assist.eval.export import open_policy
from mjx_assist.eval.walker import Walker
from mjx_assist.sim import action, reference
from mjx_assist.sim.observation import observe

REFERENCE_RATE = 1920  # Hz; a multiple of the 30 Hz control rate, so all rates share their control instants
RATES = (120, 150, 180, 240, 300, 480, 960)
WINDOW = 15  # control steps: 0.5 s
SPACING = 20  # control steps between the starts of windows


def walking_windows(bundle: Bundle, windows: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """(full physics state, controls ``[WINDOW, nu]``) at ``windows`` instants of the policy's own walk."""
    walker = Walker(bundle)
    params = bundle.config.env_params
    speed, dt, phase = params.min_target_velocity, 1.0 / params.control_framerate, 0.0
    qpos, qvel, _ = reference.sample(bundle.gait, phase, speed)
    walker.reset(qpos, qvel, 0.01)
    spec = action.make_action_spec(walker.model)
    kind = mujoco.mjtState.mjSTATE_FULLPHYSICS
    states, controls = [], []
    for step in range(60 + windows * SPACING + WINDOW):
        state = np.empty(mujoco.mj_stateSize(walker.model, kind))
        mujoco.mj_getState(walker.model, walker.data, state, kind)
        control = action.to_control(spec, bundle.policy.act(observe(bundle.observation, walker.state(), speed, phase)))
        states.append(state)
        controls.append(control)
        while walker.data.time < (step + 1) * dt - 0.5 * walker.model.opt.timestep:
            walker.step(control)
        phase = (phase + float(reference.stride_frequency(bundle.gait, speed)) * dt) % 1.0
    starts = range(60, 60 + windows * SPACING, SPACING)  # two seconds in: a settled gait
    return [(states[i], np.array(controls[i : i + WINDOW])) for i in starts]


def joint_angles(bundle: Bundle, rate: int, state: np.ndarray, controls: np.ndarray) -> np.ndarray:
    """Hinge angles ``[WINDOW, K]`` (rad) after each control step, physics at ``rate`` Hz, controls open-loop."""
    model = mujoco.MjModel.from_xml_string(bundle.xml)
    model.opt.timestep = 1.0 / rate
    data = mujoco.MjData(model)
    mujoco.mj_setState(model, data, state, mujoco.mjtState.mjSTATE_FULLPHYSICS)
    hinges = model.jnt_qposadr[model.jnt_type == mujoco.mjtJoint.mjJNT_HINGE]
    out = []
    for control in controls:
        data.ctrl[:] = control
        for _ in range(rate // bundle.config.env_params.control_framerate):
            mujoco.mj_step(model, data)
        out.append(data.qpos[hinges].copy())
    return np.array(out)


def convergence(bundle: Bundle, rates: tuple[int, ...] = RATES, windows: int = 10) -> list[dict]:
    """Per rate: RMS, median and worst difference (deg) from the reference rate over all joints, steps and windows."""
    parts = walking_windows(bundle, windows)
    exact = [joint_angles(bundle, REFERENCE_RATE, *part) for part in parts]
    rows = []
    for rate in rates:
        error = np.degrees([joint_angles(bundle, rate, *part) - e for part, e in zip(parts, exact, strict=True)])
        rows.append(
            {
                "rate_hz": rate,
                "rms_deg": float(np.sqrt((error**2).mean())),
                "p95_deg": float(np.percentile(np.abs(error), 95)),
                "worst_deg": float(np.abs(error).max()),
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("policy", nargs="?", default=data_path("models", "policies", "walk22_exo"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = convergence(open_policy(options.policy))
    print(f"joint angles over 0.5 s of walking, against {REFERENCE_RATE} Hz")
    print(f"{'rate Hz':>8} {'RMS deg':>8} {'95 % deg':>9} {'worst deg':>10}")
    for row in rows:
        print(f"{row['rate_hz']:8d} {row['rms_deg']:8.3f} {row['p95_deg']:9.3f} {row['worst_deg']:10.3f}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
