"""MJX takes C MuJoCo's step, and compiles for accelerators."""

import re

import agreement
import everything
import jax
import jax.numpy as jnp
import pytest

from mjx_assist.sim.physics.make import make_physics


@pytest.fixture(scope="module")
def mjx_step(reduced):
    return jax.jit(jax.vmap(make_physics("mjx", reduced.xml, agreement.SUBSTEPS, agreement.ENVS).step))


def test_mjx_takes_c_mujocos_control_step(c_backend, mjx_step, start, controls, c_rollouts):
    agreement.assert_loaded_steps_match(c_backend.model, mjx_step, start, controls, c_rollouts)


def test_mjx_follows_c_mujoco_for_half_a_second(c_backend, mjx_step, start, controls, c_rollouts, determined):
    agreement.assert_follows(c_backend.model, mjx_step, start, controls, c_rollouts, determined)


@pytest.mark.slow
def test_mjx_step_compiles_for_nvidia_and_tpu(reduced, start, controls):
    backend = make_physics("mjx", reduced.xml, agreement.SUBSTEPS, 2)
    few = jax.tree.map(lambda x: x[:2], start)
    exported = jax.export.export(jax.jit(jax.vmap(backend.step)), platforms=("cuda", "tpu"))(few, controls[0][0][:2])
    assert set(exported.platforms) == {"cuda", "tpu"}
    assert [a.shape for a in exported.out_avals] == [x.shape for x in jax.tree.leaves(few)]


def test_a_low_default_precision_cannot_reach_physics(reduced, start, controls):
    """What an accelerator would do by itself (TF32, bf16), forced: every product of the step asks for all bits."""
    backend, one = make_physics("mjx", reduced.xml, agreement.SUBSTEPS, 1), jax.tree.map(lambda x: x[0], start)
    with jax.default_matmul_precision("bfloat16"):
        program = jax.jit(backend.step).lower(one, controls[0][0][0]).as_text()
        other = jax.jit(lambda a: a @ a).lower(jnp.eye(3)).as_text()
    products = re.findall(r"stablehlo\.dot_general.*", program)
    assert len(products) > 20
    assert [line for line in products if "precision = [HIGHEST, HIGHEST]" not in line] == []
    assert "HIGHEST" not in other  # elsewhere the default holds


@pytest.mark.slow
def test_mjx_takes_c_mujocos_step_with_everything_a_model_may_have():
    """Joint-limit loads too: in MJX's rows equalities and friction come first, tendon limits and contacts after."""
    everything.assert_takes_cs_step("mjx", everything.XML)
