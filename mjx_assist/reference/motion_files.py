"""Reads a user's motion file, CSV, JSON, npz (never a pickle) or OpenSim's: columns of samples, fields for the whole.

What the numbers mean, and whether they make sense, is motion.py's question.
"""

import csv
import json
import zipfile
from pathlib import Path

import numpy as np

from mjx_assist.errors import UserError, unknown
from mjx_assist.files import opensim_table

FIELDS = ("sample_rate", "units", "speed", "stride_time", "first_contact")


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
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not text in UTF-8 ({error.reason} at byte {error.start}).") from None
    notes = [line.lstrip("# ") for line in lines if line.startswith("#")]
    fields = {key.strip(): _scalar(value.strip()) for key, colon, value in (n.partition(":") for n in notes) if colon}
    rows = list(csv.reader(line for line in lines if line.strip() and not line.startswith("#")))
    if len(rows) < 2:
        raise UserError(f"{path}: holds no samples; needed are a header line and one line for each sample.")
    header = [name.strip() for name in rows[0]]
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise UserError(f"{path}: column {repeated[0]} appears more than once.")
    for number, row in enumerate(rows[1:], start=1):
        if len(row) != len(header):
            raise UserError(f"{path}: row {number} has {len(row)} values, the header {len(header)}.")
    columns = {name: _floats(path, name, [row[i] for row in rows[1:]]) for i, name in enumerate(header)}
    return columns, fields


def _read_json(path: Path) -> tuple[dict[str, np.ndarray], dict]:
    try:
        tree = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise UserError(f"{path}: is not JSON ({error}).") from None
    if not isinstance(tree, dict):
        raise UserError(f"{path}: must hold one object with q_<joint> lists, not a {type(tree).__name__}.")
    return _sorted_out(path, _flat(tree))


def _read_npz(path: Path) -> tuple[dict[str, np.ndarray], dict]:
    try:
        file = np.load(path, allow_pickle=False)
        if isinstance(file, np.ndarray):
            raise UserError(f"{path}: holds one bare array; save named ones with np.savez.")
        with file:
            return _sorted_out(path, {name: file[name] for name in file.files})
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise UserError(f"{path}: is not an npz file ({error}).") from None
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise UserError(f"{path}: is not an npz file ({error}).") from None
        raise UserError(
            f"{path}: holds pickled objects, which can run code and are not opened; save plain arrays "
            "(np.savez(file, q_hip_flexion_r=..., sample_rate=...)), CSV or JSON."
        ) from None


def _read_opensim(path: Path) -> tuple[dict[str, np.ndarray], dict]:
    """Coordinates of a .mot or .sto, knees in gait2392's sign; fields are header lines such as ``speed=1.25``.

    ``pelvis_ty`` is left out: it belongs to the recorded person's leg length, not to the model's.
    """
    table = opensim_table.read_table(path)
    coordinates = {}
    for label, column in table.columns.items():
        name = label.split("/")[-2] if label.endswith("/value") and label.count("/") > 1 else label
        if "/" not in name and "|" not in name and name != "pelvis_ty":
            coordinates[name] = column
    for name in opensim_table.turned_knees(coordinates):
        coordinates[name] = -coordinates[name]
    fields = {name: _scalar(table.fields[name]) for name in FIELDS if name in table.fields}
    columns = {f"q_{name}": column for name, column in coordinates.items()}
    return {"time": table.time, **columns}, {"units": "deg" if table.degrees else "rad", **fields}


def _flat(tree: dict) -> dict:
    """One level of grouping taken out."""
    flat = {}
    for name, value in tree.items():
        flat.update(value if isinstance(value, dict) else {name: value})
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
    try:
        return float(value)
    except (TypeError, ValueError):
        return value
