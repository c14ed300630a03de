"""What arithmetic and memory allow at best: operations and bytes of the generated kernel and of the update, and peaks.

Operations of the kernel are counted in its expression graph, each stage as often as it runs: how often the solver's
loops go round is counted by the kernel itself, built with counters. Sine, cosine and arc tangent count as what their
polynomials take. Peaks are measured on this machine: a float32 matrix product in NumPy, and the copy of a large array.
"""

import ctypes
import os
import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from common import Parts, build, sized_config
from threadpoolctl import threadpool_limits

SIZE, COPIED, ROUNDS = 1536, 2**27, 7  # of the matrices, bytes of the array, repetitions
# Operations of prelude.hpp's polynomials, of which sine and cosine share one; everything else is one.
OPERATIONS = {"in": 0, "part": 0, "sin": 15, "cos": 15, "atan2": 24}
LOOPS = ("substep", "iteration", "line")


class Peak(NamedTuple):
    """FLOP/s and bytes/s that the cores reach together."""

    flops: float
    bytes: float


class Least(NamedTuple):
    """Operations and bytes of a control step of one walker, and the least time (us) that a machine needs for them."""

    flops: float
    bytes: float

    def us(self, peak: Peak) -> tuple[float, str]:
        """The larger of both times, and what it is spent on."""
        times = {"arithmetic": 1e6 * self.flops / peak.flops, "memory": 1e6 * self.bytes / peak.bytes}
        most = max(times, key=lambda kind: times[kind])
        return times[most], most


def measured_peak() -> Peak:
    """Of this machine, all cores together."""
    a, b = (np.random.default_rng(i).standard_normal((SIZE, SIZE)).astype(np.float32) for i in (0, 1))
    there = np.ones(COPIED, np.uint8)
    here = np.empty_like(there)
    with threadpool_limits(os.cpu_count()):
        product = _seconds(lambda: a @ b)
    return Peak(2 * SIZE**3 / product, 2 * COPIED / _seconds(lambda: np.copyto(here, there)))


def _seconds(job: Callable[[], Any]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        job()
        times.append(time.perf_counter() - began)
    return min(times)


def operations(stages: list[list]) -> list[int]:
    """Of each stage of a step's graph, for one walker."""
    return [sum(OPERATIONS.get(node.op, 1) for node in nodes) for nodes in stages]


def counting(source: str) -> str:
    """A kernel's source that counts in ``mjx_assist_rounds`` how often its three loops go round."""
    for i, name in enumerate(LOOPS):
        source, found = re.subn(rf"(for \(int {name} = 0;[^{{]*{{)", rf"\1 mjx_assist_rounds[{i}]++;", source)
        assert found == 1, name
    return f'extern "C" {{ long mjx_assist_rounds[{len(LOOPS)}]; }}\n{source}'


def rounds(xml: str, inputs: dict[str, np.ndarray], substeps: int) -> tuple[Any, list[int]]:
    """The model's step, and how often its loops go round in a control step; ``inputs``: as `Step`'s, ``[B, n]``."""
    from mjx_assist.model import mjcf
    from mjx_assist.sim.physics.compiled import build as builder
    from mjx_assist.sim.physics.compiled import physics
    from mjx_assist.sim.physics.compiled.emit.cpp import source
    from mjx_assist.sim.physics.compiled.model.step import make_step

    step = make_step(mjcf.load(xml))
    library = builder.build(counting(source(step)))
    counted = (ctypes.c_long * len(LOOPS)).in_dll(library, "mjx_assist_rounds")
    before = list(counted)
    sizes = {name: len(x) for name, x in step.inputs.items()}
    physics.walk(physics.Kernel(library, "", sizes, step.results, 32), inputs, substeps)
    return step, [after - was for after, was in zip(counted, before, strict=True)]


def kernel(xml: str, inputs: dict[str, np.ndarray], substeps: int) -> Least:
    """What a control step takes; ``inputs``: states and controls ``[B, n]`` of whole vectors of walkers.

    The walkers of a vector go round together until the last one is done, and all of that counts. Bytes are those of
    state, control and results, in and out; what lies between stays in the core's caches.
    """
    from mjx_assist.sim.physics.compiled import build as builder

    step, (outer, iterations, lines) = rounds(xml, inputs, substeps)
    before, iteration, line, found, after = operations(step.stages)
    of_lane = outer * (before + after) + iterations * (iteration + found) + lines * line
    outputs = {name: len(x) for name, x in step.outputs.items()}
    numbers = sum(map(len, step.inputs.values())) + sum(outputs.values()) + outputs["sensordata"]
    return Least(of_lane * builder.lanes(32) / len(inputs["qpos"]), 4.0 * numbers)


def update(parts: Parts) -> Least:
    """What an update takes after its rollout, by XLA's count of the program, in which a loop's body counts once.

    So a minibatch is twice the difference between an update in so many minibatches and one in twice as many. Bytes are
    no bound: a minibatch stays in the caches.
    """
    env, ppo = parts.config.env_params, parts.config.ppo_params
    samples = env.num_envs * ppo.n_steps
    count = samples // ppo.batch_size
    once = _update_flops(parts)
    halved = _update_flops(build(sized_config(env.backend, env.num_envs, ppo.n_steps, 2 * count)))
    minibatch = 2.0 * (once - halved)
    return Least((once + minibatch * (ppo.n_epochs * count - 1)) / samples, 0.0)


def _update_flops(parts: Parts) -> float:
    import jax

    from mjx_assist.ppo import learner

    train = jax.eval_shape(parts.init, jax.random.PRNGKey(0))
    seen = jax.eval_shape(learner.sharded_rollout(parts.learner), train)[0]
    return jax.jit(learner.sharded_update(parts.learner)).lower(train, seen).cost_analysis()["flops"]
