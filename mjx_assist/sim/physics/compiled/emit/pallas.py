"""A control step as one GPU kernel (Pallas, Triton): only state, control and results pass through the GPU's memory."""

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton

from mjx_assist.sim.physics.compiled.emit.arrays import Solver, rows
from mjx_assist.sim.physics.compiled.model.step import Step


def control_step(
    step: Step,
    inputs: dict[str, jax.Array],
    substeps: int,
    heights: jax.Array | None = None,
    *,
    solver: Solver | None = None,
    interpret: bool = False,
    block: int = 128,
) -> dict[str, jax.Array]:
    """`arrays.control_step` by blocks of walkers; ``block``: a power of two, ``interpret``: on any device, slowly.

    The last block is filled up with copies of the last walker.
    """
    if step.field and heights is None:
        raise ValueError("the ground is a heightfield: its heights are missing")
    walkers = inputs["qpos"].shape[1]
    given = {name: len(x) for name, x in step.inputs.items() if x}
    results = step.results

    def kernel(*refs):
        read = None
        x, o = refs[0], refs[-1]
        if step.field:
            read = lambda node: refs[1][node]  # noqa: E731
        taken = iter(range(sum(given.values())))
        start = {name: [x[next(taken), :] for _ in range(given.get(name, 0))] for name in step.inputs}
        found = rows(step, start, substeps, read, solver or Solver())
        for i, row in enumerate(a for name in results for a in found[name]):
            o[i, :] = row

    packed = jnp.concatenate([inputs[name] for name in given])
    blocks = -(-walkers // block)
    packed = jnp.pad(packed, ((0, 0), (0, blocks * block - walkers)), mode="edge")
    arguments, specs = [packed], [pl.BlockSpec((len(packed), block), lambda i: (0, i))]
    if step.field and heights is not None:
        flat = jnp.ravel(heights)
        arguments, specs = [packed, flat], [*specs, pl.BlockSpec(flat.shape, lambda i: (0,))]
    count = sum(results.values())
    out = pl.pallas_call(
        kernel,
        out_shape=jax.ShapeDtypeStruct((count, blocks * block), packed.dtype),
        grid=(blocks,),
        in_specs=specs,
        out_specs=pl.BlockSpec((count, block), lambda i: (0, i)),
        compiler_params=triton.CompilerParams(num_warps=4),
        interpret=interpret,
    )(*arguments)[:, :walkers]
    split, at = {}, 0
    for name, n in results.items():
        split[name], at = out[at : at + n], at + n
    return split
