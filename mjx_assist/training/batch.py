"""The walkers of a training as one batch: all of one body, or of a cohort, as many of each person.

A person is an env of its own (their model, reference gait and compiled physics): nothing is approximated, and people
may differ in anything. The policy is one, and sees the body (`sim.observation`)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from mjx_assist.errors import UserError
from mjx_assist.ppo.rollout import Walkers
from mjx_assist.sim.auto_reset import auto_reset
from mjx_assist.sim.env import AssistEnv, make_env


def batched(env: AssistEnv, everybody: bool = True) -> Walkers:
    """The env's ``num_envs`` walkers as one batch, with auto-reset; those of its cohort, if it has one.

    ``everybody`` False: all are the env's own body, for whoever needs shapes alone; so they are where the config says
    which one of the cohort walks.
    """
    envs = people(env) if everybody and env.params.cohort and env.params.subject is None else [env]
    reset = [jax.vmap(one.reset) for one in envs]
    step = [jax.vmap(lambda state, action, one=one: auto_reset(one, state, action)) for one in envs]
    return Walkers(_in_groups(reset), _in_groups(step), env.params.num_envs, env.observation_size)


def people(env: AssistEnv) -> list[AssistEnv]:
    """The env of each person of the cohort, in its order.

    Raises:
        UserError: somebody who cannot be, or whose model does not have the same joints and muscles.
    """
    params = env.params
    share = params.num_envs // len(params.cohort)
    envs = [make_env(replace(params, subject=subject, num_envs=share)) for subject in params.cohort.values()]
    for name, one in zip(params.cohort, envs, strict=True):
        if one.observation_spec.names != env.observation_spec.names:
            raise UserError(
                f"config key 'env_params.cohort.{name}': this person is seen by other names than the others."
            )
    return envs


def _in_groups(functions: list[Callable]) -> Callable:
    """A function of a batch whose groups, one after another and of one size, are each a function's own."""
    if len(functions) == 1:
        return functions[0]

    def apply(*batch: Any) -> Any:
        size = len(jax.tree.leaves(batch)[0]) // len(functions)
        found = [
            function(*jax.tree.map(lambda x, i=i: x[i * size : (i + 1) * size], batch))
            for i, function in enumerate(functions)
        ]
        return jax.tree.map(lambda *parts: jnp.concatenate(parts), *found)

    return apply
