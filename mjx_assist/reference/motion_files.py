"""Reads a user's motion file, CSV, JSON, npz (no pickle is run) or OpenSim's: columns of samples, fields for the whole.

What the numbers mean, and whether they make sense, is motion.py's question.
"""

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from mjx_assist.errors import UserError, unknown
from mjx_assist.files import npz, opensim_labels, opensim_table, sheets
from mjx_assist.files.untrusted import parse_json, read_bytes

FIELDS = ("sample_rate", "units", "speed", "stride_time", "first_contact")
DESCRIPTIONS = ("meta_data", "metadata")  # entries of an npz that MyoAssist pickles, beside plain columns
SERIES = "series_data"  # the columns, pickled as one entry
_RATES, _SPEEDS = ("sample_rate", "sampling_rate", "framerate", "frame_rate", "fps"), ("speed", "walking_speed")


def read_motion_file(path: Path) -> tuple[dict[str, np.ndarray], dict]:
    """(columns {name: [N] finite floats}, fields {name: float or str}). Raises UserError for anything wrong."""
    readers = {".csv": _read_csv, ".json": _read_json, ".npz": _read_npz}
    readers |= dict.fromkeys(opensim_table.SUFFIXES, _read_opensim)
    if path.suffix.lower() not in readers:
        raise unknown(f"{path}: file format", path.suffix, readers)
    if not path.is_file():
        raise UserError(f"{path}: no such file.")
    columns, fields = readers[path.suffix.lower()](path)
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise UserError(f"{path}: columns differ in length: {listed}.")
    if not columns or max(lengths.values()) < 2:
        raise UserError(f"{path}: holds no samples; needed are columns q_<joint> with one value for each sample.")
    for name, column in columns.items():
        if name in FIELDS:
            raise UserError(f"{path}: {name} is one value for the whole file, not a column.")
        if not np.all(np.isfinite(column)):
            row = int(np.flatnonzero(~np.isfinite(column))[0])
            raise UserError(f"{path}: column {name}, row {row + 1} is {column[row]}, not a number.")
    return columns, fields


def _read_csv(path: Path) -> tuple[dict[str, np.ndarray], dict]:
    lines = [line for line in sheets.read_text(path).splitlines() if line.strip()]
    notes = [line for line in lines if line.lstrip('"').startswith("#")]
    fields = {name: _scalar(value) for name, value in filter(None, map(sheets.entry, notes))}
    rows = [line for line in lines if not line.lstrip('"').startswith("#")]
    if len(rows) < 2:
        raise UserError(f"{path}: holds no samples; needed are a header line and one line for each sample.")
    labels, cells = sheets.split(path, rows)
    sheets.check_widths(path, labels, cells)
    return {name: _floats(path, name, [row[i] for row in cells]) for i, name in enumerate(labels)}, fields


def _read_json(path: Path) -> tuple[dict[str, np.ndarray], dict]:
    try:
        tree = parse_json(sheets.read_text(path))
    except ValueError as error:
        raise UserError(f"{path}: is not JSON ({error}).") from None
    if not isinstance(tree, dict):
        raise UserError(f"{path}: must hold one object with q_<joint> lists, not a {type(tree).__name__}.")
    return _sorted_out(path, _flat(path, tree))


def _read_npz(path: Path) -> tuple[dict[str, np.ndarray], dict]:
    if read_bytes(path, str(path))[:6] == b"\x93NUMPY":
        raise UserError(f"{path}: holds one bare array; save named ones with np.savez.")
    arrays, described = npz.read_npz(path, (*DESCRIPTIONS, SERIES))
    series = described.pop(SERIES, {})
    arrays |= {name: np.asarray(column) for name, column in series.items()} if isinstance(series, dict) else {}
    columns, fields = _sorted_out(path, arrays)
    for tree in described.values():
        fields = _described(tree) | fields
    speeds = {name[1:]: _floats(path, name, values) for name, values in arrays.items() if name.startswith("dq_")}
    if "sample_rate" not in fields and "time" not in columns:
        rate = _rate_of(columns, speeds)
        if rate is not None:
            fields["sample_rate"] = rate
            warnings.warn(f"{path}: says no sample_rate; its dq_ columns make it {rate:.4g} Hz.", stacklevel=4)
    if "speed" not in fields and "q_pelvis_tx" in speeds:
        fields["speed"] = float(speeds["q_pelvis_tx"].mean())
    return columns, fields


def _described(tree: Any) -> dict[str, float]:
    """sample_rate and speed of what MyoAssist describes a recording with, wherever they stand in it."""
    found: dict[str, float] = {}
    for name, value in tree.items() if isinstance(tree, dict) else ():
        if isinstance(value, dict):
            found = _described(value) | found
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found |= {"sample_rate": float(value)} if name.lower() in _RATES else {}
            found |= {"speed": float(value)} if name.lower() in _SPEEDS else {}
    return found


def _rate_of(columns: dict[str, np.ndarray], speeds: dict[str, np.ndarray]) -> float | None:
    """Hz by which angles' differences become their velocities, in least squares; None without both."""
    pairs = [(np.gradient(columns[n]), speeds[n]) for n in speeds if n in columns and columns[n].size == speeds[n].size]
    pairs = [(step[1:-1], speed[1:-1]) for step, speed in pairs if step.size > 4]
    power = sum(float(step @ step) for step, _ in pairs)
    return sum(float(step @ speed) for step, speed in pairs) / power if power > 0 else None


def _read_opensim(path: Path) -> tuple[dict[str, np.ndarray], dict]:
    """Coordinates of a .mot or .sto, knees in gait2392's sign; fields are header lines such as ``speed=1.25``.

    ``pelvis_ty`` is left out: it belongs to the recorded person's leg length, not to the model's.
    """
    table = opensim_table.read_table(path)
    found = opensim_labels.coordinates(path, table, own=table.fields.get("human", "unknown") != "unknown")
    coordinates = {name: column for name, column in found.values.items() if name != "pelvis_ty"}
    if not coordinates:
        raise opensim_labels.nothing_known(path, table, "joint angles")
    for name in opensim_table.turned_knees(coordinates):
        coordinates[name] = -coordinates[name]
    for note in table.notes:
        warnings.warn(f"{note}.", stacklevel=4)
    fields = {name: _scalar(table.fields[name]) for name in FIELDS if name in table.fields}
    columns = {f"q_{name}": column for name, column in coordinates.items()}
    return {"time": table.time, **columns}, {**fields, "units": "deg" if table.degrees else "rad"}


def _flat(path: Path, tree: dict) -> dict:
    """One level of grouping taken out. Raises UserError for a name that stands in two groups: two trials."""
    flat: dict = {}
    for name, value in tree.items():
        group = value if isinstance(value, dict) else {name: value}
        twice = sorted(set(group) & set(flat))
        if twice:
            raise UserError(f"{path}: {twice[0]} comes twice, again in {name}. Give one trial in a file.")
        flat.update(group)
    return flat


def _sorted_out(path: Path, entries: dict) -> tuple[dict[str, np.ndarray], dict]:
    columns, fields = {}, {}
    for name, value in entries.items():
        if isinstance(value, str) or np.ndim(value) == 0:
            fields[name] = _scalar(value.item() if isinstance(value, np.ndarray) else value)
        elif name.startswith("q_") or name in ("time", *FIELDS):
            columns[name] = _floats(path, name, value)
    return columns, fields


def _floats(path: Path, name: str, values) -> np.ndarray:
    """[N] floats; an empty cell, None and text are errors that name the row."""
    if isinstance(values, np.ndarray) and values.ndim != 1:
        raise UserError(f"{path}: {name} must be one value for each sample, not an array of shape {values.shape}.")
    column = np.empty(len(values))
    for row, value in enumerate(values):
        try:
            column[row] = float(value)
        except (TypeError, ValueError):
            shown = "empty" if value in ("", None) else repr(value)
            raise UserError(f"{path}: column {name}, row {row + 1} is {shown}, not a number.") from None
    return column


def _scalar(value):
    if isinstance(value, str) and re.fullmatch(r"[-+]?\d+,\d+", value):
        value = value.replace(",", ".")  # a decimal comma
    try:
        return float(value)
    except (TypeError, ValueError):
        return value
