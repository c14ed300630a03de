"""The gait record as one wide CSV table, and back. A column is ``field.name.unit``; ``#`` lines hold the rest."""

import io
from pathlib import Path

import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.eval.formats.combine import OVER_TIME, Part
from mjx_assist.eval.formats.headers import fields_of_header, header_of
from mjx_assist.eval.replay.record import FIXED_AXES, NAMES, SERIES, GaitRecord
from mjx_assist.files import sheets
from mjx_assist.files.atomic import write_text
from mjx_assist.files.opensim_table import is_length

_KIND = "mjx-assist gait record"
_OF = {names.axis: field for field, names in NAMES.items() if field != "device_joints"}


def write_csv(record: GaitRecord, path: Path) -> None:
    """The whole record as one table with 9 significant digits; an empty cell is a value that was not recorded."""
    columns: dict[str, np.ndarray] = {}
    for field in OVER_TIME:
        names = _entries(field, record)
        values = getattr(record, field).reshape(record.time.size, -1)
        for name, column in zip(names, values.T, strict=True):
            columns[".".join(part for part in (field, name, _unit(field, name)) if part)] = column
    head = [f"# {_KIND}", *(f"# {name}: {value}" for name, value in header_of(record).items()), ",".join(columns)]
    stream = io.StringIO()
    np.savetxt(stream, np.column_stack(list(columns.values())), fmt="%.9g", delimiter=",")
    write_text(path, "\n".join(head) + "\n" + stream.getvalue().replace("nan", ""))


def read_csv(path: Path) -> Part:
    """What a table that ``write_csv`` wrote holds; columns may be missing. Raises UserError for anything else."""
    lines = sheets.read_text(path).splitlines()
    comments = [entry for line in lines if line.lstrip('"').startswith("#") and (entry := sheets.entry(line))]
    header = dict(comments)
    rows = [line for line in lines if line.strip() and not line.lstrip('"').startswith("#")]
    labels, cells = sheets.split(path, rows) if rows else ([], [])
    if not {"time.s"} <= set(labels) or not cells:
        raise UserError(f"{path}: is not a gait record's table: it needs a column time.s and at least one sample.")
    columns = dict(zip(labels, sheets.numbers(path, labels, cells, empty=True).T, strict=True))
    fields = fields_of_header(header, str(path))
    unused = _collect(columns, fields, path)
    return Part(str(path), fields, (f"{path}: not used: {', '.join(unused)}",) if unused else ())


def is_motion(path: Path) -> bool:
    """Whether a table's columns are those of a training reference (q_<joint>), not of a gait record."""
    rows = [
        line for line in sheets.read_text(path).splitlines() if line.strip() and not line.lstrip('"').startswith("#")
    ]
    labels = [label.strip(' "') for label in rows[0].split(sheets.separator(rows[0]))] if rows else []
    return "time.s" not in labels and any(label.startswith("q_") for label in labels)


def _entries(field: str, record: GaitRecord) -> list[str]:
    """The name of each column of a field, in C order."""
    names = [""]
    for letter in SERIES[field].axes[1:]:
        part = FIXED_AXES.get(letter) or getattr(record, _OF[letter])
        names = [f"{name}.{p}" if name else p for name in names for p in part]
    return names


def _unit(field: str, name: str) -> str:
    unit = SERIES[field].unit
    return unit if isinstance(unit, str) else unit[is_length(name)]


def _collect(columns: dict[str, np.ndarray], fields: dict, path: Path) -> list[str]:
    """Add the series that the columns make to ``fields``; the labels of columns that are none are returned."""
    found: dict[str, dict[str, np.ndarray]] = {}
    unused = []
    for label, column in columns.items():
        field, _, rest = label.partition(".")
        name = rest.rpartition(".")[0]
        if field in OVER_TIME and rest == ".".join(p for p in (name, _unit(field, name)) if p):
            found.setdefault(field, {})[name] = column
        else:
            unused.append(label)
    for field, parts in found.items():
        letters = SERIES[field].axes[1:]
        for letter in letters:
            if letter in _OF:
                names = fields.setdefault(_OF[letter], tuple(parts))
                _check_names(path, field, parts, names)
                parts = {name: parts[name] for name in names}
        if set(letters) <= set(FIXED_AXES):
            wanted = [""]
            for letter in letters:
                wanted = [f"{w}.{p}" if w else p for w in wanted for p in FIXED_AXES[letter]]
            _check_names(path, field, parts, wanted)
            parts = {name: parts[name] for name in wanted}
        shape = [len(FIXED_AXES.get(letter, parts)) for letter in letters]
        fields[field] = np.stack(list(parts.values()), axis=1).reshape(-1, *shape)
    return unused


def _check_names(path: Path, field: str, parts: dict, names) -> None:
    missing = [name for name in names if name not in parts]
    surplus = [name for name in parts if name not in names]
    if missing or surplus:
        raise UserError(f"{path}: {field} {'lacks' if missing else 'has besides'} {', '.join(missing or surplus)}.")
