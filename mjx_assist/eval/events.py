"""Gait events from the ground reaction: who stands when, initial contacts, toe-offs, strides.

Terms after Perry & Burnfield (Gait Analysis, 2010): a stride runs from one initial contact to the same foot's next."""

import dataclasses
import itertools

import numpy as np

from mjx_assist.eval.record import SIDES, GaitRecord

CONTACT_OFF = 0.02  # body weights: a foot is off the ground below this (force plates: 20 N, 2 to 3 % of body weight)
CONTACT_ON = 0.05  # a rise above CONTACT_OFF counts as contact, from its beginning, only if it gets past this too
MIN_SWING_S = 0.10  # an unloading shorter than this is a bounce: walking swing lasts 0.35 s and more
MIN_STANCE_S = 0.10  # a contact shorter than this is a scuff: walking stance lasts 0.5 s and more


@dataclasses.dataclass(frozen=True)
class Stride:
    """Sample indexes of one foot's stride; ``opposite_contact`` is None unless the other foot lands once in it."""

    side: str
    start: int
    toe_off: int
    end: int
    opposite_contact: int | None


def contact(record: GaitRecord) -> np.ndarray:
    """[T, 2] bool: is the (right, left) foot on the ground; hysteresis, bounces bridged, scuffs dropped."""
    load = record.ground_reaction[:, :, 2] / record.body_weight
    return np.stack([_foot_contact(load[:, foot], record.sample_dt) for foot in range(2)], axis=1)


def initial_contacts(on_ground: np.ndarray) -> np.ndarray:
    """Indexes of the first samples of stance in a [T] bool; a stance that the record begins with has none."""
    return np.flatnonzero(on_ground[1:] & ~on_ground[:-1]) + 1


def toe_offs(on_ground: np.ndarray) -> np.ndarray:
    """Indexes of the first samples of swing in a [T] bool."""
    return initial_contacts(~on_ground)


def strides(record: GaitRecord) -> list[Stride]:
    """The strides of both feet, right first, each foot's first and last left out: start-up, and an end or a fall."""
    on_ground = contact(record)
    found = []
    for foot, side in enumerate(SIDES):
        contacts, offs = initial_contacts(on_ground[:, foot]), toe_offs(on_ground[:, foot])
        opposite = initial_contacts(on_ground[:, 1 - foot])
        for start, end in list(itertools.pairwise(contacts))[1:-1]:
            toe_off = int(offs[np.searchsorted(offs, start)])
            inside = opposite[(opposite >= start) & (opposite < end)]
            found.append(Stride(side, int(start), toe_off, int(end), int(inside[0]) if inside.size == 1 else None))
    return found


def _foot_contact(load: np.ndarray, dt: float) -> np.ndarray:
    """[T] bool from one foot's vertical load in body weights."""
    on_ground = load >= CONTACT_OFF
    for start, end in _runs(on_ground):
        on_ground[start:end] &= load[start:end].max() > CONTACT_ON
    on_ground = _without_short_runs(on_ground, False, MIN_SWING_S / dt)
    return _without_short_runs(on_ground, True, MIN_STANCE_S / dt)


def _without_short_runs(on_ground: np.ndarray, value: bool, samples: float) -> np.ndarray:
    """Flip the runs of ``value`` shorter than ``samples``, but for those that the record's ends cut off."""
    result = on_ground.copy()
    for start, end in _runs(on_ground)[1:-1]:
        if on_ground[start] == value and end - start < samples:
            result[start:end] = not value
    return result


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """(start, end) of the stretches of equal value in a [T] bool."""
    edges = np.flatnonzero(np.diff(flags)) + 1
    return list(itertools.pairwise([0, *edges.tolist(), flags.size]))
