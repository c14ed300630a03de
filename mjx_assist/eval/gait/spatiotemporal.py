"""Where and when the feet land: speed, cadence, steps and strides, stance and swing, supports, step width.

Definitions after Perry & Burnfield (Gait Analysis, 2010, chapter 1) and Hollman et al. (2011, Gait Posture 34:111)."""

import numpy as np

from mjx_assist.eval.gait import angles, events
from mjx_assist.eval.gait.cycles import FORWARD, LATERAL, VERTICAL
from mjx_assist.eval.replay.record import SIDES, GaitRecord


def figures(record: GaitRecord) -> dict[str, np.ndarray]:
    """[n] of each figure, one entry per stride in the order of ``events.strides``; NaN where a stride lacks it.

    A stride runs from a foot's contact to its next (time, length of the heel's way along x, speed = length / time,
    cadence = 2 steps per stride time). The step is the one that ends the stride: from the other foot's contact to this
    one's, its length and width (3-D models only; positive with the left foot to the left) between the heels' places at
    these contacts. Stance runs from contact to toe-off, swing from there to contact; single support is stance with
    the other foot off the ground, double support the rest, in % of the stride. foot_lift_m: range of the
    heel's height over the ground under it.
    """
    found = events.strides(record)
    foot = np.array([SIDES.index(stride.side) for stride in found], int)
    start, toe_off, end = (np.array([getattr(s, part) for s in found], int) for part in ("start", "toe_off", "end"))
    time, place = record.time, record.foot_position
    duration, stance_time = time[end] - time[start], time[toe_off] - time[start]
    length = place[end, foot, FORWARD] - place[start, foot, FORWARD]
    height = place[:, :, VERTICAL] - record.foot_ground
    on_ground = events.contact(record)
    double = np.array([on_ground[s.start : s.end].all(axis=1).mean() for s in found])
    single = np.array([_alone(on_ground[s.start : s.end], SIDES.index(s.side)) for s in found])
    return {
        "speed_m_s": length / duration,
        "cadence_steps_per_min": 120 / duration,
        "stride_time_s": duration,
        "stride_length_m": length,
        **_steps(record, found, foot),
        "stance_percent": 100 * stance_time / duration,
        "swing_percent": 100 * (1 - stance_time / duration),
        "single_support_percent": 100 * single,
        "double_support_percent": 100 * double,
        "stance_time_s": stance_time,
        "swing_time_s": duration - stance_time,
        "foot_lift_m": np.array([np.ptp(height[s.start : s.end, SIDES.index(s.side)]) for s in found], float),
    }


def _steps(record: GaitRecord, found: list[events.Stride], foot: np.ndarray) -> dict[str, np.ndarray]:
    """Time, length and (3-D) width of the step that ends each stride; NaN where the other foot never lands."""
    known = np.array([stride.opposite_contact is not None for stride in found], bool)
    begin = np.array([stride.opposite_contact or 0 for stride in found], int)
    end = np.array([stride.end for stride in found], int)
    step = record.foot_position[end, foot] - record.foot_position[begin, 1 - foot]
    values = {"step_time_s": record.time[end] - record.time[begin], "step_length_m": step[:, FORWARD]}
    if angles.in_3d(record):
        values["step_width_m"] = step[:, LATERAL] * np.where(foot == SIDES.index("left"), 1, -1)
    return {name: np.where(known, value, np.nan) for name, value in values.items()}


def _alone(on_ground: np.ndarray, foot: int) -> float:
    """Share of [n, 2] samples in which only ``foot`` is on the ground."""
    return float((on_ground[:, foot] & ~on_ground[:, 1 - foot]).mean())
