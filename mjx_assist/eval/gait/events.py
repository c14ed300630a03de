"""Gait events from the ground reaction: who stands when, initial contacts, toe-offs, strides.

Terms after Perry & Burnfield (Gait Analysis, 2010): a stride runs from one initial contact to the same foot's next."""

import dataclasses
import functools
import itertools
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from mjx_assist.eval.replay.record import SIDES, GaitRecord

CONTACT_OFF = 0.02  # body weights: a foot is off the ground below this (force plates: 20 N, 2 to 3 % of body weight)
USUAL_WEIGHT = 750.0  # N, with which contacts are told where the body's mass is not known
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


class Samples(NamedTuple):
    """[n] of each, a stride's ``foot`` (0 right, 1 left) and sample indexes, in the order of ``strides``."""

    foot: np.ndarray
    start: np.ndarray
    toe_off: np.ndarray
    end: np.ndarray


def once_per_record(function: Callable[..., Any]) -> Callable[..., Any]:
    """Remember what ``function(record, *more)`` gave for as long as the record lives (records are frozen)."""
    known = weakref.WeakKeyDictionary()

    @functools.wraps(function)
    def remembered(record: GaitRecord, *more: Any) -> Any:
        kept = known.setdefault(record, {})
        if more not in kept:
            kept[more] = function(record, *more)
        return kept[more]

    return remembered


@once_per_record
def contact(record: GaitRecord) -> np.ndarray:
    """[T, 2] bool: is the (right, left) foot on the ground; hysteresis, bounces bridged, scuffs dropped."""
    weight = record.body_weight if np.isfinite(record.body_weight) else USUAL_WEIGHT
    load = record.ground_reaction[:, :, 2] / weight
    on_ground = np.stack([_foot_contact(load[:, foot], record.sample_dt) for foot in range(2)], axis=1)
    on_ground.flags.writeable = False
    return on_ground


def initial_contacts(on_ground: np.ndarray) -> np.ndarray:
    """Indexes of the first samples of stance in a [T] bool; a stance that the record begins with has none."""
    return np.flatnonzero(on_ground[1:] & ~on_ground[:-1]) + 1


def toe_offs(on_ground: np.ndarray) -> np.ndarray:
    """Indexes of the first samples of swing in a [T] bool."""
    return initial_contacts(~on_ground)


def strides(record: GaitRecord) -> list[Stride]:
    """The strides of both feet, right first, each foot's first and last left out: start-up, and an end or a fall.

    Feet land in turn. Where they do not, a contact was missed or is none (a stumble, a gap in the data): a stride in
    which the other foot lands twice is left out, one in which it never lands with those beside it. A foot whose other
    foot never lands at all (hopping) is not asked for turns.
    """
    return list(_strides(record)[0])


@once_per_record
def samples(record: GaitRecord) -> Samples:
    """The strides as arrays of sample indexes."""
    found = strides(record)
    foot = np.array([SIDES.index(stride.side) for stride in found], int)
    return Samples(foot, *(np.array([getattr(s, part) for s in found], int) for part in ("start", "toe_off", "end")))


def left_out(record: GaitRecord) -> int:
    """How many strides do not count because the feet did not land in turn."""
    return _strides(record)[1]


@once_per_record
def _strides(record: GaitRecord) -> tuple[tuple[Stride, ...], int]:
    """The strides that count, and how many were left out for a missed or an extra contact."""
    on_ground = contact(record)
    found, candidates = [], 0
    for foot, side in enumerate(SIDES):
        contacts, offs = initial_contacts(on_ground[:, foot]), toe_offs(on_ground[:, foot])
        opposite = initial_contacts(on_ground[:, 1 - foot])
        landings = np.diff(np.searchsorted(opposite, contacts))  # of the other foot, in each stride
        between = np.concatenate([[1], landings, [1]]) > 0
        in_turn = (landings == 1) & between[:-2] & between[2:] if opposite.size else np.ones(landings.size, bool)
        candidates += max(landings.size - 2, 0)
        for i in np.flatnonzero(in_turn[1:-1]) + 1:
            start, end = contacts[i], contacts[i + 1]
            toe_off = offs[np.searchsorted(offs, start)]
            other = int(opposite[np.searchsorted(opposite, start)]) if opposite.size else None
            found.append(Stride(side, int(start), int(toe_off), int(end), other))
    return tuple(found), candidates - len(found)


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
