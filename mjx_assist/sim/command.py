"""The commanded walking speed over an episode: UNIFORM (constant), SINUSOIDAL or STEP, in MyoAssist's words.

RANDOM draws one of the three for each episode; MIXED too, the sinusoid then between two drawn speeds.
"""

from typing import Any, NamedTuple

import numpy as np

from mjx_assist.config.schema import EnvParams
from mjx_assist.config.words import MIXED, RANDOM, SINUSOIDAL, STEP, UNIFORM

N_LEVELS = 8  # STEP cycles through this many drawn speeds
MODES = (UNIFORM, SINUSOIDAL, STEP)


class Command(NamedTuple):
    """One episode's command. ``levels [8]`` and ``swing [2]`` (of the sinusoid) m/s; ``period`` s; ``offset`` in cycles
    of the period; ``mode``: index into `MODES`."""

    levels: Any
    period: Any
    offset: Any
    swing: Any
    mode: Any


class CommandRange(NamedTuple):
    """What commands are drawn from: speeds in m/s, periods in s."""

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


def sample(limits: CommandRange, uniform: Any, xp: Any = np) -> Command:
    """A command from ``N_LEVELS + 2`` numbers uniform in 0..1 (the caller's generator stays the caller's)."""
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
