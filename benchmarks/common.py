"""What the training benchmarks share: a learner from a preset, timing in turns, tables written into docs."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from mjx_assist.files.atomic import write_text

PRESET = "walk22_exo"
DOCS = Path(__file__).parents[1] / "docs"


class Parts(NamedTuple):
    """What a run is made of: config, env, learner, and the learner's two functions."""

    config: Any
    env: Any
    learner: Any
    init: Callable
    train_step: Callable


def sized_config(
    backend: str, num_envs: int | None = None, n_steps: int | None = None, minibatches: int | None = None
) -> Any:
    """The preset on another backend, and with other sizes where they are given (minibatches: of an epoch)."""
    from mjx_assist import config as configs
    from mjx_assist.paths import data_path

    path = data_path("configs", f"{PRESET}.json")
    preset = configs.load(path)
    own, ppo = preset.env_params.num_envs, preset.ppo_params
    count = minibatches or own * ppo.n_steps // ppo.batch_size
    num_envs, n_steps = num_envs or own, n_steps or ppo.n_steps
    sizes = {
        "env_params.backend": backend,
        "env_params.num_envs": num_envs,
        "ppo_params.n_steps": n_steps,
        "ppo_params.batch_size": num_envs * n_steps // count,
    }
    return configs.load(path, [(key, str(value)) for key, value in sizes.items()])


def build(config: Any) -> Parts:
    """The env and the learner of a config."""
    from mjx_assist.ppo import learner
    from mjx_assist.sim.env import make_env
    from mjx_assist.training import loop

    env = make_env(config.env_params)
    spec = loop.make_policy_spec(config, env)
    made = learner.make_learner(loop.batched(env), spec, config.ppo_params)
    return Parts(config, env, made, partial(learner.init, made), partial(learner.train_step, made))


def best_times(jobs: dict[str, Callable[[], Any]], rounds: int) -> tuple[dict[str, float], dict[str, float]]:
    """Shortest wall time and least CPU time of all threads (s) of each job over ``rounds``.

    The jobs take turns, so noise from outside meets them all; it hardly moves CPU time.
    """
    import jax

    for job in jobs.values():
        jax.block_until_ready(job())
    wall, cpu = dict.fromkeys(jobs, float("inf")), dict.fromkeys(jobs, float("inf"))
    for _ in range(rounds):
        for name, job in jobs.items():
            start, start_cpu = time.perf_counter(), time.process_time()
            jax.block_until_ready(job())
            wall[name] = min(wall[name], time.perf_counter() - start)
            cpu[name] = min(cpu[name], time.process_time() - start_cpu)
    return wall, cpu


class Output(NamedTuple):
    """What a program said, and what went wrong (None: nothing)."""

    stdout: str
    stderr: str
    error: str | None


def output(command: Sequence[Any], timeout: float, environment: dict[str, str] | None = None) -> Output:
    """Run a program; after ``timeout`` seconds it ends, with all that it started, and what it said is kept."""
    words, own = [str(word) for word in command], {**os.environ, **(environment or {})}
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=own, start_new_session=True
    ) as program:
        try:
            said = program.communicate(timeout=timeout)
        except BaseException as error:
            os.killpg(program.pid, signal.SIGKILL)
            said = program.communicate()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            return Output(*said, f"took more than {timeout:g} s")
    last = (said[1].strip() or said[0].strip() or "no output").splitlines()[-1]
    return Output(*said, last if program.returncode else None)


def in_subprocess(script: Path, *arguments: Any, timeout: float, environment: dict[str, str] | None = None) -> dict:
    """The JSON object on the last line that a script prints, or ``{"error": its last words}``."""
    done = output((sys.executable, script, *arguments), timeout, environment)
    lines = done.stdout.strip().splitlines()
    return {"error": done.error or "no output"} if done.error or not lines else json.loads(lines[-1])


def exit_if_failed(failed: Sequence[str]) -> None:
    """End with exit code 1 and a sentence if a case failed."""
    if failed:
        raise SystemExit(f"did not run: {', '.join(failed)}")


def write_table(path: Path, name: str, table: str) -> None:
    """Put a table between the marker comments ``<!-- name -->`` and ``<!-- /name -->`` of a document."""
    text = path.read_text(encoding="utf-8")
    before, rest = text.split(f"<!-- {name} -->", 1)
    _, after = rest.split(f"<!-- /{name} -->", 1)
    write_text(path, f"{before}<!-- {name} -->\n{table}\n<!-- /{name} -->{after}")
