"""How commands show and write their results: aligned text tables, CSV."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns two spaces apart: the first left-aligned, figures right-aligned."""
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    numeric = [i > 0 and all(_is_figure(row[i]) for row in rows) for i in range(len(header))]

    def text(line: Sequence[str]) -> str:
        cells = (c.rjust(w) if n else c.ljust(w) for c, w, n in zip(line, widths, numeric, strict=True))
        return "  ".join(cells).rstrip()

    first, *others = lines
    return "\n".join([text(first), "-" * len(text(first)), *map(text, others)])


def csv_text(rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> str:
    """CSV under a header of ``names``; None is an empty cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def number(value: Any, form: str) -> str:
    """A figure, or a dash where there is none."""
    return "-" if value is None else format(value, form)


def _is_figure(cell: str) -> bool:
    return cell == "-" or cell.lstrip("-")[:1].isdigit()
