"""What gait records measure, put together: every stride's figures and the tree that metrics.json holds.

Plain JSON-able dictionaries with the unit in each key; what an episode cannot tell (an early fall) is None."""

from collections.abc import Sequence

import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.eval.gait import (
    angles,
    cycles,
    emg,
    events,
    healthy,
    metrics,
    one_sided,
    stability,
    turning,
    variability,
)
from mjx_assist.eval.gait.device import device_summary
from mjx_assist.eval.gait.metabolics import metabolic_summary
from mjx_assist.eval.gait.scores import score_summary
from mjx_assist.eval.replay.record import IMPORTED, SERIES, SIDES, GaitRecord
from mjx_assist.files.plain import plain

METRICS_SCHEMA_VERSION = 3
WARM_UP_S = 2.0  # after a reset a walker needs about two strides to settle
SHORTEST_STEADY_S = 1.0  # with less than this left after the warm-up the whole episode counts
_STILL_DEG = 1e-9  # less than this is rounding, not movement


def episode_summary(record: GaitRecord) -> dict:
    """One episode's line of ``evaluate --json``: how far, how fast, did it fall, how close to the reference.

    ``corr_reference`` (Pearson) and ``rmse_deg`` compare each sample with the reference at the same instant, mean of
    both sides, after the first 2 s. A walk that was asked to turn has the `turning_summary` as well.
    """
    record = record.finite_part()
    tracking = _tracking(record)
    position = _pelvis_way(record)
    return plain(
        {
            "seed": int(record.seed),
            "steps": round(duration(record) / record.control_dt),
            "time_s": duration(record),
            "distance_m": position[-1] - position[0],
            "mean_speed_m_s": _mean_speed(record),
            "fell": bool(record.fell),
            **{name: {key: cycles.mean(pair) for key, pair in values.items()} for name, values in tracking.items()},
            **(turning.turning_summary(record) if turning.turned(record) else {}),
        }
    )


def summarize(records: Sequence[GaitRecord]) -> dict:
    """All that the episodes tell, as one tree of JSON's own types: what metrics.json holds; docs/metrics.md lists it.

    ``right``, ``left`` and ``both`` hold the means over all strides of ``stride_rows`` (``sd``: SD over strides), and
    tracking and activation as means over episodes. Then by topic: symmetry, healthy, variability, stability, emg,
    cocontraction, metabolic, device (per driven joint), scores, per_episode, notes; one_sided of a body with a
    prosthesis. What cannot be told is None.
    """
    if not records:
        raise UserError("gait metrics: there is no episode to summarize.")
    whole, records = records, [record.finite_part() for record in records]
    first = records[0]
    by_episode = [stride_rows(record) for record in records]
    rows = [row for episode in by_episode for row in episode]
    legs = {side: [row for row in rows if row["side"] == side] for side in SIDES} | {"both": rows}
    means = {leg: _stride_means(legs[leg], tuple(metrics.figures(first))) for leg in legs}
    tracking = [_tracking(record) for record in records]
    activity = _activity(records)
    speed = cycles.mean([_mean_speed(record) for record in records])
    return plain(
        {
            "schema_version": METRICS_SCHEMA_VERSION,
            "human": first.human,
            "device_name": first.device,
            "controller": first.controller,
            "model_kind": first.model_kind,
            "person_mass_kg": first.person_mass,
            "device_mass_kg": first.device_mass,
            "grf_filter_hz": cycles.GRF_CUTOFF_HZ,
            "episodes": len(records),
            "falls": sum(bool(record.fell) for record in records),
            "time_s": cycles.mean([duration(record) for record in records]),
            "speed_m_s": speed,
            "speed_asked_m_s": cycles.mean([record.target_velocity[_steady(record)].mean() for record in records]),
            **{
                leg: {
                    **means[leg],
                    **{name: _over_episodes(tracking, name, leg) for name in ("corr_reference", "rmse_deg")},
                    **activity[leg],
                }
                for leg in legs
            },
            "symmetry": variability.symmetry_summary(means),
            "one_sided": one_sided.one_sided_summary(records),
            "healthy": healthy.healthy_summary(records, speed),
            "variability": variability.variability_summary(by_episode),
            "stability": stability.stability_summary(records, means["both"]),
            "emg": emg.emg_summary(records, speed),
            "cocontraction": emg.cocontraction_summary(records),
            "metabolic": metabolic_summary(records),
            "device": device_summary(records),
            "scores": score_summary(records),
            "per_episode": [episode_summary(record) for record in records],
            "notes": _notes(whole, records),
        }
    )


def stride_rows(record: GaitRecord) -> list[dict]:
    """One flat dict of figures per stride, ``side`` first; a step is the one that ends the stride."""
    figures = metrics.figures(record)
    return [
        {"side": stride.side, **{name: float(values[i]) for name, values in figures.items()}}
        for i, stride in enumerate(events.strides(record))
    ]


def _stride_means(rows: list[dict], names: Sequence[str]) -> dict:
    """Mean and SD over strides of every figure, their number, and the worst unfiltered peak."""
    columns = {name: np.array([row[name] for row in rows], float) for name in names}
    return {
        "strides": len(rows),
        **{name: cycles.mean(column) for name, column in columns.items()},
        "grf_peak_unfiltered_max_bw": max(columns["grf_peak_unfiltered_bw"], default=np.nan),
        "sd": {name: cycles.sd(column) for name, column in columns.items()},
    }


def _activity(records: Sequence[GaitRecord]) -> dict[str, dict]:
    """By leg and both: activation_mean of the steady part; activation_peak, mean of the strides' largest; by muscle."""
    result: dict[str, dict] = {leg: {"activation_mean": {}, "activation_peak": {}} for leg in (*SIDES, "both")}
    for muscle in cycles.muscles(records[0]):
        means = [cycles.activation(record, muscle)[_steady(record)].mean(axis=0) for record in records]
        peaks: dict[str, list[float]] = {side: [] for side in SIDES}
        for record in records:
            largest = cycles.over_strides(record, cycles.activation(record, muscle), np.max)
            for stride, peak in zip(events.strides(record), largest, strict=True):
                peaks[stride.side].append(peak)
        for leg, part in result.items():
            part["activation_mean"][muscle] = cycles.mean(_leg_part(means, leg))
            part["activation_peak"][muscle] = cycles.mean(peaks.get(leg, peaks["right"] + peaks["left"]))
    return result


def duration(record: GaitRecord) -> float:
    """s that a record lasts: since the reset of a simulated walk, from its first sample on of an imported one."""
    return float(record.time[-1] - (record.time[0] if record.model_kind == IMPORTED else 0.0))


def _steady(record: GaitRecord) -> slice:
    """The samples after the warm-up, or all of them in an episode too short for that, and of an imported walk."""
    long_enough = record.time[-1] >= WARM_UP_S + SHORTEST_STEADY_S and record.model_kind != IMPORTED
    return slice(int(np.searchsorted(record.time, WARM_UP_S)) if long_enough else 0, None)


def _pelvis_way(record: GaitRecord) -> np.ndarray:
    """[T] m that the pelvis is ahead; NaN where that was not recorded."""
    return cycles.joint_series(record, record.qpos, "pelvis_tx")[:, 0]


def _mean_speed(record: GaitRecord) -> float:
    """Pelvis displacement over time in the steady part, m/s."""
    window = _steady(record)
    position, time = _pelvis_way(record)[window], record.time[window]
    return (position[-1] - position[0]) / (time[-1] - time[0]) if time.size > 1 else np.nan


def _tracking(record: GaitRecord) -> dict[str, dict[str, np.ndarray]]:
    """corr_reference and rmse_deg: per angle its (right, left) against the time-locked reference."""
    window = _steady(record)
    result: dict[str, dict[str, np.ndarray]] = {"corr_reference": {}, "rmse_deg": {}}
    for name, angle in angles.SAGITTAL.items():
        walked, wanted = angles.model_angle(record, angle)[window], angles.reference_angle(record, angle)[window]
        result["corr_reference"][name] = np.array([_correlation(walked[:, i], wanted[:, i]) for i in range(2)])
        result["rmse_deg"][name] = np.sqrt(((walked - wanted) ** 2).mean(axis=0))
    return result


def _over_episodes(tracking: list[dict], name: str, leg: str) -> dict:
    """Mean over episodes of one tracking figure, per angle, for a leg or both."""
    return {key: cycles.mean(_leg_part([episode[name][key] for episode in tracking], leg)) for key in angles.SAGITTAL}


def _leg_part(pairs: list[np.ndarray], leg: str) -> np.ndarray:
    """The leg's entries of (right, left) pairs, or all of them for "both"."""
    values = np.stack(pairs)
    return values if leg == "both" else values[:, SIDES.index(leg)]


def _notes(whole: Sequence[GaitRecord], records: Sequence[GaitRecord]) -> list[str]:
    """Plain sentences on falls and on what could not be measured; ``records`` are the finite parts of ``whole``."""
    notes = []
    for given, record in zip(whole, records, strict=True):
        name, skipped = f"Seed {record.seed}", events.left_out(record)
        if record.fell:
            notes.append(f"{name}: fell after {record.time[-1]:.2f} s.")
        if record is not given:
            notes.append(f"{name}: not finite after {record.time[-1]:.2f} s, measured up to there.")
        if turning.turned(record):
            notes.append(f"{name}: {turning.NOTE}")
        missing = _not_recorded(record)
        if missing:
            notes.append(f"{name}: not recorded: {', '.join(missing)}. What needs it is not available.")
        stepping = "ground_reaction" not in missing and record.time[-1] >= SHORTEST_STEADY_S
        lands = events.contact(record).any(axis=0) | (not stepping)
        notes += [f"{name}: the {side} foot never touches the ground." for side in np.array(SIDES)[~lands]]
        if skipped:
            notes.append(f"{name}: {skipped} strides are left out, in which the feet do not land in turn.")
    bare = [side for side in SIDES if not any(s.side == side for record in records for s in events.strides(record))]
    if bare:
        notes.append(
            f"No complete stride of the {' and the '.join(bare)} leg (an episode's first and last do not count): "
            "stride figures are not available."
        )
    return notes


def _not_recorded(record: GaitRecord) -> list[str]:
    """The series that hold no number at all: the file they were read from lacks them."""
    values = {name: getattr(record, name) for name, series in SERIES.items() if not series.gaps}
    return [name for name, value in values.items() if value.size and not np.isfinite(value).any()]


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's r of two angles in degrees; NaN where one of them does not vary."""
    if not min(np.ptp(a), np.ptp(b)) > _STILL_DEG:
        return float("nan")
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))
