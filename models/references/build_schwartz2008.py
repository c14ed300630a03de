"""Build schwartz2008.json, the compact Fourier form of published healthy gait, from a CSV of the published tables.

Usage: python build_schwartz2008.py TABLES.csv [-o schwartz2008.json]

TABLES.csv holds the supplementary tables of Schwartz, Rozumalski and Trost (J Biomech 2008; 41:1639-1650) with columns
speed, quantity, percent_gait_cycle (0, 2, .. 100), mean, sd. Each curve becomes y(phase) = mean + sum_k a_k cos(2 pi k
phase) + b_k sin(2 pi k phase), stored as [mean, a_1, b_1, a_2, b_2, ...]; what start and end of a stride differ by is
spread over the cycle, so the series is periodic.
"""

import argparse
import csv
import json
from collections import defaultdict
from pathlib import Path

import numpy as np

SOURCE = (
    "Schwartz MH, Rozumalski A, Trost JP. The effect of walking speed on the gait of typically developing children. "
    "J Biomech 2008; 41:1639-1650, supplementary tables."
)
DIMENSIONLESS_SPEED = {"very_slow": 0.172, "slow": 0.290, "free": 0.429, "fast": 0.560, "very_fast": 0.694}
STANCE_FRACTION = {"very_slow": 0.68, "slow": 0.62, "free": 0.59, "fast": 0.58, "very_fast": 0.56}
# CSV quantity -> (name here, harmonics of the mean, harmonics of the standard deviation)
QUANTITIES = {
    "hip_flexion_deg": ("hip_flexion", 12, 6),
    "knee_flexion_deg": ("knee_flexion", 12, 6),
    "ankle_dorsiflexion_deg": ("ankle_dorsiflexion", 12, 6),
    "pelvis_tilt_anterior_deg": ("pelvis_tilt_anterior", 8, 4),
    "hip_adduction_deg": ("hip_adduction", 8, 4),
    "hip_rotation_deg": ("hip_rotation", 8, 4),
    "pelvis_obliquity_deg": ("pelvis_obliquity", 8, 4),
    "pelvis_rotation_deg": ("pelvis_rotation", 8, 4),
    "grf_vertical_bw": ("grf_vertical", 20, 12),
    "grf_anterior_bw": ("grf_anterior", 20, 12),
    "hip_extension_moment_Nm_per_kg": ("hip_extension_moment", 16, 8),
    "knee_extension_moment_Nm_per_kg": ("knee_extension_moment", 16, 8),
    "ankle_plantarflexion_moment_Nm_per_kg": ("ankle_plantarflexion_moment", 16, 8),
    "hip_power_W_per_kg": ("hip_power", 16, 8),
    "knee_power_W_per_kg": ("knee_power", 16, 8),
    "ankle_power_W_per_kg": ("ankle_power", 16, 8),
    "emg_rectus_femoris": ("emg_rectus_femoris", 12, 6),
    "emg_lateral_hamstrings": ("emg_lateral_hamstrings", 12, 6),
    "emg_medial_hamstrings": ("emg_medial_hamstrings", 12, 6),
    "emg_anterior_tibialis": ("emg_anterior_tibialis", 12, 6),
    "emg_medial_gastrocnemius": ("emg_medial_gastrocnemius", 12, 6),
}


def fourier_series(samples: np.ndarray, harmonics: int) -> np.ndarray:
    """[1 + 2 * harmonics] coefficients of a curve sampled at 0, 2, .. 100 % of the cycle ([51])."""
    drift = (samples[-1] - samples[0]) * (np.linspace(0.0, 1.0, samples.size) - 0.5)
    spectrum = np.fft.rfft((samples - drift)[:-1]) / (samples.size - 1)
    pairs = np.stack([2 * spectrum[1 : harmonics + 1].real, -2 * spectrum[1 : harmonics + 1].imag], axis=-1)
    return np.concatenate([[spectrum[0].real], pairs.ravel()])


def read_tables(path: Path) -> dict:
    """{(speed group, CSV quantity): [51, 2] mean and standard deviation}."""
    rows = defaultdict(list)
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            point = float(row["percent_gait_cycle"]), float(row["mean"]), float(row["sd"])
            rows[row["speed"], row["quantity"]].append(point)
    tables = {key: np.array(sorted(points))[:, 1:] for key, points in rows.items()}
    for table in tables.values():
        table[:, 1] = np.abs(table[:, 1])  # the vertical force's standard deviation is printed with a minus sign
    return tables


def build(path: Path) -> dict:
    """The JSON tree: header, speeds, and per quantity the [groups, coefficients] of mean and sd."""
    tables = read_tables(path)
    quantities = {}
    for column, (name, mean_harmonics, sd_harmonics) in QUANTITIES.items():
        curves = [tables[group, column] for group in DIMENSIONLESS_SPEED]
        quantities[name] = {
            "mean": [fourier_series(c[:, 0], mean_harmonics).round(4).tolist() for c in curves],
            "sd": [fourier_series(c[:, 1], sd_harmonics).round(4).tolist() for c in curves],
        }
    return {
        "source": SOURCE,
        "form": "y(phase) = c[0] + sum_k c[2k-1] cos(2 pi k phase) + c[2k] sin(2 pi k phase), initial contact at 0",
        "units": "angles deg, forces body weights, moments N*m/kg, powers W/kg, EMG envelope 0..1",
        "groups": list(DIMENSIONLESS_SPEED),
        "dimensionless_speed": list(DIMENSIONLESS_SPEED.values()),
        "stance_fraction": list(STANCE_FRACTION.values()),
        "quantities": quantities,
    }


def write(tree: dict, path: Path) -> None:
    """One coefficient row a line: small, and readable in a diff."""
    quantities = tree.pop("quantities")
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}," for key, value in tree.items()]
    blocks = []
    for name, parts in quantities.items():
        rows = [
            f'      "{part}": [\n' + ",\n".join(f"        {json.dumps(row)}" for row in parts[part]) + "\n      ]"
            for part in ("mean", "sd")
        ]
        blocks.append(f'    "{name}": {{\n' + ",\n".join(rows) + "\n    }")
    path.write_text(
        "{\n" + "\n".join(lines) + '\n  "quantities": {\n' + ",\n".join(blocks) + "\n  }\n}\n", encoding="utf-8"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).with_name("schwartz2008.json"))
    arguments = parser.parse_args()
    write(build(arguments.tables), arguments.output)
