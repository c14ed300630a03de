"""A model with one of each kind of constraint, actuator and tendon, and a step of it held to C MuJoCo's."""

from pathlib import Path

import jax
import mujoco
import numpy as np

from mjx_assist.sim.physics.base import reset_state
from mjx_assist.sim.physics.make import make_physics

XML = Path(__file__).with_name("everything.xml").read_text()
KINDS = mujoco.mjtConstraint


def random_states(model, count):
    """qpos, qvel, act, ctrl in 32 bits, for the model ``XML``: each of its constraints acts in some of them."""
    rng = np.random.default_rng(0)
    qpos = rng.uniform(-0.6, 0.6, (count, model.nq))
    qpos[:, 1] = rng.uniform(-1.2, 0.15, count)
    qpos[:, 2] = 0.002 + 0.03 * qpos[:, 1] + rng.normal(0, 0.003, count)
    qvel = rng.normal(0, 1, (count, model.nv)) * np.where(np.arange(model.nv) == 2, 0.05, 1.0)
    act = np.column_stack([rng.uniform(0, 1, count), rng.uniform(-0.9, 0.25, (count, model.na - 1))])
    return tuple(np.float32(x) for x in (qpos, qvel, act, rng.uniform(-1.2, 1.2, (count, model.nu))))


def assert_takes_cs_step(backend, xml, absent=()):
    """From 128 random states; in these every kind of constraint acts but elliptic contacts and what is ``absent``."""
    model = mujoco.MjModel.from_xml_string(xml)
    qpos, qvel, act, ctrl = random_states(model, 128)
    start = jax.vmap(lambda q, v, a: reset_state(model, q, v, a))(qpos, qvel, act)
    found = jax.jit(jax.vmap(make_physics(backend, xml, 1, len(qpos)).step))(start, ctrl)
    right = jax.vmap(make_physics("mujoco", xml, 1, len(qpos)).step)(start, ctrl)
    speed = np.abs(right.qvel).max(axis=1, keepdims=True)
    assert (np.abs(found.qvel - right.qvel) < 2e-4 * np.maximum(1.0, speed)).all()
    np.testing.assert_allclose(found.act, right.act, atol=1e-6)
    np.testing.assert_allclose(found.limit_load, right.limit_load, atol=0.05, rtol=1e-3)
    assert (right.limit_load > 1.0).any(axis=0).all()

    data, met, clamped = mujoco.MjData(model), set(), 0
    for data.qpos[:], data.qvel[:], data.act[:], data.ctrl[:] in zip(qpos, qvel, act, ctrl, strict=True):
        mujoco.mj_forward(model, data)
        met |= {int(kind) for kind in data.efc_type[np.abs(data.efc_force) > 1e-3]}
        clamped += abs(data.actuator_force[3]) > 5.999
    absent = {KINDS.mjCNSTR_CONTACT_ELLIPTIC, *absent}
    assert met == {int(kind) for kind in set(KINDS.__members__.values()) - absent} and clamped > 10
