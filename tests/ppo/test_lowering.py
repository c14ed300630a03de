"""What can be said about accelerators without one: the whole update lowers for CUDA and TPU; warp trains on a CPU."""

from functools import partial

import jax
import numpy as np
import pytest

from mjx_assist import config as configs
from mjx_assist.ppo import learner
from mjx_assist.sim.env import make_env
from mjx_assist.training import loop

TINY = {
    "env_params": {
        "num_envs": 2,
        "physics_sim_framerate": 240,
        "reward_keys_and_weights": {"forward_reward": 1.0, "pose_tracking_rewards": {"*knee_angle_?": 1.0}},
    },
    "policy_params": {"net_arch": {"human_actor": [8], "exo_actor": [8], "common_critic": [8]}},
    "ppo_params": {"n_steps": 2, "batch_size": 2, "n_epochs": 2},
}


def made(backend: str):
    config = configs.from_dict({**TINY, "env_params": {**TINY["env_params"], "backend": backend}})
    env = make_env(config.env_params)
    spec = loop.make_policy_spec(config, env)
    return learner.make_learner(loop.batched(env), spec, config.ppo_params)


def test_the_whole_update_lowers_for_cuda_and_tpu():
    mjx = made("mjx")
    state = jax.eval_shape(partial(learner.init, mjx), jax.random.PRNGKey(0))
    exported = jax.export.export(jax.jit(partial(learner.train_step, mjx)), platforms=("cuda", "tpu"))(state)
    assert exported.platforms == ("cuda", "tpu")
    out = jax.tree.unflatten(exported.out_tree, exported.out_avals)
    assert jax.tree.map(lambda x: (x.shape, x.dtype), out[0]) == jax.tree.map(lambda x: (x.shape, x.dtype), state)


@pytest.mark.slow  # compiles Warp's kernels: minutes the first time
def test_warp_trains_two_updates_on_a_cpu():
    pytest.importorskip("warp")
    warp = made("warp")
    update = jax.jit(partial(learner.train_step, warp))
    first = jax.jit(partial(learner.init, warp))(jax.random.PRNGKey(0))
    state = first
    for _ in range(2):
        state, log = update(state)[:2]
        assert np.isfinite([float(x) for x in log.values()]).all()
        assert log["env/overflow"] == 0
    moved = jax.tree.map(lambda a, b: bool((a != b).any()), first.params, state.params)
    assert all(jax.tree.leaves(moved["params"]["critic"]))
