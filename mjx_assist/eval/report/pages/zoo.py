"""The zoo as one self-contained HTML page: the table, then every walker's film strip and what it misses."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from mjx_assist.eval.report.head import head
from mjx_assist.eval.report.html import Cell, Table, render
from mjx_assist.eval.studies.zoo import HEADER, NOTE, cells, headline
from mjx_assist.files.atomic import write_text

PAGE = "zoo.html"
WIDTH = 1000  # pixels of a strip on the page


def write_page(out: Path, rows: Sequence[dict], strips: Mapping[tuple[str, str], Path]) -> Path:
    """Write the page into ``out``; ``rows`` is what zoo.json holds, ``strips`` each walker's picture if it has one."""
    write_text(out / PAGE, page(rows, {key: _small(path) for key, path in strips.items() if path.is_file()}))
    return out / PAGE


def page(rows: Sequence[dict], strips: Mapping[tuple[str, str], bytes]) -> str:
    """The page of the rows; ``strips``: PNGs by (human, device)."""
    return render(
        "zoo",
        title="The zoo",
        made=head([f"{row['human']} with {row['device']}" for row in rows], "each body's"),
        headline=headline(rows),
        table=Table(HEADER, [_line(row) for row in rows], one_line=True),
        walkers=[(f"{row['human']} with {row['device']}", _about(row), strips.get(_key(row))) for row in rows],
        note=NOTE,
    )


def _key(row: dict) -> tuple[str, str]:
    return row["human"], row["device"]


def _line(row: dict) -> list[str | Cell]:
    *texts, last = cells(row)
    return [*texts, Cell(last, "met" if row.get("misses") == [] else "missed")]


def _about(row: dict) -> str:
    """In words: how it was trained, what it misses, or why there is none."""
    if "error" in row:
        return f"Not made: {row['error']}"
    misses = f"Misses: {'; '.join(row['misses'])}." if row["misses"] else "Meets all that is asked."
    trained = f"{row['control_steps']:,} control steps in {row['minutes']:.1f} minutes"
    return f"{misses} Trained with {trained}. {row['strip']}"


def _small(path: Path) -> bytes:
    """A PNG no wider than `WIDTH`."""
    with Image.open(path) as picture:
        height = round(picture.height * WIDTH / picture.width)
        small = picture.convert("RGB").resize((WIDTH, height)) if picture.width > WIDTH else picture
        stream = io.BytesIO()
        small.quantize(128).save(stream, "PNG", optimize=True)
    return stream.getvalue()
