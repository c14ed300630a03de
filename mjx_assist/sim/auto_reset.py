"""Episodes one after another: a walker whose episode ends goes on from a fresh one, as PPO's rollouts need."""

from typing import Any

import jax
import jax.numpy as jnp
from brax.envs.base import Env, State


def auto_reset(env: Env, state: State, action: Any) -> tuple[State, jax.Array]:
    """Step; where the episode ended, go on from a fresh episode with a fresh key.

    Returns the state to go on from and the observation *before* any reset (for bootstrapping the value at the end).
    An env with a method ``next_episode(state)`` says itself what follows an episode.
    """
    after = env.step(state, action)
    fresh = env.next_episode(after) if hasattr(env, "next_episode") else env.reset(after.pipeline_state.key)
    done = after.done.astype(bool)
    state, obs = jax.tree.map(
        lambda new, old: jnp.where(done, new, old),
        (fresh.pipeline_state, fresh.obs),
        (after.pipeline_state, after.obs),
    )
    return after.replace(pipeline_state=state, obs=obs), after.obs
