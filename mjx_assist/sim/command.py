"""The commanded walking speed over an episode: UNIFORM (constant), SINUSOIDAL or STEP, in MyoAssist's words."""

from typing import Any, NamedTuple

import numpy as np

from mjx_assist.config import EnvParams

N_LEVELS = 8  # STEP cycles through this many drawn speeds


class Command(NamedTuple):
    """One episode's command. ``levels [8]`` m/s; ``period`` s; ``offset`` in cycles of the period."""

    levels: Any
    period: Any
    offset: Any


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


def draw(limits: CommandRange, uniform: Any, xp: Any = np) -> Command:
    """A command from ``N_LEVELS + 2`` numbers uniform in 0..1 (the caller's generator stays the caller's)."""
    low, high = limits.speed
    shortest, longest = limits.period
    uniform = xp.asarray(uniform)
    return Command(
        levels=low + (high - low) * uniform[:N_LEVELS],
        period=shortest + (longest - shortest) * uniform[N_LEVELS],
        offset=uniform[N_LEVELS + 1],
    )


def target_velocity(limits: CommandRange, command: Command, time: Any, xp: Any = np) -> Any:
    """Commanded speed (m/s) at ``time`` (s) into the episode."""
    if limits.mode == "UNIFORM":
        return command.levels[0]
    cycles = time / command.period + command.offset
    if limits.mode == "SINUSOIDAL":
        low, high = limits.speed
        return 0.5 * (low + high) + 0.5 * (high - low) * xp.sin(2 * np.pi * cycles)
    return command.levels[xp.floor(cycles).astype(int) % N_LEVELS]
