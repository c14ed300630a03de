"""Where and when the feet land: speed, cadence, steps and strides, stance and swing, supports, step width.

Every function gives a number for each stride, [n] in the order of ``events.strides``. Definitions after Perry &
Burnfield (Gait Analysis, 2010, chapter 1) and Hollman et al. (2011, Gait Posture 34:111)."""

import numpy as np

from mjx_assist.eval.gait import events
from mjx_assist.eval.gait.cycles import FORWARD, LATERAL, VERTICAL
from mjx_assist.eval.replay.record import IMPORTED, SIDES, GaitRecord


def stride_time(record: GaitRecord) -> np.ndarray:
    """s from a foot's contact to its next."""
    at = events.samples(record)
    return record.time[at.end] - record.time[at.start]


def stride_length(record: GaitRecord) -> np.ndarray:
    """m, the heel's way along x from a contact to the next."""
    at = events.samples(record)
    place = record.foot_position
    return place[at.end, at.foot, FORWARD] - place[at.start, at.foot, FORWARD]


def speed(record: GaitRecord) -> np.ndarray:
    """m/s, length over time of the stride."""
    return stride_length(record) / stride_time(record)


def cadence(record: GaitRecord) -> np.ndarray:
    """Steps per minute, two a stride."""
    return 120 / stride_time(record)


def step_time(record: GaitRecord) -> np.ndarray:
    """s of the step that ends the stride: from the other foot's contact; NaN where that never lands."""
    at, begin = events.samples(record), _opposite_contact(record)
    return np.where(begin >= 0, record.time[at.end] - record.time[begin], np.nan)


def step_length(record: GaitRecord) -> np.ndarray:
    """m along x between the heels' places at the contacts of the step that ends the stride."""
    return _step(record)[:, FORWARD]


def step_width(record: GaitRecord) -> np.ndarray:
    """m sideways between the same places, positive with the left foot to the left."""
    return _step(record)[:, LATERAL] * np.where(events.samples(record).foot == SIDES.index("left"), 1, -1)


def stance_time(record: GaitRecord) -> np.ndarray:
    """s from contact to toe-off."""
    at = events.samples(record)
    return record.time[at.toe_off] - record.time[at.start]


def swing_time(record: GaitRecord) -> np.ndarray:
    """s from toe-off to contact."""
    return stride_time(record) - stance_time(record)


def stance_percent(record: GaitRecord) -> np.ndarray:
    """% of the stride."""
    return 100 * stance_time(record) / stride_time(record)


def swing_percent(record: GaitRecord) -> np.ndarray:
    """% of the stride."""
    return 100 * (1 - stance_time(record) / stride_time(record))


def single_support_percent(record: GaitRecord) -> np.ndarray:
    """% of the stride in which the other foot is off the ground and this one on it."""
    on_ground = events.contact(record)
    alone = [
        _alone(on_ground[s.start : s.end], SIDES.index(s.side)) if _other_known(record, s) else np.nan
        for s in events.strides(record)
    ]
    return 100 * np.array(alone, float)


def double_support_percent(record: GaitRecord) -> np.ndarray:
    """% of the stride with both feet on the ground."""
    on_ground = events.contact(record)
    both = [
        on_ground[s.start : s.end].all(axis=1).mean() if _other_known(record, s) else np.nan
        for s in events.strides(record)
    ]
    return 100 * np.array(both, float)


def foot_lift(record: GaitRecord) -> np.ndarray:
    """m, range of the heel's height over the ground under it."""
    height = record.foot_position[:, :, VERTICAL] - record.foot_ground
    ranges = [np.ptp(height[s.start : s.end, SIDES.index(s.side)]) for s in events.strides(record)]
    return np.array(ranges, float)


def _opposite_contact(record: GaitRecord) -> np.ndarray:
    """[n] sample of the other foot's contact within the stride; -1 where it never lands."""
    found = (stride.opposite_contact for stride in events.strides(record))
    return np.array([-1 if contact is None else contact for contact in found], int)


def _step(record: GaitRecord) -> np.ndarray:
    """[n, 3] m from the other heel's place at its contact to this one's at the next; NaN where that never lands."""
    at, begin = events.samples(record), _opposite_contact(record)
    step = record.foot_position[at.end, at.foot] - record.foot_position[begin, 1 - at.foot]
    return np.where((begin >= 0)[:, None], step, np.nan)


def _other_known(record: GaitRecord, stride: events.Stride) -> bool:
    """Whether it is told when the other foot stands: an imported walk may have but one foot on force plates."""
    return record.model_kind != IMPORTED or stride.opposite_contact is not None


def _alone(on_ground: np.ndarray, foot: int) -> float:
    """Share of [n, 2] samples in which only ``foot`` is on the ground."""
    return float((on_ground[:, foot] & ~on_ground[:, 1 - foot]).mean())
