"""The table of what a run took over from another, and what not: printed, and with a row a name in the run's folder."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mjx_assist.files.atomic import write_text
from mjx_assist.files.tables import table

TABLE = "transfer.csv"
LOADED, FRESH, DROPPED = "loaded", "fresh", "dropped"
_SHOWN = 4  # names of a cell


class Row(NamedTuple):
    """What became of one name. ``why`` says so where it is not plain."""

    part: str
    item: str
    name: str
    done: str
    why: str = ""


def write(run: Path, rows: Sequence[Row]) -> None:
    """All rows, as ``transfer.csv`` in the run's folder."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([Row._fields, *rows])
    write_text(run / TABLE, text.getvalue())


def summary(rows: Sequence[Row]) -> str:
    """A line for each part and item: how many names were loaded, which are fresh, which were dropped."""
    lines = []
    for part, item in dict.fromkeys((row.part, row.item) for row in rows):
        own = [row for row in rows if (row.part, row.item) == (part, item)]
        loaded = [row for row in own if row.done == LOADED]
        why = ", ".join(dict.fromkeys(row.why for row in loaded if row.why))
        cells = [f"{len(loaded)} ({why})" if why else str(len(loaded))]
        cells += [_names([row for row in own if row.done == done]) for done in (FRESH, DROPPED)]
        lines.append((part, item, *cells))
    return table(("part", "what", LOADED, FRESH, DROPPED), lines)


def _names(rows: Sequence[Row]) -> str:
    """``4: a, b, c, d (why)``: the first names, for each reason apart."""
    cells = []
    for why in dict.fromkeys(row.why for row in rows):
        names = [row.name for row in rows if row.why == why]
        more = ", ..." if len(names) > _SHOWN else ""
        cells.append(f"{len(names)}: {', '.join(names[:_SHOWN])}{more}" + (f" ({why})" if why else ""))
    return "; ".join(cells) or "-"
