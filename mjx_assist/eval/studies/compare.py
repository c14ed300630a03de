"""Compare walks: the same seeds under several conditions or policies, differences with confidence intervals.

Every figure is a number per stride; intervals come from `bootstrap`. It simulates nothing and draws nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from mjx_assist.config.words import ZERO_TORQUE
from mjx_assist.eval.gait import cycles, metrics, stride_curves
from mjx_assist.eval.gait.metric import GROUPS
from mjx_assist.eval.replay.record import GaitRecord
from mjx_assist.eval.studies import statistics

SCHEMA_VERSION = 1
CURVE_COLUMNS = ("case", "speed_asked_m_s", "curve", "unit", "gait_cycle_percent", "mean", "sd", "strides")
SPEED_HELD = 0.05  # a mean speed farther than this from the one asked, relative, is told


@dataclass(frozen=True, eq=False)
class EpisodeFigures:
    """What is kept of a record: per group and figure a number for each stride [n], per curve its cycles [n, 101]

    and its unit.
    """

    seed: int
    fell: bool
    time_s: float
    figures: dict[str, dict[str, np.ndarray]]
    curves: dict[str, np.ndarray]
    units: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Walks:
    """The episodes of one case (a policy under a condition) at one asked speed, in the order of their seeds."""

    case: str
    speed_m_s: float
    episodes: tuple[EpisodeFigures, ...]

    def strides(self, curve: str) -> np.ndarray:
        """[n, 101] all strides of a curve, of those episodes that have it."""
        strides = [episode.curves[curve] for episode in self.episodes if curve in episode.curves]
        return np.concatenate(strides) if strides else np.zeros((0, 101))


def episode(record: GaitRecord) -> EpisodeFigures:
    """A record's strides, both legs together; what is not finite is left out."""
    whole, record = record, record.finite_part()
    known = stride_curves.curves(record, muscles=("activation",))
    return EpisodeFigures(
        seed=int(record.seed),
        fell=bool(whole.fell),
        time_s=float(record.time[-1]),
        figures=metrics.compared(record),
        curves={name: np.concatenate(cycles.stride_cycles(record, c.series(record))) for name, c in known.items()},
        units={name: curve.unit for name, curve in known.items()},
    )


def curve_rows(walks: Sequence[Walks]) -> Iterator[dict]:
    """A row of `CURVE_COLUMNS` for each case, speed, curve and percent: mean and SD over the strides of both legs."""
    for part in walks:
        for name, unit in {n: u for episode in part.episodes for n, u in episode.units.items()}.items():
            strides = part.strides(name)
            strides = strides[np.isfinite(strides).any(axis=1)]  # a leg without the joint has no curve
            mean, sd = cycles.mean_and_sd(strides)
            about = {"case": part.case, "speed_asked_m_s": part.speed_m_s, "curve": name, "unit": unit}
            for percent, values in enumerate(zip(mean, sd, strict=True)):
                numbers = (f"{v:.{stride_curves.DIGITS}g}" if np.isfinite(v) else "" for v in values)
                yield about | dict(zip(CURVE_COLUMNS[4:], (percent, *numbers, len(strides)), strict=True))


def rows(walks: Sequence[Walks], baseline: str) -> list[dict]:
    """The table: a row per figure, speed and case, with its difference to the ``baseline`` case at that speed.

    mean and sd over all strides; ``mean_low``, ``mean_high`` and the difference's ``low``, ``high``: 95 % confidence
    limits. The difference is over the seeds that both walked; ``*_percent`` are of the baseline's mean.
    """
    by_place = {(part.case, part.speed_m_s): part for part in walks}
    table = []
    for part in walks:
        other = by_place[baseline, part.speed_m_s]
        for group, figure in _names(walks):
            sums, against = _sums(part, group, figure), _sums(other, group, figure)
            mean, low, high = statistics.interval(*sums)
            row = {"group": group, "figure": figure, "speed_asked_m_s": part.speed_m_s, "case": part.case}
            row |= {"mean": mean, "sd": _sd(part, group, figure), "strides": int(sums[1].sum())}
            row |= {"mean_low": low, "mean_high": high}
            if part is not other:
                difference, low, high = statistics.interval(*sums, against)
                row |= {"difference": difference, "low": low, "high": high}
                scale = abs(statistics.pooled_mean(*against))
                limits = zip(("difference", "low", "high"), (difference, low, high), strict=True)
                row |= {f"{name}_percent": 100 * value / scale if scale else np.nan for name, value in limits}
            table.append(row)
    return table


def baseline_of(cases: Sequence[str], conditions: Sequence[str]) -> str:
    """What the others are compared with: the first case with zero torque, else the first."""
    unpowered = [case for case, condition in zip(cases, conditions, strict=True) if condition == ZERO_TORQUE]
    return (unpowered or list(cases))[0]


def notes(walks: Sequence[Walks], trained: dict[str, tuple[float, float]]) -> list[str]:
    """What a reader must know: speeds that a policy was not trained for or does not hold, falls, too few episodes."""
    found = []
    for part in walks:
        low, high = trained[part.case]
        if not low - 1e-9 <= part.speed_m_s <= high + 1e-9:
            requested = f"{low:g} m/s" if low == high else f"{low:g} to {high:g} m/s"
            found.append(
                f"{part.case}: {part.speed_m_s:g} m/s is outside what the policy was trained for ({requested})."
            )
    for part in walks:
        falls = [episode for episode in part.episodes if episode.fell]
        if falls:
            earliest = min(episode.time_s for episode in falls)
            found.append(
                f"{part.case} at {part.speed_m_s:g} m/s fell in {len(falls)} of {len(part.episodes)} episodes, the "
                f"earliest after {earliest:.1f} s: its figures are of the strides before a fall."
            )
        speed = statistics.pooled_mean(*_sums(part, "kinematics", "speed_m_s"))
        if np.isnan(speed):
            found.append(f"{part.case} at {part.speed_m_s:g} m/s has no complete stride.")
        elif abs(speed - part.speed_m_s) > SPEED_HELD * part.speed_m_s:
            found.append(
                f"{part.case} walked at {speed:.2f} m/s when asked for {part.speed_m_s:g}: power depends on speed, so "
                "compare its cost of transport."
            )
    if min(len(part.episodes) for part in walks) < statistics.FEWEST_EPISODES:
        found.append(f"Fewer than {statistics.FEWEST_EPISODES} episodes: no confidence intervals.")
    return found


def _names(walks: Sequence[Walks]) -> list[tuple[str, str]]:
    """(group, figure) that any walk has, in order."""
    known: dict[tuple[str, str], None] = {}
    for group in GROUPS:
        for part in walks:
            known |= dict.fromkeys((group, name) for e in part.episodes for name in e.figures[group])
    return list(known)


def _sums(part: Walks, group: str, figure: str) -> tuple[np.ndarray, np.ndarray]:
    """([E] sum, [E] number) of the finite values of a figure in each episode."""
    values = [_values(episode, group, figure) for episode in part.episodes]
    return np.array([v.sum() for v in values]), np.array([v.size for v in values], float)


def _sd(part: Walks, group: str, figure: str) -> float:
    return cycles.sd(np.concatenate([_values(episode, group, figure) for episode in part.episodes]))


def _values(episode: EpisodeFigures, group: str, figure: str) -> np.ndarray:
    values = np.asarray(episode.figures[group].get(figure, ()), float)
    return values[np.isfinite(values)]
