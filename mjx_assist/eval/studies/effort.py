"""What one walk of a study costs its walker, and what it asks of the device: one small row of figures for each walk."""

import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.eval.gait import cycles, events, metabolics, spatiotemporal
from mjx_assist.eval.replay.record import GaitRecord
from mjx_assist.files.plain import plain
from mjx_assist.policy.bundle import Bundle, reduced_model
from mjx_assist.sim.device.motors import Motors, make_motors, torque_limits

_ANGLES = 41  # over a joint's range, at which limits are looked at
AT_LIMIT = 0.99  # of its limit: a motor that gives this much has nothing left


def effort(record: GaitRecord, bundle: Bundle) -> dict:
    """A walk as JSON data; None for what it was too short to tell.

    ``speed_m_s``, ``muscle_power_w`` by metabolic model (W of all muscles, no resting rate): means over its complete
    strides, of which there are ``strides``. ``device``: `_device`.
    """
    whole, record = record, record.finite_part()
    strides = len(events.strides(record))
    totals = {model: power.sum(axis=1) for model, power in metabolics.muscle_power(record).items()}
    return plain(
        {
            "seed": int(record.seed),
            "fell": bool(whole.fell),
            "time_s": record.time[-1],
            "strides": strides,
            "speed_m_s": cycles.mean(spatiotemporal.speed(record)) if strides else np.nan,
            "body_mass_kg": record.body_mass,
            "muscle_power_w": {model: _over_strides(record, total) for model, total in totals.items()},
            "device": _device(record, bundle),
        }
    )


def _over_strides(record: GaitRecord, series: np.ndarray) -> float:
    """Mean over strides of a [T] series."""
    return cycles.mean(cycles.over_strides(record, np.stack([series] * 2, axis=1), np.mean))


def _device(record: GaitRecord, bundle: Bundle) -> list[dict]:
    """Of each joint that the device drives, over the whole walk: largest torque (N*m), rate of it (N*m/s) and power

    (W) given, mean positive power (W); the torque limit (N*m, the largest over the joint's range), the largest share of
    the limit at the instant's angle, and the share of the time at it (`AT_LIMIT`). The limit is the model's own; None
    where an actuator is not of a kind that has one.
    """
    if not record.device_names:
        return []
    motors = _motors(bundle)
    rows = []
    for joint in dict.fromkeys(record.device_joints):
        torque = record.column(record.device_moment, joint)
        power = torque * record.column(record.joint_velocity, joint)
        rate = np.abs(np.diff(torque)) / np.diff(record.time)
        limit, share = _limit(motors, joint, torque, record.column(record.qpos, joint))
        rows.append(
            {
                "joint": joint,
                "torque_peak_nm": np.abs(torque).max(),
                "torque_rate_peak_nm_per_s": rate.max(initial=0.0),
                "power_peak_w": power.max(),
                "positive_power_w": np.maximum(power, 0).mean(),
                "torque_limit_nm": limit,
                "torque_limit_share_peak": share.max(),
                "time_at_limit_share": (share >= AT_LIMIT).mean() if np.isfinite(limit) else np.nan,
            }
        )
    return rows


def _motors(bundle: Bundle) -> Motors | None:
    try:
        return make_motors(reduced_model(bundle))
    except UserError:  # an actuator that is no motor: what it can give is not known
        return None


def _limit(motors: Motors | None, joint: str, torque: np.ndarray, angle: np.ndarray) -> tuple[float, np.ndarray]:
    """(N*m, the largest torque limit about a joint; [T] |torque| over the limit of its direction at its angle, rad)."""
    of_joint = [i for i, name in enumerate(motors.joint_names) if name == joint] if motors else []
    if not motors or not of_joint:
        return np.nan, np.full(torque.shape, np.nan)

    def ends(angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        low, high = torque_limits(motors, np.repeat(angles[:, None], len(motors.joint_names), axis=1))
        return low[:, of_joint].sum(axis=1), high[:, of_joint].sum(axis=1)

    begin, end = motors.angle_range[:, of_joint[0]]
    low, high = ends(np.linspace(begin, end, _ANGLES))
    largest = float(max(-low.min(), high.max()))
    if not np.isfinite(largest):
        return np.nan, np.full(torque.shape, np.nan)
    low, high = ends(angle)
    limit = np.where(torque < 0, -low, high)
    return largest, np.divide(np.abs(torque), limit, out=np.zeros(torque.shape), where=limit > 0)
