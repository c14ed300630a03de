"""MJX takes C MuJoCo's step, and compiles for accelerators."""

import agreement
import everything
import jax
import pytest

from mjx_assist.sim.physics.make import make_physics


@pytest.fixture(scope="module")
def mjx_step(reduced):
    return jax.jit(jax.vmap(make_physics("mjx", reduced.xml, agreement.SUBSTEPS, agreement.ENVS).step))


def test_mjx_takes_c_mujocos_control_step(c_backend, mjx_step, start, controls, c_rollouts):
    agreement.assert_loaded_steps_match(c_backend.model, mjx_step, start, controls, c_rollouts)


def test_mjx_follows_c_mujoco_for_half_a_second(c_backend, mjx_step, start, controls, c_rollouts, determined):
    agreement.assert_follows(c_backend.model, mjx_step, start, controls, c_rollouts, determined)


def test_mjx_step_compiles_for_nvidia_and_tpu(reduced, start, controls):
    backend = make_physics("mjx", reduced.xml, agreement.SUBSTEPS, 2)
    few = jax.tree.map(lambda x: x[:2], start)
    exported = jax.export.export(jax.jit(jax.vmap(backend.step)), platforms=("cuda", "tpu"))(few, controls[0][0][:2])
    assert set(exported.platforms) == {"cuda", "tpu"}
    assert [a.shape for a in exported.out_avals] == [x.shape for x in jax.tree.leaves(few)]


def test_mjx_takes_c_mujocos_step_with_everything_a_model_may_have():
    """Joint-limit loads too: in MJX's rows equalities and friction come first, tendon limits and contacts after."""
    everything.assert_takes_cs_step("mjx", everything.XML)
