"""Walkers, controls and what C MuJoCo makes of them: every backend is held to that."""

import agreement
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mjx_assist.reference.cycle import sample
from mjx_assist.sim.physics.base import reset_state
from mjx_assist.sim.physics.make import make_physics

SEEDS = 3


@pytest.fixture(scope="module")
def start(reduced, gait):
    """Walkers spread over the gait cycle, feet near the ground: a batched PhysicsState."""
    phase = np.arange(agreement.ENVS) / agreement.ENVS
    qpos, qvel, _ = sample(gait, phase, 1.25)
    act = jnp.full((agreement.ENVS, reduced.model.na), 0.01)
    reset = jax.vmap(lambda q, v, a: reset_state(reduced.model, q, v, a))
    return reset(jnp.float32(qpos), jnp.float32(qvel), act)


@pytest.fixture(scope="module")
def controls(reduced):
    return agreement.random_controls(reduced.model, SEEDS, agreement.ENVS)


@pytest.fixture(scope="module")
def c_backend(reduced):
    return make_physics("mujoco", reduced.xml, agreement.SUBSTEPS, agreement.ENVS, num_threads=2)


@pytest.fixture(scope="module")
def c_rollouts(c_backend, start, controls):
    step = jax.jit(jax.vmap(c_backend.step))
    return [agreement.rollout(step, start, episode) for episode in controls]


@pytest.fixture(scope="module")
def determined(c_backend, start, controls):
    same = agreement.determined(c_backend.model, start, controls)
    assert same.mean() > 0.8
    return same
