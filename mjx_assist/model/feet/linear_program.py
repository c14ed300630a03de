"""Linear programs of a few unknowns and thousands of bounds: the dual simplex method, dense, some ten pivots each."""

import numpy as np

_SATISFIED = 1e-10  # how far a bound may be exceeded
_PIVOT = 1e-9  # the least element to pivot on


def minimise(cost: np.ndarray, matrix: np.ndarray, limit: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The x [n] of the least ``cost @ x`` with ``matrix @ x <= limit`` [m] and ``low <= x <= high``.

    Costs are positive, different enough to leave no ties, and ``low`` is finite: there the search begins, and goes on
    to the bound that is exceeded most until none is. Raises ``ValueError`` if there is no such x.
    """
    n = len(cost)
    matrix = np.vstack([-np.eye(n), np.eye(n), matrix])
    limit = np.concatenate([-low, high, limit])
    active = np.arange(n)
    while True:
        inverse = np.linalg.inv(matrix[active])
        x = inverse @ limit[active]
        excess = matrix @ x - limit
        worst = int(excess.argmax())
        if excess[worst] <= _SATISFIED:
            return x
        weight, step = -cost @ inverse, matrix[worst] @ inverse
        usable = np.flatnonzero(step > _PIVOT)
        if len(usable) == 0:
            raise ValueError("no point is within all bounds")
        active[usable[(weight[usable] / step[usable]).argmin()]] = worst
