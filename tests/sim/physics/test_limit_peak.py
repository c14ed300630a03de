"""A stop that is hit and left again within one control step counts, on every backend."""

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest

from mjx_assist.sim.physics.make import make_physics

SUBSTEPS = 8
# A stiff stop with little damping: the joint is back in free swing before the control step ends.
XML = """<mujoco><compiler angle="radian"/><option timestep="0.004166666" integrator="implicitfast" gravity="0 0 0"/>
<worldbody><geom name="floor" type="plane" size="9 9 .1" pos="0 0 -5" contype="0" conaffinity="0"/><body name="leg">
<joint name="hip" axis="0 1 0" range="-0.3 1" solreflimit="-30000 -20"/>
<geom name="leg" type="capsule" fromto="0 0 0 0 0 -.8" size=".05" mass="8" contype="0" conaffinity="0"/></body>
</worldbody><actuator><motor name="motor" joint="hip" ctrlrange="-1 1"/></actuator></mujoco>"""


def loads(control_steps):
    """C MuJoCo's force of the stop in every physics step."""
    model = mujoco.MjModel.from_xml_string(XML)
    data = mujoco.MjData(model)
    data.qpos[0], data.qvel[0] = -0.28, -3.0
    found = []
    for _ in range(SUBSTEPS * control_steps):
        mujoco.mj_step(model, data)
        found.append(float(data.efc_force[0]) if data.nefc else 0.0)
    return np.reshape(found, (control_steps, SUBSTEPS))


@pytest.mark.parametrize("backend", ["mujoco", "compiled", "mjx"])
def test_a_stop_hit_in_mid_step_counts(backend):
    right = loads(2)
    assert right[0].max() > 100 and right[0, -1] == 0, "the stop is not left within the control step"
    physics = make_physics(backend, XML, SUBSTEPS, 1)
    assert physics.backend == backend
    state, step = physics.start(jnp.array([-0.28]), jnp.array([-3.0]), jnp.zeros(0)), jax.jit(physics.step)
    for control_step in range(2):
        state = step(state, jnp.zeros(1))
        assert float(state.limit_load[0]) == pytest.approx(right[control_step].max(), rel=1e-3, abs=1e-3)
