"""Reads and writes OpenSim's text tables (.mot and .sto): a header, a line of labels, one line of numbers per sample.

What the columns mean is for the callers to say.
"""

import dataclasses
import io
import re
from pathlib import Path

import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.files import sheets

SUFFIXES = (".mot", ".sto")
_OWN = (
    *("version", "nrows", "ncolumns", "indegrees", "datarows", "datacolumns", "datatype", "opensimversion"),
    *("nr", "nc", "name", "otherdata", "range", "units"),
)
# Coordinates that are lengths, not angles: pelvis_tx, knee_r_translation1, semimem_r-P2_x.
_LENGTH = re.compile(r"(^|_)t?[xyz]$|translation|_t[123]$")
_KNEES, _TOES = ("knee_angle_r", "knee_angle_l"), ("mtp_angle_r", "mtp_angle_l")
_END = re.compile(r"^[ \t]*endheader[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_ENTRY = re.compile(r"\s*([^\s=:]+)\s*[=:\s]\s*(.*?)\s*$")
_PROSE = re.compile(r"angles\s+are\s+in\s+(degrees|radians)", re.IGNORECASE)
_YES, _NO = ("yes", "y", "true", "1", "deg", "degree", "degrees"), ("no", "n", "false", "0", "rad", "radian", "radians")


@dataclasses.dataclass(frozen=True)
class Table:
    """A table's own header entries, whether angles are in degrees, time ``[T]`` s and columns ``{label: [T]}``.

    ``name``: its first line, in OpenSim what it holds; ``rule``: why angles are taken for degrees, or for radians;
    ``notes``: what was mended in reading.
    """

    fields: dict[str, str]
    degrees: bool
    time: np.ndarray
    columns: dict[str, np.ndarray]
    name: str = ""
    rule: str = ""
    notes: tuple[str, ...] = ()


def is_length(coordinate: str) -> bool:
    """Whether a coordinate's name is that of a translation (m) rather than of an angle."""
    return _LENGTH.search(coordinate) is not None


def turned_knees(columns: dict[str, np.ndarray]) -> list[str]:
    """Knee and toe coordinates whose sign is not gait2392's (knee flexion negative): Rajagopal's model turns both.

    A knee bends one way only, so its mean tells; knees that differ are a mistake, not a convention.
    """
    bent = [columns[name].mean() > 0 for name in _KNEES if name in columns]
    if not bent or not all(bent):
        return []
    return [name for name in (*_KNEES, *_TOES) if name in columns]


def read_table(path: Path) -> Table:
    """Read a .mot or .sto. Raises UserError for a file that is missing, foreign, truncated or not all numbers.

    Of samples at the same time the first one is kept, and told: OpenSim's integrators write such.
    """
    head, *rest = _END.split(sheets.read_text(path), maxsplit=1)
    if not rest:
        raise UserError(f"{path}: is not an OpenSim .mot or .sto file: it has no line 'endheader'.")
    name, header = _header(head)
    kind = header.get("datatype", "double")
    if kind.lower() != "double":
        raise UserError(f"{path}: holds {kind} elements; one number a column is read.")
    lines = [line for line in rest[0].splitlines() if line.strip()]
    if not lines:
        raise UserError(f"{path}: is truncated: no line of labels follows 'endheader'.")
    labels, cells, notes = _split(path, lines)
    _check_labels(path, labels, header)
    requested = header.get("nrows", header.get("datarows", header.get("nr")))
    if not cells or (requested is not None and requested.isdigit() and int(requested) != len(cells)):
        raise UserError(
            f"{path}: is truncated: it holds {len(cells)} samples, its header says {requested or 'nothing'}."
        )
    values = sheets.numbers(path, labels, cells)
    kept = _rising(path, values[:, 0])
    if len(kept) < len(values):
        notes.append(f"{path}: {len(values) - len(kept)} samples at the time of the one before: left out")
    values = values[kept]
    fields = {name: value for name, value in header.items() if name not in _OWN}
    degrees, rule = _degrees(path, header, head)
    columns = dict(zip(labels[1:], values[:, 1:].T, strict=True))
    return Table(fields, degrees, values[:, 0], columns, name, rule, tuple(notes))


def table_text(name: str, table: Table) -> str:
    """The text of a table, as OpenSim reads it; numbers with 9 significant digits."""
    header = [name, "version=1", f"nRows={table.time.size}", f"nColumns={1 + len(table.columns)}"]
    header += [f"inDegrees={'yes' if table.degrees else 'no'}"]
    header += [f"{key}={value}" for key, value in table.fields.items()]
    stream = io.StringIO()
    stream.write("\n".join([*header, "endheader", "\t".join(["time", *table.columns])]) + "\n")
    np.savetxt(stream, np.column_stack([table.time, *table.columns.values()]), fmt="%.9g", delimiter="\t")
    return stream.getvalue()


def _header(head: str) -> tuple[str, dict[str, str]]:
    """(the first line, unless it is an entry; entries by lower-case name).

    Entries are ``name=value`` lines, the older ``name value``, and ``name: value``.
    """
    first, entries = "", {}
    for number, line in enumerate(line for line in head.splitlines() if line.strip()):
        found = _ENTRY.match(line.lstrip("# "))
        name = found[1].lower() if found else ""
        if number == 0 and "=" not in line and name not in _OWN:
            first = line.strip()
        elif found and found[2]:
            entries[name] = found[2]
    return first or entries.get("name", ""), entries


def _degrees(path: Path, header: dict[str, str], head: str) -> tuple[bool, str]:
    """(whether angles are in degrees, why), by the rule of OpenSim 4.6's Storage.

    The header's inDegrees counts; without it a .mot without a version (SIMM's) is in degrees, all else in radians.
    What OpenSim does not read is read too: true and 1, ``units: deg``, "Angles are in degrees."
    """
    for key in ("indegrees", "units"):
        word = header.get(key, "").lower()
        if word in (*_YES, *_NO):
            return word in _YES, f"its header says {key}={word}"
        if word and key == "indegrees":
            raise UserError(f"{path}: the header's inDegrees is {word!r}; allowed are yes and no.")
    prose = _PROSE.search(head)
    if prose:
        return prose[1].lower() == "degrees", f"its header says {prose[0]!r}"
    if path.suffix.lower() == ".mot" and not _version(header):
        return True, "a .mot without version= is SIMM's, in degrees"
    return False, "its header has no inDegrees, which means radians in OpenSim"


def _version(header: dict[str, str]) -> float:
    text = header.get("version", "0")
    return float(text) if sheets.is_number(text) else 0.0


def _split(path: Path, lines: list[str]) -> tuple[list[str], list[list[str]], list[str]]:
    """(labels, cells, notes); OpenSim's tables have tabs or blanks, those that a spreadsheet saved other marks."""
    mark = sheets.separator(lines[0])
    if mark in (None, "\t"):
        first = lines[0].strip()
        labels = [label.strip() for label in (first.split(mark) if mark else first.split())]
        return labels, [[cell.replace(",", ".") for cell in line.split()] for line in lines[1:]], []
    labels, cells = sheets.split(path, lines)
    return labels, cells, [f"{path}: {sheets.SEPARATORS[mark]} between its columns, where OpenSim asks for tabs"]


def _check_labels(path: Path, labels: list[str], header: dict[str, str]) -> None:
    if labels[0].lower() != "time":
        raise UserError(f"{path}: the first column must be time, not {labels[0]!r}.")
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        raise UserError(f"{path}: column {repeated[0]} appears more than once.")
    requested = header.get("ncolumns", header.get("datacolumns", header.get("nc", "")))
    if requested.isdigit() and int(requested) != len(labels):
        raise UserError(f"{path}: has {len(labels)} labels, its header says {requested} columns.")


def _rising(path: Path, time: np.ndarray) -> np.ndarray:
    """Indexes of the samples to keep. Raises UserError where time falls: trials one below the other."""
    steps = np.diff(time)
    if (steps < 0).any() or not np.isfinite(time).all():
        row = int(np.argmin(steps >= 0)) + 2
        raise UserError(
            f"{path}: time must rise; sample {row} is at {time[row - 1]:g} s, the one before at {time[row - 2]:g} s. "
            "Does the file hold several trials? Give one in a file."
        )
    return np.flatnonzero(np.append(True, steps > 0))
