"""Every composition steps on each backend as in C MuJoCo; a few of different structure in CI, all of them on demand."""

import agreement
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mjx_assist.model.assembly import available
from mjx_assist.model.reduction import reduce_model
from mjx_assist.model.stances import stances
from mjx_assist.sim.physics.base import reset_state
from mjx_assist.sim.physics.make import make_physics

QUICK = (("myolegs22", "UTAnkleExo_L2"),)  # cables with state
WRAPPED = ("Tutorial_L1", "OpenSourceLeg_A_L1")  # devices for the human whose muscles wrap
ALL = [(human, device) for human in ("myolegs22", "myolegs26") for device in available()[human]]
ALL += [("myolegs", device) for device in WRAPPED]
EVERY = [(human, device) for human in ("myolegs22", "myolegs26", "myolegs") for device in available()[human]]
COMPILED_QUICK = (*QUICK, ("myolegs22", "KFoot_L1"), ("myolegs26", "Tutorial_L1"), ("myolegs26", "OpenSourceLeg_KA_L1"))
MJX_ENVS, WARP_ENVS = 32, 8
COMPILER = {"xla_backend_optimization_level": 0}  # half the compile time, for a step that hardly runs


def assert_agrees(backend, human, device, envs):
    """Held to C MuJoCo from random stances under random excitation, 120 physics steps."""
    reduced = reduce_model(human, device)
    model = reduced.model
    c = make_physics("mujoco", reduced.xml, agreement.SUBSTEPS, envs)
    reset = jax.vmap(lambda q, v, a: reset_state(model, q, v, a))
    start = reset(*map(jnp.float32, stances(model, envs, np.random.default_rng(0))))
    controls = agreement.random_controls(model, 1, envs)
    expected = [agreement.rollout(jax.jit(jax.vmap(c.step)), start, episode) for episode in controls]
    assert np.isfinite(expected[0].qpos).all()
    same = agreement.determined(c.model, start, controls)
    tested = make_physics(backend, reduced.xml, agreement.SUBSTEPS, envs)
    step = jax.jit(jax.vmap(tested.step), compiler_options=COMPILER)
    load, _ = agreement.assert_control_steps_match(c.model, step, start, controls, expected, grazes=0.01)
    assert load > 200.0, "no load on the feet: little is proved"
    assert same.mean() > 0.5
    agreement.assert_follows(model, step, start, controls, expected, same)


@pytest.mark.slow
@pytest.mark.parametrize(("human", "device"), QUICK)
def test_mjx_agrees_with_c_mujoco(human, device):
    assert_agrees("mjx", human, device, MJX_ENVS)


@pytest.mark.slow
@pytest.mark.parametrize(("human", "device"), [pair for pair in ALL if pair not in QUICK])
def test_mjx_agrees_with_c_mujoco_on_every_composition(human, device):
    assert_agrees("mjx", human, device, MJX_ENVS)


@pytest.mark.parametrize(("human", "device"), COMPILED_QUICK)
def test_compiled_agrees_with_c_mujoco(human, device):
    assert_agrees("compiled", human, device, MJX_ENVS)


@pytest.mark.slow
@pytest.mark.parametrize(("human", "device"), [pair for pair in EVERY if pair not in COMPILED_QUICK])
def test_compiled_agrees_with_c_mujoco_on_every_composition(human, device):
    assert_agrees("compiled", human, device, MJX_ENVS)


@pytest.mark.slow
@pytest.mark.parametrize(("human", "device"), ALL)
def test_warp_agrees_with_c_mujoco_on_every_composition(human, device):
    pytest.importorskip("warp")
    assert_agrees("warp", human, device, WARP_ENVS)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["mjx", "warp"])
def test_the_whole_body_takes_a_step(backend):
    reduced = reduce_model("myofullbody", "none")
    qpos, qvel, act = (jnp.float32(x) for x in stances(reduced.model, 1, np.random.default_rng(0)))
    state = reset_state(reduced.model, qpos[0], qvel[0], act[0])
    after = jax.jit(make_physics(backend, reduced.xml, 1, 1).step)(state, jnp.zeros(reduced.model.nu))
    assert np.isfinite(after.qpos).all() and np.isfinite(after.qvel).all()
