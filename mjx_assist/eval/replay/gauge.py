"""What a viewer shows of a walk in numbers: speed, cadence, device torque, ground reaction, at the control rate."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_AVERAGED_S = 1.0  # the speed shown is that of the last second, about one stride
_CONTACT_BW, _RELEASE_BW = 0.10, 0.04  # a foot is down above the one and up below the other, body weights
_BOUNCE_S = 0.3  # a foot that lands again sooner only bounced
_CONTACTS = 5  # the last of both feet that the cadence is taken from


@dataclass(frozen=True)
class Reading:
    """One control step: seconds, m/s, steps per minute; ``torque [D]`` N*m about the device's joints; of the (right,
    left) foot ground reaction ``force [2, 3]`` N and its centre of pressure ``center [2, 3]`` m (NaN where unloaded).
    NaN where nothing is known yet."""

    time: float
    target: float
    speed: float
    cadence: float
    torque: np.ndarray
    force: np.ndarray
    center: np.ndarray


class Gauge:
    """Reads a walk after each control step; it remembers the last second and the last foot contacts."""

    def __init__(self, body_weight: float):
        self._weight = body_weight
        self.reset()

    def reset(self) -> None:
        """A new episode begins."""
        self._way: list[tuple[float, float]] = []
        self._down = np.ones(2, bool)
        self._landed = np.full(2, -np.inf)
        self._contacts: list[float] = []

    def read(
        self, time: float, target: float, place: float, torque: np.ndarray, force: np.ndarray, center: np.ndarray
    ) -> Reading:
        """``place`` m along the way, ``time`` s into the episode; the rest as in a `Reading`."""
        self._way.append((time, place))
        self._way = [point for point in self._way if point[0] > time - _AVERAGED_S - 1e-9]
        load = force[:, 2] / self._weight
        down = np.where(self._down, load > _RELEASE_BW, load > _CONTACT_BW)
        lands = down & ~self._down
        new = lands & (time - self._landed > _BOUNCE_S)
        self._contacts = [*self._contacts, *[time] * int(new.sum())][-_CONTACTS:]
        self._down, self._landed = down, np.where(lands, time, self._landed)
        times, places = zip(*self._way, strict=True)
        cadence = 60.0 * _rate(range(len(self._contacts)), self._contacts)
        return Reading(time, target, _rate(places, times), cadence, torque, force, center)


def _rate(values: Sequence[float], times: Sequence[float]) -> float:
    """Change per second from the first to the last; NaN where no time passed."""
    passed = times[-1] - times[0] if times else 0.0
    return (values[-1] - values[0]) / passed if passed > 0 else float("nan")
