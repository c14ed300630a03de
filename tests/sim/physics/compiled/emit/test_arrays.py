"""The generated step on JAX arrays: C MuJoCo is the judge."""

import agreement
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from emitted import assert_feet_move_as_in_c, batched, rough_ground

from mjx_assist.model.variation import Variation
from mjx_assist.sim.physics.compiled.emit import arrays
from mjx_assist.sim.physics.compiled.model.step import field_sizes, make_step

VARIED = ("mass", "strength", "friction", "ground_stiffness", "ground_damping", "joint_damping", "slope", "push")


@pytest.fixture(scope="module")
def compiled(c_backend):
    """With every field of a variation that a plane can have."""
    model = c_backend.model
    return batched(model, make_step(model, VARIED), arrays.control_step, agreement.SUBSTEPS)


def _variation(model, draw):
    """``draw(low, high, shape)``: walkers that differ in everything."""
    muscles = field_sizes(model)["strength"]
    factors = ("friction", "ground_stiffness", "ground_damping", "joint_damping")
    envs = agreement.ENVS
    fields = {name: draw(0.8, 1.2, (envs,)) for name in factors}
    fields |= {"mass": draw(0.8, 1.2, (envs, model.nbody)), "strength": draw(0.8, 1.2, (envs, muscles))}
    fields |= {"slope": draw(-0.1, 0.1, (envs,)), "push": draw(-30, 30, (envs, model.nv))}
    return Variation(**{name: jnp.float32(x) for name, x in fields.items()})


def test_control_steps_are_those_of_c(c_backend, compiled, start, controls, c_rollouts):
    as_model = _variation(c_backend.model, lambda low, high, shape: np.full(shape, (low + high) / 2))
    agreement.assert_loaded_steps_match(
        c_backend.model, lambda s, c: compiled(s, c, as_model), start, controls, c_rollouts
    )


def test_walkers_that_differ_step_as_in_c(c_backend, compiled, start, controls, c_rollouts):
    differs = _variation(c_backend.model, np.random.default_rng(3).uniform)
    c_step = jax.jit(jax.vmap(c_backend.step))
    few = controls[:1, :4]
    rollouts = [agreement.rollout(lambda s, c: c_step(s, c, differs), start, few[0])]
    assert np.abs(rollouts[0].qvel[0] - c_rollouts[0].qvel[0]).max() > 0.1, "the variation hardly matters"
    agreement.assert_control_steps_match(
        c_backend.model, lambda s, c: compiled(s, c, differs), start, few, rollouts, grazes=0.05
    )


@pytest.mark.slow
def test_feet_on_rough_ground_move_as_in_c():
    assert_feet_move_as_in_c(arrays.control_step)


def test_a_heightfield_needs_its_heights():
    backend, *_ = rough_ground(1)
    step = make_step(backend.model)
    with pytest.raises(ValueError, match="heights are missing"):
        arrays.control_step(step, {name: jnp.zeros((len(x), 1)) for name, x in step.inputs.items()}, 1)


@pytest.mark.parametrize("platform", ["cuda", "tpu"])
def test_lowers_for(platform, c_backend):
    step = make_step(c_backend.model)
    like = {name: jax.ShapeDtypeStruct((len(x), 64), jnp.float32) for name, x in step.inputs.items()}
    program = jax.jit(lambda inputs: arrays.control_step(step, inputs, 8))
    exported = jax.export.export(program, platforms=(platform,))(like)
    assert "custom_call" not in exported.mlir_module()
