"""Reads and writes OpenSim's text tables (.mot and .sto): a header, a line of labels, one line of numbers per sample.

What the columns mean is for the callers to say.
"""

import dataclasses
import io
import re
from pathlib import Path

import numpy as np

from mjx_assist.errors import UserError

SUFFIXES = (".mot", ".sto")
_OWN = ("version", "nrows", "ncolumns", "indegrees", "datarows", "datacolumns", "datatype", "opensimversion")
# Coordinates that are lengths, not angles: pelvis_tx, knee_r_translation1, semimem_r-P2_x.
_LENGTH = re.compile(r"(^|_)t?[xyz]$|translation|_t[123]$")
_KNEES, _TOES = ("knee_angle_r", "knee_angle_l"), ("mtp_angle_r", "mtp_angle_l")
_END = re.compile(r"^[ \t]*endheader[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Table:
    """A table's own header entries, whether angles are in degrees, time ``[T]`` s and columns ``{label: [T]}``."""

    fields: dict[str, str]
    degrees: bool
    time: np.ndarray
    columns: dict[str, np.ndarray]


def is_length(coordinate: str) -> bool:
    """Whether a coordinate's name is that of a translation (m) rather than of an angle."""
    return _LENGTH.search(coordinate) is not None


def turned_knees(columns: dict[str, np.ndarray]) -> list[str]:
    """Knee and toe coordinates whose sign is not gait2392's (knee flexion negative): Rajagopal's model turns both.

    A knee bends one way only, so its mean tells.
    """
    if not sum(columns[name].mean() for name in _KNEES if name in columns) > 0:
        return []
    return [name for name in (*_KNEES, *_TOES) if name in columns]


def read_table(path: Path) -> Table:
    """Read a .mot or .sto. Raises UserError for a file that is missing, foreign, truncated or not all numbers."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file.") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not text in UTF-8 ({error.reason} at byte {error.start}).") from None
    head, *rest = _END.split(text, maxsplit=1)
    if not rest:
        raise UserError(f"{path}: is not an OpenSim .mot or .sto file: it has no line 'endheader'.")
    header = _header(head)
    kind = header.get("datatype", "double")
    if kind.lower() != "double":
        raise UserError(f"{path}: holds {kind} elements; one number a column is read.")
    lines = [line for line in rest[0].splitlines() if line.strip()]
    if not lines:
        raise UserError(f"{path}: is truncated: no line of labels follows 'endheader'.")
    first = lines[0].strip()
    labels = [label.strip() for label in (first.split("\t") if "\t" in first else first.split())]
    _check_labels(path, labels, header)
    rows = lines[1:]
    requested = header.get("nrows", header.get("datarows"))
    if not rows or (requested is not None and requested.isdigit() and int(requested) != len(rows)):
        raise UserError(
            f"{path}: is truncated: it holds {len(rows)} samples, its header says {requested or 'nothing'}."
        )
    values = _numbers(path, labels, rows)
    if len(values) > 1 and not (np.diff(values[:, 0]) > 0).all():
        row = int(np.argmin(np.diff(values[:, 0]) > 0)) + 2
        raise UserError(f"{path}: time must rise; sample {row} is at {values[row - 1, 0]:g} s.")
    fields = {name: value for name, value in header.items() if name not in _OWN}
    degrees = header.get("indegrees", "no").lower() == "yes"
    return Table(fields, degrees, values[:, 0], dict(zip(labels[1:], values[:, 1:].T, strict=True)))


def table_text(name: str, table: Table) -> str:
    """The text of a table, as OpenSim reads it; numbers with 9 significant digits."""
    header = [name, "version=1", f"nRows={table.time.size}", f"nColumns={1 + len(table.columns)}"]
    header += [f"inDegrees={'yes' if table.degrees else 'no'}"]
    header += [f"{key}={value}" for key, value in table.fields.items()]
    stream = io.StringIO()
    stream.write("\n".join([*header, "endheader", "\t".join(["time", *table.columns])]) + "\n")
    np.savetxt(stream, np.column_stack([table.time, *table.columns.values()]), fmt="%.9g", delimiter="\t")
    return stream.getvalue()


def _header(head: str) -> dict[str, str]:
    """``name=value`` lines (and the older ``name value``) by lower-case name."""
    entries = {}
    for line in head.splitlines():
        name, equals, value = line.partition("=")
        if not equals:
            name, _, value = line.strip().partition(" ")
        if name.strip() and value.strip():
            entries[name.strip().lower()] = value.strip()
    return entries


def _check_labels(path: Path, labels: list[str], header: dict[str, str]) -> None:
    if labels[0].lower() != "time":
        raise UserError(f"{path}: the first column must be time, not {labels[0]!r}.")
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        raise UserError(f"{path}: column {repeated[0]} appears more than once.")
    requested = header.get("ncolumns", header.get("datacolumns", ""))
    if requested.isdigit() and int(requested) != len(labels):
        raise UserError(f"{path}: has {len(labels)} labels, its header says {requested} columns.")


def _numbers(path: Path, labels: list[str], rows: list[str]) -> np.ndarray:
    """[T, columns]; names the sample that has too few or too many values, or one that is no number."""
    cells = [row.split() for row in rows]
    for number, row in enumerate(cells, start=1):
        if len(row) != len(labels):
            raise UserError(f"{path}: sample {number} has {len(row)} values, there are {len(labels)} labels.")
    try:
        return np.array(cells, float)
    except ValueError:
        for number, row in enumerate(cells, start=1):
            for label, cell in zip(labels, row, strict=True):
                if not is_number(cell):
                    raise UserError(f"{path}: {label}, sample {number} is {cell!r}, not a number.") from None
        raise


def is_number(cell: str) -> bool:
    """Whether a table's cell can be read as a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True
