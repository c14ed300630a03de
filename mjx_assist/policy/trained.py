"""For what a policy was trained, as its config tells: speeds, slopes, turns, ground, pushes; in numbers and words."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from mjx_assist.config.schema import EnvParams
from mjx_assist.curriculum import progress
from mjx_assist.terrain import kinds as terrain

_COURSE, _LEVEL = "a course of myoassist-terrains", "level ground"
_TITLES = {terrain.RANDOM: "random ground", terrain.WAVES: "sinusoidal ground"}
_LANE_X, _LANE_Y = np.arange(5.0, 25.0, 0.1), np.linspace(-0.2, 0.2, 3)  # m, where the height of a ground is measured


@dataclass(frozen=True)
class Trained:
    """``speed`` (m/s) and ``slope`` (tangent, uphill positive): lowest and highest; ``grounds``: kind of rough ground
    -> height of its bumps (m); ``push``: the largest impulse (N*s); ``turn`` (rad/s, left positive): the sharpest to
    the right and to the left."""

    speed: tuple[float, float]
    slope: tuple[float, float]
    grounds: dict[str, float]
    push: float
    turn: tuple[float, float] = (0.0, 0.0)

    def __str__(self) -> str:
        speed = (
            "{:g} m/s".format(*self.speed) if self.speed[0] == self.speed[1] else "{:g} to {:g} m/s".format(*self.speed)
        )
        return ", ".join(
            [
                speed,
                *(
                    [f"slopes of {degrees(self.slope[0]):+.0f} to {degrees(self.slope[1]):+.0f}°"]
                    if any(self.slope)
                    else []
                ),
                *(ground_words(kind, height) for kind, height in self.grounds.items()),
                *([_LEVEL] if not any(self.slope) and not self.grounds else []),
                *([f"pushes to {self.push:g} N·s"] if self.push else []),
                *([f"turns of {turn_words(*self.turn)}"] if any(self.turn) else []),
            ]
        )


def trained(env: EnvParams) -> Trained:
    """What the config of a run, with its curriculum where it ends (all its levels), let the walker meet."""
    ends = _ends(env)
    speeds = [*ends.get("min_target_velocity", [env.min_target_velocity])]
    speeds += ends.get("max_target_velocity", [env.max_target_velocity])
    tilt = max(ends.get("randomization.slope", [1.0]))
    push = max(ends.get("randomization.push_impulse", [1.0]))
    amplitude = max(ends.get("terrain_amplitude", [env.terrain_amplitude]))
    drawn = [tilt * slope for slope in env.randomization.slope or (0.0, 0.0)]
    grounds, planes = _grounds(env, amplitude)
    slopes = [a + b for a in drawn for b in planes]
    largest = push * max(env.randomization.push_impulse, default=0.0)
    right = min(ends.get("min_heading_rate", [env.min_heading_rate]))
    left = max(ends.get("max_heading_rate", [env.max_heading_rate]))
    return Trained((min(speeds), max(speeds)), (min(slopes), max(slopes)), grounds, largest, (right, left))


def ground_words(kind: str, height: float) -> str:
    """A kind of rough ground with the height of its bumps (m) in words."""
    return f"{_TITLES.get(kind, kind)} to {100 * height:.0f} cm"


def turn_words(right: float, left: float) -> str:
    """Heading rates (rad/s) in words."""
    return f"{math.degrees(right):+.0f} to {math.degrees(left):+.0f}°/s"


def degrees(slope: float) -> float:
    """The angle of a slope's tangent."""
    return math.degrees(math.atan(slope))


def grounds(env: EnvParams) -> dict[str, float]:
    """Kind of rough ground -> height of its bumps (m), for what ``terrain_type`` or ``terrain`` describe."""
    return _grounds(env, env.terrain_amplitude)[0]


def _grounds(env: EnvParams, amplitude: float) -> tuple[dict[str, float], list[float]]:
    """The same at an amplitude, and the slopes of the planes under the kinds."""
    types = (env.terrain_type,) if isinstance(env.terrain_type, str) else env.terrain_type
    found, planes = {}, []
    for name, kind in zip(types if env.terrain is None else (_COURSE,), terrain.kinds(env), strict=True):
        planes.append(amplitude * kind.slope)
        if kind.heights is not None:
            heights = kind.heights(_LANE_X, _LANE_Y, np.random.default_rng(0))
            found[name] = max(found.get(name, 0.0), amplitude * float(np.ptp(heights)))
    return {name: height for name, height in found.items() if height > 0}, planes


def _ends(env: EnvParams) -> dict[str, list[float]]:
    """Key of the curriculum -> its values at the end of training, at the lowest and at the highest level."""
    if env.curriculum is None:
        return {}
    ends: list[dict[str, Any]] = [progress.at(env.curriculum, share, np.inf) for share in (0.0, 1.0)]
    return {key: [float(end[key]) for end in ends] for key in ends[0]}
