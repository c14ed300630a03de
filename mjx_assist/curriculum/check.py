"""What is checked of a curriculum before a run: its numbers, its keys and what they are a schedule of."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from itertools import pairwise
from typing import Any

from mjx_assist.curriculum.progress import at
from mjx_assist.curriculum.settings import Curriculum, Randomization
from mjx_assist.errors import UserError, unknown
from mjx_assist.terrain.kinds import kinds

Limit = tuple[str, Callable[[float], bool]]  # what a value must do, and whether one does
_POSITIVE: Limit = ("be positive", lambda x: x > 0)
_SHARE: Limit = ("lie in 0..1", lambda x: 0 <= x <= 1)
_ANY: Limit = ("be a number", lambda x: True)
# Keys of env_params that can change; those of its groups are in `schedulable`.
SCALARS: dict[str, Limit] = {
    "min_target_velocity": _POSITIVE,
    "max_target_velocity": _POSITIVE,
    "min_heading_rate": _ANY,
    "max_heading_rate": _ANY,
    "out_of_trajectory_threshold": _POSITIVE,
    "safe_height": _ANY,
    "device_torque_limit": _SHARE,
    "terrain_amplitude": _SHARE,
}
SPEED, TURN = ("min_target_velocity", "max_target_velocity"), ("min_heading_rate", "max_heading_rate")
NO_NEUTRAL = (
    "device_bandwidth",
    "device_off_time",
    "push_angle",
    "push_interval",
)  # ranges that no share can shrink to nothing


def check_curriculum(settings: Curriculum, env: Any, where: str) -> None:
    """Check a curriculum against the other ``env_params``; ``where`` is ``config key '<path>``, its quote still open.

    Raises:
        UserError: numbers that no progress follows from, a key that cannot change or whose base is off, a value out of
            its limits, a slowest speed above the fastest.
    """
    _check_levels(settings, where)
    if not settings.by_level and not settings.by_step:
        raise UserError(f"{where}': changes nothing; give by_level or by_step a key, or null for the curriculum.")
    for key in settings.by_level.keys() & settings.by_step.keys():
        raise UserError(f"{where}': {key!r} is in by_level and in by_step; only one of them can set it.")
    for key, ends in settings.by_level.items():
        _check_key(key, env, f"{where}.by_level")
        if len(ends) != 2:
            raise UserError(f"{where}.by_level.{key}': must be [at level 0, at the highest], got {list(ends)}.")
        _check_values(key, ends, env, f"{where}.by_level.{key}'")
    for key, points in settings.by_step.items():
        _check_key(key, env, f"{where}.by_step")
        _check_points(points, f"{where}.by_step.{key}'")
        _check_values(key, [value for _, value in points], env, f"{where}.by_step.{key}'")
    _check_speeds(settings, env, where)


def schedulable(env: Any) -> dict[str, Limit]:
    """Every key of env_params that a curriculum can change, and its limit."""
    terms = [f"reward_keys_and_weights.{name}" for name in env.reward_keys_and_weights.terms]
    ranges = [f"randomization.{f.name}" for f in fields(Randomization) if f.name not in NO_NEUTRAL]
    return {**SCALARS, **dict.fromkeys(terms, _ANY), **dict.fromkeys(ranges, _SHARE)}


def _check_levels(settings: Curriculum, where: str) -> None:
    levels, start, demote, promote = settings.levels, settings.start_level, settings.demote, settings.promote
    if levels < 2:
        raise UserError(f"{where}.levels': must be 2 or more, got {levels}.")
    if not 0 <= start < levels:
        raise UserError(f"{where}.start_level': must lie in 0..{levels - 1} (levels - 1), got {start}.")
    if not 0 <= demote < promote <= 1:
        raise UserError(f"{where}.demote' ({demote}) and 'promote' ({promote}): need 0 <= demote < promote <= 1.")
    if settings.promote_tracking < 0:
        raise UserError(f"{where}.promote_tracking': must be 0 or more, got {settings.promote_tracking}.")


def _check_key(key: str, env: Any, where: str) -> None:
    """There is such a key, and something that its values can change."""
    if key not in schedulable(env):
        raise unknown(f"{where}'", key, schedulable(env))
    group, _, name = key.partition(".")
    if group == "reward_keys_and_weights":
        base = env.reward_keys_and_weights.terms[name]
    else:
        base = getattr(getattr(env, group), name) if name else None
    if name and not (any(base.values()) if isinstance(base, dict) else base):
        what = "range" if group == "randomization" else "weight"
        raise UserError(f"{where}.{key}': has nothing to change; give 'env_params.{key}' a {what}.")
    if key in TURN and not env.turns:
        raise UserError(
            f"{where}.{key}': has nothing to change; give 'env_params.{TURN[0]}' and '{TURN[1]}' the sharpest turns."
        )
    if key == "terrain_amplitude" and not any(kind.heights or kind.slope for kind in kinds(env)):
        raise UserError(f"{where}.{key}': flat ground has no heights; choose another 'env_params.terrain_type'.")
    if key == "device_torque_limit" and env.controller is not None:
        raise UserError(f"{where}.{key}': limits a device's head, and 'env_params.device_controller' drives this one.")


def _check_points(points: Sequence[Sequence[float]], where: str) -> None:
    if not points or any(len(point) != 2 for point in points):
        raise UserError(f"{where}: must be [[control steps, value], ...], got {[list(p) for p in points]}.")
    steps = [step for step, _ in points]
    if steps[0] < 0 or any(b <= a for a, b in pairwise(steps)):
        raise UserError(f"{where}: control steps must be 0 or more and increase, got {steps}.")


def _check_values(key: str, values: Sequence[float], env: Any, where: str) -> None:
    must, holds = schedulable(env)[key]
    for value in values:
        if not holds(value):
            raise UserError(f"{where}: must {must}, got {value:g}.")


def _check_speeds(settings: Curriculum, env: Any, where: str) -> None:
    """The least is never above the most: both are linear between the levels and steps where they are looked at."""
    for low, high in (SPEED, TURN):
        _check_span(low, high, settings, env, where)


def _check_span(low: str, high: str, settings: Curriculum, env: Any, where: str) -> None:
    steps = {step for key in (low, high) for step, _ in settings.by_step.get(key, ())} or {0.0}
    for share, step in [(share, step) for share in (0.0, 1.0) for step in sorted(steps)]:
        now = {key: getattr(env, key) for key in (low, high)} | at(settings, share, step)
        if now[low] > now[high]:
            place = f"at level {share * (settings.levels - 1):.0f} after {step:,.0f} control steps"
            raise UserError(f"{where}': {place} {low} is {now[low]:g} and {high} {now[high]:g}; need min <= max.")
