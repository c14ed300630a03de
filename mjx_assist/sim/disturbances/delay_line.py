"""A signal's last values, newest first, and what it was a while ago; the same for training (jax) and replay (numpy)."""

from typing import Any

import numpy as np


def length(longest: float, dt: float) -> int:
    """How many values a line must hold for a delay of ``longest`` s at one value every ``dt`` s."""
    return int(np.ceil(longest / dt - 1e-9)) + 1


def push(line: Any, newest: Any, xp: Any = np) -> Any:
    """The line ``[H, n]`` with the newest value ``[n]`` in front, the oldest dropped."""
    return xp.concatenate([newest[None], line[:-1]])


def read(line: Any, delay: Any, xp: Any = np) -> Any:
    """The value ``[n]`` of ``delay`` steps ago (any number from 0 to H - 1), linear between neighbours."""
    weight = xp.maximum(1.0 - xp.abs(xp.arange(line.shape[0]) - delay), 0.0)
    return weight @ line
