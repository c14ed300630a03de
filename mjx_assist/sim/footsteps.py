"""Heel strikes from foot loads, and the reward terms that are computed at one and held until the next."""

from typing import Any, NamedTuple

import numpy as np

CONTACT_LOAD = 0.1  # body weights: a foot bears load
STRIKE_STEPS = 3  # control steps with load that make a heel strike


class Footsteps(NamedTuple):
    """What happened since the last heel strike, and the terms computed there, held until the next.

    loaded ``[2]``: control steps that each foot has borne load; last: foot of the last strike (-1 none);
    time s; velocity_error m; effort s; held ``[3]``.
    """

    loaded: Any
    last: Any
    time: Any
    velocity_error: Any
    effort: Any
    held: Any


def no_footsteps(xp: Any = np) -> Footsteps:
    """The state at the start of an episode."""
    zero = xp.zeros(())
    return Footsteps(xp.zeros(2), xp.asarray(-1.0), zero, zero, zero, xp.zeros(3))


def advance_footsteps(
    steps: Footsteps, foot_load: Any, velocity_error: Any, effort: Any, dt: float, xp: Any = np
) -> Footsteps:
    """One control step: integrate, and at a heel strike renew the held terms. Scalars per walker."""
    loaded = xp.where(foot_load > CONTACT_LOAD, steps.loaded + 1, 0.0)
    time = steps.time + dt
    integral = steps.velocity_error + dt * velocity_error
    energy = steps.effort + dt * effort
    strikes = (loaded == STRIKE_STEPS) & (xp.arange(2) != steps.last)
    strike = xp.any(strikes)
    now = xp.stack([time, -xp.abs(integral), -energy])
    return Footsteps(
        loaded=loaded,
        last=xp.where(strike, xp.argmax(strikes), steps.last),
        time=xp.where(strike, 0.0, time),
        velocity_error=xp.where(strike, 0.0, integral),
        effort=xp.where(strike, 0.0, energy),
        held=xp.where(strike, now, steps.held),
    )
