"""Eight devices train what one device trains. As a script, where there are eight, it prints the differences."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import jax
import numpy as np
import pytest
import toy

from mjx_assist import config as configs
from mjx_assist.config.schema import PPOParams
from mjx_assist.ppo import learner, sharding
from mjx_assist.sim.env import make_env
from mjx_assist.training import loop

DEVICES, UPDATES = 8, 3
TINY = {
    "env_params": {
        "num_envs": 16,
        "custom_max_episode_steps": 3,
        "reward_keys_and_weights": {"forward_reward": 1.0, "qpos_imitation_rewards": {"hip_flexion_r": 1.0}},
    },
    "policy_params": {"net_arch": {"human_actor": [8], "exo_actor": [4], "common_critic": [8]}, "log_std_init": -1.5},
    "ppo_params": {"n_steps": 4, "batch_size": 32, "n_epochs": 2},
}


def parts(case):
    """(walkers, spec, ppo)"""
    if case.startswith("toy"):
        # as dealt out: every walker gives the same number of samples; in groups: every two walkers together
        batch_size, max_kl = {"toy": (32, 0.0), "toy, groups": (16, 0.0), "toy, max_kl": (32, 0.003)}[case]
        ppo = PPOParams(n_steps=6 if "groups" in case else 8, batch_size=batch_size, n_epochs=2, max_kl=max_kl)
        return toy.batched(32), toy.spec(), ppo
    config = configs.from_dict({**TINY, "env_params": {**TINY["env_params"], "backend": case}})
    env = make_env(config.env_params)
    spec = loop.make_policy_spec(config, env)
    return loop.batched(env), spec, config.ppo_params


def trained(case, devices):
    """(log of every update, parameters and normaliser at the end) on the first so many devices."""
    walkers, spec, ppo = parts(case)
    mesh = sharding.device_mesh(walkers.number, jax.devices()[:devices])
    made = learner.make_learner(walkers, spec, ppo, mesh)
    init = jax.jit(partial(learner.init, made), out_shardings=sharding.shardings(mesh, learner.SPECS))
    state = init(jax.random.PRNGKey(1))
    assert len(state.episodes.length.sharding.device_set) == devices
    update, logs = learner.jitted(made, as_one=True), []
    for _ in range(UPDATES):
        state, log, _ = update(state)
        logs.append({k: float(v) for k, v in log.items()})
    learned = jax.device_get((state.params, state.normaliser.mean, state.normaliser.std))
    return logs, [np.asarray(x) for x in jax.tree.leaves(learned)]


def differences(case):
    """Largest relative difference of a number of the log, and of a parameter, between one device and all."""
    (logs, learned), (logs_all, learned_all) = (trained(case, n) for n in (1, DEVICES))
    of_log = {
        f"{name} of update {i}": abs(row[name] - other[name]) / max(1.0, abs(row[name]))
        for i, (row, other) in enumerate(zip(logs, logs_all, strict=True))
        for name in row
    }
    worst = max(of_log, key=of_log.get)
    moved = max(np.abs(a - b).max() / max(1.0, np.abs(a).max()) for a, b in zip(learned, learned_all, strict=True))
    return {"name": worst, "log": of_log[worst], "parameters": float(moved), "episodes": logs[-1]["episodes"]}


def run_in_a_process_with_eight_devices(*cases):
    environment = {
        **os.environ,
        "XLA_FLAGS": f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count={DEVICES}",
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, __file__, *cases]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def assert_equal(found):
    for case, difference in found.items():
        assert difference["log"] < 1e-4, (case, difference)
        assert difference["parameters"] < 1e-4, (case, difference)
        assert difference["episodes"] > 0, case


def test_eight_devices_equal_one():
    assert_equal(run_in_a_process_with_eight_devices("toy, groups"))


@pytest.mark.slow
def test_eight_devices_equal_one_that_deals_out_and_stops_early():
    assert_equal(run_in_a_process_with_eight_devices("toy", "toy, max_kl"))


@pytest.mark.slow
def test_eight_devices_equal_one_with_walkers_in_c_mujoco():
    """Eight devices share one thread pool, each calling from a thread of its own."""
    assert_equal(run_in_a_process_with_eight_devices("mujoco"))


@pytest.mark.slow
def test_eight_devices_equal_one_with_walkers_in_mjx():
    assert_equal(run_in_a_process_with_eight_devices("mjx"))


if __name__ == "__main__":
    assert len(jax.devices()) == DEVICES
    print(json.dumps({case: differences(case) for case in sys.argv[1:]}))
