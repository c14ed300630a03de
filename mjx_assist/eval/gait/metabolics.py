"""Metabolic power of muscles after Umberger (2010) and Bhargava et al. (2004), and the cost of transport.

Signs and units as in a GaitRecord: lengthening positive, W, kg. W/kg is per kg of the person without the device, as
studies of people with devices have it; the resting rate of the body is kept apart."""

from collections.abc import Sequence

import numpy as np

from mjx_assist.eval.gait import cycles, events, spatiotemporal
from mjx_assist.eval.replay.record import GaitRecord

# Pa: what the leg muscles' maximum forces were set with (Rajagopal et al. 2016, IEEE TBME 63:2068), so their masses are
# those of measured muscles. Umberger (2003) has 0.25 MPa, with which the same legs would weigh 2.4 times as much.
SPECIFIC_TENSION = 0.6e6
DENSITY = 1059.7  # kg/m^3, muscle (Mendez & Keys 1960)
STANDING_W_PER_KG = 1.2  # of body mass, quiet standing (Umberger et al. 2003, p. 105)
AEROBIC = 1.5  # Umberger's scaling S of the heat rates of primarily aerobic activities (2003)
MIN_HEAT_W_PER_KG = 1.0  # of muscle mass: Umberger's heat rate never falls below it (2003, p. 104)
MODELS = ("umberger2010", "bhargava2004")  # their mean is what the verdict counts; others are variants of the second
_ECCENTRIC_FORCE = 1.4  # of the isometric force at fast lengthening: fvmax of every muscle of the human models
# Share of slow-twitch fibres by the beginning of a muscle's name (Uchida et al. 2016, PLoS ONE 11:e0150378, from
# Johnson et al. 1973, J Neurol Sci 18:111); a muscle group has its members' mean, what nobody measured one half.
SLOW_TWITCH = {
    **{"soleus": 0.803, "gastroc": 0.537, "gasmed": 0.566, "gaslat": 0.507, "tibant": 0.70, "tibpost": 0.60},
    **{"edl": 0.75, "ehl": 0.75, "fdl": 0.60, "fhl": 0.60, "per": 0.60, "vasti": 0.50, "vasmed": 0.503},
    **{"vasint": 0.543, "vaslat": 0.455, "rectfem": 0.387, "recfem": 0.387, "hamstrings": 0.487, "semimem": 0.493},
    **{"semiten": 0.425, "bflh": 0.543, "bifemsh": 0.529, "bfsh": 0.529, "glutmax": 0.55, "gl": 0.55, "abd": 0.55},
    "addmag": 0.552,
}


def slow_twitch(muscle_names: Sequence[str]) -> np.ndarray:
    """[M] share 0..1 of slow-twitch fibres, by the longest beginning of each name in SLOW_TWITCH, else 0.5."""
    found = [[part for part in SLOW_TWITCH if name.startswith(part)] for name in muscle_names]
    return np.array([SLOW_TWITCH[max(parts, key=len)] if parts else 0.5 for parts in found])


def muscle_mass(max_force: np.ndarray, optimal_length: np.ndarray) -> np.ndarray:
    """[M] kg: cross-section (force over specific tension) by optimal length by density (Umberger et al. 2003)."""
    return max_force / SPECIFIC_TENSION * optimal_length * DENSITY


def umberger2010(excitation, activation, length, velocity, max_velocity, active_force, isometric, optimal, mass, slow):
    """W that each muscle takes, after Umberger (2010), J R Soc Interface 7:1329.

    All broadcast to [T, M]: excitation, activation 0..1; fibre ``length`` in optimal lengths; ``velocity`` and
    ``max_velocity`` (of fast fibres) in optimal lengths per s, lengthening positive; active_force N; ``isometric``
    the active force-length factor 0..1; ``optimal`` length m; mass kg; ``slow`` share of slow fibres.

    Rates per kg of muscle from Umberger, Gerritsen & Martin (2003), Comput Methods Biomech Biomed Engin 6:99, pp.
    101-104: heat of activation and maintenance (128 fast + 25) A^0.6 S; of shortening -(a_slow v slow + a_fast v fast)
    A^2 S with a_slow = 100 / (max / 2.5), a_fast = 153 / max, the slow part at most 100; A = u while u > a, else
    (u + a) / 2; beyond the optimal length ``isometric`` scales the heat of movement and 60 % of the other; heat is at
    least 1. Work is F v in shortening. As revised in 2010, the heat of lengthening is 0.3 a_slow v A S (2003: 4 a_slow
    v A S) and the work that a lengthening fibre absorbs is left out (2003: subtracted), so power is never negative.
    """
    drive = np.where(excitation > activation, excitation, (excitation + activation) / 2)
    fast = 1 - slow
    long = length > 1
    maintenance = (128 * fast + 25) * drive**0.6 * AEROBIC * np.where(long, 0.4 + 0.6 * isometric, 1.0)
    shortening = np.maximum(-velocity, 0)
    slow_rate = 100 * 2.5 / max_velocity
    heat_short = slow * np.minimum(slow_rate * shortening, 100) + fast * 153 / max_velocity * shortening
    heat_long = 0.3 * slow_rate * np.maximum(velocity, 0)
    movement = (heat_short * drive**2 + heat_long * drive) * AEROBIC * np.where(long, isometric, 1.0)
    heat = np.maximum(maintenance + movement, MIN_HEAT_W_PER_KG)
    return heat * mass + active_force * shortening * optimal


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
    held = _bhargava_still(excitation, length, mass, slow)
    moving = np.where(velocity <= 0, 0.16 * isometric_force + 0.18 * active_force, 0.157 * active_force)
    return np.maximum(held - (moving + active_force) * velocity, 0.0)


def bhargava2004_opensim(excitation, length, velocity, active_force, tension, mass, slow, negative_work=True):
    """W that each muscle takes, after Bhargava et al. (2004) in the form of OpenSim's probe, as that is by default.

    As `bhargava2004` but in two things: the heat of shortening is a quarter of the whole ``tension`` N of the fibre
    times its speed, none in lengthening; and a muscle's heat is never below `MIN_HEAT_W_PER_KG`, after it has made up
    for power below zero. Without ``negative_work``, an option of the probe, lengthening fibres absorb none.
    """
    heat = _bhargava_still(excitation, length, mass, slow) + 0.25 * tension * np.maximum(-velocity, 0)
    work = -active_force * (velocity if negative_work else np.minimum(velocity, 0))
    return np.maximum(np.maximum(heat, -work), MIN_HEAT_W_PER_KG * mass) + work


def _bhargava_still(excitation, length, mass, slow):
    """W of activation and maintenance."""
    slow_drive = slow * np.sin(np.pi / 2 * excitation)
    fast_drive = (1 - slow) * (1 - np.cos(np.pi / 2 * excitation))
    activation_heat = 40 * slow_drive + 133 * fast_drive
    maintenance = np.interp(length, [0.5, 1.0, 1.5], [0.5, 1.0, 0.0]) * (74 * slow_drive + 111 * fast_drive)
    return mass * (activation_heat + maintenance)


def force_velocity(velocity: np.ndarray) -> np.ndarray:
    """Active force over isometric at a velocity in maximum velocities (MuJoCo's muscle model, mju_muscleGain)."""
    rise = _ECCENTRIC_FORCE - 1
    slow_down = np.maximum(1 + velocity, 0) ** 2
    return np.where(velocity <= 0, slow_down, _ECCENTRIC_FORCE - np.maximum(rise - velocity, 0) ** 2 / rise)


def muscle_power(record: GaitRecord) -> dict[str, np.ndarray]:
    """Metabolic power [T, M] W of every muscle by model, no resting rate: `MODELS`, and variants of Bhargava's: in

    OpenSim's form, ``bhargava2004_opensim``, and without negative work, ``bhargava2004_opensim_positive``.
    """
    optimal = record.muscle_optimal_length
    with np.errstate(divide="ignore", invalid="ignore"):
        length = (record.muscle_length - record.muscle_tendon_length) / optimal
        velocity = record.muscle_velocity / optimal
        gain = force_velocity(velocity / record.muscle_max_velocity)
        isometric_force = np.where(gain > 0, record.muscle_active_force / gain, 0.0)
        full = record.activation * record.muscle_max_force
        isometric = np.where(full > 0, np.clip(isometric_force / full, 0, 1), 1.0)
        mass, slow = muscle_mass(record.muscle_max_force, optimal), slow_twitch(record.muscle_names)
        force, excitation, speed = record.muscle_active_force, record.excitation, record.muscle_velocity
        top = record.muscle_max_velocity
        fibre = (excitation, length, speed, force, record.muscle_force, mass, slow)
        return {
            "umberger2010": umberger2010(
                excitation, record.activation, length, velocity, top, force, isometric, optimal, mass, slow
            ),
            "bhargava2004": bhargava2004(excitation, length, speed, force, isometric_force, mass, slow),
            "bhargava2004_opensim": bhargava2004_opensim(*fibre),
            "bhargava2004_opensim_positive": bhargava2004_opensim(*fibre, negative_work=False),
        }


@events.once_per_record
def stride_power(record: GaitRecord) -> dict[str, np.ndarray]:
    """[n strides] W/kg of all muscles over each stride by model; no resting rate."""
    totals = {model: power.sum(axis=1) / record.person_mass for model, power in muscle_power(record).items()}
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
    means = {model: power[window].mean(axis=0) / record.person_mass for model, power in muscle_power(record).items()}
    place, time = record.column(record.qpos, "pelvis_tx")[window], record.time[window]
    return means, float(place[-1] - place[0]) / (time[-1] - time[0]) if time.size > 1 else float("nan")
