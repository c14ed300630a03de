"""Reduces and measures many compositions, one file each, so that an interrupted sweep goes on where it was."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mujoco

from mjx_assist.errors import UserError
from mjx_assist.files.atomic import write_text
from mjx_assist.files.plain import plain, write_json
from mjx_assist.model import cache
from mjx_assist.model.fidelity import table
from mjx_assist.model.fidelity.report import fidelity
from mjx_assist.model.reduction import recipe, reduce_model

START, END = "<!-- tables: mjx-assist models sweep -->", "<!-- end of tables -->"


def sweep(compositions: Sequence[tuple[str, str]], folder: Path, say: Callable[[str], None]) -> list[table.Row]:
    """The rows of (human, device) pairs. A composition whose file in ``folder`` is up to date is read from there."""
    rows = []
    for number, (human, device) in enumerate(compositions, start=1):
        start = time.perf_counter()
        path = folder / f"{human}__{device}.json"
        row, took = _kept(path, human), "kept"
        if row is None:
            row, report = _measured(human, device)
            write_json(path, {"key": _key(human), "row": row, "report": report})
            took = f"{time.perf_counter() - start:.0f} s"
        rows.append(row)
        say(f"[{number}/{len(compositions)}] {human} {device} ({took}): {table.cells(row)[-1]}")
    return rows


def write_table(path: str | Path, rows: Sequence[table.Row]) -> None:
    """What `models list` reads when it is at models/fidelity.json. Raises ``UserError`` if it cannot be written."""
    write_json(path, {"mujoco": mujoco.__version__, "compositions": list(rows)})


def write_markdown(path: str | Path, rows: Sequence[table.Row]) -> None:
    """Put the tables between the two marks of a markdown file.

    Raises:
        UserError: it has none, or cannot be written.
    """
    path = Path(path)
    text = path.read_text(encoding="utf-8") if path.is_file() else f"{START}\n{END}\n"
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise UserError(f"{str(path)!r} has no lines {START!r} and {END!r} to put the tables between.")
    write_text(path, f"{before}{START}\n\n{table.markdown(rows)}\n{END}{after}")


def _measured(human: str, device: str) -> tuple[table.Row, dict[str, Any] | None]:
    try:
        reduced = reduce_model(human, device)
        report = plain(fidelity(reduced))
        return table.row(reduced, report), report
    except UserError as error:
        return table.failed(human, device, str(error)), None
    except Exception as error:  # a row of the table, with its reason, is worth more than the end of the sweep
        return table.failed(human, device, f"{type(error).__name__}: {error}"), None


def _kept(path: Path, human: str) -> table.Row | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content["row"] if content.get("key") == _key(human) else None


def _key(human: str) -> str:
    """Changes with the installed libraries, the code that reduces and measures, and the human's recipe."""
    try:
        rules = json.dumps(recipe(human))
    except UserError:
        rules = ""
    return cache.key(rules.encode())
