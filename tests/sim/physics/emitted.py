"""A generated step on JAX arrays as a batched step of a `PhysicsState`, as the backends' tests want it."""

import jax
import jax.numpy as jnp
import numpy as np
from grounds import RADII, ROUGH, WALKER

from mjx_assist.model.variation import Variation
from mjx_assist.sim.physics.base import reset_state
from mjx_assist.sim.physics.compiled.model.step import RESULTS, make_step
from mjx_assist.sim.physics.make import make_physics
from mjx_assist.terrain import heightfield


def batched(model, step, control_step, substeps, heights=None):
    """``step(state, ctrl, variation)``; compiled once, without XLA's optimizations, which take long."""

    def advance(state, ctrl, variation=None):
        given = vars(state) | {"ctrl": ctrl}
        given |= {name: getattr(variation, name).reshape(len(ctrl), -1) for name in step.varied}
        inputs = {name: jnp.float32(given[name]).T for name in step.inputs}
        found = control_step(step, inputs, substeps, heights)
        time = state.time + substeps * model.opt.timestep
        return state.replace(time=time, **{name: found[name].T for name in RESULTS})

    return jax.jit(advance, compiler_options={"xla_backend_optimization_level": 0})


def rough_ground(envs):
    """C's backend, start, lanes of walkers whose feet are up to 8 mm deep in rough ground."""
    xml = WALKER.replace('timestep="0.004"', 'timestep="0.004" integrator="implicitfast"')
    plain = make_physics("mujoco", xml, 4, envs).model
    ground = heightfield.make_terrain(ROUGH, plain)
    backend = make_physics("mujoco", heightfield.with_ground(xml, ground), 4, envs, num_threads=2)
    rng = np.random.default_rng(0)
    lanes = heightfield.lane_offset(ground, np.arange(envs) % ground.n_variants)
    x, y = rng.uniform(4, 70, (envs, 3)), rng.uniform(-0.15, 0.15, (envs, 3))
    high = np.array([heightfield.height(ground, lane, 0.0, *at) for lane, *at in zip(lanes, x, y, strict=True)])
    qpos = np.stack([x, y, high + np.array(RADII) - rng.uniform(0, 0.008, (envs, 3))], axis=2).reshape(envs, 9)
    start = jax.vmap(lambda q: reset_state(backend.model, q, jnp.zeros(9), jnp.zeros(0)))(jnp.float32(qpos))
    return backend, start, Variation(lane=jnp.float32(lanes))


def assert_feet_move_as_in_c(control_step, envs=32):
    """Feet on rough ground, each walker on its lane, one control step: places and speeds."""
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
