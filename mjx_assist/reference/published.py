"""Published figures of healthy gait: mean and standard deviation over the gait cycle, at any walking speed.

Figures only, in deg, body weights, N*m/kg and W/kg; what a model makes of them is in reference.py.
"""

import csv
import json
from dataclasses import dataclass
from functools import cache

import mujoco
import numpy as np

from mjx_assist.errors import unknown
from mjx_assist.model.names import GRAVITY
from mjx_assist.paths import data_path
from mjx_assist.reference import feet

ADULT_LEG_LENGTH = 0.85  # m, hip joint to sole of the walkers here; used where no model is given
# quantity in the model's joint coordinates -> (published quantity, sign)
BANDS = {
    "hip_flexion": ("hip_flexion", 1),
    "knee_angle": ("knee_flexion", -1),
    "ankle_angle": ("ankle_dorsiflexion", 1),
    "hip_adduction": ("hip_adduction", 1),
    "hip_rotation": ("hip_rotation", 1),
    "pelvis_tilt": ("pelvis_tilt_anterior", -1),
    "pelvis_list": ("pelvis_obliquity", -1),
    "pelvis_rotation": ("pelvis_rotation", 1),
    "hip_moment": ("hip_extension_moment", -1),
    "knee_moment": ("knee_extension_moment", 1),
    "ankle_moment": ("ankle_plantarflexion_moment", -1),
    "hip_power": ("hip_power", 1),
    "knee_power": ("knee_power", 1),
    "ankle_power": ("ankle_power", 1),
    "grf_vertical": ("grf_vertical", 1),
    "grf_anterior": ("grf_anterior", 1),
    "emg_rectus_femoris": ("emg_rectus_femoris", 1),
    "emg_lateral_hamstrings": ("emg_lateral_hamstrings", 1),
    "emg_medial_hamstrings": ("emg_medial_hamstrings", 1),
    "emg_anterior_tibialis": ("emg_anterior_tibialis", 1),
    "emg_medial_gastrocnemius": ("emg_medial_gastrocnemius", 1),
}


def healthy_band(
    quantity: str, speed: float, model: mujoco.MjModel | None = None, name: str = "schwartz2008"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(percent of the gait cycle [101], mean [101], standard deviation [101]) of healthy walkers at a speed in m/s.

    Angles in degrees and moments in N*m/kg, in the model's joint coordinates (knee and plantar flexion negative, pelvis
    tilt positive backwards) and with the mean pelvis tilt taken out of pelvis and hip, as in the reference gait; powers
    in W/kg, ground reaction in body weights, EMG envelopes 0..1. Raises UserError for an unknown quantity.
    """
    if quantity not in BANDS:
        raise unknown("healthy band", quantity, BANDS)
    source, sign = BANDS[quantity]
    leg_length = ADULT_LEG_LENGTH if model is None else feet.leg_length(model)
    phase = np.linspace(0.0, 1.0, 101)
    mean = sign * curve(name, source, speed, leg_length, phase)
    if quantity in ("hip_flexion", "pelvis_tilt"):
        mean = mean - sign * mean_tilt(name, speed, leg_length)
    sd = curve(name, source, speed, leg_length, phase, "sd")
    return 100 * phase, mean, np.maximum(sd, 0.0)  # a Fourier series may swing below


def curve(
    name: str, quantity: str, speed: float, leg_length: float, phase: np.ndarray, part: str = "mean"
) -> np.ndarray:
    """A published quantity at phases [P] in cycles; its Fourier coefficients are linear in dimensionless speed."""
    c = _coefficients(name, quantity, speed, leg_length, part)
    angle = 2 * np.pi * np.asarray(phase)[:, None] * np.arange(1, len(c) // 2 + 1)
    return c[0] + np.cos(angle) @ c[1::2] + np.sin(angle) @ c[2::2]


def mean_tilt(name: str, speed: float, leg_length: float) -> float:
    """Forward tilt of the pelvis, averaged over the cycle, deg."""
    return float(_coefficients(name, "pelvis_tilt_anterior", speed, leg_length, "mean")[0])


def stance_fraction(name: str, speed: float, leg_length: float) -> float:
    """Part of the cycle that a foot is on the ground."""
    return float(_at_speed(name, published(name)["stance_fraction"], speed, leg_length))


@dataclass(frozen=True)
class Adults:
    """Mean sagittal angles of a group of adults at 0, 5, .. 100 % of the gait cycle."""

    speed: float  # m/s
    cadence: float  # steps/min
    angles: dict[str, np.ndarray]  # deg [21] of hip_flexion, knee_angle, ankle_angle, pelvis_tilt, in the models' signs


def adults(group: str) -> Adults:
    """Adults of Bovi et al. 2011 who walked very_slow, natural, medium or fast; no fit has seen them, so they check it.

    The ankle's zero is the foot markers', about 20 deg off. Raises `UserError` for an unknown group.
    """
    lines = data_path("models", "references", "bovi2011.csv").read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    if group not in {row["group"] for row in rows}:
        raise unknown("group of adults", group, dict.fromkeys(row["group"] for row in rows))
    rows = [row for row in rows if row["group"] == group]
    percent = [str(p) for p in range(0, 101, 5)]
    angles = {row["coordinate"]: np.array([float(row[p]) for p in percent]) for row in rows}
    return Adults(float(rows[0]["speed"]), float(rows[0]["cadence"]), angles)


@cache
def published(name: str) -> dict:
    """The tree of a figures' file in models/references. Raises UserError for an unknown name."""
    folder = data_path("models", "references")
    path = folder / f"{name}.json"
    if not path.is_file():
        raise unknown("reference gait", name, (file.stem for file in folder.glob("*.json")))
    return json.loads(path.read_text(encoding="utf-8"))


def _coefficients(name: str, quantity: str, speed: float, leg_length: float, part: str) -> np.ndarray:
    return _at_speed(name, published(name)["quantities"][quantity][part], speed, leg_length)


def _at_speed(name: str, rows: list, speed: float, leg_length: float) -> np.ndarray:
    """Rows of the speed groups [G, ...], interpolated at a speed in m/s; outside the groups the nearest one holds."""
    table, groups = np.array(rows), np.array(published(name)["dimensionless_speed"])
    place = np.interp(speed / np.sqrt(GRAVITY * leg_length), groups, np.arange(groups.size))
    low = min(int(place), groups.size - 2)
    return table[low] + (place - low) * (table[low + 1] - table[low])
