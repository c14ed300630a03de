"""Tables as text editors and spreadsheets leave them: byte order marks, separators, decimal commas.

What the columns mean is for the callers to say.
"""

import codecs
import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.files.untrusted import MOST_TEXT, read_bytes

SEPARATORS = {"\t": "tabs", ";": "semicolons", ",": "commas"}  # the first that a line of labels holds
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Path) -> str:
    """A file's text in UTF-8, or in UTF-16 where it begins with that mark (Notepad, PowerShell), without the mark.

    Raises UserError for a file that is missing, a folder, or no such text.
    """
    raw = read_bytes(path, str(path), MOST_TEXT)
    try:
        return raw.decode("utf-16" if raw.startswith(_UTF_16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        where = f"{error.reason} at byte {error.start}"
        raise UserError(f"{path}: is not text in UTF-8 ({where}); save it as UTF-8.") from None


def separator(labels: str) -> str | None:
    """What stands between a line's labels; None: blanks."""
    return next((mark for mark in SEPARATORS if mark in labels), None)


def split(path: Path, lines: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """(labels, cells of each sample) of a table's lines, whose first holds the labels; decimal points throughout.

    The separator is that of the labels. Between tabs or semicolons ``1,25`` is a number. Empty columns at the end, as
    spreadsheets leave them, are dropped. Raises UserError for a single column, and for a number with both marks.
    """
    mark = separator(lines[0])
    rows = list(csv.reader(lines, delimiter=mark)) if mark else [line.split() for line in lines]
    rows = [[cell.strip() for cell in row] for row in rows]
    while rows[0] and not rows[0][-1] and all(len(row) < len(rows[0]) or not row[-1] for row in rows):
        last = len(rows[0]) - 1
        rows = [row[:last] for row in rows]
    labels, cells = rows[0], rows[1:]
    if len(labels) == 1:
        shown = labels[0] if len(labels[0]) < 40 else f"{labels[0][:40]}..."
        raise UserError(f"{path}: has the one column {shown!r}; separate columns with commas, semicolons or tabs.")
    if mark != ",":
        cells = [[_with_point(path, cell) for cell in row] for row in cells]
    return labels, cells


def check_widths(path: Path, labels: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    """Raises UserError for a sample with more or fewer values than there are labels, and a label that comes twice."""
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        raise UserError(f"{path}: column {repeated[0] or 'without a name'} appears more than once.")
    for number, row in enumerate(cells, start=1):
        if len(row) != len(labels):
            hint = ""
            if len(row) in (2 * len(labels), 2 * len(labels) - 1):
                hint = " Are these decimal commas between commas? Save with decimal points, or with semicolons."
            raise UserError(f"{path}: sample {number} has {len(row)} values, there are {len(labels)} labels.{hint}")


def numbers(path: Path, labels: Sequence[str], cells: Sequence[Sequence[str]], empty: bool = False) -> np.ndarray:
    """[T, columns] of cells; ``empty``: an empty one is NaN. Names the column and sample of what is no number."""
    check_widths(path, labels, cells)
    values = np.empty((len(cells), len(labels)))
    for place, label in enumerate(labels):
        column = [row[place] or "nan" if empty else row[place] for row in cells]
        try:
            values[:, place] = column
        except ValueError:
            number, cell = next((i, c) for i, c in enumerate(column, start=1) if not is_number(c))
            shown = repr(cell) if cell else "empty"
            raise UserError(f"{path}: {label}, sample {number} is {shown}, not a number.") from None
    return values


def is_number(cell: str) -> bool:
    """Whether a table's cell can be read as a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def entry(line: str) -> tuple[str, str] | None:
    """(name, value) of a comment line ``# name: value``, also quoted or followed by separators; None for another."""
    name, colon, value = line.strip(' "\t;,').lstrip("# ").partition(":")
    return (name.strip(), value.strip()) if colon else None


def _with_point(path: Path, cell: str) -> str:
    if "," not in cell:
        return cell
    if "." in cell or cell.count(",") > 1:
        raise UserError(f"{path}: {cell!r} has two marks; save numbers without marks between thousands.")
    return cell.replace(",", ".")
