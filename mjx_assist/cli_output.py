"""How commands show and write their results: aligned text tables, JSON files that are whole or not there."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mjx_assist.errors import UserError


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


def number(value: Any, form: str) -> str:
    """A figure, or a dash where there is none."""
    return "-" if value is None else format(value, form)


def check_writable(path: str | Path, folder: bool) -> None:
    """Before the work is done: raise `UserError` if a folder is given where a file is meant, or a file for a folder."""
    path = Path(path)
    if folder and path.exists() and not path.is_dir():
        raise UserError(f"{str(path)!r} is a file; give the name of a folder.")
    if not folder and path.is_dir():
        raise UserError(f"{str(path)!r} is a folder; give the name of a file.")


def write_json(path: str | Path, content: Any) -> None:
    """Write JSON to a file, whole or not at all (straight into what is not a plain file, such as /dev/stdout).

    Raises:
        UserError: it cannot be written.
    """
    from mjx_assist.eval.record import replacing

    path, text = Path(path), json.dumps(content, indent=1, allow_nan=False) + "\n"
    if path.exists() and not path.is_file():
        path.write_text(text)
        return
    with replacing(path) as stream:
        stream.write(text.encode())


def _is_figure(cell: str) -> bool:
    return cell == "-" or cell.lstrip("-")[:1].isdigit()
