"""A response surface with its uncertainty: a Gaussian process over designs, fitted to what was measured of some.

Rasmussen & Williams 2006, Gaussian Processes for Machine Learning: squared exponential with a length of its own for
each parameter and noise; the prediction is eq. 2.23-2.24, lengths and noise are those of the largest marginal
likelihood (eq. 5.8)."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize
from scipy.stats import qmc

MOST = 200  # designs that a surface is fitted to: the work grows with their cube
_LENGTHS, _NOISE = (
    (0.05, 10.0),
    (1e-4, 1.0),
)  # in units of a parameter's range and of the deviation of what was measured
_JITTER = 1e-8
_PLACES = 300  # where a possible surface is looked at, over the family and around its best design


@dataclass(frozen=True, eq=False)
class Surface:
    """``at`` designs ``[n, d]`` in 0..1; ``value [n]`` standardised by ``mean`` and ``scale``; ``length [d]``."""

    at: np.ndarray
    value: np.ndarray
    mean: float
    scale: float
    length: np.ndarray
    noise: float

    def predict(self, designs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation ``[m]`` of the surface (not of a new measurement) at designs ``[m, d]``."""
        mean, covariance = self._posterior(designs)
        return self.mean + self.scale * mean, self.scale * np.sqrt(np.maximum(np.diag(covariance), 0.0))

    def draws(self, designs: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
        """``[count, m]`` surfaces that the measurements leave possible, at designs ``[m, d]``."""
        mean, covariance = self._posterior(designs)
        values, vectors = np.linalg.eigh(covariance)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        return self.mean + self.scale * (mean + rng.normal(size=(count, len(mean))) @ root.T)

    def _posterior(self, designs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        lower = np.linalg.cholesky(_covariance(self.at, self.at, self.length) + self._noise())
        cross = _covariance(self.at, designs, self.length)
        half = solve_triangular(lower, cross, lower=True)
        mean = half.T @ solve_triangular(lower, self.value, lower=True)
        return mean, _covariance(designs, designs, self.length) - half.T @ half

    def _noise(self) -> np.ndarray:
        return (self.noise**2 + _JITTER) * np.eye(len(self.at))


def fit(designs: np.ndarray, measured: np.ndarray) -> Surface:
    """The surface through ``measured [n]`` at ``designs [n, d]``; of more than `MOST` an even choice, and the best."""
    if len(designs) > MOST:
        best = np.argsort(measured)[: MOST // 3]
        others = np.setdiff1d(np.arange(len(designs)), best)
        chosen = np.concatenate([best, others[np.linspace(0, len(others) - 1, MOST - len(best)).astype(int)]])
        designs, measured = designs[chosen], measured[chosen]
    mean, scale = float(measured.mean()), float(measured.std()) or 1.0
    value, count = (measured - mean) / scale, designs.shape[1]
    bounds = [tuple(np.log(_LENGTHS))] * count + [tuple(np.log(_NOISE))]
    start, most = np.r_[np.full(count, np.log(0.5)), np.log(0.1)], {"maxiter": 40}
    found = minimize(_unlikelihood, start, (designs, value), "L-BFGS-B", jac=True, bounds=bounds, options=most)
    best = np.exp(found.x)
    return Surface(designs, value, mean, scale, best[:-1], float(best[-1]))


def evenly(dimensions: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """``[count, dimensions]`` places spread evenly over 0..1: Sobol's sequence, moved as a whole by chance."""
    points = qmc.Sobol(dimensions, scramble=False).random_base2(max(1, (count - 1).bit_length()))
    return (points[:count] + rng.uniform(size=dimensions)) % 1.0


def lowest(surface: Surface, near: np.ndarray, rng: np.random.Generator, draws: int = 400) -> np.ndarray:
    """``[draws, d]`` where possible surfaces are lowest: among places over the whole family, and more ``near [d]``."""
    count, sizes = surface.at.shape[1], 10.0 ** rng.uniform(-2.5, -0.7, (_PLACES, 1))
    around = np.clip(near + sizes * rng.normal(size=(_PLACES, count)), 0.0, 1.0)
    places = np.concatenate([near[None], around, evenly(count, _PLACES, rng)])
    return places[surface.draws(places, draws, rng).argmin(axis=1)]


def _covariance(a: np.ndarray, b: np.ndarray, length: np.ndarray) -> np.ndarray:
    apart = (a[:, None] - b[None]) / length
    return np.exp(-0.5 * (apart**2).sum(axis=-1))


def _unlikelihood(logs: np.ndarray, at: np.ndarray, value: np.ndarray) -> tuple[float, np.ndarray]:
    """Minus the log marginal likelihood (eq. 5.8), and its gradient by the logarithms (eq. 5.9)."""
    length, noise = np.exp(logs[:-1]), np.exp(logs[-1])
    signal = _covariance(at, at, length)
    factor = cho_factor(signal + (noise**2 + _JITTER) * np.eye(len(at)), lower=True)
    weights = cho_solve(factor, value)
    inner = np.outer(weights, weights) - cho_solve(factor, np.eye(len(at)))
    apart = (at[:, None] - at[None]) ** 2
    slopes = [0.5 * np.sum(inner * signal * apart[..., k]) / length[k] ** 2 for k in range(len(length))]
    slopes.append(np.trace(inner) * noise**2)
    likelihood = -0.5 * value @ weights - np.log(np.diag(factor[0])).sum() - 0.5 * len(at) * np.log(2 * np.pi)
    return -likelihood, -np.array(slopes)
