"""Stable-Baselines3 PPO on mjx_assist/Walk22Exo-v0 through Gymnasium, in subprocesses; prints its control steps/s.

Networks, epochs and samples of an update are those of configs/walk22_exo.json; processes and minibatches are tried.
"""

import itertools
import os
import time
from functools import partial

import gymnasium
import torch
from settings import arguments, preset, report_fastest
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import SubprocVecEnv

from mjx_assist.config.schema import RunConfig

ACTIVATIONS = {"elu": torch.nn.ELU, "relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}
SMALLEST = 64  # control steps of an update


def make_env(backend: str) -> gymnasium.Env:
    return gymnasium.make("mjx_assist.gym_env:mjx_assist/Walk22Exo-v0", overrides={"env_params.backend": backend})


def rate(config: RunConfig, steps: int, processes: int, minibatches: int) -> float:
    """Control steps/s of the second update of ``steps`` control steps, all processes together."""
    ppo, policy = config.ppo_params, config.policy_params
    envs = SubprocVecEnv([partial(make_env, config.env_params.backend)] * processes)
    layers = {
        "net_arch": {"pi": list(policy.net_arch["human_actor"]), "vf": list(policy.net_arch["common_critic"])},
        "activation_fn": ACTIVATIONS[policy.activation],
        "log_std_init": policy.log_std_init,
    }
    model = PPO(
        "MlpPolicy",
        envs,
        n_steps=steps // processes,
        batch_size=steps // minibatches,
        n_epochs=ppo.n_epochs,
        policy_kwargs=layers,
        device="cpu",
        seed=config.env_params.seed,
    )
    model.learn(steps)  # warm up
    start = time.perf_counter()
    model.learn(steps, reset_num_timesteps=False)
    found = steps / (time.perf_counter() - start)
    envs.close()
    return found


def main() -> None:
    options = arguments(__doc__)
    config, cores = preset(options.backend), os.cpu_count() or 1
    own = config.env_params.num_envs * config.ppo_params.n_steps
    steps = SMALLEST if options.smallest else own
    processes = (1,) if options.smallest else (cores, 2 * cores, 4 * cores)
    minibatches = (1,) if options.smallest else (own // config.ppo_params.batch_size, 1)
    tried = ({"processes": p, "minibatches": m} for p, m in itertools.product(processes, minibatches))
    report_fastest(partial(rate, config, steps), tried)


if __name__ == "__main__":
    main()
