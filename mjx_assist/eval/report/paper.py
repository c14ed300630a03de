"""Figures for papers beside a page: every figure and every panel as PNG of 300 dpi, PDF and SVG."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from mjx_assist.eval.plots.style import drawn
from mjx_assist.files.atomic import write_bytes

FOLDER, PANELS, FORMATS = "figures", "panels", ("png", "pdf", "svg")
DPI, _EDGE = 300, 0.03  # inches


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
        for title, (figure, box) in _panels(figures, panels).items():
            write_bytes(out / FOLDER / PANELS / f"{_file(title)}.{kind}", drawn(figure, kind, DPI, box))


def _panels(
    figures: Mapping[str, Figure], panels: Mapping[str, Figure] | None
) -> dict[str, tuple[Figure, Bbox | None]]:
    if panels is not None:
        return {title: (figure, None) for title, figure in panels.items()}
    pieces: dict[str, tuple[Figure, Bbox | None]] = {}
    for title, figure in figures.items():
        figure.draw_without_rendering()  # now everything has its place
        for ax in figure.axes:
            if ax.axison and (name := ax.get_label() or ax.get_title(loc="left")):
                pieces[f"{title} {name}"] = figure, _box(figure, ax)
        pieces |= {f"{title} legend": (figure, _box(figure, legend)) for legend in figure.legends}
    return pieces


def _box(figure: Figure, part: Artist) -> Bbox | None:
    """Inches that a part of a figure takes."""
    box = part.get_tightbbox()
    return box and box.transformed(figure.dpi_scale_trans.inverted()).padded(_EDGE)


def _file(title: str) -> str:
    """A title as a file's name: "Biceps femoris, short" is biceps_femoris_short."""
    return re.sub(r"\W+", "_", title.lower()).strip("_")
