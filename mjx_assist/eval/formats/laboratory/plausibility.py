"""Whether a record can be a person's walk: speed, stride, mass, forces and likeness to healthy walking in a line."""

import itertools

import numpy as np

from mjx_assist.eval.formats.laboratory import mass
from mjx_assist.eval.gait import angles
from mjx_assist.eval.gait.cycles import FORWARD, VERTICAL, base_name, ground_force
from mjx_assist.eval.replay.record import GaitRecord
from mjx_assist.reference import likeness, way

_USUAL_SPEED = 1.25  # m/s, at which angles are compared where the speed is not known
_LEG = tuple(angles.SAGITTAL[name].coordinate for name in angles.LEG)
_NONE = "not known"


def plausibility(record: GaitRecord) -> tuple[str, list[str]]:
    """(speed, stride, mass, peaks and mean correlation with healthy angles in a line; angles that are upside down)."""
    coordinates = dict(zip(record.joint_names, record.qpos.T, strict=True))
    strides = _strides(record, coordinates)
    speed = _speed(record)
    legs = _mean_legs(record, strides)
    compared = speed if np.isfinite(speed) and speed > way.SLOWEST_WALK else _USUAL_SPEED
    correlations = [c for leg in legs.values() for c in likeness.correlations(leg, compared).values()]
    likeness_of_all = float(np.mean(correlations)) if correlations else float("nan")
    times = [record.time[end] - record.time[begin] for pair in strides for begin, end in pair]
    duration = float(np.mean(times)) if times else np.nan
    line = [
        f"speed {_shown(speed, '.2f', 'm/s')}",
        f"stride {_shown(duration, '.2f', 's')}, {_shown(speed * duration, '.2f', 'm')}",
        f"body mass {_shown(record.body_mass, '.1f', 'kg')}",
        _peaks(record),
        f"correlation with healthy angles {_shown(likeness_of_all, '.2f', '')}",
    ]
    return "; ".join(line).rstrip(), likeness.upside_down_words(legs, compared)


def _strides(record: GaitRecord, coordinates: dict[str, np.ndarray]) -> tuple[list, list]:
    """(begin, end) of the (right, left) foot's strides: by the ground reaction, else by the legs."""
    load = np.nan_to_num(record.ground_reaction[:, :, VERTICAL])
    found = [list(itertools.pairwise(b for b, _ in mass.contacts(load[:, foot], record.time))) for foot in range(2)]
    reach = None if any(found) else way.ahead(coordinates)
    if reach is not None:
        found = [list(itertools.pairwise(way.contacts(reach[:, foot], 1 / record.sample_dt))) for foot in range(2)]
    return found[0], found[1]


def _speed(record: GaitRecord) -> float:
    if "pelvis_tx" not in record.joint_names or record.time.size < 2:
        return float("nan")
    place = record.column(record.qpos, "pelvis_tx")
    return float((place[-1] - place[0]) / (record.time[-1] - record.time[0]))


def _mean_legs(record: GaitRecord, strides: tuple[list, list]) -> dict[str, dict[str, np.ndarray]]:
    """deg over the mean stride [100] by coordinate, of each side that has strides."""
    legs = {}
    for side, found in zip(way.SIDES, strides, strict=True):
        columns = {base_name(n): n for n in record.joint_names if base_name(n) in _LEG and n.endswith(f"_{side}")}
        if found and columns:
            legs[side] = {n: _mean_stride(record.column(record.qpos, columns[n]), found) for n in columns}
    return legs


def _mean_stride(angle: np.ndarray, strides: list) -> np.ndarray:
    at = np.array([begin + np.arange(100) / 100 * (end - begin) for begin, end in strides])
    return np.degrees(np.interp(at, np.arange(angle.size), angle).mean(axis=0))


def _peaks(record: GaitRecord) -> str:
    """Peaks of the ground reaction in body weights, the means of all whole contacts."""
    if not np.isfinite(record.ground_reaction).any() or not np.isfinite(record.body_mass):
        return f"peak forces {_NONE}"
    load = np.nan_to_num(record.ground_reaction[:, :, VERTICAL])
    both = [(foot, contact) for foot in range(2) for contact in mass.contacts(load[:, foot], record.time)]
    parts = [(foot, slice(begin, end)) for foot, (begin, end) in both if end < len(load)]
    up, ahead = ground_force(record, VERTICAL), ground_force(record, FORWARD)
    if not parts:
        return f"peak forces {_NONE}"
    peak, brake, push = (
        float(np.mean([figure(series[part, foot]) for foot, part in parts]))
        for figure, series in ((np.max, up), (np.min, ahead), (np.max, ahead))
    )
    return f"peak forces {peak:.2f} BW up, {-brake:.2f} BW braking, {push:.2f} BW pushing"


def _shown(value: float, form: str, unit: str) -> str:
    return f"{value:{form}} {unit}" if np.isfinite(value) else _NONE
