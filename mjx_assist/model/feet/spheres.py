"""The fewest spheres that reach as far as a given shape in given directions: linear programs, no initial guess.

A sphere's support c.d + r is linear in centre and radius; who has to support which direction is what is searched.
"""

from dataclasses import dataclass

import numpy as np

from mjx_assist.model.feet.linear_program import minimise

RADIUS = (0.005, 0.12)  # m
_SMALLER = 1e-3  # m of error per m of radius: where radii make no difference, small ones fit corners
_TIES = (1e-7, 2e-7, 3e-7)  # of error per m of centre: makes the sphere unique
_HALVINGS = 7  # of the tolerance, when the error of a number of spheres is minimised


@dataclass(frozen=True)
class Target:
    """What spheres have to reach, in a frame whose axes are forward, lateral and up."""

    directions: np.ndarray  # [n, 3] unit vectors, downwards when the shape is turned in some way
    reach: np.ndarray  # [n] of the shape along them, m
    ceiling: np.ndarray  # [n] how far anything is allowed to reach along them, m
    required: np.ndarray  # bool [n], where the spheres have to reach as far as the shape
    low: np.ndarray  # [3] the box in which the supporting points are, m; centres may lie a radius higher
    high: np.ndarray  # [3]
    wide: bool  # one sphere on each side if one in the middle does not do


@dataclass(frozen=True)
class Ball:
    centre: np.ndarray  # [3] m
    radius: float
    error: float  # m
    samples: np.ndarray  # of the target's directions, those in which it has to reach as far as the shape


def fit_spheres(target: Target, tolerance: float) -> list[Ball]:
    """As few spheres as have the target's reach within ``tolerance`` (m), then the least error with as many."""
    best = _cover(target, tolerance)
    low, high = 0.0, tolerance
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        tried = _cover(target, middle)
        if len(tried) <= len(best):
            best, high = tried, middle
        else:
            low = middle
    return best


def _cover(target: Target, tolerance: float) -> list[Ball]:
    """Spheres within the tolerance; with ``wide`` a chain of them on either side, paired to one where one does."""
    if not target.wide:
        return _chain(target, np.flatnonzero(target.required), tolerance)
    lateral = target.directions[:, 1]
    left, right = (
        _chain(target, np.flatnonzero(target.required & (sign * lateral > -1e-9)), tolerance) for sign in (1, -1)
    )
    balls = []
    for ball in left:
        for k, other in enumerate(right):
            both = _fit(target, np.union1d(ball.samples, other.samples))
            if both.error <= tolerance:
                right.pop(k)
                ball = both
                break
        balls.append(ball)
    return balls + right


def _chain(target: Target, required: np.ndarray, tolerance: float) -> list[Ball]:
    """From the steepest backward direction to the steepest forward one, each sphere as far as it can support."""
    pitch = np.arctan2(target.directions[:, 0], -target.directions[:, 2])[required].round(9)
    steps = np.unique(pitch)
    chain, start = [], 0
    while start < len(steps):
        fitted, low, high = None, start, len(steps) - 1
        while fitted is None or low < high:
            end = low if low == high else (low + high + 1) // 2
            samples = required[(pitch >= steps[start]) & (pitch <= steps[end])]
            ball = _fit(target, samples)
            if ball.error <= tolerance or end == start:
                fitted, low = ball, end
            else:
                high = end - 1
        chain.append(fitted)
        start = low + 1
    return chain


def _fit(target: Target, samples: np.ndarray) -> Ball:
    """The sphere that reaches the shape in the ``samples`` directions, and nowhere beyond the ceiling."""
    linear, one = np.column_stack([target.directions, np.ones(len(target.directions))]), np.ones((len(samples), 1))
    matrix = np.vstack([np.hstack([linear, -np.ones((len(linear), 1))]), np.hstack([-linear[samples], -one])])
    limit = np.concatenate([target.ceiling, -target.reach[samples]])
    low = np.array([*target.low, RADIUS[0], 0.0])
    high = np.array([*target.high[:2], target.high[2] + RADIUS[1], RADIUS[1], np.inf])
    found = minimise(np.array([*_TIES, _SMALLER, 1.0]), matrix, limit, low, high)
    return Ball(found[:3], float(found[3]), float(found[4]), samples)
