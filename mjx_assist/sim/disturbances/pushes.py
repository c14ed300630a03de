"""Pushes to the pelvis, forward, backward or from a side, again and again; for training (jax) and replay (numpy)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

N_IMPULSES = 8  # an episode cycles through this many drawn pushes
DURATION_S = 0.2


class Pushes(NamedTuple):
    """One episode's: ``impulse [8]`` N*s, forward positive; one begins every ``interval`` s, the first after one."""

    impulse: Any
    interval: Any


class Directed(NamedTuple):
    """Pushes whose directions differ: each of them turned by an ``angle [8]``, rad, to the left."""

    pushes: Pushes
    angle: Any


Pushing = Pushes | Directed


def directed(pushes: Pushes, angle: Sequence[Any], uniform: Any) -> Directed:
    """Turned by angles that lie in ``angle``, from `N_IMPULSES` numbers uniform in 0..1."""
    return Directed(pushes, angle[0] + (angle[1] - angle[0]) * uniform)


def sample(impulse: Sequence[Any], interval: Sequence[Any], uniform: Any, xp: Any = np) -> Pushes:
    """From ``N_IMPULSES + 1`` numbers uniform in 0..1; sizes lie in ``impulse``, both directions are as likely."""
    signed = 2.0 * uniform[:N_IMPULSES] - 1.0
    size = impulse[0] + (impulse[1] - impulse[0]) * xp.abs(signed)
    return Pushes(xp.sign(signed) * size, interval[0] + (interval[1] - interval[0]) * uniform[N_IMPULSES])


def force(pushes: Pushes, time: Any, dt: float, xp: Any = np) -> Any:
    """Force (N) in the control step of length ``dt`` that begins at ``time`` (s): constant over the whole of a push."""
    steps = max(1, round(DURATION_S / dt))
    count, since = _since(pushes, time, xp)
    on = (count >= 1) & (since < (steps - 0.5) * dt)
    return xp.where(on, pushes.impulse[_which(count)] / (steps * dt), 0.0)


def horizontal(pushing: Pushing, time: Any, dt: float, xp: Any = np, heading: Any = None) -> tuple[Any, Any]:
    """The same force along the world's x and to its left (None where no push is off x). ``heading``: rad, where forward
    is; None: along x."""
    if not isinstance(pushing, Directed):
        size = force(pushing, time, dt, xp)
        return (size, None) if heading is None else along(size, heading, xp)
    angle = pushing.angle[_which(_since(pushing.pushes, time, xp)[0])] + (0.0 if heading is None else heading)
    size = force(pushing.pushes, time, dt, xp)
    return along(size, angle, xp)


def along(size: Any, heading: Any, xp: Any = np) -> tuple[Any, Any]:
    """(along x, to the left) of a force; ``heading``: rad, None: along x."""
    return (size, 0.0) if heading is None else (size * xp.cos(heading), size * xp.sin(heading))


def _since(pushes: Pushes, time: Any, xp: Any) -> tuple[Any, Any]:
    """(how many have begun, s since the last did)."""
    count = xp.floor(time / pushes.interval + 1e-6)
    return count, time - count * pushes.interval


def _which(count: Any) -> Any:
    return (count.astype(int) - 1) % N_IMPULSES
