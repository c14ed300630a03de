"""How a leg is loaded: joint stops, the calf at mid-stance, how the foot comes down, the way of the centre of pressure.

[n] in the order of ``events.strides``; what the verdict's rules on them ask is in report/verdict/rules.py."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from mjx_assist.eval.gait import angles, cycles, events, kinetics
from mjx_assist.eval.gait.cycles import VERTICAL
from mjx_assist.eval.gait.metric import StrideMetric
from mjx_assist.eval.replay.record import SIDES, GaitRecord

MIDSTANCE_PERCENT = 30  # of the cycle: the calf holds the shank back, the other foot is in mid-swing
LOADING_PERCENT = 15  # of the cycle: by then the foot is flat (Perry & Burnfield 2010: loading response ends at 12)
PRESSED = 0.1  # body weights: below it a force plate's centre of pressure is noise


def stop_peak(record: GaitRecord, name: str) -> np.ndarray:
    """N*m/kg, the largest |moment| of a joint's limit; NaN where the record does not know it."""
    limit = cycles.joint_series(record, np.asarray(record.limit_moment), angles.SAGITTAL[name].coordinate)
    return cycles.over_strides(record, np.abs(limit) / record.person_mass, np.max)


def calf_moment(record: GaitRecord) -> np.ndarray:
    """N*m/kg, plantarflexing moment about the ankle at `MIDSTANCE_PERCENT`."""
    legs = cycles.stride_cycles(record, -kinetics.moment(record, "ankle"))
    return np.concatenate(legs)[:, MIDSTANCE_PERCENT]


def foot_drop_rate(record: GaitRecord) -> np.ndarray:
    """deg/s, fastest plantarflexion up to `LOADING_PERCENT` (20 Hz as the forces): how fast the forefoot comes down."""
    ankle = angles.SAGITTAL["ankle"].coordinate
    speed = np.degrees(cycles.low_pass(record.joint_velocity, record.sample_dt))
    legs = cycles.stride_cycles(record, -cycles.joint_series(record, speed, ankle))
    return np.concatenate(legs)[:, : LOADING_PERCENT + 1].max(axis=1)


def pressure_backward(record: GaitRecord) -> np.ndarray:
    """m, the farthest that the centre of pressure comes back from where it has been in a stance.

    Along the ground, so from where the flat foot stands: the heel, once it rises, moves forward itself.
    """
    forward = pressure_path(record)[:, :, 0]
    return np.array(
        [_back(forward[s.start : s.toe_off + 1, SIDES.index(s.side)]) for s in events.strides(record)], float
    )


@events.once_per_record
def pressure_path(record: GaitRecord) -> np.ndarray:
    """[T, 2, 2] m: centre of pressure (forward, to the foot's outside) from where the flat foot's heel stands.

    The force and its moment about that place are low-pass filtered as a laboratory's; NaN while a foot carries less
    than `PRESSED`.
    """
    load = record.ground_reaction[:, :, VERTICAL] / record.body_weight
    path = np.full((record.time.size, 2, 2), np.nan)
    for foot in range(2):
        arm = _from_flat_foot(record, foot, load[:, foot] > 0)
        moment = cycles.low_pass(np.nan_to_num(arm) * load[:, foot, None], record.sample_dt)
        filtered = cycles.ground_force(record)[:, foot]
        known = (filtered > PRESSED) & np.isfinite(arm).all(axis=1)
        path[known, foot] = moment[known] / filtered[known, None]
        path[:, foot, 1] *= 1 if foot else -1  # the world's second axis points left
    return path


def _from_flat_foot(record: GaitRecord, foot: int, loaded: np.ndarray) -> np.ndarray:
    """[T, 2] m: a foot's centre of pressure from its heel's place after a third of that stance, when it is flat."""
    arm = np.full((record.time.size, 2), np.nan)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], loaded, [False]])))
    for start, end in edges.reshape(-1, 2):
        flat = record.foot_position[start + (end - start) // 3, foot, :2]
        arm[start:end] = record.center_of_pressure[start:end, foot, :2] - flat
    return arm


def _back(places: np.ndarray) -> float:
    """The farthest back from the foremost place so far; NaN where none is known."""
    places = places[np.isfinite(places)]
    return float((np.maximum.accumulate(places) - places).max()) if places.size else np.nan


def rows() -> Iterator[StrideMetric]:
    """The table's rows of these figures."""
    row = partial(StrideMetric, group="kinetics", drawn=False)
    for name in angles.LEG:
        yield row(
            f"{name}_stop_load_peak_nm_per_kg",
            f"{name.capitalize()} stop load peak",
            "N·m/kg",
            partial(stop_peak, name=name),
            "largest moment of the joint's limit (a part of the moments above)",
            family="<joint>_stop_load_peak_nm_per_kg",
        )
    yield row(
        "ankle_plantarflexion_moment_midstance_nm_per_kg",
        "Ankle plantarflexion moment in mid-stance",
        "N·m/kg",
        calf_moment,
        f"at {MIDSTANCE_PERCENT} % of the stride",
        "Winter 2009",
    )
    yield row(
        "pressure_backward_m",
        "Centre of pressure, farthest back",
        "m",
        pressure_backward,
        "farthest that the centre of pressure comes back along the ground in a stance, 20 Hz, where the foot carries "
        "10 % of body weight",
        "Chiu et al. 2013",
    )
    yield row(
        "ankle_loading_plantarflexion_rate_deg_per_s",
        "Ankle plantarflexion rate in loading",
        "deg/s",
        foot_drop_rate,
        f"fastest in the first {LOADING_PERCENT} % of the stride, 20 Hz",
        group="kinematics",
    )
