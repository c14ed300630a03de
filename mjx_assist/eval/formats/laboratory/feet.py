"""Which foot stood on which force plate, and when: the leg that goes back under the pelvis stands."""

from collections.abc import Sequence

import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.eval.formats.laboratory.plates import Plate, runs
from mjx_assist.eval.replay.record import SIDES

_CONVENTION = {"": 0, "1": 1}  # OpenSim's examples: no prefix is the right foot, 1_ the left
_LONGEST = 0.85  # of a stride that a foot stands
_LONGEST_STANCE = 1.5  # s, where no stride is known
_CLEAR = 0.1  # m, by which the standing leg goes back farther than the other one, at least
_CROSSED = 0.03  # m that feet may seem to cross


def to_feet(
    source: str, plates: Sequence[Plate], time: np.ndarray, ahead: np.ndarray | None, stride: float
) -> tuple[dict[str, np.ndarray], list[str]]:
    """(force [T, 2, 3], point [T, 2, 3] and torque [T, 2, 3] on the (right, left) foot by name, sentences).

    ``ahead``: [T, 2] m of each foot before its hip, None where the legs are not known; ``stride``: s, NaN where not
    known. Each contact goes to the leg that goes back during it; a plate's label is checked against that. Raises
    UserError where it cannot be told, or contradicts a label.
    """
    feet = {name: np.zeros((time.size, 2, 3)) for name in ("force", "point", "torque")}
    weight = np.zeros((time.size, 2, 1))
    told: list[str] = []
    for plate in plates:
        for part, foot in _shares(source, plate, plates, time, ahead, stride):
            feet["force"][part, foot] += np.nan_to_num(plate.force[part])
            feet["torque"][part, foot] += np.nan_to_num(plate.torque[part])
            load = np.where(np.isnan(plate.point[part]).any(axis=1), 0.0, plate.load[part])[:, None]
            feet["point"][part, foot] += load * np.nan_to_num(plate.point[part])
            weight[part, foot] += load
            told.append(f"{plate.name or 'without a number'} {SIDES[foot]}")
    unloaded = np.full_like(feet["point"], np.nan)
    feet["point"] = np.divide(feet["point"], weight, out=unloaded, where=weight > 0)
    return feet, _notes(source, plates, feet["point"], told)


def _shares(source, plate: Plate, plates, time, ahead, stride) -> list[tuple[slice, int]]:
    """(samples, foot) of a plate, all samples shared out among its contacts."""
    contacts = runs(plate.load)
    if not contacts:
        return [(slice(None), plate.foot or 0)]
    _check_unloaded(source, plate, contacts, time, stride)
    usual = plate.foot
    if usual is None and {other.name for other in plates} <= set(_CONVENTION):
        usual = _CONVENTION[plate.name]
    if ahead is None:
        if usual is None:
            raise UserError(f"{source}: {_named(plate)} is no foot's; {_LABELS}, or give joint angles of both legs.")
        return [(slice(None), usual)]
    back = [
        ahead[end - 1] - ahead[begin] for begin, end in contacts
    ]  # of (right, left); the standing leg's is negative
    feet = [_standing(pair) for pair in back]
    _check_label(source, plate, feet, contacts, time)
    clear = [foot for foot in feet if foot is not None]
    usual = max(set(clear), key=clear.count) if clear else usual
    if usual is None:
        raise UserError(
            f"{source}: {_named(plate)}: it cannot be told which foot stands on it, because no leg goes back under "
            f"the pelvis from {time[contacts[0][0]]:.2f} s on. {_LABELS}."
        )
    middles = [(contacts[i][1] + contacts[i + 1][0]) // 2 for i in range(len(contacts) - 1)]
    edges = [0, *middles, time.size]
    known = [usual if foot is None else foot for foot in feet]
    return [(slice(edges[i], edges[i + 1]), foot) for i, foot in enumerate(known)]


_LABELS = "Label its columns r_ground_force_vx, l_ground_force_vx, ..."


def _standing(back: np.ndarray) -> int | None:
    """The foot that goes back in a contact, None where that is not clear."""
    return None if abs(back[0] - back[1]) < _CLEAR else int(back[1] < back[0])


def _check_label(source: str, plate: Plate, feet: list[int | None], contacts: list, time: np.ndarray) -> None:
    against = [at for at, foot in enumerate(feet) if plate.foot is not None and foot == 1 - plate.foot]
    if plate.foot is not None and 2 * len(against) > len(feet):
        at = time[contacts[against[0]][0]]
        raise UserError(
            f"{source}: {_named(plate)} is loaded from {at:.2f} s on while the {SIDES[1 - plate.foot]} leg stands, by "
            "the joint angles. Are the feet swapped, or are the files of different trials?"
        )


def _check_unloaded(source: str, plate: Plate, contacts: list, time: np.ndarray, stride: float) -> None:
    longest = _LONGEST * stride if np.isfinite(stride) else _LONGEST_STANCE
    for begin, end in contacts:
        if time[end - 1] - time[begin] > longest:
            raise UserError(
                f"{source}: {_named(plate)} is loaded from {time[begin]:.2f} to {time[end - 1]:.2f} s, longer than "
                "a foot stands: both feet on one plate, or standing? Give a part in which each plate has one foot at "
                "a time."
            )


def _named(plate: Plate) -> str:
    return f"force plate {plate.name}" if plate.name else "the force plate without a number"


def _notes(source: str, plates: Sequence[Plate], point: np.ndarray, told: list[str]) -> list[str]:
    notes = []
    shared = dict.fromkeys(told)
    if any(plate.foot is None for plate in plates) and {"without a number right", "1 left"} != set(shared):
        notes.append(f"{source}: force plates to feet by the legs: {', '.join(shared)}")
    lateral = np.nanmean(point[:, :, 2], axis=0) if np.isfinite(point).any(axis=(0, 2)).all() else np.zeros(2)
    if lateral[0] < lateral[1] - _CROSSED:
        notes.append(
            f"{source}: the right foot's centre of pressure lies to the left of the left one's; is z to the right?"
        )
    return notes
