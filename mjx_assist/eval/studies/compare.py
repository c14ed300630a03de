"""Compare walks: the same seeds under several conditions or policies, differences with confidence intervals.

Every figure is a number per stride; intervals come from `bootstrap`. It simulates nothing and draws nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mjx_assist.config.words import ZERO_TORQUE
from mjx_assist.eval.gait import angles, cycles, kinetics, loading, metrics
from mjx_assist.eval.gait.metric import GROUPS
from mjx_assist.eval.replay.record import GaitRecord
from mjx_assist.eval.studies import statistics

SCHEMA_VERSION = 1
SPEED_HELD = 0.05  # a mean speed farther than this from the one asked, relative, is told


@dataclass(frozen=True, eq=False)
class EpisodeFigures:
    """What is kept of a record: per group and figure a number for each stride [n], per curve its cycles [n, 101]."""

    seed: int
    fell: bool
    time_s: float
    figures: dict[str, dict[str, np.ndarray]]
    curves: dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Walks:
    """The episodes of one case (a policy under a condition) at one asked speed, in the order of their seeds."""

    case: str
    speed_m_s: float
    episodes: tuple[EpisodeFigures, ...]

    def strides(self, curve: str) -> np.ndarray:
        """[n, 101] all strides of a curve."""
        return np.concatenate([episode.curves[curve] for episode in self.episodes])


def episode(record: GaitRecord) -> EpisodeFigures:
    """A record's strides, both legs together; what is not finite is left out."""
    whole, record = record, record.finite_part()
    return EpisodeFigures(
        seed=int(record.seed),
        fell=bool(whole.fell),
        time_s=float(record.time[-1]),
        figures=metrics.compared(record),
        curves={name: np.concatenate(cycles.stride_cycles(record, s)) for name, s in _series(record).items()},
    )


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


def _series(record: GaitRecord) -> dict[str, np.ndarray]:
    """[T, 2] of every curve that is drawn, in the signs of `angles.SAGITTAL` and `angles.MOMENT_SIGNS`."""
    series = {}
    for name, angle in angles.SAGITTAL.items():
        series[f"{name}_angle"] = angle.sign * angles.model_angle(record, angle)
    for name in angles.LEG:
        sign, _ = angles.MOMENT_SIGNS[angles.SAGITTAL[name].coordinate]
        series[f"{name}_moment"] = sign * kinetics.moment(record, name)
        series[f"{name}_biological_moment"] = sign * kinetics.moment(record, name, biological=True)
        series[f"{name}_power"] = kinetics.power(record, name)
    for joint in cycles.driven_joints(record):
        sign = angles.MOMENT_SIGNS.get(joint, (1, ""))[0]
        series[f"device_{joint}"] = sign * cycles.device_torque(record, joint) / record.person_mass
    series["grf_vertical"] = cycles.ground_force(record)
    series["grf_anterior"] = cycles.ground_force(record, cycles.FORWARD)
    series["pressure_forward"] = 100 * loading.pressure_path(record)[:, :, 0]
    for muscle in cycles.muscles(record):
        series[f"activation_{muscle}"] = cycles.activation(record, muscle)
    return series
