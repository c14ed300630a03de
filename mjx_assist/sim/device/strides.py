"""The gait cycle as a device feels it: heel strikes from contact loads, and how far each leg's stride has got."""

from typing import Any, NamedTuple

import numpy as np

CONTACT_ON = 0.05  # body weights: above it a foot that was unloaded is in contact ...
CONTACT_OFF = 0.02  # ... until its load falls below this (the thresholds of eval/events.py)
MIN_SWING_S = 0.10  # a contact after a shorter unloading is a bounce, not a heel strike
STRIDES = 3  # whose mean duration is the estimate of the next one's
NOMINAL_STRIDE_S = 1.1  # before any was measured: adults at 1.25 m/s
PLAUSIBLE = (0.5, 2.0)  # of the estimate: what a measured stride may last to count
LOST = 1.5  # strides without a heel strike after which a leg is not walking


class GaitClock(NamedTuple):
    """Per leg (right, left): in contact? ``[2]``; s since it was loaded ``[2]``, since heel strike ``[2]`` (infinite
    before the first); durations of the last strides ``[2, STRIDES]``, s."""

    loaded: Any
    unloaded_s: Any
    since_strike_s: Any
    stride_s: Any


def start(xp: Any = np) -> GaitClock:
    """Nothing is known: no heel strike yet."""
    return GaitClock(
        loaded=xp.ones(2, bool),
        unloaded_s=xp.zeros(2),
        since_strike_s=xp.full(2, np.inf),
        stride_s=xp.full((2, STRIDES), NOMINAL_STRIDE_S),
    )


def advance(clock: GaitClock, load: Any, dt: float, xp: Any = np) -> GaitClock:
    """The clock one control step of ``dt`` s later, when the feet bear ``load`` ``[2]`` body weights.

    A heel strike seen now happened half a step ago in the mean, and counts from then.
    """
    loaded = xp.where(clock.loaded, load >= CONTACT_OFF, load > CONTACT_ON)
    swung = clock.unloaded_s > MIN_SWING_S - 0.5 * dt  # between two steps, so that rounding decides nothing
    strike = loaded & ~clock.loaded & swung
    elapsed = clock.since_strike_s + dt
    took = elapsed - 0.5 * dt
    estimate = clock.stride_s.mean(axis=-1)
    counts = strike & (took >= PLAUSIBLE[0] * estimate) & (took <= PLAUSIBLE[1] * estimate)
    newest = xp.concatenate([clock.stride_s[:, 1:], took[:, None]], axis=-1)
    return GaitClock(
        loaded=loaded,
        unloaded_s=xp.where(loaded, 0.0, clock.unloaded_s + dt),
        since_strike_s=xp.where(strike, 0.5 * dt, elapsed),
        stride_s=xp.where(counts[:, None], newest, clock.stride_s),
    )


def percent(clock: GaitClock, dt: float, xp: Any = np) -> tuple[Any, Any]:
    """``([2], [2])``: percent of the gait cycle in the middle of the coming control step, held at 100 until the next
    heel strike; and whether the leg walks at all (False before its first heel strike and long after its last)."""
    strides = (clock.since_strike_s + 0.5 * dt) / clock.stride_s.mean(axis=-1)
    return 100.0 * xp.minimum(strides, 1.0), strides < LOST
