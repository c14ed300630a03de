"""The gait of a body with a prosthesis on one leg: its figures by sound and prosthetic side, and the legs' shares.

Figures have the names of the table in metrics.py; push-off work is here because the prosthesis' joint counts as the
ankle that it replaces."""

from collections.abc import Sequence

import numpy as np
from scipy.integrate import trapezoid

from mjx_assist.eval.gait import angles, cycles, events, metrics
from mjx_assist.eval.gait.device import PUSH_OFF_PERCENT
from mjx_assist.eval.replay.record import SIDES, GaitRecord
from mjx_assist.sim.limbs import Limbs, limbs

SOUND, PROSTHETIC = "sound", "prosthetic"
PUSH_OFF = "ankle_push_off_work_j_per_kg"
# Of the table: steps, loads, the sound limb's knee, the residual leg's hip; what a record lacks is left out.
FIGURES = (
    *("step_length_m", "stance_time_s", "stance_percent"),
    *("grf_loading_peak_bw", "grf_push_off_peak_bw", "grf_loading_rate_bw_per_s", "grf_vertical_impulse_bw_s"),
    "knee_extension_moment_peak_nm_per_kg",
    "hip_abduction_moment_peak_nm_per_kg",
    *("hip_positive_work_j_per_kg", "hip_negative_work_j_per_kg"),
)
# People with one transtibial prosthesis (20, on energy-storing feet, at 1.22 m/s): prosthetic over sound side, mean
# and SD. Prosthet Orthot Int 2022, 46:258, table 2. Of people with a transfemoral one no such figures were found.
PEOPLE = {"transtibial": {"step_length_m": (0.97, 0.06), "stance_time_s": (0.960, 0.03)}}


def legs_of(record: GaitRecord) -> Limbs:
    """Which leg of a record's walker is sound."""
    return limbs(record.joint_names)


def one_sided_summary(records: Sequence[GaitRecord]) -> dict:
    """{} for a body whose legs are alike; else ``level``, ``prosthetic_side``, ``sound_side``, and by side the means

    over all strides of `FIGURES` and of the ankle's positive work in push-off. ``ratio``: prosthetic over sound.
    """
    worn = legs_of(records[0])
    if worn.prosthetic is None:
        return {}
    columns = [metrics.figures(record) | {PUSH_OFF: push_off_work(record)} for record in records]
    legs = {side: _means(records, columns, leg) for side, leg in ((SOUND, worn.sound), (PROSTHETIC, worn.prosthetic))}
    ratio = {name: _ratio(legs[PROSTHETIC][name], legs[SOUND][name]) for name in legs[SOUND]}
    return {
        "level": worn.level,
        "prosthetic_side": worn.prosthetic,
        "sound_side": worn.sound,
        **legs,
        "ratio": ratio,
    }


def push_off_work(record: GaitRecord) -> np.ndarray:
    """[n] J/kg, positive work of the ankle, or of the joints in its place, at 40 to 65 % of each stride."""
    power = joint_power(record, angles.SAGITTAL["ankle"].coordinate)
    legs = cycles.stride_cycles(record, np.maximum(power, 0.0))
    percent = np.linspace(0, 100, legs[0].shape[1])
    window = (percent >= PUSH_OFF_PERCENT[0]) & (percent <= PUSH_OFF_PERCENT[1])
    shares = np.concatenate([trapezoid(leg[:, window], percent[window] / 100, axis=1) for leg in legs])
    at = events.samples(record)
    return shares * (record.time[at.end] - record.time[at.start])


def joint_power(record: GaitRecord, coordinate: str) -> np.ndarray:
    """[T, 2] W/kg that net moments give to the joints which make an anatomical coordinate: a prosthesis' among them."""
    power = np.zeros((record.time.size, 2))
    for foot, side in enumerate(SIDES):
        own = [i for i, name in enumerate(record.joint_names) if name.endswith(f"{coordinate}_{side[0]}")]
        power[:, foot] = record.joint_power[:, own].sum(axis=1) if own else np.nan
    return power / record.person_mass


def _means(records: Sequence[GaitRecord], columns: Sequence[dict], leg: str | None) -> dict[str, float]:
    """Means over the strides of a leg."""
    own = [events.samples(record).foot == SIDES.index(str(leg)) for record in records]
    names = [name for name in (*FIGURES, PUSH_OFF) if name in columns[0]]
    return {
        name: cycles.mean(np.concatenate([c[name][mine] for c, mine in zip(columns, own, strict=True)]))
        for name in names
    }


def _ratio(prosthetic: float, sound: float) -> float:
    return prosthetic / sound if sound else float("nan")
