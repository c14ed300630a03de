"""A point that is pushed about: an env small enough to be followed in NumPy. It ends out of bounds, or by time."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from brax.envs.base import State

from mjx_assist.ppo import networks
from mjx_assist.ppo.rollout import Walkers
from mjx_assist.sim.auto_reset import auto_reset

N_OBS, N_ACTIONS, LIMIT, STEPS, PUSH = 3, 3, 0.9, 5, np.array([[0.4, 0.0, 0.2], [0.0, 0.4, -0.2]], np.float32)


class Point(NamedTuple):
    """``key`` of the next reset, position ``[2]``, steps since the last."""

    key: jax.Array
    x: jax.Array
    steps: jax.Array


def observe(x, xp=jnp):
    """``[..., 3]``; one entry is large, so that normalising matters."""
    return xp.stack([x[..., 0], 20.0 * x[..., 1] + 5.0, x[..., 0] * x[..., 1]], axis=-1)


def advance(x, action, xp=jnp):
    """(next position, reward); what is beyond -1..1 of an action has no effect."""
    push = xp.clip(action, -1.0, 1.0)
    x = x + push @ PUSH.T
    return x, 1.0 - (x**2).sum(-1) - 0.1 * (push**2).sum(-1)


class Toy:
    def reset(self, key):
        key, draw = jax.random.split(key)
        x, zero = jax.random.uniform(draw, (2,), minval=-0.5, maxval=0.5), jnp.zeros(())
        return State(Point(key, x, zero), observe(x), zero, zero, {"distance": zero}, {"truncation": zero})

    def step(self, state, action):
        key, x, steps = state.pipeline_state
        x, reward = advance(x, action)
        out = jnp.abs(x).max() > LIMIT
        truncated = (steps + 1 >= STEPS) & ~out
        return State(
            pipeline_state=Point(key, x, steps + 1),
            obs=observe(x),
            reward=reward,
            done=(out | truncated).astype(jnp.float32),
            metrics={"distance": jnp.abs(x).max()},
            info={"truncation": truncated.astype(jnp.float32)},
        )


def batched(count):
    """So many of them, with auto-reset."""
    toy = Toy()
    step = jax.vmap(lambda state, action: auto_reset(toy, state, action))
    return Walkers(jax.vmap(toy.reset), step, count, N_OBS)


def spec(**second):
    """Two heads: one pushes along x and y, the ``second`` (options: see `networks.Head`) diagonally."""
    heads = (
        networks.Head("first", (0, 1, 2), (0, 1), (8,), 0.2, -0.3),
        networks.Head("second", (0, 2), (2,), (6,), **{"initial_action": 0.0, "log_std_init": -0.8, **second}),
    )
    return networks.PolicySpec(heads, (0, 1, 2), (10,), (0.0, 0.0, 0.25), activation="tanh")
