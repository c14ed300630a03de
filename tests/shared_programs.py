"""Compiled updates that tests of training share: a program is traced and compiled once for all runs of one kind.

What a run learns from its start follows from its config alone, and so it is here: env, update and a copy of the first
state are kept by everything that they are made of.
"""

import json
from dataclasses import asdict

import jax
import jax.numpy as jnp

from mjx_assist.reference import healthy
from mjx_assist.training import loop
from mjx_assist.training.callbacks import Run
from mjx_assist.training.export import without_own_code

HONEST = loop.open_run
_kept: dict = {}


def open_run(config, path, devices=None):
    """`loop.open_run`, which makes no program that it has made before."""
    env = config.env_params
    of_files = env.model_path or env.reference_data_path or env != without_own_code(env)
    if of_files or env.backend != "mujoco" or devices:
        return HONEST(config, path, devices)
    made_of = json.dumps([asdict(x) for x in (env, config.policy_params, config.ppo_params)], default=repr)
    key = made_of, repr(config.head_options), loop.batched, healthy.healthy_gait.__name__
    if key not in _kept:
        run, update = HONEST(config, path)
        _kept[key] = run.env, run.spec, run.mesh, jax.tree.map(jnp.copy, run.state), update
        return run, update
    env, spec, mesh, state, update = _kept[key]
    walkers = config.env_params.num_envs
    total = -(-config.total_timesteps // (walkers * config.ppo_params.n_steps))
    return Run(config, path, env, spec, mesh, jax.tree.map(jnp.copy, state), 0, total), update
