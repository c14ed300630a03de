"""Pushes to the pelvis, forward or backward, again and again; for training (jax) and replay (numpy)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

N_IMPULSES = 8  # an episode cycles through this many drawn pushes
DURATION_S = 0.2


class Pushes(NamedTuple):
    """One episode's: ``impulse [8]`` N*s, forward positive; one begins every ``interval`` s, the first after one."""

    impulse: Any
    interval: Any


def sample(impulse: Sequence[Any], interval: Sequence[Any], uniform: Any, xp: Any = np) -> Pushes:
    """From ``N_IMPULSES + 1`` numbers uniform in 0..1; sizes lie in ``impulse``, both directions are as likely."""
    signed = 2.0 * uniform[:N_IMPULSES] - 1.0
    size = impulse[0] + (impulse[1] - impulse[0]) * xp.abs(signed)
    return Pushes(xp.sign(signed) * size, interval[0] + (interval[1] - interval[0]) * uniform[N_IMPULSES])


def force(pushes: Pushes, time: Any, dt: float, xp: Any = np) -> Any:
    """Force (N) in the control step of length ``dt`` that begins at ``time`` (s): constant over the whole of a push."""
    steps = max(1, round(DURATION_S / dt))
    count = xp.floor(time / pushes.interval + 1e-6)
    since = time - count * pushes.interval
    on = (count >= 1) & (since < (steps - 0.5) * dt)
    return xp.where(on, pushes.impulse[(count.astype(int) - 1) % N_IMPULSES] / (steps * dt), 0.0)
