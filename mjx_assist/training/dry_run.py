"""What a training would be: who walks, sizes, and from two updates that are thrown away its time and memory."""

import time
from pathlib import Path
from typing import Any

import jax

from mjx_assist.config.schema import RunConfig
from mjx_assist.model.assembly import NO_DEVICE
from mjx_assist.model.names import is_muscle
from mjx_assist.ppo.networks import Head
from mjx_assist.training import loop
from mjx_assist.training.callbacks import Run

MEASURED = 2  # updates after the first, which is compiled


def rows(config: RunConfig) -> list[tuple[str, str]]:
    """(what, value) in reading order; nothing is written.

    Raises:
        UserError: whatever would end such a training before its second update.
    """
    run, update = loop.open_run(config, Path())
    began = time.perf_counter()
    state, log, _ = update(run.state)
    jax.block_until_ready(log)
    compiled = time.perf_counter() - began
    began = time.perf_counter()
    for _ in range(MEASURED):
        state, log, _ = update(state)
    jax.block_until_ready(log)
    return [*_sizes(run, state), *_cost(run, compiled, (time.perf_counter() - began) / MEASURED)]


def _sizes(run: Run, state: Any) -> list[tuple[str, str]]:
    config, env, model = run.config, run.config.env_params, run.env.model
    ppo, muscles = config.ppo_params, int(is_muscle(model).sum())
    device = env.device_key or NO_DEVICE
    driven = f", driven by {env.controller.type}" if env.controller else ""
    weights = sum(int(x.size) for x in jax.tree.leaves(state.params))
    start = config.init_from.source if config.init_from else "fresh networks"
    batch = env.num_envs * ppo.n_steps
    return [
        ("walker", f"{env.human}, device {device}{driven}; {env.model_kind} model"),
        *([("people", f"{len(env.cohort)}, {env.num_envs // len(env.cohort)} walkers each")] if env.cohort else []),
        ("model", f"{model.nv} degrees of freedom, {muscles} muscles, {model.nu - muscles} device actuators"),
        (
            "physics",
            f"{type(run.env.physics).__name__}, {env.physics_sim_framerate} Hz; control {env.control_framerate} Hz",
        ),
        ("walkers", f"{env.num_envs} at once, on {run.mesh.size} x {jax.devices()[0].device_kind}"),
        ("observes", f"{run.env.observation_size} numbers"),
        *(("network", _network(head)) for head in run.spec.heads),
        ("parameters", f"{weights:,}, from {start}"),
        ("training", f"{run.total_updates * batch:,} control steps: {run.total_updates:,} updates of {batch:,}"),
        ("update", f"{ppo.n_epochs} epochs of {batch // ppo.batch_size} minibatches of {ppo.batch_size}"),
    ]


def _network(head: Head) -> str:
    layers = [len(head.observation), *head.hidden, len(head.action)]
    state = "" if head.enabled else ", not enabled"
    return f"{head.name}: {' x '.join(map(str, layers))}{', frozen' if head.frozen else ''}{state}"


def _cost(run: Run, compiled: float, took: float) -> list[tuple[str, str]]:
    seconds = run.total_updates * took
    rate = run.config.env_params.num_envs * run.config.ppo_params.n_steps / took
    whole = (
        f"{seconds / 3600:.1f} h"
        if seconds > 5400
        else f"{seconds / 60:.1f} min"
        if seconds > 90
        else f"{seconds:.0f} s"
    )
    return [
        ("time", f"about {whole} at {rate:,.0f} control steps/s, and {compiled:.0f} s to compile; evaluations besides"),
        ("memory", _memory()),
    ]


def _memory() -> str:
    """The most that this process has taken so far, and that an accelerator has."""
    texts = []
    try:
        import resource
        import sys

        unit = 1 if sys.platform == "darwin" else 1024
        texts.append(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6:,.0f} MB")
    except ImportError:  # not on Windows
        pass
    for device in jax.local_devices():
        if stats := device.memory_stats():
            texts.append(f"{stats['peak_bytes_in_use'] / 1e6:,.0f} MB on {device}")
    return ", ".join(texts) or "not known here"
