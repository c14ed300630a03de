"""One command for a machine with an NVIDIA GPU: agreement, throughput, time to walk, memory and a profile.

Usage: python benchmarks/gpu_check.py [--docs] [--minutes 7.5] [--steps NAME ...] [--out DIR]; --cpu runs every step at
its smallest on the CPU. Each step is a process of its own, with a share of the time left; what it found until it failed
or ran out of time is kept. Writes figures.json after every step, and log.txt.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from common import DOCS, Output, output, write_table

from mjx_assist.files.atomic import write_text

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[1]
OUT = ROOT / "results" / "gpu_check"
MINUTES = 7.5
BACKENDS = ("compiled", "warp", "mjx")  # on a GPU `compiled` is the Pallas kernel
WALKERS, SMALLEST = (1024, 4096, 16384, 65536), (4, 8)
TRAINED, SMALL = 4096, 8  # walkers that train
PHYSICS_TESTS = "tests/sim/physics/"
TESTS = {
    "compiled": ("compiled/test_physics.py", "compiled/emit/test_pallas.py"),
    "warp": ("test_warp.py",),
    "mjx": ("test_mjx.py",),
}
QUICK_TESTS = "takes_c_mujocos_control_step"
LIMIT, SECONDS = 40_000_000, 60  # control steps and seconds of training after which it does not walk
NO_GPU = "no NVIDIA GPU that JAX can use: {}. `--cpu` runs every step at its smallest on the CPU instead."
CPU_ENVIRONMENT = {"JAX_PLATFORMS": "cpu", "PYTHONUNBUFFERED": "1"}
GPU_ENVIRONMENT = {
    "JAX_PLATFORMS": "cuda,cpu",  # C MuJoCo, the judge, is called back on the CPU
    "XLA_FLAGS": "",  # not the tests' own, which optimise little
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    "PYTHONUNBUFFERED": "1",
}


class Step(NamedTuple):
    """A name, its share of the time, and the words after ``python``."""

    name: str
    share: float
    words: Sequence[Any]


def steps(cpu: bool, out: Path, best: str = "compiled") -> list[Step]:
    """All steps, in order of worth; ``best``: the backend that trains."""
    inside = (HERE / "gpu_steps.py",)
    walkers, trained = (SMALLEST, SMALL) if cpu else (WALKERS, TRAINED)
    found = [Step("device", 0.5, (*inside, "device"))]
    for name in BACKENDS:
        files = [ROOT / PHYSICS_TESTS / file for file in TESTS[name]]
        picked = ("-k", QUICK_TESTS) if cpu else ()
        pytest = ("-m", "pytest", "-vv", "-p", "no:cacheprovider", "-m", "slow or not slow", *picked, *files)
        share = 3.0 if name == BACKENDS[0] else 2.0
        found.append(Step(f"agreement {name}", share, pytest))
        found.append(Step(f"throughput {name}", share, (*inside, "throughput", name, *walkers)))
    training = {"env_params.backend": best, "env_params.num_envs": trained, "ppo_params.batch_size": 2 * trained}
    limits = ("--limit", 16 * trained if cpu else LIMIT, "--seconds", SECONDS, "--every", 2 if cpu else 10)
    keys = [word for key, value in training.items() for word in (f"--{key}", value)]
    json_file = ("--json", out / "time_to_walk.json")
    found.append(Step("time to walk", 2.0, (HERE / "time_to_walk.py", *limits, *json_file, *keys)))
    found.append(Step("profile", 1.0, (*inside, "profile", best, trained, out / "profile")))
    return found


def read(name: str, done: Output, out: Path) -> dict:
    """What a step found, also where it ended early: figures, and ``error`` where something went wrong."""
    if name.startswith("agreement"):
        return tests_told(done)
    if name == "time to walk":
        file = out / "time_to_walk.json"
        runs = json.loads(file.read_text(encoding="utf-8"))["runs"] if file.is_file() else []
        return {"error": done.error or (None if runs else "wrote no figures"), **(runs[0] if runs else {})}
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    failed = [f"{row['num_envs']} walkers: {row['error']}" for row in rows if "error" in row]
    error = done.error or "; ".join(failed) or (None if rows else "printed no figures")
    return {"error": error, **(rows[0] if len(rows) == 1 and "num_envs" not in rows[0] else {"rows": rows})}


def tests_told(done: Output) -> dict:
    """pytest's verdicts so far: how many passed, which failed."""
    told = re.findall(r"^(\S+::.+?) (PASSED|FAILED|ERROR|SKIPPED)\b", done.stdout, re.MULTILINE)
    failed = [name.rsplit("/", 1)[-1] for name, verdict in told if verdict in ("FAILED", "ERROR")]
    passed = sum(verdict == "PASSED" for _, verdict in told)
    error = f"failed: {', '.join(failed)}" if failed else done.error or (None if passed else "no test ran")
    return {"error": error, "passed": passed, "failed": failed}


def best_backend(found: dict[str, dict]) -> str:
    """The fastest at the number of walkers that train, of those that agree with C MuJoCo if any does."""
    rates = {}
    for name in BACKENDS:
        rows = [row for row in found.get(f"throughput {name}", {}).get("rows", []) if "physics_steps_per_s" in row]
        if rows:
            agrees = not found.get(f"agreement {name}", {"error": "not run"})["error"]
            near = min(rows, key=lambda row: abs(row["num_envs"] - TRAINED))
            rates[name] = (agrees, near["physics_steps_per_s"])
    return max(rates, key=lambda name: rates[name], default=BACKENDS[0])


def check(chosen: Sequence[str] | None, cpu: bool, minutes: float, out: Path) -> dict[str, dict]:
    """Run the steps one after another; each has its share of what is left of the time."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "time_to_walk.json").unlink(missing_ok=True)
    environment = CPU_ENVIRONMENT if cpu else GPU_ENVIRONMENT | {"JAX_COMPILATION_CACHE_DIR": str(out / "programs")}
    began, found, log = time.monotonic(), {}, []
    names = [step.name for step in steps(cpu, out) if not chosen or step.name in chosen]
    for i, name in enumerate(names):
        every = {step.name: step for step in steps(cpu, out, best_backend(found))}
        step, left = every[name], 60 * minutes - (time.monotonic() - began)
        budget = left * step.share / sum(every[later].share for later in names[i:])
        started = time.monotonic()
        done = output((sys.executable, *step.words), max(budget, 1.0), environment)
        found[name] = {**read(name, done, out), "seconds": round(time.monotonic() - started, 1)}
        log.append(f"## {name}\n{done.stdout}\n{done.stderr}")
        write_text(out / "log.txt", "\n".join(log))
        write_text(out / "figures.json", json.dumps(found, indent=1) + "\n")
        print(f"{name}: {found[name]['error'] or 'ok'} ({found[name]['seconds']:.0f} s)", flush=True)
        if name == "device" and not cpu and found[name].get("platform") != "gpu":
            said = found[name]["error"] or f"JAX finds {found[name].get('platform', 'nothing')}"
            print(NO_GPU.format(said), file=sys.stderr)
            raise SystemExit(2)
    return found


def table(found: dict[str, dict]) -> str:
    """What was found, as Markdown."""
    device = found.get("device", {})
    lines = [f"{device.get('kind', 'unknown device')}, {device.get('versions', '')}", ""]
    head = ("backend", "agreement", "walkers", "physics steps/s", "compilation", "peak memory")
    lines += [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name in BACKENDS:
        tests = found.get(f"agreement {name}")
        agrees = "not run" if tests is None else tests["error"] or f"{tests['passed']} tests passed"
        for row in found.get(f"throughput {name}", {}).get("rows", []):
            cells = [f"`{name}`", agrees, f"{row['num_envs']:,}"]
            if "error" in row:
                cells += [row["error"], "", ""]
            else:
                memory = f"{row['peak_mb']:,.0f} MB" if row["peak_mb"] else "not told"
                cells += [f"{row['physics_steps_per_s']:,.0f}", f"{row['compile_s']:.1f} s", memory]
            lines.append(f"| {' | '.join(cells)} |")
    walk = found.get("time to walk", {})
    if "steps_per_s" in walk:
        when = f"{walk['walked_s']:.1f} s" if walk["walked_steps"] else f"not within {walk['seconds']:.0f} s"
        lines += ["", f"Time to walk, {TRAINED:,} walkers: {when}, {walk['steps_per_s']:,.0f} control steps/s."]
    if busiest := found.get("profile", {}).get("busiest"):
        told = ", ".join(f"`{name}` {share:.0%}" for name, share in busiest.items())
        lines += ["", f"Of an update's time: {told}."]
    lines += [f"\n{name}: {x['error']}" for name, x in found.items() if x["error"]]
    return "\n".join(lines)


def main() -> None:
    names = [step.name for step in steps(True, OUT)]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", nargs="+", choices=names, metavar="NAME", help=f"default: all of {', '.join(names)}")
    parser.add_argument("--cpu", action="store_true", help="every step at its smallest, on the CPU")
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"for all steps together (default: {MINUTES})")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--docs", action="store_true", help="write the table into docs/performance.md")
    options = parser.parse_args()
    found = check(options.steps, options.cpu, options.minutes, options.out.resolve())
    print(f"\n{table(found)}")
    if options.docs and not options.cpu and not options.steps:
        write_table(DOCS / "performance.md", "gpu check", table(found))
    if failed := [name for name, x in found.items() if x["error"]]:
        raise SystemExit(f"did not end well: {', '.join(failed)}")


if __name__ == "__main__":
    main()
