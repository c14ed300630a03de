"""Metabolic power of muscles in a gait record after Umberger (2010) and Bhargava et al. (2004), and cost of transport.

Signs and units as in a GaitRecord: lengthening positive, W, kg; the resting rate of the body is kept apart."""

from collections.abc import Sequence

import numpy as np

from mjx_assist.eval.gait import cycles, events, spatiotemporal
from mjx_assist.eval.replay.record import GaitRecord
from mjx_assist.model.muscles.energy import muscle_mass, slow_twitch, umberger2010
from mjx_assist.model.muscles.fibres import force_velocity

STANDING_W_PER_KG = 1.2  # of body mass, quiet standing (Umberger et al. 2003, p. 105)


def bhargava2004(excitation, length, velocity, active_force, isometric_force, mass, slow):
    """W that each muscle takes, after Bhargava, Pandy & Anderson (2004), J Biomech 37:81.

    All broadcast to [T, M]: excitation 0..1; fibre ``length`` in optimal lengths; ``velocity`` m/s, lengthening
    positive; active_force N, and ``isometric_force`` N at the same activation and length; mass kg; ``slow`` share.

    Heat of activation mass (40 s + 133 f) and of maintenance mass L(length) (74 s + 111 f) with the recruitment
    s = slow sin(pi u / 2), f = fast (1 - cos(pi u / 2)); L is 0.5 up to half, 1 at and 0 from 1.5 optimal lengths. Heat
    of shortening -a v with a = 0.16 F_iso + 0.18 F, in lengthening 0.157 F; work -F v, of both signs. The decay of the
    activation heat in a long contraction is left at 1, as in Anderson & Pandy (1999). Power below zero counts as zero,
    a correction of Uchida et al. (2016), PLoS ONE 11:e0150378: fibres do not turn work back into fuel.
    """
    slow_drive = slow * np.sin(np.pi / 2 * excitation)
    fast_drive = (1 - slow) * (1 - np.cos(np.pi / 2 * excitation))
    activation_heat = 40 * slow_drive + 133 * fast_drive
    maintenance = np.interp(length, [0.5, 1.0, 1.5], [0.5, 1.0, 0.0]) * (74 * slow_drive + 111 * fast_drive)
    shortening = np.where(velocity <= 0, 0.16 * isometric_force + 0.18 * active_force, 0.157 * active_force)
    return np.maximum(mass * (activation_heat + maintenance) - (shortening + active_force) * velocity, 0.0)


def muscle_power(record: GaitRecord) -> dict[str, np.ndarray]:
    """Metabolic power [T, M] W of every muscle by model: ``umberger2010`` and ``bhargava2004``; no resting rate."""
    optimal = record.muscle_optimal_length
    with np.errstate(divide="ignore", invalid="ignore"):
        length = (record.muscle_length - record.muscle_tendon_length) / optimal
        velocity = record.muscle_velocity / optimal
        gain = force_velocity(velocity / record.muscle_max_velocity)
        isometric_force = np.where(gain > 0, record.muscle_active_force / gain, 0.0)
        full = record.activation * record.muscle_max_force
        isometric = np.where(full > 0, np.clip(isometric_force / full, 0, 1), 1.0)
        mass, slow = muscle_mass(record.muscle_max_force, optimal), slow_twitch(record.muscle_names)
        force, excitation = record.muscle_active_force, record.excitation
        top = record.muscle_max_velocity
        return {
            "umberger2010": umberger2010(
                excitation, record.activation, length, velocity, top, force, isometric, optimal, mass, slow
            ),
            "bhargava2004": bhargava2004(
                excitation, length, record.muscle_velocity, force, isometric_force, mass, slow
            ),
        }


@events.once_per_record
def stride_power(record: GaitRecord) -> dict[str, np.ndarray]:
    """[n strides] W/kg of all muscles over each stride by model; no resting rate."""
    totals = {model: power.sum(axis=1) / record.body_mass for model, power in muscle_power(record).items()}
    return {
        model: cycles.over_strides(record, np.stack([total] * 2, axis=1), np.mean) for model, total in totals.items()
    }


def power_of_stride(record: GaitRecord, model: str) -> np.ndarray:
    """[n strides] W/kg, one model of `stride_power`."""
    return stride_power(record)[model]


def cost_of_stride(record: GaitRecord, model: str) -> np.ndarray:
    """[n strides] J/(kg*m), power with the resting rate over the stride's own speed."""
    return (stride_power(record)[model] + STANDING_W_PER_KG) / spatiotemporal.speed(record)


def metabolic_summary(records: Sequence[GaitRecord]) -> dict:
    """By model: muscles' power, the resting rate, their sum (W per kg of body mass) and the cost of transport.

    Each is a mean over the complete strides of the right leg (the whole episode where there is none), then over
    episodes; ``per_muscle`` W/kg adds up to ``power_w_per_kg``; the cost is the total over the speed, J/(kg*m).
    """
    episodes = [_episode(record.finite_part()) for record in records]
    mass = muscle_mass(records[0].muscle_max_force, records[0].muscle_optimal_length).sum()
    summary = {}
    for model in episodes[0][0]:
        muscles = np.mean([power[model] for power, _ in episodes], axis=0)
        total = muscles.sum() + STANDING_W_PER_KG
        speed = np.mean([speed for _, speed in episodes])
        summary[model] = {
            "power_w_per_kg": float(muscles.sum()),
            "basal_w_per_kg": STANDING_W_PER_KG,
            "total_w_per_kg": float(total),
            "cost_of_transport_j_per_kg_m": float(total / speed) if speed > 0 else float("nan"),
            "muscle_mass_kg": float(mass),
            "per_muscle": dict(zip(records[0].muscle_names, muscles.tolist(), strict=True)),
        }
    return summary


def _episode(record: GaitRecord) -> tuple[dict[str, np.ndarray], float]:
    """Mean power [M] W/kg by model and mean speed m/s over the complete strides."""
    strides = [stride for stride in events.strides(record) if stride.side == "right"]
    window = slice(strides[0].start, strides[-1].end) if strides else slice(None)
    means = {model: power[window].mean(axis=0) / record.body_mass for model, power in muscle_power(record).items()}
    place, time = record.column(record.qpos, "pelvis_tx")[window], record.time[window]
    return means, float(place[-1] - place[0]) / (time[-1] - time[0]) if time.size > 1 else float("nan")
