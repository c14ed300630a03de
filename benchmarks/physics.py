"""What a physics step costs, the full model against the reduced one: C MuJoCo, the generated kernel and MJX.

States: the shipped policy's own gait where human and device are the policy's, else random stances, little activation.
python benchmarks/physics.py [--human H ...] [--device D] [--batch N] [--states N] [--rounds N] [--json FILE]
"""

import argparse
import json
import os
import platform
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

# MJX's own step calls batched LAPACK, which on two cores can wait for ever for workers that wait as well (linear.py).
os.environ.setdefault("NPROC", "8")  # threads of JAX's pool

import jax
import mujoco
import numpy as np
from common import best_times
from gait_states import States, lifted, walking_states
from mujoco import mjx
from mujoco.rollout import Rollout

from mjx_assist.config.words import COMPILED
from mjx_assist.model.assembly import compose, full_model
from mjx_assist.model.mjcf import load
from mjx_assist.model.reduction import reduce_model
from mjx_assist.sim.physics import implicit
from mjx_assist.sim.physics.base import reset_state
from mjx_assist.sim.physics.make import make_physics
from mjx_assist.terrain.heightfield import FLOOR

CONTROL_STEP = 1 / 30  # s: every state is simulated for one control step, at the model's own rate
CHUNK = 10  # states timed in one go, for each thread; the fastest of all repetitions counts, chunk by chunk
MEMORY_GB = (16, 24, 80)
MJX = ("both", "reduced", "none")


def c_time(models: dict[str, mujoco.MjModel], states: dict[str, States], threads: int, rounds: int) -> dict[str, float]:
    """us per step of each model, the models taking turns; with ``threads`` > 1 per step of all threads together."""
    jobs = {name: _rollout(model, states[name], threads) for name, model in models.items()}
    n = len(states["reduced"][0])
    chunk = min(CHUNK * max(1, threads), n)
    starts = range(0, n - chunk + 1, chunk)
    best = {name: np.full(len(starts), np.inf) for name in models}
    for _ in range(rounds):
        for i, start in enumerate(starts):
            for name, job in jobs.items():
                best[name][i] = min(best[name][i], job(slice(start, start + chunk)))
    return {name: float(x.mean()) for name, x in best.items()}


def _rollout(model: mujoco.MjModel, states: States, threads: int) -> Callable[[slice], float]:
    """``job(rows)`` simulates these states for a control step and returns us per step.

    One thread is timed by its own processor time, so that other programs' turns do not count; several by the clock.
    """
    clock = time.perf_counter if threads > 1 else time.thread_time
    steps = round(CONTROL_STEP / model.opt.timestep)
    initial, warmstart = _moving(model, states)
    control = np.repeat(states[3][:, None], steps, axis=1)
    data = [mujoco.MjData(model) for _ in range(threads)]
    pool = Rollout(nthread=threads if threads > 1 else 0)

    def job(rows: slice) -> float:
        n = rows.stop - rows.start
        began = clock()
        pool.rollout(
            [model] * n,
            data,
            initial[rows],
            control[rows],
            nstep=steps,
            initial_warmstart=warmstart[rows],
            state=out[:n],
            skip_checks=True,
        )
        return (clock() - began) / (n * steps) * 1e6

    out = np.zeros((CHUNK * max(1, threads), steps, initial.shape[1]))
    return job


def _moving(model: mujoco.MjModel, states: States) -> tuple[np.ndarray, np.ndarray]:
    """Full physics states one step on ``[n, size]``, and what their constraint solver starts from ``[n, nv]``."""
    kind, data = mujoco.mjtState.mjSTATE_FULLPHYSICS, mujoco.MjData(model)
    initial = np.empty((len(states[0]), mujoco.mj_stateSize(model, kind)))
    warmstart = np.empty((len(states[0]), model.nv))
    for row, (data.qpos[:], data.qvel[:], data.act[:], data.ctrl[:]) in enumerate(zip(*states, strict=True)):
        mujoco.mj_step(model, data)
        mujoco.mj_getState(model, data, initial[row], kind)
        warmstart[row] = data.qacc_warmstart
    return initial, warmstart


def compiled_time(xml: str, states: States, batch: int, rounds: int) -> dict[str, float]:
    """us per step of the generated kernel, on one thread (processor time) and on all (by the clock); {} without one."""
    substeps, jobs = round(CONTROL_STEP / load(xml).opt.timestep), {}
    qpos, qvel, act, ctrl = (np.float32(x[np.arange(batch) % len(x)]) for x in states)
    for name, threads in (("one", 1), ("all", 0)):
        physics = make_physics(COMPILED, xml, substeps, batch, threads)
        if physics.backend != COMPILED:
            return {}
        start = jax.vmap(lambda *x, model=physics.model: reset_state(model, *x))(qpos, qvel, act)
        step = jax.jit(jax.vmap(physics.step))
        jobs[name] = partial(step, step(start, ctrl), ctrl)
    wall, cpu = best_times(jobs, rounds)
    per_step = 1e6 / (batch * substeps)
    return {"compiled_us": cpu["one"] * per_step, "compiled_threaded_us": wall["all"] * per_step}


def mjx_cost(model: mujoco.MjModel, step: Callable, states: States, batch: int) -> dict[str, float]:
    """One MJX step of ``batch`` walkers: us, FLOPs, bytes and memory, each per walker."""
    device_model, template = mjx.put_model(model, impl="jax"), mjx.make_data(model, impl="jax")

    def one(qpos, qvel, act, ctrl, warmstart):
        data = template.replace(qpos=qpos, qvel=qvel, act=act, ctrl=ctrl, qacc_warmstart=warmstart)
        data = step(device_model, data)
        return data.qpos, data.qvel, data.act, ctrl, data.qacc_warmstart

    rows = np.arange(batch) % len(states[0])
    start = tuple(np.float32(x[rows]) for x in (*states, np.zeros_like(states[1])))
    began = time.perf_counter()
    program = jax.jit(jax.vmap(one)).lower(*start).compile()
    compile_s = time.perf_counter() - began
    cost, memory = program.cost_analysis(), program.memory_analysis()
    best = np.inf
    for _ in range(5):
        state = program(*start)
        for _ in range(round(CONTROL_STEP / model.opt.timestep)):
            began = time.perf_counter()
            state = jax.block_until_ready(program(*state))
            best = min(best, time.perf_counter() - began)
    held = memory.temp_size_in_bytes + memory.argument_size_in_bytes + memory.output_size_in_bytes
    return {
        "us": best / batch * 1e6,
        "flops": cost["flops"] / batch,
        "bytes": cost["bytes accessed"] / batch,
        "memory_bytes": held / batch,
        "state_bytes": sum(x.nbytes for x in start) / batch,
        "largest_batch": {f"{gb} GB": int(gb * 1e9 / (held / batch)) for gb in MEMORY_GB},
        "compile_s": compile_s,
    }


def accepted_by_mjx(human: str, device: str) -> tuple[mujoco.MjModel, str]:
    """The full model without what MJX refuses, and what that is in words: the ratios flatter the full model."""
    spec = compose(human, device)
    known = {int(kind) for kind in mjx.SensorType}
    sensors = [sensor for sensor in spec.sensors if int(sensor.type) not in known]
    pairs = list(spec.pairs)
    for element in (*sensors, *pairs):
        spec.delete(element)
    floor = spec.geom(FLOOR)
    for geom in spec.geoms:  # contact with the ground alone: MJX lacks some of the body's own
        touches = (geom.contype & floor.conaffinity) or (geom.conaffinity & floor.contype)
        geom.margin = geom.gap = 0.0
        if geom.name != FLOOR:
            geom.contype, geom.conaffinity = 0, int(bool(touches))
    floor.contype, floor.conaffinity = 1, 0
    without = f"{len(sensors)} sensors, {len(pairs)} contact pairs, contact within the body and contact margins"
    return spec.compile(), without


def bench(human: str, device: str, batch: int, in_mjx: str, n: int, rounds: int) -> dict[str, Any]:
    """Everything about one human with one device, over ``n`` states; JSON-able."""
    reduced = reduce_model(human, device)
    walking, origin = walking_states(reduced, n)
    models = {"full": full_model(human, device, "composed"), "reduced": load(reduced.xml)}
    states = {"full": lifted(models["full"], reduced, walking), "reduced": walking}
    threads = os.cpu_count() or 1
    one, many = (c_time(models, states, many, rounds) for many in (1, threads))
    out: dict[str, Any] = {"human": human, "device": device, "states": origin, "threads": threads, "batch": batch}
    for name, model in models.items():
        rate = 1 / model.opt.timestep
        out[name] = {"nv": model.nv, "equality_rows": model.neq, "actuators": model.nu, "rate_hz": rate}
        out[name] |= {"c_us": one[name], "c_threaded_us": many[name], "times_real_time": 1e6 / one[name] / rate}
    out["reduced"] |= compiled_time(reduced.xml, walking, batch, rounds)
    if in_mjx != "none":
        model = mujoco.MjModel.from_xml_string(reduced.xml)
        out["reduced"]["mjx"] = mjx_cost(model, implicit.make_step(model), walking, batch)
    if in_mjx == "both":
        stripped, out["full_mjx_without"] = accepted_by_mjx(human, device)
        out["full"]["mjx"] = mjx_cost(stripped, mjx.step, states["full"], batch)
    out["ratios"] = ratios(out["full"], out["reduced"])
    return out


def ratios(full: dict[str, Any], reduced: dict[str, Any]) -> dict[str, float]:
    """How many times cheaper the reduced model is, per step and per simulated second (each at its own rate)."""
    found = {"c": full["c_us"] / reduced["c_us"], "c_threaded": full["c_threaded_us"] / reduced["c_threaded_us"]}
    if "mjx" in full:
        for cost in ("us", "flops", "bytes", "memory_bytes"):
            found[f"mjx_{cost}"] = full["mjx"][cost] / reduced["mjx"][cost]
    rate = full["rate_hz"] / reduced["rate_hz"]
    return found | {f"{name}_per_second": x * rate for name, x in found.items() if "memory" not in name}


def table(results: list[dict[str, Any]]) -> str:
    """Markdown: one row per model, then the ratios."""
    lines = [
        "| human + device | model | DoF | rate | C, us | threads, us | x real time | compiled, us | threads, us "
        "| x real time | MJX, us | kFLOP | kB | MB per env | largest batch in 16 / 24 / 80 GB |",
        "|---" * 15 + "|",
    ]
    for result in results:
        for name in ("full", "reduced"):
            x = result[name]
            cells = [f"{result['human']} + {result['device']}", name, f"{x['nv']}", f"{x['rate_hz']:.0f} Hz"]
            cells += [f"{x['c_us']:.1f}", f"{x['c_threaded_us']:.1f}", f"{x['times_real_time']:.0f}"]
            if "compiled_us" in x:
                cells += [f"{x['compiled_us']:.2f}", f"{x['compiled_threaded_us']:.2f}"]
                cells.append(f"{1e6 / x['compiled_us'] / x['rate_hz']:,.0f}")
            else:
                cells += ["-"] * 3
            if "mjx" in x:
                m = x["mjx"]
                cells += [f"{m['us']:.1f}", f"{m['flops'] / 1e3:.0f}", f"{m['bytes'] / 1e3:.0f}"]
                cells += [f"{m['memory_bytes'] / 1e6:.3f}", " / ".join(f"{n:,}" for n in m["largest_batch"].values())]
            else:
                cells += ["-"] * 5
            lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "| full / reduced | per step: C | threads | MJX time | FLOPs | bytes | per simulated second: C | MJX time |",
    ]
    lines += ["|---|---|---|---|---|---|---|---|"]
    for result in results:
        r = result["ratios"]
        keys = ("c", "c_threaded", "mjx_us", "mjx_flops", "mjx_bytes", "c_per_second", "mjx_us_per_second")
        cells = [f"{r[key]:.1f}" if key in r else "-" for key in keys]
        lines.append(f"| {result['human']} + {result['device']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    warnings.filterwarnings("ignore", message="Mesh .* has a coplanar face")  # of the full model's devices
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--human", nargs="+", default=["myolegs22"])
    parser.add_argument("--device", default="Tutorial_L1")
    parser.add_argument("--batch", type=int, default=256, help="walkers in a step of the kernel and of MJX")
    parser.add_argument("--states", type=int, default=120, help="control steps of walking that are timed")
    parser.add_argument("--rounds", type=int, default=40, help="repetitions; the fastest counts")
    parser.add_argument("--mjx", choices=MJX, default=MJX[0], help="which models MJX compiles (the full one: minutes)")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = []
    for human in options.human:
        result = bench(human, options.device, options.batch, options.mjx, options.states, options.rounds)
        results.append(result)
        without = f"; full model in MJX without {result['full_mjx_without']}" if "full_mjx_without" in result else ""
        print(f"{human} + {options.device}: states from {result['states']}{without}", flush=True)
    print(f"\n{table(results)}")
    if options.json:
        options.json.write_text(
            json.dumps({"machine": platform.processor(), "results": results}, indent=1) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
