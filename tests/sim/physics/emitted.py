"""A generated step on JAX arrays as a batched step of a `PhysicsState`, as the backends' tests want it."""

import jax
import jax.numpy as jnp

from mjx_assist.sim.physics.compiled.emit_cpp import RESULTS


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
