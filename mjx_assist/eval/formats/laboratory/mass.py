"""The body's mass out of the ground reaction: only from whole strides in which the feet alternate."""

import itertools

import numpy as np
from scipy.integrate import trapezoid

from mjx_assist.errors import UserError
from mjx_assist.eval.formats.laboratory.plates import runs
from mjx_assist.model.names import GRAVITY

MASSES = (15.0, 300.0)  # kg, of a walking person
_SHORTEST = 0.1  # s of a contact
_HELD = 0.2  # of the body's weight that the ground bears in walking, at least
_UNHELD = 0.1  # share of a stride in which it bears less, at most: more is a step beside the plates


def contacts(load: np.ndarray, time: np.ndarray) -> list[tuple[int, int]]:
    """(first sample, the sample after the last one) of a foot's [T] contacts, bounces and scuffs left out.

    A contact that the recording begins with has no beginning and is left out too.
    """
    found: list[tuple[int, int]] = []
    for begin, end in runs(load):
        if found and time[begin] - time[found[-1][1] - 1] < _SHORTEST:
            begin = found.pop()[0]
        found.append((begin, end))
    return [(begin, end) for begin, end in found if begin > 0 and time[end - 1] - time[begin] > _SHORTEST]


def strides(load: np.ndarray, time: np.ndarray) -> list[tuple[int, int]]:
    """(begin, end) of whole strides of [T, 2] vertical forces in which the other foot lands once, right ones first."""
    both = [[begin for begin, _ in contacts(load[:, foot], time)] for foot in range(2)]
    return [
        (begin, end)
        for foot in range(2)
        for begin, end in itertools.pairwise(both[foot])
        if sum(begin < other < end for other in both[1 - foot]) == 1
    ]


def body_mass(source: str, load: np.ndarray, time: np.ndarray) -> float | None:
    """kg by the mean vertical force [T, 2] N over whole strides; None where there is none.

    Over whole strides the mean is the body's weight. Raises UserError for a mass that no walker has.
    """
    total = load.sum(axis=1)
    whole = [slice(begin, end + 1) for begin, end in strides(load, time)]
    whole = [part for part in whole if np.mean(total[part] < _HELD * total[part].mean()) < _UNHELD]
    if not whole:
        return None
    impulse = sum(trapezoid(total[part], time[part]) for part in whole)
    mass = float(impulse / sum(np.ptp(time[part]) for part in whole) / GRAVITY)
    low, high = MASSES
    if not low <= mass <= high:
        raise UserError(
            f"{source}: the ground reaction makes a body of {mass:.3g} kg; {low:g} to {high:g} make sense. Forces are "
            "in N: are these body weights, kN, or those of a single plate of several?"
        )
    return mass
