"""Stable-Baselines3 PPO on mjx_assist/Walk22Exo-v0 through Gymnasium, two subprocesses; prints its control steps/s.

Networks, epochs and minibatches per update are those of configs/walk22_exo.json.
"""

import json
import time

import gymnasium
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import SubprocVecEnv

from mjx_assist import config as configs
from mjx_assist.paths import data_path

WORKERS = 2
ACTIVATIONS = {"elu": torch.nn.ELU, "relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}


def make_env() -> gymnasium.Env:
    return gymnasium.make("mjx_assist.gym_env:mjx_assist/Walk22Exo-v0")


def main() -> None:
    envs = SubprocVecEnv([make_env] * WORKERS)
    config = configs.load(data_path("configs", "walk22_exo.json"))
    ppo, policy = config.ppo_params, config.policy_params
    steps = config.env_params.num_envs * ppo.n_steps  # of an update, all workers together
    layers = {
        "net_arch": {"pi": list(policy.net_arch["human_actor"]), "vf": list(policy.net_arch["common_critic"])},
        "activation_fn": ACTIVATIONS[policy.activation],
        "log_std_init": policy.log_std_init,
    }
    model = PPO(
        "MlpPolicy",
        envs,
        n_steps=steps // WORKERS,
        batch_size=ppo.batch_size,
        n_epochs=ppo.n_epochs,
        policy_kwargs=layers,
        device="cpu",
        seed=config.env_params.seed,
    )
    model.learn(steps)  # warm up
    start = time.perf_counter()
    model.learn(steps, reset_num_timesteps=False)
    result = {"control_steps_per_s": steps / (time.perf_counter() - start), "workers": WORKERS}
    envs.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
