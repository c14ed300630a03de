"""Samples at uneven times, put on even ones: an integrator's own steps, a clock that jitters, a frame that was lost."""

import numpy as np
from scipy.interpolate import PchipInterpolator

_FINEST = 0.1  # share of the steps that are shorter than the even ones, where steps differ by much
_JITTER = 1.5  # times, that steps of a clock differ by at most


def even_time(time: np.ndarray) -> np.ndarray:
    """Even times over the same span, at the usual step; where steps differ by much, at the finer ones."""
    steps = np.diff(time)
    fine, coarse = np.quantile(steps, (_FINEST, 1 - _FINEST))
    step = float(np.median(steps)) if coarse < _JITTER * fine else float(fine)
    return np.linspace(time[0], time[-1], max(2, round((time[-1] - time[0]) / step) + 1))


def smooth(at: np.ndarray, time: np.ndarray, values: np.ndarray) -> np.ndarray:
    """[len(at), ...] by monotone cubics through the samples [T, ...] (Fritsch & Butland 1984), which do not overshoot."""
    return PchipInterpolator(time, values, axis=0)(at)


def told(even: np.ndarray) -> str:
    """In words, for a note."""
    return f"interpolated to {(even.size - 1) / (even[-1] - even[0]):.4g} Hz"
