"""Which way, and whether at all, a recorded walker gets on: from joint coordinates alone, without a model.

Coordinates are OpenSim's (x forward, y up, z right; rad, m), knee flexion negative.
"""

import dataclasses

import numpy as np
from scipy.signal import find_peaks
from scipy.spatial.transform import Rotation

from mjx_assist.errors import UserError
from mjx_assist.reference.published import ADULT_LEG_LENGTH

SIDES = ("r", "l")
SLOWEST_WALK = 0.1  # m/s; below it the pelvis stands still
SHORTEST_STRIDE = 0.5  # s
LEAST_REACH = 0.1  # m, that a heel swings ahead of where it was behind the pelvis, at least
_FASTEST, _HIGHEST = 12.0, 3.0  # m/s and m of a person's pelvis
_WINDOW = 1.0  # s, about a stride
_OF_LEGS = 0.4  # of the speed that the legs' sweep tells; a pelvis that is slower is on a treadmill
_STRAIGHT = 0.7  # least share of the path that gets the walker on
_TURN = np.radians(2.0)  # smaller headings are left alone
_BACKWARDS = np.radians(135.0)  # between where the pelvis faces and where it goes


@dataclasses.dataclass(frozen=True)
class Way:
    """``yaw``: rad, counter-clockwise from above, from x to where the walker faces; ``speed``: m/s along it, 0 on a
    treadmill; ``notes``: sentences about it."""

    yaw: float
    speed: float
    notes: tuple[str, ...] = ()


def ahead(coordinates: dict[str, np.ndarray]) -> np.ndarray | None:
    """[T, 2] m that the (right, left) ankle is ahead of its hip, thigh and shank half a leg each; None without legs."""
    sides = []
    for side in SIDES:
        names = ("pelvis_tilt", f"hip_flexion_{side}", f"knee_angle_{side}")
        if not set(names[1:]) <= set(coordinates):
            return None
        tilt, hip, knee = (coordinates.get(name, np.zeros(1)) for name in names)
        sides.append(ADULT_LEG_LENGTH / 2 * (np.sin(tilt + hip) + np.sin(tilt + hip + knee)))
    return np.stack(sides, axis=1)


def contacts(ahead: np.ndarray, rate: float) -> np.ndarray:
    """Samples of a foot's initial contacts, where [T] m it is farthest ahead of the pelvis (Zeni et al. 2008)."""
    distance = max(1, round(SHORTEST_STRIDE * rate))
    return find_peaks(ahead, distance=distance, prominence=LEAST_REACH)[0]


def between_samples(peaks: np.ndarray, series: np.ndarray) -> np.ndarray:
    """The same peaks [n] of [T], in samples, at the tops of parabolas through each and its neighbours."""
    before, at, after = series[peaks - 1], series[peaks], series[peaks + 1]
    return peaks + (before - after) / (2 * (before - 2 * at + after))


def stride_time(time: np.ndarray, ahead: np.ndarray | None) -> float:
    """s between contacts of a foot, the median of both; NaN where there are none."""
    if ahead is None or time.size < 3:
        return float("nan")
    rate = (time.size - 1) / _span(time)
    steps = np.concatenate([np.diff(contacts(ahead[:, foot], rate)) for foot in range(2)])
    return float(np.median(steps)) / rate if steps.size else float("nan")


def legs_speed(time: np.ndarray, coordinates: dict[str, np.ndarray]) -> float:
    """m/s, about, at which standing feet go back under the hips; NaN without legs. Negative: walking backwards.

    A foot stands longer than it swings, so that the median of its velocity is that of stance.
    """
    reach = ahead(coordinates)
    if reach is None or time.size < 3:
        return float("nan")
    back = -np.gradient(reach, time, axis=0)
    return max((float(np.median(back[part])) for part in _windows(time)), key=abs)


def way(time: np.ndarray, coordinates: dict[str, np.ndarray], source: str) -> Way:
    """The way that a recording's pelvis goes and faces. Raises UserError where it turns round on the way."""
    path = np.stack([coordinates.get(name, np.zeros(time.size)) for name in ("pelvis_tx", "pelvis_tz")], axis=1)
    legs, facing = legs_speed(time, coordinates), _facing(coordinates)
    pace = max(float(np.linalg.norm(path[part][-1] - path[part][0]) / _span(time[part])) for part in _windows(time))
    _check_metres(source, coordinates, pace)
    if pace < max(SLOWEST_WALK, _OF_LEGS * np.nan_to_num(abs(legs))):
        return Way(facing or 0.0, 0.0)
    _check_straight(source, time, path)
    along = path[-1] - path[0]
    heading, speed = float(np.arctan2(-along[1], along[0])), float(np.linalg.norm(along)) / _span(time)
    if facing is not None and abs(_wrapped(heading - facing)) > _BACKWARDS:
        return Way(_wrapped(heading + np.pi), -speed, (f"{source}: walks backwards, at {speed:.2f} m/s",))
    return Way(heading, speed)


def turned(coordinates: dict[str, np.ndarray], yaw: float) -> dict[str, np.ndarray]:
    """The coordinates of the same walk along x; itself for a heading that is x already.

    With all three angles of the pelvis its orientation is turned as OpenSim composes it (tilt, list, rotation: body
    axes z, x, y), else the heading is taken from pelvis_rotation alone.
    """
    if abs(yaw) < _TURN:
        return coordinates
    result = dict(coordinates)
    zeros = np.zeros_like(next(iter(coordinates.values())))
    forward, right = (coordinates.get(name, zeros) for name in ("pelvis_tx", "pelvis_tz"))
    result["pelvis_tx"] = np.cos(yaw) * forward - np.sin(yaw) * right
    result["pelvis_tz"] = np.sin(yaw) * forward + np.cos(yaw) * right
    angles = ("pelvis_tilt", "pelvis_list", "pelvis_rotation")
    if set(angles) <= set(coordinates):
        own = Rotation.from_euler("ZXY", np.stack([coordinates[name] for name in angles], axis=1))
        seen = (Rotation.from_euler("Y", -yaw) * own).as_euler("ZXY")
        result |= dict(zip(angles, seen.T, strict=True))
    elif "pelvis_rotation" in coordinates:
        result["pelvis_rotation"] = np.angle(np.exp(1j * (coordinates["pelvis_rotation"] - yaw)))
    return {name: result[name] for name in coordinates}


def turned_vectors(vectors: np.ndarray, yaw: float) -> np.ndarray:
    """[..., 3] (x, y up, z) seen by a walker who faces ``yaw``."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    return np.stack([np.cos(yaw) * x - np.sin(yaw) * z, y, np.sin(yaw) * x + np.cos(yaw) * z], axis=-1)


def _facing(coordinates: dict[str, np.ndarray]) -> float | None:
    turn = coordinates.get("pelvis_rotation")
    return None if turn is None else float(np.angle(np.exp(1j * turn).mean()))


def _check_metres(source: str, coordinates: dict[str, np.ndarray], pace: float) -> None:
    height = float(np.abs(coordinates.get("pelvis_ty", np.zeros(1))).max())
    if pace > _FASTEST or height > _HIGHEST:
        told = f"pelvis_ty is {height:g} m" if height > _HIGHEST else f"the pelvis moves at {pace:.3g} m/s"
        raise UserError(f"{source}: {told}. Lengths are in m, time in s; are these millimetres? Divide by 1000.")


def _check_straight(source: str, time: np.ndarray, path: np.ndarray) -> None:
    """Raises UserError for a walk there and back, or round a corner."""
    edges = np.interp(np.arange(time[0], time[-1] + 1e-9, _WINDOW / 2), time, np.arange(time.size)).astype(int)
    legs = np.diff(path[edges], axis=0)
    long = float(np.linalg.norm(legs, axis=1).sum())
    direct = float(np.linalg.norm(legs.sum(axis=0)))
    if long > 0 and direct < _STRAIGHT * long:
        raise UserError(
            f"{source}: the pelvis goes {long:.1f} m and gets {direct:.1f} m on: there and back, or round a corner? "
            "Give a straight part."
        )


def _windows(time: np.ndarray) -> list[slice]:
    """Stretches of about a stride, half overlapping; the whole where it is no longer."""
    if _span(time) <= 1.5 * _WINDOW:
        return [slice(None)]
    begins = np.arange(time[0], time[-1] - _WINDOW, _WINDOW / 2)
    found = [slice(*np.searchsorted(time, (begin, begin + _WINDOW))) for begin in begins]
    return [part for part in found if part.stop - part.start > 2] or [slice(None)]


def _span(time: np.ndarray) -> float:
    return max(float(time[-1] - time[0]), 1e-9)


def _wrapped(angle: float) -> float:
    return float(np.angle(np.exp(1j * angle)))
