"""How like healthy walking a leg's angles are: correlation with the published curves, and angles that are upside down.

Signs are gait2392's: hip flexion and dorsiflexion positive, knee flexion negative.
"""

import itertools
from collections.abc import Mapping

import numpy as np

from mjx_assist.reference.published import healthy_band

ANGLES = ("hip_flexion", "knee_angle", "ankle_angle")
_MEANT = {
    "hip_flexion": "hip flexion is positive",
    "knee_angle": "knee flexion is negative",
    "ankle_angle": "dorsiflexion is positive",
}
_POINTS = 100  # of a stride
_SURE = 0.5  # mean correlation that turned angles must have, at least
_BETTER = 0.25  # and this much more than as they are


def correlations(leg: Mapping[str, np.ndarray], speed: float) -> dict[str, float]:
    """Pearson's, by angle, of a leg's stride [P] from its contact on with healthy walking at ``speed`` m/s."""
    found = {}
    for name, curve in leg.items():
        own, published = _normal(_at_points(curve)), _normal(_published(name, speed))
        found[name] = float(own @ published / _POINTS)
    return found


def upside_down(leg: Mapping[str, np.ndarray], speed: float) -> list[str]:
    """The angles of a leg's stride [P] that are like healthy walking only with the other sign.

    Wherever the stride begins: each set of signs is tried at each shift. Empty where that does not tell.
    """
    names = [name for name in ANGLES if name in leg and np.ptp(leg[name]) > 1e-6]
    if not names:
        return []
    shifted = np.stack([_every_shift(_at_points(leg[name]), _published(name, speed)) for name in names])
    best = {s: float((np.array(s) @ shifted).max()) / len(names) for s in itertools.product((1, -1), repeat=len(names))}
    signs = max(best, key=lambda s: best[s])
    as_they_are = best[(1,) * len(names)]
    if best[signs] < _SURE or best[signs] < as_they_are + _BETTER:
        return []
    return [name for name, sign in zip(names, signs, strict=True) if sign < 0]


def upside_down_words(legs: Mapping[str, Mapping[str, np.ndarray]], speed: float) -> list[str]:
    """A sentence for each angle of each side (r, l) that is upside down."""
    return [
        f"{name}_{side} is healthy walking's upside down ({_MEANT[name]}); if it is, change its sign in the file"
        for side, leg in legs.items()
        for name in upside_down(leg, speed)
    ]


def _published(name: str, speed: float) -> np.ndarray:
    return healthy_band(name, speed)[1][:_POINTS]


def _at_points(curve: np.ndarray) -> np.ndarray:
    """A closed stride [P] at the published curves' points."""
    place = np.arange(_POINTS) * len(curve) / _POINTS
    return np.interp(place, np.arange(len(curve) + 1), np.append(curve, curve[0]))


def _normal(curve: np.ndarray) -> np.ndarray:
    spread = curve.std()
    return (curve - curve.mean()) / spread if spread > 0 else 0 * curve


def _every_shift(curve: np.ndarray, published: np.ndarray) -> np.ndarray:
    """[_POINTS] correlation of the curve, begun at each of its points, with the published one."""
    spectrum = np.fft.rfft(_normal(curve)) * np.conj(np.fft.rfft(_normal(published)))
    return np.fft.irfft(spectrum, _POINTS) / _POINTS
