"""What NumPy and JAX write differently, for functions over an array namespace ``xp``."""

from typing import Any

import numpy as np


def put(array: Any, index: Any, value: Any, xp: Any) -> Any:
    """A copy of the array with ``value`` at ``index``."""
    if xp is np:
        array = np.array(array)
        array[index] = value
        return array
    return xp.asarray(array).at[index].set(value)


def add(array: Any, index: Any, value: Any, xp: Any) -> Any:
    """A copy of the array with ``value`` added at ``index``."""
    if xp is np:
        array = np.array(array)
        array[index] += value
        return array
    return xp.asarray(array).at[index].add(value)
