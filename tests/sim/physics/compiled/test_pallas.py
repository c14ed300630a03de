"""The generated step as one GPU kernel: interpreted on the CPU, and lowered for an NVIDIA GPU."""

from functools import partial

import agreement
import jax
import jax.numpy as jnp
import pytest
from emitted import batched

from mjx_assist.sim.physics.compiled import pallas
from mjx_assist.sim.physics.compiled.emit_jax import Solver
from mjx_assist.sim.physics.compiled.step import make_step

TRITON = "__gpu$xla.gpu.triton"


def test_control_steps_are_those_of_c(c_backend, start, controls, c_rollouts):
    """In blocks of eight, for twelve walkers: the last block is not full."""
    model, some = c_backend.model, 12
    interpreted = partial(pallas.control_step, interpret=True, block=8)
    step = batched(model, make_step(model), interpreted, agreement.SUBSTEPS)
    first, rollouts = jax.tree.map(lambda x: (x[:some]), start), jax.tree.map(lambda x: x[:, :some], c_rollouts)
    agreement.assert_loaded_steps_match(model, step, first, controls[:, :, :some], rollouts)


@pytest.mark.parametrize("solver", [Solver(), Solver(iterations=4, line_steps=3, early=False)])
def test_lowers_for_nvidia(c_backend, solver):
    step = make_step(c_backend.model)
    like = {name: jax.ShapeDtypeStruct((len(x), 200), jnp.float32) for name, x in step.inputs.items()}
    program = jax.jit(lambda inputs: pallas.control_step(step, inputs, 8, solver=solver))
    unchecked = [jax.export.DisabledSafetyCheck.custom_call(TRITON)]
    exported = jax.export.export(program, platforms=("cuda",), disabled_checks=unchecked)(like)
    assert exported.mlir_module().count(f"@{TRITON}(") == 1
