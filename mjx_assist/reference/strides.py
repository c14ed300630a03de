"""The mean stride of a recorded walk: found at the right foot's contacts, or given, or the whole file's."""

import dataclasses
import itertools
import warnings
from pathlib import Path

import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.reference import way
from mjx_assist.reference.cycle import PHASES, resample

LENGTHS = ("pelvis_tx", "pelvis_ty", "pelvis_tz")  # in metres whatever the units of the angles
STRIDE_TIMES = (0.5, 4.0)  # s
CLOSING_GAP = 0.15  # rad, between the start and the end of a stride
_USUAL = 0.2  # of the median, that strides of steady walking differ by at most
_SAME = 0.2  # of a sample's step, within which the last sample is the first one again
_MOST = 6  # strides that a file may hold from contact to contact
_ALIKE = 0.05  # share of the motion's power that differs between strides, at most
_AT_CONTACT = 0.1  # of a stride, within which a file begins with its contact


@dataclasses.dataclass(frozen=True)
class Strides:
    """``mean``: one closed stride [any P, A] from right contact on; ``time``: s that it takes; ``edges``: (begin, end)
    in samples of those averaged."""

    mean: np.ndarray
    time: float
    edges: tuple[tuple[float, float], ...]


def found_strides(path: Path, values: np.ndarray, names: tuple[str, ...], rate: float, ahead: np.ndarray) -> Strides:
    """Strides between right contacts, where the heel is farthest ``ahead`` ([N] m) of the pelvis (Zeni et al. 2008).

    Strides that are not like the others (standing, first steps) are left out, told. With fewer than two contacts the
    whole file is one stride, or several that repeat.
    """
    contacts = way.contacts(ahead, rate)
    if len(contacts) < 2:
        return _whole_file(path, values, names, rate, ahead)
    edges = list(itertools.pairwise(way.between_samples(contacts, ahead).tolist()))
    usual = float(np.median([end - begin for begin, end in edges]))
    gaps = [_gap(values, edge) for edge in edges]
    kept = [
        edge
        for edge, gap in zip(edges, gaps, strict=True)
        if abs(edge[1] - edge[0] - usual) <= _USUAL * usual and _open_angle(names, gap)[1] <= CLOSING_GAP
    ]
    if not kept:
        _check_closed(path, names, gaps[0], " (stride 1)")
        kept = edges
    if len(kept) < len(edges):
        begin = edges[[edge in kept for edge in edges].index(False)][0] / rate
        warnings.warn(
            f"{path}: {len(edges) - len(kept)} of {len(edges)} strides are unlike the others (the first begins "
            f"{begin:.2f} s after the first sample): left out.",
            stacklevel=4,
        )
    return _mean(path, values, names, kept, rate)


def given_strides(path: Path, values: np.ndarray, names: tuple[str, ...], fields: dict, rate: float) -> Strides:
    """All whole strides of ``stride_time`` s from ``first_contact`` on. Raises UserError where there is none."""
    duration = (len(values) - 1) / rate
    stride_time = _within(path, "stride_time", fields["stride_time"], *STRIDE_TIMES)
    first = _within(path, "first_contact", fields.get("first_contact", 0.0), 0.0, duration)
    strides = int((duration - first) / stride_time + 1e-6)
    if strides < 1:
        raise UserError(f"{path}: {duration:.3g} s hold no whole stride of {stride_time:g} s from {first:g} s on.")
    begins = (first + np.arange(strides + 1) * stride_time) * rate
    edges = list(itertools.pairwise(begins.tolist()))
    for number, edge in enumerate(edges, start=1):
        _check_closed(path, names, _gap(values, edge), f" (stride {number})")
    return dataclasses.replace(_mean(path, values, names, edges, rate), time=stride_time)


def _within(path: Path, name: str, value, low: float, high: float) -> float:
    if not isinstance(value, float) or not low <= value <= high:
        raise UserError(f"{path}: {name} is {value!r}; it must be a number from {low:g} to {high:g} s.")
    return value


def _whole_file(path: Path, values: np.ndarray, names: tuple[str, ...], rate: float, ahead: np.ndarray) -> Strides:
    """The file as one stride, or as several that repeat, begun at its contact, without a last sample like the first."""
    angles = [place for place, name in enumerate(names) if name not in LENGTHS]
    step = np.abs(values[-1, angles] - values[-2, angles]).max()
    if np.abs(values[-1, angles] - values[0, angles]).max() < _SAME * step:
        values, ahead = values[:-1], ahead[:-1]
    number = _repeats(values[:, angles])
    stride_time = len(values) / rate / number
    if not STRIDE_TIMES[0] <= stride_time <= STRIDE_TIMES[1]:
        raise UserError(
            f"{path}: {len(values)} samples at {rate:g} Hz make a stride of {stride_time:.3g} s; "
            f"{STRIDE_TIMES[0]:g} to {STRIDE_TIMES[1]:g} s make sense. Correct sample_rate, or give stride_time "
            "if the file holds more than one stride."
        )
    _check_closed(path, names, values[0] - (2 * values[-1] - values[-2]), "")
    one = values
    if number > 1:
        one = resample(values, number * PHASES).reshape(number, PHASES, -1).mean(axis=0)
        ahead = resample(ahead[:, None], number * PHASES).reshape(number, PHASES).mean(axis=0)
    contact = int(np.argmax(ahead))
    if min(contact, len(one) - contact) > _AT_CONTACT * len(one):
        one = np.roll(one, -contact, axis=0)
    return Strides(one, stride_time, ((0.0, len(values) - 1.0),))


def _repeats(angles: np.ndarray) -> int:
    """How many equal strides a closed motion [N, A] holds: then only harmonics of that number have power."""
    power = (np.abs(np.fft.rfft(angles, axis=0)[1:]) ** 2).sum(axis=1)
    whole = power.sum()
    shares = {n: power[n - 1 :: n].sum() / whole for n in range(2, _MOST + 1) if whole > 0 and len(power) > n}
    return max((n for n, share in shares.items() if share > 1 - _ALIKE), default=1)


def _mean(path: Path, values: np.ndarray, names: tuple[str, ...], edges: list, rate: float) -> Strides:
    """The mean of strides (begin, end) in samples, [PHASES, A], each closed."""
    progress = np.arange(PHASES + 1) / PHASES
    cycles = []
    for begin, end in edges:
        at = begin + progress * (end - begin)
        cycle = np.stack([np.interp(at, np.arange(len(values)), column) for column in values.T], axis=-1)
        cycles.append((cycle - (cycle[-1] - cycle[0]) * (progress[:, None] - 0.5))[:-1])
    time = _within(path, "stride_time", float(np.mean([end - begin for begin, end in edges])) / rate, *STRIDE_TIMES)
    return Strides(np.mean(cycles, axis=0), time, tuple(edges))


def _gap(values: np.ndarray, edge: tuple[float, float]) -> np.ndarray:
    """[A] from a stride's begin to its end."""
    return np.array([np.diff(np.interp(edge, np.arange(len(values)), column))[0] for column in values.T])


def _open_angle(names: tuple[str, ...], gap: np.ndarray) -> tuple[int, float]:
    """(which angle ends farthest from where it starts, by how many rad)."""
    angles = np.where([name in LENGTHS for name in names], 0.0, np.abs(gap))
    return int(np.argmax(angles)), float(angles.max())


def _check_closed(path: Path, names: tuple[str, ...], gap: np.ndarray, which: str) -> None:
    worst, angle = _open_angle(names, gap)
    if angle > CLOSING_GAP:
        raise UserError(
            f"{path}: not periodic{which}: q_{names[worst]} ends {np.degrees(angle):.0f} deg from where it "
            f"starts, allowed are {np.degrees(CLOSING_GAP):.0f}. Give stride_time and first_contact of a whole stride."
        )
