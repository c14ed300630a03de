"""Intervals over trainings, each policy counting once: of a side's mean, of differences and ratios of two sides.

All from the t distribution, since trainings are few: a bootstrap over five of them is too narrow. Intervals over the
episodes of one policy are in `statistics`."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import t as student

from mjx_assist.eval.studies.statistics import LEVEL

Interval = tuple[float, float | None, float | None]  # estimate and limits; None where they cannot be told


def mean(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Mean with its t interval (n - 1 degrees of freedom); no limits for one value."""
    of = np.asarray(values, float)
    return limits(float(of.mean()), _error(of), of.size - 1, level)


def welch(values: Sequence[float], others: Sequence[float], level: float = LEVEL) -> Interval:
    """Mean of ``values`` less that of ``others``, trained independently, their spreads not supposed equal.

    Welch (1947), Biometrika 34:28, with Satterthwaite's degrees of freedom; no limits where a side has one value.
    """
    of, against = np.asarray(values, float), np.asarray(others, float)
    difference = float(of.mean() - against.mean())
    parts = _error(of) ** 2, _error(against) ** 2
    return limits(difference, math.sqrt(sum(parts)), freedom(parts, (of.size - 1, against.size - 1)), level)


def paired(values: Sequence[float], others: Sequence[float], level: float = LEVEL) -> Interval:
    """The same of values that belong together in their order (the same seed): t interval of their differences."""
    return mean([value - other for value, other in zip(values, others, strict=True)], level)


def percent(values: Sequence[float], others: Sequence[float], level: float = LEVEL) -> Interval:
    """By how many percent of ``others``' mean that of ``values`` is higher; both means are uncertain.

    Fieller (1954), J R Stat Soc B 16:175, for independent sides with unequal spreads, with the degrees of freedom of
    `welch` for the mean of ``values`` less ratio times the other (Tamhane & Logan 2004, Biometrika 91:719). No limits
    where a side has one value, or where the other mean is not told from zero; not a number where it is zero.
    """
    of, against = np.asarray(values, float), np.asarray(others, float)
    top, bottom = float(of.mean()), float(against.mean())
    if bottom == 0:
        return math.nan, None, None
    ratio = top / bottom
    above, below = _error(of) ** 2, _error(against) ** 2
    t = _quantile(freedom((above, ratio**2 * below), (of.size - 1, against.size - 1)), level)
    # (top - r bottom)^2 <= t^2 (above + r^2 below) is a quadratic in the ratio r.
    square = bottom**2 - t**2 * below
    root = t**2 * (above * bottom**2 + below * top**2 - t**2 * above * below)
    if not (square > 0 and root >= 0):
        return 100 * (ratio - 1), None, None
    ends = [(top * bottom + way * math.sqrt(root)) / square for way in (-1, 1)]
    return 100 * (ratio - 1), 100 * (ends[0] - 1), 100 * (ends[1] - 1)


def _error(values: np.ndarray) -> float:
    """Standard error of the mean; NaN for one value."""
    return float(values.std(ddof=1) / math.sqrt(values.size)) if values.size > 1 else math.nan


def freedom(squared_errors: Sequence[float], freedoms: Sequence[int]) -> float:
    """Satterthwaite's degrees of freedom of a sum of independent parts; those of all where nothing varies."""
    total = sum(squared_errors)
    if total == 0:
        return float(sum(freedoms))
    return total**2 / sum(e**2 / f if f else math.nan for e, f in zip(squared_errors, freedoms, strict=True))


def limits(estimate: float, error: float, degrees: float, level: float = LEVEL) -> Interval:
    """The t interval of an estimate with its standard error and degrees of freedom; no limits for an error of NaN."""
    if not math.isfinite(error):
        return estimate, None, None
    reach = _quantile(degrees, level) * error
    return estimate, estimate - reach, estimate + reach


def _quantile(degrees: float, level: float) -> float:
    return float(student.ppf((1 + level) / 2, degrees))
