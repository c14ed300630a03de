"""Samples at uneven times, put on even ones: an integrator's own steps, a clock that jitters, a frame that was lost."""

import numpy as np
from scipy.interpolate import PchipInterpolator

from mjx_assist.errors import UserError

EVEN = 0.1  # of the median step that steps may differ by
LONGEST_GAP = 0.1  # s, over which samples are interpolated
_FINEST = 0.1  # share of the steps that are shorter than the even ones, where steps differ by much
_JITTER = 1.5  # times, that steps of a clock differ by at most


def even_time(source: str, time: np.ndarray) -> np.ndarray | None:
    """Even times over the same span, at the usual step; where steps differ by much, at the finer ones. None: they are.

    Raises UserError where a gap is too long to be bridged.
    """
    steps = np.diff(time)
    if steps.size < 2 or np.ptp(steps) <= EVEN * np.median(steps):
        return None
    longest = int(np.argmax(steps))
    if steps[longest] > LONGEST_GAP + 1e-9:
        raise UserError(
            f"{source}: from {time[longest]:g} to {time[longest + 1]:g} s there is no sample; at most {LONGEST_GAP:g} "
            "s are bridged. Give a part without a gap."
        )
    fine, coarse = np.quantile(steps, (_FINEST, 1 - _FINEST))
    step = float(np.median(steps)) if coarse < _JITTER * fine else float(fine)
    return np.linspace(time[0], time[-1], max(2, round((time[-1] - time[0]) / step) + 1))


def smooth(at: np.ndarray, time: np.ndarray, values: np.ndarray) -> np.ndarray:
    """[len(at), ...] by monotone cubics through samples [T, ...] (Fritsch & Butland 1984), which do not overshoot."""
    return PchipInterpolator(time, values, axis=0)(at)


def told(time: np.ndarray, even: np.ndarray) -> str:
    """In words, for a note."""
    steps = np.diff(time)
    rate = (even.size - 1) / (even[-1] - even[0])
    return f"time rises in uneven steps of {steps.min():.3g} to {steps.max():.3g} s: interpolated to {rate:.4g} Hz"
