"""A laboratory's walk as the record has it: along x, forces in the walker's own frame, on a belt as over ground."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.eval.formats.laboratory.plates import Plate, runs
from mjx_assist.reference import way

WALKING_SPEEDS = (0.1, 4.0)  # m/s
_NEAR = 1.5  # m, between the pelvis and a foot on the ground, at most
_TURNED = np.radians(45.0)  # between the way walked and that in which forces brake and push
_SHEAR = 0.05  # of the vertical force that braking and pushing differ by, at least, to tell a direction


@dataclasses.dataclass(frozen=True)
class Walk:
    """Coordinates (rad, m) of a walk along x, its plates, its speed (m/s, None: not known), and sentences."""

    coordinates: dict[str, np.ndarray]
    plates: list[Plate]
    speed: float | None
    notes: list[str]


def along_x(
    source: str,
    moved: tuple[np.ndarray, dict[str, np.ndarray]],
    loaded: tuple[np.ndarray, Sequence[Plate]],
    belt: float | None,
) -> Walk:
    """The walk turned onto the way that it takes; on a treadmill with ``belt``'s travel added to pelvis and points.

    ``moved``: time [T] s and coordinates; ``loaded``: the plates and their own time. On a treadmill whose speed is not
    known pelvis_tx is left out: it tells no way.
    """
    (time, coordinates), (on_plates, plates) = moved, loaded
    found = way.way(time, coordinates, source)
    notes = list(found.notes)
    seen = way.turned(coordinates, found.yaw)
    if seen is not coordinates:
        notes.append(f"{source}: walks {np.degrees(found.yaw):.0f} deg from x, to the left: turned onto x")
    on_belt = abs(found.speed) < way.SLOWEST_WALK
    pelvis = {n: np.interp(on_plates, time, seen[n]) for n in ("pelvis_tx", "pelvis_tz") if n in seen}
    plates = _points_beside(source, _turned_plates(source, plates, found.yaw, notes), pelvis, notes)
    speed: float | None = found.speed
    if on_belt:
        speed = belt
        seen = _on_belt(source, time, seen, belt, notes)
        plates = [_carried(plate, belt * (on_plates - time[0])) for plate in plates] if belt else plates
    elif belt is not None and abs(belt - found.speed) > 0.1 * belt:
        notes.append(f"{source}: speed={belt:g} in the header, but the pelvis goes {found.speed:.2f} m/s: that counts")
    return Walk(seen, list(plates), speed, notes)


def _turned_plates(source: str, plates: Sequence[Plate], yaw: float, notes: list[str]) -> list[Plate]:
    """The plates as the walker sees them: turned with the coordinates, or, where the forces' own heading is another
    one, by that (a laboratory's frame beside that of the model)."""
    if not plates:
        return []
    own = _shear_heading(plates)
    apart = 0.0 if own is None else float(np.angle(np.exp(1j * (own - yaw))))
    turn = yaw
    if abs(apart) > _TURNED:
        turn = yaw + np.pi / 2 * round(apart / (np.pi / 2))
        notes.append(f"{source}: forces brake and push {np.degrees(apart):.0f} deg from the way walked: turned onto it")
    if abs(turn) < np.radians(2.0):
        return list(plates)
    return [plate.mapped(lambda vectors: way.turned_vectors(vectors, turn)) for plate in plates]


def _shear_heading(plates: Sequence[Plate]) -> float | None:
    """rad, counter-clockwise from above, from x to where the forces push after they have braked; None: not clear.

    In every contact of walking the horizontal force is backward first and forward then.
    """
    change, weight = np.zeros(2), 0.0
    for plate in plates:
        for begin, end in runs(plate.load):
            third = (end - begin) // 3
            if third < 2 or begin == 0 or end == len(plate.load):
                continue
            shear = plate.force[begin:end][:, [0, 2]]
            change += np.nanmean(shear[-third:], axis=0) - np.nanmean(shear[:third], axis=0)
            weight += float(np.nanmean(plate.load[begin:end]))
    return float(np.arctan2(-change[1], change[0])) if np.linalg.norm(change) > _SHEAR * max(weight, 1.0) else None


def _points_beside(
    source: str, plates: list[Plate], coordinates: dict[str, np.ndarray], notes: list[str]
) -> list[Plate]:
    """The plates with points within a step of the pelvis: as they are, turned by half a turn, or left out, told."""
    if "pelvis_tx" not in coordinates or not plates:
        return plates
    pelvis = np.stack([coordinates["pelvis_tx"], coordinates.get("pelvis_tz", 0 * coordinates["pelvis_tx"])], axis=1)

    def apart(sign: float) -> float:
        gaps = [np.linalg.norm(sign * plate.point[:, [0, 2]] - pelvis, axis=1) for plate in plates]
        gaps = np.concatenate(gaps)
        return float(np.nanmedian(gaps)) if np.isfinite(gaps).any() else 0.0

    if apart(1.0) <= _NEAR:
        return plates
    if apart(-1.0) <= _NEAR:
        notes.append(f"{source}: points of application are turned by half a turn against the pelvis' path: turned back")
        mirror = np.array([-1.0, 1.0, -1.0])
        return [dataclasses.replace(plate, point=plate.point * mirror) for plate in plates]
    notes.append(f"{source}: points of application are {apart(1.0):.1f} m from the pelvis (another origin?): not used")
    return [dataclasses.replace(plate, point=np.full_like(plate.point, np.nan)) for plate in plates]


def _on_belt(
    source: str, time: np.ndarray, coordinates: dict[str, np.ndarray], belt: float | None, notes: list[str]
) -> dict[str, np.ndarray]:
    """The coordinates over ground, moved by the belt's travel; without its speed those but pelvis_tx."""
    if belt is None:
        why = "pelvis_tx stands still (a treadmill?)" if "pelvis_tx" in coordinates else "no pelvis_tx"
        notes.append(f"{source}: {why}: the speed is not known; a line speed=1.25 (m/s) in the header gives it")
        return {name: column for name, column in coordinates.items() if name != "pelvis_tx"}
    low, high = WALKING_SPEEDS
    if not low <= belt <= high:
        raise UserError(f"{source}: speed is {belt:g} m/s in the header; {low:g} to {high:g} make sense.")
    notes.append(f"{source}: on a belt at {belt:g} m/s, by its header: its travel is added to pelvis_tx")
    return coordinates | {"pelvis_tx": coordinates.get("pelvis_tx", 0 * time) + belt * (time - time[0])}


def _carried(plate: Plate, travel: np.ndarray) -> Plate:
    """The plate with its points moved ahead by [T] m."""
    return dataclasses.replace(plate, point=plate.point + np.stack([travel, 0 * travel, 0 * travel], axis=1))
