"""brax's PPO on the same env with C MuJoCo behind it; prints its control steps/s.

Envs, rollout, networks, epochs and minibatches are those of configs/walk22_exo.json.
"""

import functools
import json
import time

import jax
import jax.numpy as jnp
from brax.training.agents.ppo import networks, train

from mjx_assist import config as configs
from mjx_assist.paths import data_path
from mjx_assist.sim.env import make_env

UPDATES = 10  # in each of two epochs; the first one compiles

# brax 0.14.2 calls what jax 0.10 no longer has.
jax.device_put_replicated = lambda x, devices: jax.tree.map(lambda y: jnp.stack([y] * len(devices)), x)


def main() -> None:
    preset = data_path("configs", "walk22_exo.json")
    config = configs.load(preset, [("env_params.backend", "mujoco")])
    num_envs, ppo = config.env_params.num_envs, config.ppo_params
    per_epoch = UPDATES * num_envs * ppo.n_steps
    times: list[float] = []
    minibatches = num_envs * ppo.n_steps // ppo.batch_size
    arch = config.policy_params.net_arch
    layers = {
        "policy_hidden_layer_sizes": arch["human_actor"],
        "value_hidden_layer_sizes": arch["common_critic"],
        "activation": getattr(jax.nn, config.policy_params.activation),
    }
    train.train(
        environment=make_env(config.env_params),
        num_timesteps=2 * per_epoch,
        num_evals=3,
        run_evals=False,
        progress_fn=lambda *_: times.append(time.perf_counter()),
        num_envs=num_envs,
        episode_length=config.env_params.custom_max_episode_steps,
        unroll_length=ppo.n_steps,
        batch_size=num_envs // minibatches,
        num_minibatches=minibatches,
        num_updates_per_batch=ppo.n_epochs,
        normalize_observations=True,
        network_factory=functools.partial(networks.make_ppo_networks, **layers),
    )
    print(json.dumps({"control_steps_per_s": per_epoch / (times[-1] - times[-2]), "num_envs": num_envs}))


if __name__ == "__main__":
    main()
