"""The steps of `gpu_check.py` that measure: each prints a line of JSON for everything it has found.

Usage: python benchmarks/gpu_steps.py device | throughput BACKEND WALKERS ... | profile BACKEND WALKERS FOLDER
"""

import gzip
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
from common import best_times, build, sized_config

CONTROL_STEPS, ROUNDS, PROFILED, BUSIEST = 8, 3, 3, 6
CONTAINERS = ("while", "call", "conditional")  # whose time is that of the operations in them


def device() -> Iterator[dict]:
    """What JAX runs on, and the versions that matter."""
    one = jax.devices()[0]
    found = {"platform": jax.default_backend(), "kind": one.device_kind, "count": len(jax.devices())}
    yield found | {"versions": ", ".join(f"{name} {version(name)}" for name in ("jax", "jaxlib", "mujoco"))}


def throughput(backend: str, *walkers: str) -> Iterator[dict]:
    """Physics for every number of walkers, fewest first.

    Peak memory is of the process until then, as JAX counts it: what Warp takes for itself is not in it.
    """
    from mjx_assist.model.reduction import reduce_model
    from mjx_assist.reference import healthy

    reduced = reduce_model("myolegs22", "Tutorial_L1")
    gait = healthy.healthy_gait(reduced.model)
    for n in map(int, walkers):
        try:
            yield {"num_envs": n, **_physics(backend, n, reduced, gait), "peak_mb": _peak_mb()}
        except Exception as error:  # told; with another number of walkers it may go well
            yield {"num_envs": n, "error": (str(error).strip() or repr(error)).splitlines()[0][:300]}


def _physics(backend: str, n: int, reduced: Any, gait: Any) -> dict:
    import terrain

    from mjx_assist.config.schema import EnvParams

    job = terrain.walking(backend, EnvParams(), reduced, gait, n, CONTROL_STEPS)
    began = time.perf_counter()
    end = jax.block_until_ready(job())
    compile_s = time.perf_counter() - began
    if not bool(jax.numpy.isfinite(end).all()):
        raise FloatingPointError("a walker's state is not finite")
    seconds = best_times({"physics": job}, ROUNDS)[0]["physics"]
    return {"compile_s": compile_s, "physics_steps_per_s": n * CONTROL_STEPS * terrain.SUBSTEPS / seconds}


def _peak_mb() -> float | None:
    peak = (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    return None if peak is None else peak / 2**20


def profile(backend: str, walkers: str, folder: str) -> Iterator[dict]:
    """A trace of some updates (TensorBoard, Perfetto), and the operations that most of the time goes to."""
    from mjx_assist.ppo import learner

    parts = build(sized_config(backend, int(walkers)))
    step = learner.jitted(parts.learner, as_one=not parts.env.physics.on_host)
    train, *_ = step(jax.jit(parts.init)(jax.random.PRNGKey(0)))
    jax.block_until_ready(train)
    with jax.profiler.trace(folder):
        for _ in range(PROFILED):
            train, *_ = step(train)
        jax.block_until_ready(train)
    newest = max(Path(folder).rglob("*.trace.json.gz"), key=lambda path: path.stat().st_mtime)
    yield {"trace": str(newest), "busiest": busiest(json.loads(gzip.decompress(newest.read_bytes())))}


def busiest(trace: dict) -> dict[str, float]:
    """XLA's operations by their share of the time of all, in a trace of Chrome's format."""
    times: Counter[str] = Counter()
    for event in trace["traceEvents"]:
        if "hlo_op" in event.get("args", {}) and not event["name"].startswith(CONTAINERS):
            times[event["name"]] += event["dur"]
    total = sum(times.values())
    return {name: x / total for name, x in times.most_common(BUSIEST)}


if __name__ == "__main__":
    for row in {"device": device, "throughput": throughput, "profile": profile}[sys.argv[1]](*sys.argv[2:]):
        print(json.dumps(row), flush=True)
