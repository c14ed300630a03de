"""The graph on JAX arrays: every value is a row ``[B]`` of walkers; for XLA, and inside a Pallas kernel.

The order of what happens is `emit.cpp`'s; only walkers that end early wait for the others of their batch.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import lax

from mjx_assist.sim.physics.compiled.emit.cpp import ITERATIONS
from mjx_assist.sim.physics.compiled.emit.heights import Read, touches
from mjx_assist.sim.physics.compiled.graph import Node, Value
from mjx_assist.sim.physics.compiled.model.step import PEAKS, READINGS, RESULTS, STATE, Step

Rows = list[jax.Array]
_OPS: dict[str, Callable] = {
    "add": lax.add,
    "sub": lax.sub,
    "mul": lax.mul,
    "div": lax.div,
    "min": lax.min,
    "max": lax.max,
    "atan2": lax.atan2,
    "lt": lax.lt,
    "le": lax.le,
    "and": lax.bitwise_and,
    "or": lax.bitwise_or,
    "xor": lax.bitwise_xor,
    "not": lax.bitwise_not,
    "neg": lax.neg,
    "abs": lax.abs,
    "sqrt": lax.sqrt,
    "sin": lax.sin,
    "cos": lax.cos,
    "sel": lax.select,
}


@dataclass(frozen=True)
class Solver:
    """At most so many iterations, each with so many of its line search; ``early``: none once all walkers are done.

    Without ``early`` the defaults are as exact; from a cold start 5 and 3 miss C MuJoCo's bounds in 2 of 720 control
    steps of random controls, 4 and 3 in 25, 3 and 2 in 167.
    """

    iterations: int = ITERATIONS[32][0]
    line_steps: int = ITERATIONS[32][1]
    early: bool = True


def control_step(
    step: Step,
    inputs: dict[str, jax.Array],
    substeps: int,
    heights: jax.Array | None = None,
    solver: Solver | None = None,
) -> dict[str, jax.Array]:
    """``substeps`` physics steps: the step's inputs by name ``[n, B]``, the results (`RESULTS`) by name ``[n, B]``.

    ``heights``: the stored ones of the heightfield ``[rows, columns]``, where the ground is one.
    """
    if step.field and heights is None:
        raise ValueError("the ground is a heightfield: its heights are missing")
    like = inputs["qpos"][0]
    flat = None if heights is None else jnp.ravel(heights)
    read = None if flat is None else lambda node: flat[node]
    found = rows(step, {name: list(x) for name, x in inputs.items()}, substeps, read, solver or Solver())
    empty = jnp.zeros((0, *like.shape), like.dtype)
    return {name: jnp.stack(x) if x else empty for name, x in found.items()}


def rows(step: Step, inputs: dict[str, Rows], substeps: int, read: Read | None, solver: Solver) -> dict[str, Rows]:
    """`control_step` on rows ``[B]``; ``read``: the stored heights of nodes, counted row by row."""
    like = inputs["qpos"][0]
    constant = {name: x for name, x in inputs.items() if name not in STATE}
    count = {name: len(x) for name, x in step.outputs.items()}

    def full(n: int, value: float) -> Rows:
        return [lax.full_like(like, value) for _ in range(n)]

    def substep(_, carry: dict[str, Rows]) -> dict[str, Rows]:
        after = _physics_step(step, constant | {name: carry[name] for name in STATE}, read, solver)
        for name, of in PEAKS.items():
            after[name] = [lax.max(a, b) for a, b in zip(carry[name], after[of], strict=True)]
        return after

    start = {name: inputs[name] for name in STATE}
    start |= {name: full(count[name], 0.0) for name in READINGS}
    start |= {name: full(count[of], -1e30) for name, of in PEAKS.items()}
    after = lax.fori_loop(0, substeps, substep, start)
    return {name: after[name] for name in RESULTS}


def _physics_step(step: Step, inputs: dict[str, Rows], read: Read | None, solver: Solver) -> dict[str, Rows]:
    loop, carried = step.loop, step.carried
    scope = _Scope(step, inputs["qpos"][0], read)
    for name, nodes in step.inputs.items():
        scope.bind(nodes, inputs[name])
    scope.run(step.stages[0])

    def line_search(inner: _Scope, done: jax.Array) -> jax.Array:
        def body(place: Rows, _) -> tuple[Rows, jax.Array]:
            here = inner.inside()
            here.bind(loop.line, place)
            here.run(step.stages[2])
            return here.rows(loop.line_out), done | here.condition(loop.line_done)

        start = [inner.row(1.0), inner.row(0.0), inner.row(1e38)]
        return _repeat(body, start, solver.line_steps, solver.early, inner.row(0.0))[0]

    def iteration(carry: tuple[Rows, Rows], done: jax.Array) -> tuple[tuple[Rows, Rows], jax.Array]:
        qacc, residual = carry
        inner = scope.inside()
        inner.bind(loop.qacc, qacc)
        inner.bind([loop.residual[i] for i in carried], residual)
        inner.run(step.stages[1])
        inner.bind([loop.found], [line_search(inner, done)])
        inner.run(step.stages[3])
        after = inner.rows(loop.next_qacc), inner.rows([loop.next_residual[i] for i in carried])
        kept = jax.tree.map(lambda old, new: lax.select(done, old, new), carry, after)
        return kept, done | inner.condition(loop.done)

    start = list(inputs["warmstart"]), scope.rows([step.start[i] for i in carried])
    qacc, residual = _repeat(iteration, start, solver.iterations, solver.early, scope.row(0.0))
    scope.bind(step.solved, qacc)
    scope.bind([step.solved_residual[i] for i in carried], residual)
    scope.run(step.stages[4])
    return {name: scope.rows(values) for name, values in step.outputs.items()}


def _repeat(body: Callable, start, times: int, early: bool, zero: jax.Array):
    """``carry, done = body(carry, done)`` up to ``times``, until every walker is done (conditions travel as 0 or 1)."""

    def once(carry, done):
        carry, done = body(carry, done > 0)
        return carry, jnp.where(done, zero + 1, zero)

    if not early:
        return lax.fori_loop(0, times, lambda _, c: once(*c), (start, zero))[0]

    def going(state) -> jax.Array:
        return (state[0] < times) & (jnp.min(state[2]) < 0.5)

    def body_of_while(state):
        return (state[0] + 1, *once(state[1], state[2]))

    return lax.while_loop(going, body_of_while, (jnp.int32(0), start, zero))[1]


class _Scope:
    """Rows of the nodes known so far, by number."""

    def __init__(self, step: Step, like: jax.Array, read: Read | None, known: dict[int, jax.Array] | None = None):
        self.step, self.like, self.read = step, like, read
        self.known: dict[int, jax.Array] = {} if known is None else known
        self._parts: dict[int, Rows] = {}

    def inside(self) -> "_Scope":
        """What a loop's body knows: all of this, and what it adds for itself."""
        return _Scope(self.step, self.like, self.read, dict(self.known))

    def bind(self, nodes: Sequence[Value], values: Iterable[jax.Array]) -> None:
        self.known.update((node.number, x) for node, x in zip(nodes, values, strict=True))

    def row(self, x: Value) -> jax.Array:
        if isinstance(x, Node):
            return self.known[x.number]
        return self.condition(x) if isinstance(x, bool) else lax.full_like(self.like, x)

    def condition(self, x: Value) -> jax.Array:
        return self.known[x.number] if isinstance(x, Node) else lax.full(self.like.shape, x, jnp.bool_)

    def rows(self, values: Iterable[Value]) -> Rows:
        return [self.row(x) for x in values]

    def run(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            if node.op == "field":
                assert self.step.field and self.read
                radius = node.args[3]
                x, y, z = self.rows(node.args[:3])
                self._parts[node.number] = touches(self.step.field, self.read, x, y, z, radius)
            elif node.op == "part":
                self.known[node.number] = self._parts[node.args[0].number][int(node.args[1])]
            else:
                self.known[node.number] = _OPS[node.op](*self.rows(node.args))
