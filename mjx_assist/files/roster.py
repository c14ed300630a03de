"""A table of people, as laboratories keep them: a line for each with name, height and mass; sex and age if known."""

import csv
from pathlib import Path

from mjx_assist.errors import UserError, unknown
from mjx_assist.files.untrusted import read_bytes

NAME, NUMBERS, WORDS = "name", ("height", "mass", "age"), ("sex",)
_COLUMNS = (NAME, *NUMBERS, *WORDS)
_MOST_BYTES = 2**20


def is_roster(path: Path) -> bool:
    """Whether a file is a table (.csv) with a column of names."""
    return path.suffix.lower() == ".csv" and NAME in next(iter(_rows(path)), [])


def read_roster(path: Path) -> dict[str, dict]:
    """Name -> data of a subject. Columns ``name``, ``height`` (m), ``mass`` (kg), ``sex``, ``age`` (years), in any
    order; an empty cell is not known.

    Raises:
        UserError: another column, a line with too few or too many cells, a name twice or none, what is no number.
    """
    head, *rows = _rows(path)
    what = f"table {str(path)!r}"
    for column in head:
        if column not in _COLUMNS:
            raise unknown(f"{what}: column", column, _COLUMNS)
    if len(set(head)) < len(head):
        raise UserError(f"{what}: a column is there twice: {','.join(head)}.")
    people: dict[str, dict] = {}
    for row in rows:
        if len(row) != len(head):
            raise UserError(f"{what}: the line {','.join(row)!r} has {len(row)} cells, its head has {len(head)}.")
        cells = dict(zip(head, row, strict=True))
        name = cells.pop(NAME)
        if not name or name in people:
            raise UserError(
                f"{what}: the name {name!r} is {'given twice' if name else 'empty'}; each line needs its own."
            )
        people[name] = {key: _value(key, text, f"{what}: {name}") for key, text in cells.items() if text}
    return people


def _value(key: str, text: str, where: str) -> float | str:
    if key in WORDS:
        return text.lower()
    try:
        return float(text)
    except ValueError:
        raise UserError(f"{where}: {key} {text[:40]!r} is no number.") from None


def _rows(path: Path) -> list[list[str]]:
    """Lines as cells without blanks around them; the head in small letters; without empty lines and comments (#)."""
    text = read_bytes(path, f"table {str(path)!r}", _MOST_BYTES).decode("utf-8-sig", "replace")
    rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines())]
    rows = [row for row in rows if any(row) and not row[0].startswith("#")]
    return [[cell.lower() for cell in rows[0]], *rows[1:]] if rows else []
