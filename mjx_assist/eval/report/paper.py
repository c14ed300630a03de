"""Figures for papers beside a page: every figure and every panel as PNG of 300 dpi, PDF and SVG."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from mjx_assist.eval.plots.style import drawn
from mjx_assist.files.atomic import write_bytes

FOLDER, PANELS, FORMATS = "figures", "panels", ("png", "pdf", "svg")
DPI, _EDGE = 300, 0.05  # inches


def write(
    out: Path, figures: Mapping[str, Figure], formats: Sequence[str], panels: Mapping[str, Figure] | None = None
) -> None:
    """Write ``out``/figures/<title>.<format> and ``out``/figures/panels/<title>.<format>, each whole or not at all.

    ``panels``: figures of their own; by default they, and the legend, are cut out of ``figures``.

    Raises:
        UserError: one cannot be written.
    """
    for kind in formats:
        for title, figure in figures.items():
            write_bytes(out / FOLDER / f"{_file(title)}.{kind}", drawn(figure, kind, DPI))
    pieces = _cut(figures) if panels is None else ((title, figure, None) for title, figure in panels.items())
    for title, figure, box in pieces:
        for kind in formats:
            write_bytes(out / FOLDER / PANELS / f"{_file(title)}.{kind}", drawn(figure, kind, DPI, box))


def _cut(figures: Mapping[str, Figure]) -> Iterator[tuple[str, Figure, Bbox | None]]:
    """(title, figure, inches that it takes) of each panel and legend; nothing else of its figure is visible then."""
    for title, figure in figures.items():
        figure.set_dpi(DPI)
        figure.draw_without_rendering()  # now everything has its place, and keeps it
        figure.set_layout_engine("none")
        named = [(ax, ax.get_label() or ax.get_title(loc="left")) for ax in figure.axes if ax.axison]
        named += [(legend, "legend") for legend in figure.legends]
        boxes = [part.get_tightbbox() for part, _ in named]
        for part, _ in named:
            part.set_visible(False)
        for (part, name), box in zip(named, boxes, strict=True):
            part.set_visible(True)
            yield f"{title} {name}", figure, box and box.transformed(figure.dpi_scale_trans.inverted()).padded(_EDGE)
            part.set_visible(False)


def _file(title: str) -> str:
    """A title as a file's name: "Biceps femoris, short" is biceps_femoris_short."""
    return re.sub(r"\W+", "_", title.lower()).strip("_")
