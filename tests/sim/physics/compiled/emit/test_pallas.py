"""The generated step as one GPU kernel: interpreted on the CPU, itself on a GPU, and lowered for an NVIDIA GPU."""

from functools import partial

import agreement
import jax
import jax.numpy as jnp
import pytest
from emitted import assert_feet_move_as_in_c, batched, rough_ground

from mjx_assist.sim.physics.compiled.emit import pallas
from mjx_assist.sim.physics.compiled.emit.arrays import Solver
from mjx_assist.sim.physics.compiled.model.step import make_step

TRITON = "__gpu$xla.gpu.triton"


@pytest.fixture
def kernel():
    interpret = jax.default_backend() == "cpu"
    return partial(pallas.control_step, interpret=interpret, block=8 if interpret else 32)


def exported_kernels(program, *like):
    """How many Triton kernels a program for an NVIDIA GPU has."""
    unchecked = [jax.export.DisabledSafetyCheck.custom_call(TRITON)]
    exported = jax.export.export(program, platforms=("cuda",), disabled_checks=unchecked)(*like)
    return exported.mlir_module().count(f"@{TRITON}(")


def test_control_steps_are_those_of_c(kernel, c_backend, start, controls, c_rollouts):
    """In blocks of eight, for twelve walkers: the last block is not full."""
    model, some = c_backend.model, 12
    step = batched(model, make_step(model), kernel, agreement.SUBSTEPS)
    first, rollouts = jax.tree.map(lambda x: x[:some], start), jax.tree.map(lambda x: x[:, :some], c_rollouts)
    agreement.assert_loaded_steps_match(model, step, first, controls[:, :, :some], rollouts)


@pytest.mark.parametrize("solver", [Solver(), Solver(early=False)])
def test_lowers_for_nvidia(c_backend, solver):
    step = make_step(c_backend.model)
    like = {name: jax.ShapeDtypeStruct((len(x), 200), jnp.float32) for name, x in step.inputs.items()}
    program = jax.jit(lambda inputs: pallas.control_step(step, inputs, 8, solver=solver))
    assert exported_kernels(program, like) == 1


@pytest.mark.slow
def test_feet_on_rough_ground_move_as_in_c(kernel):
    assert_feet_move_as_in_c(kernel)


def test_a_heightfield_lowers_for_nvidia():
    backend, *_ = rough_ground(1)
    step = make_step(backend.model, ["lane"])
    like = {name: jax.ShapeDtypeStruct((len(x), 200), jnp.float32) for name, x in step.inputs.items()}
    heights = jax.ShapeDtypeStruct(backend.model.hfield_data.shape, jnp.float32)
    program = jax.jit(lambda inputs, h: pallas.control_step(step, inputs, 8, h))
    assert exported_kernels(program, like, heights) == 1
