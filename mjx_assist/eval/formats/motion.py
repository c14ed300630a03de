"""A training reference (columns ``q_<joint>`` in CSV, JSON or npz) as part of a gait record."""

import warnings
import zipfile
from pathlib import Path

import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.eval.formats.combine import Part
from mjx_assist.files import opensim_labels
from mjx_assist.files.opensim_table import turned_knees
from mjx_assist.reference.motion_files import read_motion_file

PREFIX = "q_"


def is_npz(path: Path) -> bool:
    """Whether an npz holds such columns."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.startswith(PREFIX) for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def read_motion(path: Path) -> Part:
    """Time and joint angles of such a file, in OpenSim's signs. Raises UserError where it has no time, or no angles."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        columns, fields = read_motion_file(path)
    notes = tuple(str(warning.message).rstrip(".") for warning in caught)
    angles = {name[len(PREFIX) :]: column for name, column in columns.items() if name.startswith(PREFIX)}
    if not angles:
        raise UserError(f"{path}: holds no columns q_<joint>.")
    if "time" in columns:
        time = columns["time"]
    elif isinstance(fields.get("sample_rate"), float) and fields["sample_rate"] > 0:
        time = np.arange(len(next(iter(angles.values())))) / fields["sample_rate"]
    else:
        raise UserError(f"{path}: sample_rate is missing. Give it in Hz, or a column time in s.")
    degrees = fields.get("units", "rad") == "deg"
    opensim_labels.check_angles(path, angles, degrees, f"units: {'deg' if degrees else 'rad'}")
    turned = tuple(turned_knees(angles))
    signed = {name: -column if name in turned else column for name, column in angles.items()}
    scaled = opensim_labels.scaled(signed, degrees)
    held = {"time": time, "joint_names": tuple(scaled), "qpos": np.stack(list(scaled.values()), axis=1)}
    belt = fields["speed"] if isinstance(fields.get("speed"), float) else None
    return Part(str(path), held, notes, laboratory=True, belt=belt, turned=turned)
