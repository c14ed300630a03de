"""What a single number of a run's config may be; relations between several are in config.py."""

import fnmatch
import math
from collections.abc import Callable, Iterator
from typing import Any

from mjx_assist.errors import UserError

# Key patterns, what their numbers must be, and whether one is. Keys that match none may hold any finite number.
LIMITS: tuple[tuple[tuple[str, ...], str, Callable[[float], bool]], ...] = (
    (
        (
            "total_timesteps",
            *(f"env_params.{k}" for k in ("num_envs", "control_framerate", "physics_sim_framerate")),
            *(f"env_params.{k}" for k in ("custom_max_episode_steps", "out_of_trajectory_threshold")),
            *(f"ppo_params.{k}" for k in ("n_steps", "batch_size", "n_epochs", "learning_rate")),
            *(f"ppo_params.{k}" for k in ("clip_range", "max_grad_norm")),
            *(f"logger_params.{k}" for k in ("logging_frequency", "checkpoint_frequency", "keep_checkpoints")),
            "policy_params.net_arch.*",
        ),
        "be positive",
        lambda x: x > 0,
    ),
    (
        (
            "env_params.num_threads",
            *(f"ppo_params.{k}" for k in ("clip_range_vf", "ent_coef", "vf_coef", "target_kl", "max_kl")),
            "ppo_params.mirror_loss_coef",
            "logger_params.evaluation_frequency",
            "policy_params.head_options.*.learning_rate",
        ),
        "be 0 or more",
        lambda x: x >= 0,
    ),
    (("ppo_params.gamma", "ppo_params.gae_lambda"), "lie in 0..1", lambda x: 0 <= x <= 1),
    (("policy_params.head_options.*.initial_action",), "lie in -1..1", lambda x: -1 <= x <= 1),
    (("env_params.seed",), "lie in 0..4294967295", lambda x: 0 <= x < 2**32),
)


def check(tree: dict) -> None:
    """Check every number of a config given as plain data.

    Raises:
        UserError: one that is not finite (JSON knows NaN), or out of its limits.
    """
    for key, value in _numbers(tree, ""):
        if not math.isfinite(value):
            raise UserError(f"config key {key!r}: must be a finite number, got {value}.")
        for patterns, told, holds in LIMITS:
            if not holds(value) and any(fnmatch.fnmatchcase(key, pattern) for pattern in patterns):
                raise UserError(f"config key {key!r}: must {told}, got {value}.")


def _numbers(node: Any, key: str) -> Iterator[tuple[str, float]]:
    if isinstance(node, dict):
        for name, child in node.items():
            yield from _numbers(child, f"{key}.{name}" if key else name)
    elif isinstance(node, list):
        for i, child in enumerate(node):
            yield from _numbers(child, f"{key}[{i}]")
    elif isinstance(node, int | float) and not isinstance(node, bool):
        yield key, node
