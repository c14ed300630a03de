"""How low can the physics rate go? Joint angles over 0.5 s of walking at each rate against 1920 Hz.

The policy walks at both rates from the same state of its own gait, acting at 30 Hz. Usage:
python benchmarks/physics_rate.py [RUN_OR_BUNDLE] [--rates HZ ...] [--windows 10] [--json FILE]
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import mujoco
import numpy as np

from mjx_assist.eval.replay.walker import Walker
from mjx_assist.paths import data_path
from mjx_assist.policy.bundle import Bundle
from mjx_assist.reference.cycle import sample, stride_frequency
from mjx_assist.sim import action
from mjx_assist.sim.observation import observe
from mjx_assist.training.export import load_policy

REFERENCE_RATE = 1920  # Hz; a multiple of the 30 Hz control rate, so all rates share their control instants
RATES = (120, 180, 240, 480, 960)
WINDOW = 15  # control steps: 0.5 s
SETTLED = 90  # control steps until the gait is steady
SPACING = 20  # control steps between the starts of windows
STATE = mujoco.mjtState.mjSTATE_FULLPHYSICS


def walk(bundle: Bundle, rate: int, state: np.ndarray | None, phase: float, steps: int) -> tuple[np.ndarray, list]:
    """Walk ``steps`` control steps with physics at ``rate`` Hz from a full physics state (None: the reference's pose).

    Returns joint positions ``[steps, J]`` and, before each control step, (full physics state, phase).
    """
    walker = Walker(bundle)
    walker.model.opt.timestep = 1.0 / rate
    params = bundle.config.env_params
    speed = params.min_target_velocity
    qpos, qvel, _ = sample(bundle.gait, phase, speed)
    walker.reset(qpos, qvel, action.INITIAL_ACTIVATION)
    if state is not None:
        mujoco.mj_setState(walker.model, walker.data, state, STATE)
        mujoco.mj_forward(walker.model, walker.data)
    spec = action.make_action_spec(walker.model)
    advance = float(stride_frequency(bundle.gait, speed)) / params.control_framerate
    positions, states = [], []
    for _ in range(steps):
        now = np.empty(mujoco.mj_stateSize(walker.model, STATE))
        mujoco.mj_getState(walker.model, walker.data, now, STATE)
        states.append((now, phase))
        control = action.to_control(spec, bundle.policy.act(observe(bundle.observation, walker.state(), speed, phase)))
        for _ in range(rate // params.control_framerate):
            walker.step(control)
        phase = (phase + advance) % 1.0
        positions.append(walker.state().qpos)
    return np.array(positions), states


def convergence(bundle: Bundle, rates: Sequence[int] = RATES, windows: int = 10) -> dict:
    """Mean and 95th percentile of |difference| (deg) per joint and rate; sides pooled, over all steps and windows."""
    trained = bundle.config.env_params.physics_sim_framerate
    _, states = walk(bundle, trained, None, 0.0, SETTLED + windows * SPACING)
    starts = states[SETTLED::SPACING]
    exact = np.array([walk(bundle, REFERENCE_RATE, *start, WINDOW)[0] for start in starts])
    names = Walker(bundle).joint_names
    out: dict = {"reference_hz": REFERENCE_RATE, "windows": len(starts), "rates": {}}
    for rate in rates:
        error = np.degrees(np.abs([walk(bundle, rate, *start, WINDOW)[0] for start in starts] - exact))
        joints = sorted({n.removesuffix("_r").removesuffix("_l") for n in names} - {"pelvis_tx", "pelvis_ty"})
        pooled = {j: error[..., [i for i, n in enumerate(names) if n in (j, f"{j}_r", f"{j}_l")]] for j in joints}
        out["rates"][rate] = {
            joint: {"mean_deg": float(x.mean()), "p95_deg": float(np.percentile(x, 95))} for joint, x in pooled.items()
        }
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("policy", nargs="?", default=data_path("models", "policies", "walk22_exo"))
    parser.add_argument("--rates", nargs="+", type=int, default=RATES, metavar="HZ")
    parser.add_argument("--windows", type=int, default=10, help="how many starts")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    result = convergence(load_policy(options.policy), options.rates, options.windows)
    print(f"0.5 s of walking against {REFERENCE_RATE} Hz, mean (95th percentile) of |difference| in degrees")
    for rate, joints in result["rates"].items():
        figures = "  ".join(f"{j} {x['mean_deg']:.2f} ({x['p95_deg']:.2f})" for j, x in joints.items())
        print(f"{rate:5d} Hz  {figures}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
