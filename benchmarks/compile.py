"""Seconds from the start of Python to the end of the first update, cold and with JAX's persistent cache.

Usage: python benchmarks/compile.py [--backends compiled mujoco mjx] [--num_envs N] [--docs] [--json FILE]
Every run is a fresh process; it also says whether updates after the first compile anything (they must not).
"""

import argparse
import itertools
import json
import platform
import tempfile
import time
from pathlib import Path

from common import DOCS, exit_if_failed, in_subprocess, sized_config, write_table

N_STEPS = None  # control steps of an update; None: the preset's
TARGETS = {"compiled": (15, 6), "mujoco": (30, 10), "mjx": (90, 20)}  # s: cold, warm
PARTS = ("imports", "model, env and first state", "first update")
TIMEOUT = 3600.0  # s


def measure(backend: str, num_envs: int) -> dict:
    """Seconds of each of ``PARTS`` and of XLA, and how many programs later updates compiled."""
    clock = [time.perf_counter()]
    import jax

    compiled: list[float] = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, seconds, **_: compiled.append(seconds) if event.endswith("backend_compile_duration") else None
    )
    from mjx_assist.training import loop

    clock.append(time.perf_counter())
    session, update = loop.open_run(sized_config(backend, num_envs, N_STEPS), Path())
    state = jax.block_until_ready(session.state)
    clock.append(time.perf_counter())
    state = jax.block_until_ready(update(state)[0])
    clock.append(time.perf_counter())
    cpu = time.process_time()
    xla, before = sum(compiled), len(compiled)
    for _ in range(2):
        state = jax.block_until_ready(update(state)[0])
    seconds = dict(zip(PARTS, (b - a for a, b in itertools.pairwise(clock)), strict=True))
    return {
        "seconds": seconds,
        "total": clock[-1] - clock[0],
        "cpu": cpu,
        "xla": xla,
        "programs": before,
        "recompiled": len(compiled) - before,
    }


def cold_and_warm(backend: str, num_envs: int) -> dict:
    """`measure` in two fresh processes that share one cache of programs and one of kernels, both empty at first."""
    from mjx_assist.model import cache as models  # here: imports are part of what `measure` times

    arguments = (Path(__file__), "--inside", "--backends", backend, "--num_envs", num_envs)
    with tempfile.TemporaryDirectory() as folder:
        caches = {"JAX_COMPILATION_CACHE_DIR": f"{folder}/jax", "XDG_CACHE_HOME": folder}  # the latter: kernels
        environment = caches | {models.FOLDER_VARIABLE: str(models.folder())}
        return {name: in_subprocess(*arguments, timeout=TIMEOUT, environment=environment) for name in ("cold", "warm")}


def table(results: dict[str, dict[str, dict]]) -> str:
    """One row for each backend and state of the cache."""
    lines = [f"| backend | cache | {' | '.join(PARTS)} | together | CPU time | of it XLA | target | compiled later |"]
    lines.append("|---" * (len(PARTS) + 7) + "|")
    for backend, runs in results.items():
        for (name, run), target in zip(runs.items(), TARGETS.get(backend, ("-", "-")), strict=True):
            if "error" in run:
                lines.append(f"| `{backend}` | {name} | {run['error']} |" + " |" * (len(PARTS) + 4))
                continue
            parts = " | ".join(f"{run['seconds'][part]:.1f}" for part in PARTS)
            later = run["recompiled"] or "nothing"
            sums = f"{run['total']:.1f} s | {run['cpu']:.1f} | {run['xla']:.1f}"
            lines.append(f"| `{backend}` | {name} | {parts} | {sums} | {target} s | {later} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backends", nargs="+", default=list(TARGETS))
    parser.add_argument("--num_envs", type=int, default=256, help="walkers (default: 256)")
    parser.add_argument("--docs", action="store_true", help="write the table into docs/performance.md")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        print(json.dumps(measure(options.backends[0], options.num_envs)))
        return
    results = {backend: cold_and_warm(backend, options.num_envs) for backend in options.backends}
    print(table(results))
    if options.json:
        options.json.write_text(
            json.dumps({"machine": platform.processor(), "results": results}, indent=1) + "\n", encoding="utf-8"
        )
    if options.docs:
        write_table(DOCS / "performance.md", "compile", table(results))
    exit_if_failed([f"{name}, {cache}" for name, runs in results.items() for cache in runs if "error" in runs[cache]])


if __name__ == "__main__":
    main()
