"""Torque over the gait cycle as a piecewise cubic: the four-parameter ankle profile, and splines through knots."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.interpolate import PchipInterpolator

CYCLE = 100.0  # percent


@dataclass(frozen=True, eq=False)
class Curve:
    """``sum_k coefficient[k, i] (percent - start[i])^k`` from ``start[i]`` on; shapes [4, K] and [K]."""

    start: np.ndarray
    coefficient: np.ndarray


def evaluate(curve: Curve, percent: Any, xp: Any = np) -> Any:
    """The curve at ``percent`` ``[...]`` of the gait cycle, 0..100."""
    start, coefficient = xp.asarray(curve.start), xp.asarray(curve.coefficient)
    piece = xp.clip(xp.searchsorted(start, percent, side="right") - 1, 0, len(curve.start) - 1)
    x, c = percent - start[piece], coefficient[:, piece]
    return ((c[3] * x + c[2]) * x + c[1]) * x + c[0]


def four_parameter(peak_torque: float, peak_time: float, rise_time: float, fall_time: float) -> Curve:
    """Zhang et al. 2017, Science 356:1280, supplement: times in percent, torque in any unit, zero outside.

    Two cubics: the rise has zero slope at onset (``peak_time - rise_time``) and at the peak, the fall zero slope at the
    peak and no curvature at its end (``peak_time + fall_time``). Without the 2 N*m that keep their cable taut.
    """
    starts = [0.0, peak_time - rise_time, peak_time, peak_time + fall_time]
    pieces = [
        [0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 3 / rise_time**2, -2 / rise_time**3],
        [1.0, 0.0, -1.5 / fall_time**2, 0.5 / fall_time**3],
        [0.0, 0.0, 0.0, 0.0],
    ]
    return Curve(np.array(starts), peak_torque * np.array(pieces).T)


def four_parameter_at(percent: Any, peak_time: Any, rise_time: Any, fall_time: Any, xp: Any = np) -> Any:
    """`four_parameter` of peak 1 at ``percent``, for times that differ from walker to walker."""
    up = xp.clip((percent - peak_time) / rise_time + 1.0, 0.0, 1.0)
    down = xp.clip((percent - peak_time) / fall_time, 0.0, 1.0)
    return xp.where(percent < peak_time, up**2 * (3.0 - 2.0 * up), 1.0 - down**2 * (1.5 - 0.5 * down))


def spline(percent: Sequence[float], torque: Sequence[float]) -> Curve:
    """Periodic monotone cubic through knots (PCHIP: Fritsch & Carlson 1980, SIAM J Numer Anal 17:238).

    Between two knots it never leaves their range, so no torque is larger than the largest knot.
    """
    knots, values = np.asarray(percent, float), np.asarray(torque, float)
    around = np.concatenate([knots - CYCLE, knots, knots + CYCLE])
    polynomial = PchipInterpolator(around, np.tile(values, 3))
    return Curve(polynomial.x[:-1], polynomial.c[::-1])
