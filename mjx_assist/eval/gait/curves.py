"""How alike curves of strides are: a leg's to the other leg's, to its own mean, to healthy people's.

[n] in the order of ``events.strides``; averaged curves against healthy ones are in healthy.py."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from mjx_assist.eval.gait import angles, cycles, events, healthy, spatiotemporal
from mjx_assist.eval.gait.metric import StrideMetric
from mjx_assist.eval.replay.record import SIDES, GaitRecord
from mjx_assist.reference.published import healthy_band

# Compared between legs at every shift: what does not swing with both legs at once, as the pelvis does.
SHIFTED = (*angles.LEG, *(f"{name}_moment" for name in angles.LEG), "grf_vertical", "grf_anterior")


def legs_correlation(record: GaitRecord, curve: str) -> np.ndarray:
    """Pearson's r of a stride's curve with the other leg's mean curve, each on its own cycle."""
    return np.array([healthy.pearson(own, other) for own, other in _pairs(record, curve)], float)


def shifted_correlation(record: GaitRecord, curve: str) -> np.ndarray:
    """The largest r of these over all shifts around the cycle."""
    return _shifts(record, curve)[:, 0]


def lag(record: GaitRecord, curve: str) -> np.ndarray:
    """% of the cycle, -50 to 50, how much later a stride's curve is than the other leg's at that shift."""
    return _shifts(record, curve)[:, 1]


def deviation(record: GaitRecord, curve: str) -> np.ndarray:
    """RMS difference of a stride's curve from its leg's mean one, in the curve's unit."""
    legs = _strides(record, curve)
    return np.concatenate([healthy.gait_variable_score(leg, _mean(leg)) for leg in legs])


def healthy_correlation(record: GaitRecord, curve: str) -> np.ndarray:
    """Pearson's r of a stride's angle with the published healthy mean at the record's own speed."""
    speed = cycles.mean(spatiotemporal.speed(record))
    strides = np.concatenate(_strides(record, curve))
    if not np.isfinite(speed):
        return np.full(len(strides), np.nan)
    published = healthy_band(angles.MEASURED[curve].coordinate, speed)[1]
    return np.array([healthy.pearson(stride, published) for stride in strides], float)


def cross_correlation(right: np.ndarray, left: np.ndarray) -> tuple[float, float]:
    """(largest Pearson's r of two curves of one cycle over all circular shifts, the shift: how much later ``left`` is,

    -50 to 50 % of the cycle); NaN where one does not vary (Wren et al. 2006, J Biomech 39:2714).
    """
    if not min(np.ptp(right), np.ptp(left)) > healthy.STILL:
        return np.nan, np.nan
    a, b = right - right.mean(), left - left.mean()
    product = np.fft.irfft(np.fft.rfft(b) * np.conj(np.fft.rfft(a)), a.size) / np.sqrt((a @ a) * (b @ b))
    shift = int(product.argmax())
    shift -= a.size if 2 * shift > a.size else 0
    return float(product.max()), 100.0 * shift / a.size


def rows() -> Iterator[StrideMetric]:
    """The table's rows of these figures."""
    row = partial(StrideMetric, drawn=False)
    for name in angles.LEG:
        yield row(
            f"{name}_legs_correlation",
            f"{name.capitalize()} angle, correlation of the legs",
            "",
            partial(legs_correlation, curve=name),
            "r of the stride's angle with the other leg's mean one, each on its own cycle; `<joint>`: hip, knee, ankle",
            family="<joint>_legs_correlation",
        )
    for name in SHIFTED:
        shifted = partial(row, source="Wren et al. 2006", group="kinematics" if name in angles.MEASURED else "kinetics")
        title = name.replace("_", " ").replace("grf", "ground reaction").capitalize()
        yield shifted(
            f"{name}_shifted_legs_correlation",
            f"{title}, correlation of the shifted legs",
            "",
            partial(shifted_correlation, curve=name),
            "the largest r of these over all shifts around the cycle; `<curve>`: a joint's angle, its moment "
            "(`hip_moment`), `grf_vertical`, `grf_anterior`",
            family="<curve>_shifted_legs_correlation",
        )
        yield shifted(
            f"{name}_legs_lag_percent",
            f"{title}, lag behind the other leg",
            "%",
            partial(lag, curve=name),
            "how much later the stride is at that shift, -50 to 50 % of the cycle",
            family="<curve>_legs_lag_percent",
        )
    for name, angle in angles.MEASURED.items():
        row_of = partial(row, known=partial(_has, name=name))
        yield row_of(
            f"{name}_deviation_deg",
            f"{angle.title}, deviation from the mean stride",
            "deg",
            partial(deviation, curve=name),
            "RMS difference of the stride's angle from its leg's mean one",
            "after Dingwell & Marin 2006",
            family="<angle>_deviation_deg",
        )
        yield row_of(
            f"{name}_healthy_correlation",
            f"{angle.title}, correlation with healthy",
            "",
            partial(healthy_correlation, curve=name),
            "r of the stride's angle with published healthy walking's at the record's mean speed",
            "Schwartz et al. 2008",
            family="<angle>_healthy_correlation",
        )


def _has(record: GaitRecord, name: str) -> bool:
    return name in angles.angles_of(record)


@events.once_per_record
def _strides(record: GaitRecord, curve: str) -> tuple[np.ndarray, np.ndarray]:
    """([n, 101] of the right leg, of the left) of a curve of `healthy.curves`."""
    return cycles.stride_cycles(record, healthy.curves(angles.angles_of(record))[curve][2](record))


def _mean(strides: np.ndarray) -> np.ndarray:
    return strides.mean(axis=0) if len(strides) else np.full(strides.shape[1], np.nan)


def _pairs(record: GaitRecord, curve: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """A stride's curve and the other leg's mean one, [101] each."""
    legs = _strides(record, curve)
    for foot in range(len(SIDES)):
        other = _mean(legs[1 - foot])
        yield from ((stride, other) for stride in legs[foot])


@events.once_per_record
def _shifts(record: GaitRecord, curve: str) -> np.ndarray:
    """[n, 2] `cross_correlation` of every stride, the other leg's mean curve first."""
    pairs = _pairs(record, curve)
    return np.array([cross_correlation(other[:-1], own[:-1]) for own, other in pairs], float).reshape(-1, 2)
