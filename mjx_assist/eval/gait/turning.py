"""How well a walk kept to the turn that it was asked for: heading, rate and path, over windows of about two strides."""

from itertools import pairwise

import numpy as np

from mjx_assist.eval.gait import cycles
from mjx_assist.eval.replay.record import GaitRecord

WINDOW_S = 2.0  # the pelvis' own swing within a stride is no error
WARM_UP_S = 2.0
KEYS = ("heading_rate_asked_deg_s", "heading_error_deg", "heading_rate_error_deg_s", "path_error_m")
NOTE = (
    "was asked to turn: forward, sideways and pelvis rotation are along the commanded heading, feet as they lie from "
    "the pelvis. The strides of the outer and of the inner foot are as long as the pelvis' way here."
)


def turned(record: GaitRecord) -> bool:
    """Whether a turn was asked of the walk."""
    return bool(np.any(record.heading))


def turning_summary(record: GaitRecord) -> dict:
    """Means over windows of `WINDOW_S` after the first 2 s, as plain numbers under `KEYS`; NaN in a walk too short.

    The commanded rate's magnitude; how far the pelvis faced, and how fast it turned, off what was asked; how far the
    pelvis was off the commanded path (`sim.heading`: the drift to a side, whatever the speed was).
    """
    edges = np.arange(WARM_UP_S, record.time[-1], WINDOW_S)
    if edges.size < 2:
        return dict.fromkeys(KEYS, float("nan"))
    facing = np.degrees(_means(record, np.unwrap(record.column(record.qpos, "pelvis_rotation")), edges))
    off = _means(record, record.column(record.qpos, "pelvis_tz"), edges)
    asked = np.degrees(np.diff(np.interp(edges, record.time, np.asarray(record.heading)))) / WINDOW_S
    values = (np.abs(asked), np.abs(facing), np.abs(np.diff(facing)) / WINDOW_S, np.abs(off))
    return dict(zip(KEYS, map(cycles.mean, values), strict=True))


def _means(record: GaitRecord, series: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Mean of a series [T] between each edge (s) and the next."""
    bounds = np.searchsorted(record.time, edges)
    return np.array([series[a:b].mean() for a, b in pairwise(bounds)])
