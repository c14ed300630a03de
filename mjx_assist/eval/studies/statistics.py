"""Bootstrap confidence intervals for means over strides, where an episode's strides are not independent.

Episodes are drawn anew, each with all its strides: strides of one walk share its phase, its speed and its luck."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import binomtest

LEVEL = 0.95
RESAMPLES = 2000
_ROUNDING = 1e-9  # less than this, relative, is no spread
FEWEST_EPISODES = 5  # with fewer the spread between episodes is not known well enough for an interval


def pooled_mean(total: np.ndarray, count: np.ndarray) -> float:
    """Mean over all strides from each episode's sum ``total`` [E] and number ``count`` [E] of strides; NaN for none."""
    return float(total.sum() / count.sum()) if count.sum() else float("nan")


def interval(
    total: np.ndarray,
    count: np.ndarray,
    other: tuple[np.ndarray, np.ndarray] | None = None,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float, float, float]:
    """(estimate, low, high): the pooled mean, or its difference to ``other``'s, with its confidence limits.

    Studentised bootstrap over clusters (Davison & Hinkley 1997, Bootstrap Methods, sections 2.4 and 5.2; Cameron,
    Gelbach & Miller 2008, Rev Econ Stat 90:414): each resample's error over its own standard error, which comes from
    the linearised ratio of sums. With ten episodes it covers what it says, where the percentiles of the resampled means
    are too narrow. ``other``'s episodes have the same seeds and are drawn together with these, so that what they share
    drops out of the difference; a seed that lacks strides on either side does not count.

    The limits are NaN for fewer than FEWEST_EPISODES episodes with strides, the estimate for none.
    """
    parts = [(total, count)] if other is None else [(total, count), other]
    walked = np.all([part[1] > 0 for part in parts], axis=0)
    parts = [(t[walked], n[walked]) for t, n in parts]
    episodes = int(walked.sum())
    if episodes < FEWEST_EPISODES:
        means = [pooled_mean(*part) for part in parts]
        return means[0] - sum(means[1:]), float("nan"), float("nan")
    mean, error = (float(x[0]) for x in _mean_and_error(parts, np.ones((1, episodes))))
    if error <= _ROUNDING * max(abs(pooled_mean(*part)) for part in parts):  # all episodes tell the same
        return mean, mean, mean
    draws = np.random.default_rng(seed).multinomial(episodes, np.full(episodes, 1 / episodes), size=resamples)
    means, errors = _mean_and_error(parts, draws)
    usable = errors > _ROUNDING * error
    tail = (1 - level) / 2
    below, above = np.quantile((means[usable] - mean) / errors[usable], [tail, 1 - tail])
    return mean, float(mean - above * error), float(mean - below * error)


def _mean_and_error(parts: list[tuple[np.ndarray, np.ndarray]], weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[R] pooled mean (less the second part's) and its standard error when episode e counts ``weights[r, e]`` times."""
    means, residual = np.zeros(len(weights)), 0.0
    for sign, (total, count) in zip((1.0, -1.0), parts, strict=False):
        size = weights @ count
        mean = weights @ total / size
        means = means + sign * mean
        residual = residual + sign * (total - mean[:, None] * count) / size[:, None]
    episodes = weights.sum(axis=1)
    return means, np.sqrt(episodes / (episodes - 1) * (weights * residual**2).sum(axis=1))


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """95 % confidence limits of a share (Wilson 1927, J Am Stat Assoc 22:209); 0 to 1 without a trial."""
    if not trials:
        return 0.0, 1.0
    limits = binomtest(successes, trials).proportion_ci(LEVEL, method="wilson")
    return float(limits.low), float(limits.high)


def mean_of(outcomes: Sequence[dict], figure: Callable[[dict], float | None]) -> float | None:
    """Mean of a figure over the outcomes that have it."""
    known = [value for value in map(figure, outcomes) if value is not None]
    return float(np.mean(known)) if known else None
