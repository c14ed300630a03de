"""brax's PPO on the same env; prints its control steps/s.

Rollout, networks and epochs are those of configs/walk22_exo.json; numbers of walkers and minibatches are tried.
"""

import functools
import itertools
import time

import jax
import jax.numpy as jnp
from brax.training.agents.ppo import networks, train
from settings import arguments, preset, report_fastest

from mjx_assist.config.schema import RunConfig
from mjx_assist.sim.env import make_env

SAMPLES = 20_480  # control steps, at least, in each epoch
SMALLEST = 8  # walkers

# brax 0.14.2 calls what jax 0.10 no longer has.
jax.device_put_replicated = lambda x, devices: jax.tree.map(lambda y: jnp.stack([y] * len(devices)), x)


def rate(config: RunConfig, samples: int, walkers: int, minibatches: int) -> float:
    """Control steps/s of the third epoch of ``samples`` or a few more: brax compiles in the first and the second."""
    ppo, arch = config.ppo_params, config.policy_params.net_arch
    per_update = walkers * ppo.n_steps
    per_epoch = -(-samples // per_update) * per_update
    times: list[float] = []
    layers = {
        "policy_hidden_layer_sizes": arch["human_actor"],
        "value_hidden_layer_sizes": arch["common_critic"],
        "activation": getattr(jax.nn, config.policy_params.activation),
    }
    train.train(
        environment=make_env(config.env_params),
        num_timesteps=3 * per_epoch,
        num_evals=4,
        run_evals=False,
        progress_fn=lambda *_: times.append(time.perf_counter()),
        num_envs=walkers,
        episode_length=config.env_params.custom_max_episode_steps,
        unroll_length=ppo.n_steps,
        batch_size=walkers // minibatches,
        num_minibatches=minibatches,
        num_updates_per_batch=ppo.n_epochs,
        normalize_observations=True,
        network_factory=functools.partial(networks.make_ppo_networks, **layers),
    )
    return per_epoch / (times[-1] - times[-2])


def main() -> None:
    options = arguments(__doc__)
    config = preset(options.backend)
    own, ppo = config.env_params.num_envs, config.ppo_params
    minibatches = (1,) if options.smallest else (own * ppo.n_steps // ppo.batch_size, 1)
    walkers = (SMALLEST,) if options.smallest else (own, 4 * own)
    tried = ({"walkers": w, "minibatches": m} for w, m in itertools.product(walkers, minibatches))
    report_fastest(functools.partial(rate, config, 1 if options.smallest else SAMPLES), tried)


if __name__ == "__main__":
    main()
