"""How a leg is loaded: joint stops, the calf at mid-stance, how the foot comes down, the way of the centre of pressure.

[n] in the order of ``events.strides``; what the verdict's rules on them ask is in report/verdict.py."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from mjx_assist.eval.gait import angles, cycles, events, kinetics
from mjx_assist.eval.gait.cycles import FORWARD, VERTICAL
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

    Along the ground, so from where the flat foot stands: the heel, once it rises, moves forward itself. Forces and
    moments are low-pass filtered as a laboratory's; only where the foot carries `PRESSED`.
    """
    path, pressed = pressure_path(record), cycles.ground_force(record) > PRESSED
    return np.array([_back(path, pressed, stride) for stride in events.strides(record)], float)


@events.once_per_record
def pressure_path(record: GaitRecord) -> np.ndarray:
    """[T, 2] m forward of the centre of pressure under (right, left); NaN where the foot does not carry `PRESSED`."""
    force = record.ground_reaction[:, :, VERTICAL]
    moving = record.com_position[:, FORWARD, None]  # an origin that walks along keeps rounding small
    arm = np.where(force > 0, record.center_of_pressure[:, :, FORWARD] - moving, 0.0)
    moment = cycles.low_pass(np.nan_to_num(arm) * force / record.body_weight, record.sample_dt)
    load = cycles.ground_force(record)
    known = (load > PRESSED) & np.isfinite(record.center_of_pressure[:, :, FORWARD])
    return np.where(known, moment / np.where(known, load, 1.0) + moving, np.nan)


def foot_place(record: GaitRecord) -> np.ndarray:
    """[n] m forward, where the heel of each stride's foot is at `MIDSTANCE_PERCENT`: there the foot is flat."""
    legs = cycles.stride_cycles(record, record.foot_position[:, :, FORWARD])
    return np.concatenate(legs)[:, MIDSTANCE_PERCENT]


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


def _back(path: np.ndarray, pressed: np.ndarray, stride: events.Stride) -> float:
    """m back from the foremost place so far, over a stance; NaN where the record has no centre of pressure."""
    foot, stance = SIDES.index(stride.side), slice(stride.start, stride.toe_off + 1)
    places = path[stance, foot][pressed[stance, foot]]
    return float((np.maximum.accumulate(places) - places).max()) if np.isfinite(places).any() else np.nan
