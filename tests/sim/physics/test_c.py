"""C MuJoCo called from JAX: the steps that `mujoco.mj_step` takes by itself, bit for bit."""

import agreement
import jax
import mujoco
import numpy as np
import pytest

from mjx_assist.errors import UserError
from mjx_assist.sim.physics.make import make_physics


def direct(model, state, control):
    """One control step by ``mujoco.mj_step`` from a 32-bit state; returns what a PhysicsState holds, in 32 bits."""
    data = mujoco.MjData(model)
    data.time = state.time
    data.qpos[:], data.qvel[:], data.act[:] = state.qpos, state.qvel, state.act
    data.ctrl[:] = control
    peak = np.full(model.nsensordata, -np.inf)
    limited = np.flatnonzero(model.jnt_limited)
    limit_load = np.zeros(limited.size)
    for _ in range(agreement.SUBSTEPS):
        last_act = data.act.copy()
        mujoco.mj_step(model, data)
        peak = np.maximum(peak, data.sensordata)
        for row in np.flatnonzero(data.efc_type == mujoco.mjtConstraint.mjCNSTR_LIMIT_JOINT):
            number = np.flatnonzero(limited == data.efc_id[row])[0]
            limit_load[number] = max(limit_load[number], data.efc_force[row])
    found = {
        "qpos": data.qpos,
        "qvel": data.qvel,
        "act": data.act,
        "time": data.time,
        "sensordata": data.sensordata,
        "sensor_peak": peak,
        "limit_load": limit_load,
        "actuator_length": data.actuator_length,
        "actuator_velocity": data.actuator_velocity,
        "last_act": last_act,
    }
    return {name: np.float32(value) for name, value in found.items()}


def each(state):
    """The walkers of a batch, one by one."""
    return [jax.tree.map(lambda x, i=i: np.asarray(x[i]), state) for i in range(state.time.shape[0])]


def assert_equal(state, expected):
    for name, value in expected.items():
        np.testing.assert_array_equal(np.asarray(getattr(state, name)), value, err_msg=name)


def test_callback_is_mj_step_alone_batched_and_in_a_scan(c_backend, start, controls):
    model = c_backend.model
    episode = controls[0][:3]
    alone = [direct(model, walker, control) for walker, control in zip(each(start), episode[0], strict=True)]
    for walker, control, expected in zip(each(start)[:3], episode[0][:3], alone[:3], strict=True):
        assert_equal(c_backend.step(walker, control), expected)
        assert_equal(jax.jit(c_backend.step)(walker, control), expected)
    for walker, expected in zip(each(jax.jit(jax.vmap(c_backend.step))(start, episode[0])), alone, strict=True):
        assert_equal(walker, expected)

    scanned, _ = jax.jit(lambda s, c: jax.lax.scan(lambda s, c: (jax.vmap(c_backend.step)(s, c), None), s, c))(
        start, episode
    )
    for i, walker in enumerate(each(start)):
        for control in episode:
            expected = direct(model, walker, control[i])
            walker = walker.replace(**expected)
        assert_equal(each(scanned)[i], expected)


def test_callback_takes_one_control_for_all_and_batches_of_batches(c_backend, start, controls):
    control = controls[0][0]
    shared = jax.vmap(c_backend.step, in_axes=(0, None))(start, control[0])
    for walker, before in zip(each(shared), each(start), strict=True):
        assert_equal(walker, direct(c_backend.model, before, control[0]))

    fold = jax.tree.map(lambda x: x.reshape(4, 4, *x.shape[1:]), start)
    folded = jax.vmap(jax.vmap(c_backend.step))(fold, control.reshape(4, 4, -1))
    flat = jax.vmap(c_backend.step)(start, control)
    np.testing.assert_array_equal(folded.qpos.reshape(agreement.ENVS, -1), flat.qpos)


def test_independent_steps_of_one_program_do_not_disturb_each_other(c_backend, start, controls):
    step = jax.vmap(c_backend.step)

    @jax.jit
    def several(state, controls):
        return [step(state, control) for control in controls]

    for _ in range(10):
        for after, control in zip(several(start, controls[0][:4]), controls[0][:4], strict=True):
            np.testing.assert_array_equal(after.qpos, step(start, control).qpos)


def test_state_that_is_not_carried_is_refused():
    """An actuator with a delay has a history, which a PhysicsState lacks: better no simulation than a wrong one."""
    xml = """<mujoco><worldbody><body><joint name="j" type="slide"/><geom size="0.1" mass="1"/></body></worldbody>
    <actuator><motor joint="j" delay="0.1" nsample="3"/></actuator></mujoco>"""
    with pytest.raises(UserError, match="state beyond qpos, qvel and act"):
        make_physics("mujoco", xml, 1, 1)
