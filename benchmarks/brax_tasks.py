"""Our PPO and brax's own on small brax tasks: same steps, networks and hyperparameters, several seeds each.

Usage: python benchmarks/brax_tasks.py [--tasks inverted_pendulum ...] [--seeds 3] [--steps N] [--json FILE]
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np
from brax import envs
from brax.envs.base import State
from flax import linen as nn

from mjx_assist.config.schema import PPOParams
from mjx_assist.ppo import learner, networks, rollout
from mjx_assist.sim.auto_reset import auto_reset

STEPS = {"inverted_pendulum": 400_000, "inverted_double_pendulum": 800_000}  # control steps
EPISODE, EVALUATIONS = 500, 64  # control steps, episodes
ENVS, N_STEPS, MINIBATCHES, HIDDEN, LOG_STD, REWARD_SCALE = 128, 16, 4, (64, 64), -0.7, 0.1
PPO = PPOParams(
    learning_rate=1e-3,
    n_steps=N_STEPS,
    batch_size=ENVS * N_STEPS // MINIBATCHES,
    n_epochs=4,
    gamma=0.97,
    gae_lambda=0.95,
    clip_range=0.2,
    vf_coef=0.5,
    max_grad_norm=1.0,
    target_kl=0.0,  # brax's learning rate is constant too
)


class Inside(NamedTuple):
    """A brax state, the key of the next reset, and the control steps since the last."""

    state: State
    key: jax.Array
    steps: jax.Array


class Task:
    """A brax env as the learner wants it: rewards scaled, an end by time marked as truncation, fresh resets."""

    def __init__(self, env: envs.Env):
        self.env = env

    def reset(self, rng: jax.Array) -> State:
        key, draw = jax.random.split(rng)
        state, zero = self.env.reset(draw), jnp.zeros(())
        return State(Inside(state, key, zero), state.obs, zero, zero, {}, {"truncation": zero})

    def step(self, state: State, action: jax.Array) -> State:
        inside: Inside = state.pipeline_state
        after, steps = self.env.step(inside.state, action), inside.steps + 1
        truncated = jnp.where(steps >= EPISODE, 1.0 - after.done, 0.0)
        inside = Inside(after, inside.key, steps)
        done, reward = jnp.maximum(after.done, truncated), REWARD_SCALE * after.reward
        return State(inside, after.obs, reward, done, {}, {"truncation": truncated})


def train_ours(env: envs.Env, steps: int, seed: int) -> Callable[[jax.Array], jax.Array]:
    """The trained policy without noise: observations to actions."""
    task = Task(env)
    sees, drives = tuple(range(env.observation_size)), tuple(range(env.action_size))
    head = networks.Head("actor", sees, drives, HIDDEN, 0.0, LOG_STD)
    spec = networks.PolicySpec((head,), sees, HIDDEN, (0.0,) * len(drives))
    step = jax.vmap(lambda state, action: auto_reset(task, state, action))
    walkers = rollout.Walkers(jax.vmap(task.reset), step, ENVS, env.observation_size)
    made = learner.make_learner(walkers, spec, PPO)
    state, update = jax.jit(partial(learner.init, made))(jax.random.PRNGKey(seed)), learner.jitted(made, as_one=True)
    for _ in range(-(-steps // (ENVS * N_STEPS))):
        state, _, _ = update(state)
    params, normaliser = state.params, state.normaliser
    return lambda obs: made.model.apply(params, rollout.normalize(spec, normaliser, obs), method="actor")[0]


def train_brax(env: envs.Env, steps: int, seed: int) -> Callable[[jax.Array], jax.Array]:
    """The same with brax's trainer; its value loss has a half in it, and the policy is a Gaussian like ours."""
    from brax.training.agents.ppo import networks as brax_networks
    from brax.training.agents.ppo import train as brax_ppo

    # Gone from JAX 0.10; brax 0.14.2 still calls it.
    jax.device_put_replicated = lambda x, devices: jax.tree.map(lambda y: jnp.stack([y] * len(devices)), x)

    def factory(*arguments: Any, **options: Any) -> brax_networks.PPONetworks:
        return brax_networks.make_ppo_networks(
            *arguments,
            **options,
            policy_hidden_layer_sizes=HIDDEN,
            value_hidden_layer_sizes=HIDDEN,
            activation=nn.elu,
            distribution_type="normal",
            noise_std_type="log",
            init_noise_std=float(np.exp(LOG_STD)),
        )

    make_policy, params, _ = brax_ppo.train(
        environment=env,
        num_timesteps=steps,
        episode_length=EPISODE,
        num_envs=ENVS,
        unroll_length=N_STEPS,
        batch_size=ENVS // MINIBATCHES,
        num_minibatches=MINIBATCHES,
        num_updates_per_batch=PPO.n_epochs,
        learning_rate=PPO.learning_rate,
        entropy_cost=PPO.ent_coef,
        discounting=PPO.gamma,
        gae_lambda=PPO.gae_lambda,
        clipping_epsilon=PPO.clip_range,
        vf_loss_coefficient=2 * PPO.vf_coef,
        max_grad_norm=PPO.max_grad_norm,
        reward_scaling=REWARD_SCALE,
        normalize_observations=True,
        network_factory=factory,
        max_devices_per_host=1,
        num_evals=0,
        run_evals=False,
        seed=seed,
    )
    policy = make_policy(params, deterministic=True)
    return lambda obs: policy(obs, jax.random.PRNGKey(0))[0]


TRAINERS = {"ours": train_ours, "brax": train_brax}


def evaluate(env: envs.Env, policy: Callable[[jax.Array], jax.Array]) -> float:
    """Mean return of episodes of up to ``EPISODE`` steps, from the same starts for every policy."""

    def one(carry: tuple, _: None) -> tuple[tuple, None]:
        state, alive, total = carry
        state = jax.vmap(env.step)(state, jnp.clip(policy(state.obs), -1.0, 1.0))
        total = total + jnp.where(alive > 0, state.reward, 0.0)  # what goes on after the end may not be finite
        return (state, alive * (1.0 - state.done), total), None

    @jax.jit
    def run() -> jax.Array:
        state = jax.vmap(env.reset)(jax.random.split(jax.random.PRNGKey(123), EVALUATIONS))
        carry = (state, jnp.ones(EVALUATIONS), jnp.zeros(EVALUATIONS))
        return jax.lax.scan(one, carry, None, length=EPISODE)[0][2].mean()

    return float(run())


def compare(task: str, steps: int, seeds: int) -> dict:
    """Returns and seconds of each trainer: ``{"task", "steps", "ours": [...], "brax": [...], "ours_s", "brax_s"}``."""
    env = envs.get_environment(task, backend="generalized")
    row: dict = {
        "task": task,
        "steps": steps,
        "untrained": evaluate(env, lambda obs: jnp.zeros((len(obs), env.action_size))),
    }
    for name, train in TRAINERS.items():
        began = time.perf_counter()
        row[name] = [evaluate(env, train(env, steps, seed)) for seed in range(seeds)]
        row[f"{name}_s"] = time.perf_counter() - began
    return row


def table(rows: list[dict]) -> str:
    """Markdown: mean and spread (standard deviation over seeds) of the evaluation return."""
    lines = ["| task | control steps | no action | ours | brax |", "|---|---|---|---|---|"]
    for row in rows:
        told = (f"{statistics.fmean(row[n]):.0f} ± {statistics.pstdev(row[n]):.0f}" for n in TRAINERS)
        lines.append(f"| {row['task']} | {row['steps']:,} | {row['untrained']:.0f} | {' | '.join(told)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, help="control steps of each training (default: the task's own)")
    parser.add_argument("--json", type=Path, help="write the returns here")
    arguments = parser.parse_args()
    rows = [compare(task, arguments.steps or STEPS[task], arguments.seeds) for task in arguments.tasks]
    print(table(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
