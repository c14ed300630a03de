"""The commanded walking speed over an episode, and the commanded turn: UNIFORM (constant), SINUSOIDAL or STEP, in
MyoAssist's words.

RANDOM draws one of the three for each episode; MIXED too, the sinusoid then between two drawn speeds.
"""

from typing import Any, NamedTuple

import numpy as np

from mjx_assist.config.schema import EnvParams
from mjx_assist.config.words import MIXED, RANDOM, SINUSOIDAL, STEP, UNIFORM

RAMP = 1.0  # m/s^2 out of standing and into it: people begin and end a walk within about two steps
STANDS = (0.5, 2.0)  # s that an episode which begins standing stands, at least and at most
STOPS = (0.5, 0.8)  # share of its length after which it stops for good
N_STANDING = 3  # numbers uniform in 0..1 that `standing` takes
N_LEVELS = 8  # STEP cycles through this many drawn speeds
N_UNIFORM = N_LEVELS + 2  # numbers uniform in 0..1 that `sample` takes
MODES = (UNIFORM, SINUSOIDAL, STEP)


class Command(NamedTuple):
    """One episode's command. ``levels [8]`` and ``swing [2]`` (of the sinusoid) m/s; ``period`` s; ``offset`` in cycles
    of the period; ``mode``: index into `MODES`."""

    levels: Any
    period: Any
    offset: Any
    swing: Any
    mode: Any


class Standing(NamedTuple):
    """When an episode stands: before ``start`` and from ``stop`` on, s; the speed rises and falls by `RAMP`."""

    start: Any
    stop: Any


class CommandRange(NamedTuple):
    """What commands are drawn from: speeds in m/s (or heading rates in rad/s), periods in s."""

    mode: str
    speed: tuple[float, float]
    period: tuple[float, float]


def command_range(params: EnvParams) -> CommandRange:
    """What the config's target-velocity keys say."""
    return CommandRange(
        mode=params.velocity_mode,
        speed=(params.min_target_velocity, params.max_target_velocity),
        period=(params.min_target_velocity_period, params.max_target_velocity_period),
    )


def turn_range(params: EnvParams) -> CommandRange:
    """What the config's heading-rate keys say; changes come as often as the speed's."""
    turn = (params.min_heading_rate, params.max_heading_rate)
    return command_range(params)._replace(mode=params.heading_rate_mode, speed=turn)


def standing(share: float, length: float, uniform: Any, xp: Any = np) -> Standing:
    """Of an episode of ``length`` s, from `N_STANDING` numbers uniform in 0..1: does it stand, how long, from when."""
    stands = uniform[0] < share
    start = STANDS[0] + (STANDS[1] - STANDS[0]) * uniform[1]
    stop = length * (STOPS[0] + (STOPS[1] - STOPS[0]) * uniform[2])
    return Standing(xp.where(stands, start, -np.inf), xp.where(stands, stop, np.inf))


def held(speed: Any, stands: Standing | tuple, time: Any, xp: Any = np) -> Any:
    """The commanded speed (m/s) with what standing leaves of it at ``time`` (s); itself where nothing stands."""
    if not isinstance(stands, Standing):
        return speed
    ramp = RAMP * xp.minimum(time - stands.start, stands.stop - time)
    return xp.clip(speed, 0.0, xp.maximum(ramp, 0.0))


def sample(limits: CommandRange, uniform: Any, xp: Any = np) -> Command:
    """A command from `N_UNIFORM` numbers uniform in 0..1 (the caller's generator stays the caller's)."""
    low, high = limits.speed
    shortest, longest = limits.period
    uniform = xp.asarray(uniform)
    levels = low + (high - low) * uniform[:N_LEVELS]
    drawn = limits.mode in (
        MIXED,
        RANDOM,
    )  # the last level tells which: only a seventh change of speed would come to it
    return Command(
        levels=levels,
        period=shortest + (longest - shortest) * uniform[N_LEVELS],
        offset=uniform[N_LEVELS + 1],
        swing=levels[:2] if limits.mode == MIXED else xp.stack([xp.asarray(low), xp.asarray(high)]),
        mode=xp.floor(3 * uniform[N_LEVELS - 1]) if drawn else xp.asarray(float(MODES.index(limits.mode))),
    )


def target_velocity(command: Command, time: Any, xp: Any = np) -> Any:
    """Commanded speed (m/s) at ``time`` (s) into the episode."""
    cycles = time / command.period + command.offset
    low, high = command.swing
    sinusoid = 0.5 * (low + high) + 0.5 * (high - low) * xp.sin(2 * np.pi * cycles)
    step = command.levels[xp.floor(cycles).astype(int) % N_LEVELS]
    return xp.where(command.mode == 0, command.levels[0], xp.where(command.mode == 1, sinusoid, step))
