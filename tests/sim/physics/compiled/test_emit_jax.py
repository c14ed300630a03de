"""The generated step on JAX arrays: C MuJoCo is the judge."""

import agreement
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from emitted import batched
from grounds import ROUGH, WALKER

from mjx_assist.model.variation import Variation
from mjx_assist.sim.physics.base import reset_state
from mjx_assist.sim.physics.compiled import emit_jax
from mjx_assist.sim.physics.compiled.step import make_step
from mjx_assist.sim.physics.make import make_physics
from mjx_assist.terrain import heightfield

VARIED = ("mass", "strength", "friction", "ground_stiffness", "ground_damping", "joint_damping", "slope", "push")


@pytest.fixture(scope="module")
def compiled(c_backend):
    """With every field of a variation that a plane can have."""
    model = c_backend.model
    return batched(model, make_step(model, VARIED), emit_jax.control_step, agreement.SUBSTEPS)


def _variation(model, draw):
    """``draw(low, high, shape)``: walkers that differ in everything."""
    muscles = int(make_step(model, ["strength"]).inputs["strength"].__len__())
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


def rough_ground(envs):
    """C's backend, start, lanes of walkers whose feet are up to 8 mm deep in rough ground."""
    xml = WALKER.replace('timestep="0.004"', 'timestep="0.004" integrator="implicitfast"')
    plain = make_physics("mujoco", xml, 4, envs).model
    ground = heightfield.make_terrain(ROUGH, plain)
    backend = make_physics("mujoco", heightfield.with_ground(xml, ground), 4, envs, num_threads=2)
    rng, radii = np.random.default_rng(0), np.array([0.02, 0.05, 0.03])
    lanes = heightfield.lane_offset(ground, np.arange(envs) % ground.n_variants)
    x, y = rng.uniform(4, 70, (envs, 3)), rng.uniform(-0.15, 0.15, (envs, 3))
    high = np.array([heightfield.height(ground, lane, 0.0, *at) for lane, *at in zip(lanes, x, y, strict=True)])
    qpos = np.stack([x, y, high + radii - rng.uniform(0, 0.008, (envs, 3))], axis=2).reshape(envs, 9)
    start = jax.vmap(lambda q: reset_state(backend.model, q, jnp.zeros(9), jnp.zeros(0)))(jnp.float32(qpos))
    return backend, start, Variation(lane=jnp.float32(lanes))


def assert_feet_move_as_in_c(control_step, envs=32):
    backend, start, lanes = rough_ground(envs)
    model = backend.model
    heights = jnp.float32(model.hfield_data)
    step = batched(model, make_step(model, ["lane"]), control_step, 4, heights)
    ctrl = jnp.zeros((envs, 1))
    found, right = step(start, ctrl, lanes), jax.jit(jax.vmap(backend.step))(start, ctrl, lanes)
    touched = np.abs(right.qvel.reshape(envs, 3, 3)[..., 2] + 9.81 * 4 * 0.004) > 0.05
    assert touched.mean() > 0.5, "hardly a foot on the ground: little is proved"
    wrong = np.abs(found.qvel - right.qvel).reshape(-1, 3).max(axis=1) > 0.02
    wrong |= np.abs(found.qpos - right.qpos).reshape(-1, 3).max(axis=1) > 5e-4
    assert wrong.mean() <= 0.05, np.flatnonzero(wrong)  # more than four triangles touched, or a graze


def test_feet_on_rough_ground_move_as_in_c():
    assert_feet_move_as_in_c(emit_jax.control_step)


def test_a_heightfield_needs_its_heights():
    backend, *_ = rough_ground(1)
    step = make_step(backend.model)
    with pytest.raises(ValueError, match="heights are missing"):
        emit_jax.control_step(step, {name: jnp.zeros((len(x), 1)) for name, x in step.inputs.items()}, 1)


@pytest.mark.parametrize("platform", ["cuda", "tpu"])
def test_lowers_for(platform, c_backend):
    step = make_step(c_backend.model)
    like = {name: jax.ShapeDtypeStruct((len(x), 64), jnp.float32) for name, x in step.inputs.items()}
    program = jax.jit(lambda inputs: emit_jax.control_step(step, inputs, 8))
    exported = jax.export.export(program, platforms=(platform,))(like)
    assert "custom_call" not in exported.mlir_module()
