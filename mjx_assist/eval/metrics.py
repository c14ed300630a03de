"""What a gait record measures: spatiotemporal, tracking, ground reaction, muscles, device, symmetry.

Plain JSON-able dictionaries with the unit in each key; what an episode cannot tell (an early fall) is None."""

from collections.abc import Sequence

import numpy as np
from scipy.integrate import trapezoid

from mjx_assist.errors import UserError
from mjx_assist.eval import cycles, events
from mjx_assist.eval.cycles import ANGLES, FORWARD, VERTICAL, stride_average
from mjx_assist.eval.record import SIDES, GaitRecord

__all__ = ["episode_summary", "plain", "stride_average", "stride_rows", "summarize"]

METRICS_SCHEMA_VERSION = 1
WARM_UP_S = 2.0  # after a reset a walker needs about two strides to settle
SHORTEST_STEADY_S = 1.0  # with less than this left after the warm-up the whole episode counts
PUSH_OFF_PERCENT = (40.0, 65.0)  # of the gait cycle: heel rise to just after toe-off
_STILL_DEG = 1e-9  # less than this is rounding, not movement
_FINE = 1001  # points per cycle where work is integrated


def episode_summary(record: GaitRecord) -> dict:
    """One episode's line of ``evaluate --json``: how far, how fast, did it fall, how close to the reference.

    ``corr_reference`` (Pearson) and ``rmse_deg`` compare each sample with the reference at the same instant, mean of
    both sides, after the first 2 s.
    """
    record = record.finite_part()
    tracking = _tracking(record)
    position = record.column(record.qpos, "pelvis_tx")
    return plain(
        {
            "seed": int(record.seed),
            "steps": round(record.time[-1] / record.control_dt),
            "time_s": record.time[-1],
            "distance_m": position[-1] - position[0],
            "mean_speed_m_s": _mean_speed(record),
            "fell": bool(record.fell),
            **{name: {key: _mean(pair) for key, pair in values.items()} for name, values in tracking.items()},
        }
    )


def summarize(records: Sequence[GaitRecord]) -> dict:
    """All episodes together. Stride quantities are means over all strides, tracking is the mean over episodes.

    ``right``, ``left`` and ``both`` hold the same keys (``sd`` in each: SD over strides); ``symmetry`` the index of
    Robinson, Herzog & Nigg (1987), 100 (R - L) / (0.5 (R + L)), 0 for equal legs; ``device`` is per driven joint.
    """
    if not records:
        raise UserError("gait metrics: there is no episode to summarize.")
    records = [record.finite_part() for record in records]
    first = records[0]
    rows = [row for record in records for row in stride_rows(record)]
    legs = {side: [row for row in rows if row["side"] == side] for side in SIDES} | {"both": rows}
    tracking = [_tracking(record) for record in records]
    activity = {muscle: [_steady_activation(record, muscle) for record in records] for muscle in cycles.muscles(first)}
    return plain(
        {
            "schema_version": METRICS_SCHEMA_VERSION,
            "human": first.human,
            "device_name": first.device,
            "model_kind": first.model_kind,
            "body_mass_kg": first.body_mass,
            "grf_filter_hz": cycles.GRF_CUTOFF_HZ,
            "episodes": len(records),
            "falls": sum(bool(record.fell) for record in records),
            "time_s": _mean([record.time[-1] for record in records]),
            "speed_m_s": _mean([_mean_speed(record) for record in records]),
            "speed_asked_m_s": _mean([record.target_velocity[_steady(record)].mean() for record in records]),
            **{
                leg: {
                    **_stride_means(legs[leg]),
                    **{name: _over_episodes(tracking, name, leg) for name in ("corr_reference", "rmse_deg")},
                    "activation_mean": {muscle: _mean(_leg_part(values, leg)) for muscle, values in activity.items()},
                }
                for leg in (*SIDES, "both")
            },
            "symmetry": _symmetry(records, legs),
            "device": {joint: _device(records, joint) for joint in cycles.driven_joints(first)},
            "per_episode": [episode_summary(record) for record in records],
            "notes": _notes(records, legs),
        }
    )


def stride_rows(record: GaitRecord) -> list[dict]:
    """One flat dict of figures per stride, ``side`` first; a step is the one that ends the stride."""
    filtered, raw = cycles.ground_force(record), cycles.ground_force(record, filtered=False)
    slope = np.gradient(filtered, record.time, axis=0) if record.time.size > 1 else filtered
    on_ground = events.contact(record)
    angles = {name: cycles.joint_angle(record, name) for name in ANGLES}
    rows = []
    for stride in events.strides(record):
        foot = SIDES.index(stride.side)
        whole, middle = slice(stride.start, stride.end), (stride.start + stride.toe_off) // 2 + 1
        loading, push_off = slice(stride.start, middle), slice(middle, stride.toe_off + 1)
        duration = record.time[stride.end] - record.time[stride.start]
        place = record.foot_position[:, :, FORWARD]
        length = place[stride.end, foot] - place[stride.start, foot]
        height = record.foot_position[whole, foot, VERTICAL]
        rows.append(
            {
                "side": stride.side,
                "speed_m_s": length / duration,
                "cadence_steps_per_min": 120 / duration,
                "stride_time_s": duration,
                "stride_length_m": length,
                **_step(record, stride, foot),
                "stance_percent": 100 * (record.time[stride.toe_off] - record.time[stride.start]) / duration,
                "double_support_percent": 100 * on_ground[whole].all(axis=1).mean(),
                "grf_peak_bw": filtered[whole, foot].max(),
                "grf_peak_unfiltered_bw": raw[whole, foot].max(),
                "grf_loading_peak_bw": filtered[loading, foot].max(),
                "grf_push_off_peak_bw": filtered[push_off, foot].max(),
                "grf_loading_rate_bw_per_s": slope[loading, foot].max(),
                "foot_lift_m": height.max() - height.min(),
                **{f"{name}_range_deg": np.ptp(angle[whole, foot]) for name, angle in angles.items()},
            }
        )
    return rows


def _step(record: GaitRecord, stride: events.Stride, foot: int) -> dict:
    """Length and time from the other foot's contact within the stride to this foot's at its end."""
    if stride.opposite_contact is None:
        return {"step_time_s": np.nan, "step_length_m": np.nan}
    place, begin, end = record.foot_position[:, :, FORWARD], stride.opposite_contact, stride.end
    return {
        "step_time_s": record.time[end] - record.time[begin],
        "step_length_m": place[end, foot] - place[begin, 1 - foot],
    }


# Figures of a stride, in the order of stride_rows; known without a stride, so an early fall has the same keys.
STRIDE_FIGURES = (
    *("speed_m_s", "cadence_steps_per_min", "stride_time_s", "stride_length_m", "step_time_s", "step_length_m"),
    *("stance_percent", "double_support_percent", "grf_peak_bw", "grf_peak_unfiltered_bw", "grf_loading_peak_bw"),
    *("grf_push_off_peak_bw", "grf_loading_rate_bw_per_s", "foot_lift_m", *(f"{name}_range_deg" for name in ANGLES)),
)


def _stride_means(rows: list[dict]) -> dict:
    """Mean and SD over strides of every figure, their number, and the worst unfiltered peak."""
    columns = {name: np.array([row[name] for row in rows], float) for name in STRIDE_FIGURES}
    return {
        "strides": len(rows),
        **{name: _mean(column) for name, column in columns.items()},
        "grf_peak_unfiltered_max_bw": max(columns["grf_peak_unfiltered_bw"], default=np.nan),
        "sd": {name: _sd(column) for name, column in columns.items()},
    }


def _steady(record: GaitRecord) -> slice:
    """The samples after the warm-up, or all of them in an episode too short for that."""
    long_enough = record.time[-1] >= WARM_UP_S + SHORTEST_STEADY_S
    return slice(int(np.searchsorted(record.time, WARM_UP_S)) if long_enough else 0, None)


def _mean_speed(record: GaitRecord) -> float:
    """Pelvis displacement over time in the steady part, m/s."""
    window = _steady(record)
    position, time = record.column(record.qpos, "pelvis_tx")[window], record.time[window]
    return (position[-1] - position[0]) / (time[-1] - time[0]) if time.size > 1 else np.nan


def _tracking(record: GaitRecord) -> dict[str, dict[str, np.ndarray]]:
    """corr_reference and rmse_deg: per angle its (right, left) against the time-locked reference."""
    window = _steady(record)
    result: dict[str, dict[str, np.ndarray]] = {"corr_reference": {}, "rmse_deg": {}}
    for name in ANGLES:
        angle, wanted = cycles.joint_angle(record, name)[window], cycles.reference_angle(record, name)[window]
        result["corr_reference"][name] = np.array([_correlation(angle[:, i], wanted[:, i]) for i in range(2)])
        result["rmse_deg"][name] = np.sqrt(((angle - wanted) ** 2).mean(axis=0))
    return result


def _over_episodes(tracking: list[dict], name: str, leg: str) -> dict:
    """Mean over episodes of one tracking figure, per angle, for a leg or both."""
    return {key: _mean(_leg_part([episode[name][key] for episode in tracking], leg)) for key in ANGLES}


def _leg_part(pairs: list[np.ndarray], leg: str) -> np.ndarray:
    """The leg's entries of (right, left) pairs, or all of them for "both"."""
    values = np.stack(pairs)
    return values if leg == "both" else values[:, SIDES.index(leg)]


def _steady_activation(record: GaitRecord, muscle: str) -> np.ndarray:
    """(right, left) mean activation of a muscle in the steady part."""
    return cycles.activation(record, muscle)[_steady(record)].mean(axis=0)


def _symmetry(records: Sequence[GaitRecord], legs: dict[str, list[dict]]) -> dict:
    """Symmetry indexes, %, and the correlation of the legs' stride-averaged angles, each leg on its own cycle."""
    means = {side: _stride_means(legs[side]) for side in SIDES}

    def index(figure: str) -> float:
        right, left = (means[side][figure] for side in SIDES)
        return 200 * (right - left) / (right + left) if right + left else np.nan

    figures = ("stance_percent", "step_length_m", "step_time_s", "grf_peak_bw")
    averages = {
        name: cycles.pooled_average(records, lambda record, name=name: cycles.joint_angle(record, name))
        for name in ANGLES
        if name != "pelvis_tilt"
    }
    return {
        "index_percent": {figure: index(figure) for figure in figures},
        "angle_correlation": {name: _correlation(*average["mean"].T) for name, average in averages.items()},
    }


def _device(records: Sequence[GaitRecord], joint: str) -> dict:
    """Device figures about one joint for ``right``, ``left`` and ``both``; a leg it does not drive is all None."""
    sides = {side: _device_leg(records, joint, foot) for foot, side in enumerate(SIDES)}
    both = {figure: _mean([leg[figure] for leg in sides.values()]) for figure in sides["right"]}
    both["torque_max_nm"] = np.fmax(*(leg["torque_max_nm"] for leg in sides.values()))
    return {**sides, "both": both}


def _device_leg(records: Sequence[GaitRecord], joint: str, foot: int) -> dict:
    """One leg's device about one joint: torque peaks, their timing, work per stride, what is left in swing.

    ``torque_peak_*`` are means over strides of the stride's largest |torque|; timing and ``swing_torque_fraction``
    come from the stride-averaged |torque|; swing begins at the leg's mean toe-off.
    """
    torque = np.concatenate([cycles.stride_cycles(r, cycles.device_torque(r, joint), _FINE)[foot] for r in records])
    power = np.concatenate([cycles.stride_cycles(r, cycles.device_power(r, joint), _FINE)[foot] for r in records])
    rows = [row for record in records for row in stride_rows(record) if row["side"] == SIDES[foot]]
    duration = np.array([row["stride_time_s"] for row in rows])
    percent = np.linspace(0, 100, _FINE)
    size = np.abs(torque)
    average = size.mean(axis=0) if len(size) else np.full(_FINE, np.nan)
    swing = percent > _mean([row["stance_percent"] for row in rows])
    push_off = (percent >= PUSH_OFF_PERCENT[0]) & (percent <= PUSH_OFF_PERCENT[1])
    idle = not average.max() > 0

    def work(part: np.ndarray, window: np.ndarray) -> float:
        return _mean(trapezoid(part[:, window], percent[window] / 100, axis=1) * duration)

    gain, loss = np.maximum(power, 0), np.minimum(power, 0)
    whole = np.ones(_FINE, bool)
    peak = _mean(size.max(axis=1))
    return {
        "torque_max_nm": max(np.abs(cycles.device_torque(record, joint)[:, foot]).max() for record in records),
        "torque_peak_nm": peak,
        "torque_peak_nm_per_kg": peak / records[0].body_mass,
        "torque_peak_timing_percent": np.nan if idle else percent[average.argmax()],
        "swing_torque_fraction": np.nan if idle or not swing.any() else average[swing].max() / average.max(),
        "positive_work_j_per_kg": work(gain, whole),
        "negative_work_j_per_kg": work(loss, whole),
        "push_off_positive_work_j_per_kg": work(gain, push_off),
    }


def _notes(records: Sequence[GaitRecord], legs: dict[str, list[dict]]) -> list[str]:
    """Plain sentences on falls and on what could not be measured."""
    notes = [f"Seed {r.seed}: fell after {r.time[-1]:.2f} s." for r in records if r.fell]
    bare = [side for side in SIDES if not legs[side]]
    if bare:
        notes.append(
            f"No complete stride of the {' and the '.join(bare)} leg (an episode's first and last do not count): "
            "stride figures are not available."
        )
    return notes


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's r of two angles in degrees; NaN where one of them does not vary."""
    if not min(np.ptp(a), np.ptp(b)) > _STILL_DEG:
        return float("nan")
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def _mean(values) -> float:
    """Mean of the finite values, NaN when there are none."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else float("nan")


def _sd(values: np.ndarray) -> float:
    """Sample SD of the finite values, NaN for fewer than two."""
    values = values[np.isfinite(values)]
    return float(values.std(ddof=1)) if values.size > 1 else float("nan")


def plain(value):
    """The same tree in JSON's own types; numbers that are not finite become None."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value
