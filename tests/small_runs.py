"""Runs so small that they take seconds: what the tests that train have in common, and how two of them are compared."""

import json

import numpy as np

from mjx_assist.paths import EVALUATION_LOG, TRAIN_LOG
from mjx_assist.training import export

NETS = {"human_actor": [16], "exo_actor": [8], "common_critic": [16]}
UPDATE = 64  # control steps: 8 walkers, 8 steps each
PPO = {"n_steps": 8, "batch_size": 32, "n_epochs": 2}
REWARDS = {"forward_reward": 1.0, "qpos_imitation_rewards": {"hip_flexion_r": 1.0}}
# To be given `total_timesteps`. Episodes of six control steps end in every update.
CONFIG = {
    "env_params": {
        "backend": "mujoco",
        "num_envs": 8,
        "custom_max_episode_steps": 6,
        "reward_keys_and_weights": REWARDS,
    },
    "policy_params": {"net_arch": NETS},
    "ppo_params": PPO,
    "logger_params": {"checkpoint_frequency": 1, "evaluation_frequency": 0},
}
FLAGS = {
    "env_params.num_envs": "2",
    "env_params.backend": "mujoco",
    "ppo_params.n_steps": "2",
    "ppo_params.batch_size": "4",
    "ppo_params.n_epochs": "2",
    "policy_params.net_arch": '{"human_actor": [4], "exo_actor": [4], "common_critic": [4]}',
    "logger_params.evaluation_frequency": "0",
}


def flags(updates):
    """The words of a command line that trains so many updates of two walkers."""
    values = {**FLAGS, "total_timesteps": str(4 * updates)}
    return [word for key, value in values.items() for word in (f"--{key}", value)]


def rows(run):
    """The log, without what a clock measured."""
    log = [json.loads(line) for line in (run / TRAIN_LOG).read_text().splitlines()]
    return [{k: v for k, v in row.items() if k not in ("wall_s", "steps_per_s")} for row in log]


def weights(run):
    """Every array of the policy in the newest checkpoint."""
    policy = export.export_run(run).policy
    return [policy.mean, policy.std, *(x for head in policy.heads for layer in head.layers for x in layer)]


def assert_equals(run, other):
    """Bit for bit: the logs, and the policies at the end."""
    assert rows(run) == rows(other)
    for x, expected in zip(weights(run), weights(other), strict=True):
        np.testing.assert_array_equal(x, expected)


def as_trained(config, path):
    """The files of a finished run whose numbers follow from its seed."""
    seed = config.env_params.seed
    rows = [
        {
            "update": i,
            "control_steps": config.total_timesteps * i // 40,
            "wall_s": 30.0 * i,
            "reward": seed + (i > 39),
            "episodes": i,
            "episode_length": 10.0 * i,
        }
        for i in range(1, 41)
    ]
    walks = [
        {
            "control_steps": 1000 * i,
            "falls": 0 if i >= seed else 2,
            "walking_time_s": 11.0 * i,
            "speed_m_s": 1.25,
            **{f"correlation/{angle}": None if seed == 2 else 0.9 for angle in ("hip", "knee", "ankle")},
        }
        for i in (1, 2, 3)
    ]
    for name, lines in ((TRAIN_LOG, rows), (EVALUATION_LOG, walks)):
        (path / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    (path / "policy").mkdir(exist_ok=True)
    (path / "policy" / "bundle.json").write_text("{}")
