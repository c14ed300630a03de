"""The backend `compiled` takes C MuJoCo's steps: whole, with every variation, alone and in batches."""

from functools import partial

import agreement
import everything
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mjx_assist.model.variation import Variation
from mjx_assist.sim.physics.compiled import build
from mjx_assist.sim.physics.compiled.emit import pallas
from mjx_assist.sim.physics.compiled.physics import CompiledPhysics
from mjx_assist.sim.physics.make import make_physics

pytestmark = pytest.mark.skipif(build.compiler() is None, reason="no C++ compiler")


@pytest.fixture(scope="module")
def backend(reduced):
    made = make_physics("compiled", reduced.xml, agreement.SUBSTEPS, agreement.ENVS)
    assert isinstance(made, CompiledPhysics)
    return made


@pytest.fixture(scope="module")
def step(backend):
    return jax.jit(jax.vmap(backend.step))


def test_it_takes_c_mujocos_control_step(c_backend, step, start, controls, c_rollouts):
    agreement.assert_loaded_steps_match(c_backend.model, step, start, controls, c_rollouts)


def test_it_follows_c_mujoco_for_half_a_second(c_backend, step, start, controls, c_rollouts, determined):
    agreement.assert_follows(c_backend.model, step, start, controls, c_rollouts, determined)


def test_it_takes_c_mujocos_step_with_everything_a_model_may_have():
    everything.assert_takes_cs_step("compiled", everything.XML)


def _varied(model, fields, envs):
    rng = np.random.default_rng(3)
    every = {
        "mass": rng.uniform(0.8, 1.2, (envs, model.nbody)),
        "strength": rng.uniform(0.7, 1.3, (envs, 22)),
        "friction": rng.uniform(0.5, 1.5, envs),
        "ground_stiffness": rng.uniform(0.6, 1.6, envs),
        "ground_damping": rng.uniform(0.6, 1.6, envs),
        "joint_damping": rng.uniform(0.5, 2.0, envs),
        "slope": rng.uniform(-0.1, 0.1, envs),
        "push": rng.normal(0, 40, (envs, model.nv)) * (np.arange(model.nv) == 0),
    }
    return Variation(**{name: jnp.float32(every[name]) for name in fields})


@pytest.mark.parametrize(
    "fields",
    [
        ("mass", "strength"),
        ("friction", "ground_stiffness", "ground_damping"),
        ("joint_damping", "slope", "push"),
        ("mass", "strength", "friction", "ground_stiffness", "ground_damping", "joint_damping", "slope", "push"),
    ],
)
def test_every_field_of_a_variation_does_what_it_does_in_c(backend, c_backend, start, controls, c_rollouts, fields):
    differs = _varied(backend.model, fields, agreement.ENVS)
    after, control = jax.tree.map(lambda x: jnp.asarray(x[7]), c_rollouts[0]), controls[0][8]
    walk = [jax.jit(jax.vmap(b.step))(after, control, differs) for b in (backend, c_backend)]
    plain = jax.jit(jax.vmap(c_backend.step))(after, control)
    assert np.abs(walk[1].qvel - plain.qvel).max() > 0.05, "the fields change nothing: nothing is proved"
    np.testing.assert_allclose(walk[0].qpos, walk[1].qpos, rtol=0, atol=1e-4)
    np.testing.assert_allclose(walk[0].qvel, walk[1].qvel, rtol=1e-3, atol=0.01)
    np.testing.assert_allclose(walk[0].sensordata, walk[1].sensordata, rtol=0.02, atol=3.0)


def test_a_walker_steps_alone_in_batches_and_in_a_scan_alike(backend, step, start, controls):
    batch = step(start, controls[0][0])
    alone = jax.jit(backend.step)(jax.tree.map(lambda x: x[3], start), controls[0][0][3])
    twice = jax.tree.map(lambda x: jnp.stack([x, x]), start)
    nested = jax.jit(jax.vmap(jax.vmap(backend.step)))(twice, jnp.stack([controls[0][0]] * 2))
    scanned, _ = jax.jit(
        lambda s: jax.lax.scan(lambda s, _: (jax.vmap(backend.step)(s, controls[0][0]), 0), s, None, 1)
    )(start)
    for field in (field for field in vars(batch) if field not in ("time", "overflow")):
        whole = np.asarray(getattr(batch, field))
        np.testing.assert_array_equal(getattr(alone, field), whole[3])
        np.testing.assert_array_equal(getattr(nested, field)[1], whole)
        np.testing.assert_array_equal(getattr(scanned, field), whole)


def test_threads_do_not_change_a_walk(reduced, step, start, controls):
    single = CompiledPhysics(reduced.xml, agreement.SUBSTEPS, num_threads=1)
    many = jax.tree.map(lambda x: jnp.concatenate([x] * 5), start)
    control = np.concatenate([controls[0][0]] * 5)
    np.testing.assert_array_equal(jax.jit(jax.vmap(single.step))(many, control).qpos, step(many, control).qpos)


def test_what_is_not_a_number_is_told(backend, step, start, controls):
    """A walker that blew up is found by its numbers, and its neighbours in the vector walk on."""
    broken = start.replace(qvel=start.qvel.at[2].set(jnp.nan))
    after, right = step(broken, controls[0][0]), step(start, controls[0][0])
    assert not np.isfinite(after.qpos[2]).any()
    others = np.arange(agreement.ENVS) != 2
    np.testing.assert_allclose(after.qpos[others], right.qpos[others], rtol=0, atol=1e-6)


@pytest.mark.parametrize("platform", [pytest.param("tpu", marks=pytest.mark.slow), "gpu"])
def test_on_accelerators_the_same_graph_walks(monkeypatch, reduced, step, start, controls, platform):
    """On this machine's CPU: plain JAX as on a TPU, the GPU's kernel in Pallas' interpreter."""
    monkeypatch.setattr(jax, "default_backend", lambda: platform)
    monkeypatch.setattr(build, "compiler", lambda: None)
    interpreted = partial(pallas.control_step, interpret=True, block=8)
    monkeypatch.setattr(pallas, "control_step", interpreted)
    other = CompiledPhysics(reduced.xml, agreement.SUBSTEPS)
    few, control = jax.tree.map(lambda x: x[:5], start), controls[0][0][:5]
    found = jax.jit(jax.vmap(other.step))(few, control)
    right = step(start, controls[0][0])
    for field in ("qpos", "qvel", "act", "time"):
        np.testing.assert_allclose(getattr(found, field), getattr(right, field)[:5], rtol=0, atol=5e-4)
    np.testing.assert_allclose(found.sensordata, right.sensordata[:5], rtol=0.01, atol=1.0)
