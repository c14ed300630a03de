"""Sections of panels on matplotlib Figures (no pyplot, no global state): the composite, and figures for papers.

The composite is drawn once: as an image that can be cut into its panels, and as SVG. For papers every section is a
figure of a page's width and every panel one of a column's, drawn at that size: no letter is below 7 points."""

import dataclasses
import itertools
import string
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from PIL import Image

from mjx_assist.eval.gait import one_sided
from mjx_assist.eval.plots.composite import Gait, Panel, Section, sections
from mjx_assist.eval.plots.style import COLORS, DASHES, EMG, FAINT, HEALTHY, INK, STANCE, styled
from mjx_assist.eval.replay.record import SIDES

WIDTH, PAGE, COLUMN = 11.0, 7.0, 3.4  # inches: of the composite, of a paper's page and column; what follows too
_TITLE, _LEFT, _RIGHT, _GAP, _CLOSE = 0.34, 0.62, 0.12, 0.66, 0.22
_LINE = 0.19  # of a legend
_ALONE = 1.9  # height of a panel that stands alone
_TELLING = (
    *COLORS.values(),
    "none",
    HEALTHY,
    "none",
    "none",
    EMG,
)  # of a legend's entries: a panel alone has those it shows


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a panel lies on a figure: (left, top, right, bottom) in inches from the upper left corner."""

    title: str
    box: tuple[float, float, float, float]


@styled
def composite(gait: Gait) -> tuple[Figure, dict[str, list[Place]]]:
    """The one figure that shows a walker, and where each panel of each section lies in it."""
    return _sheet(gait, sections(gait), WIDTH, _letters())


@styled
def figures(gait: Gait) -> dict[str, Figure]:
    """By title a figure as wide as a page of each section, its panels lettered from A on."""
    return {part.title: _sheet(gait, [_on_page(part)], PAGE, _letters())[0] for part in sections(gait)}


@styled
def rows(gait: Gait) -> dict[str, list[Figure]]:
    """By title a figure as wide as a page for each row of each section, lettered on through all of them."""
    letters, drawn = _letters(), {}
    for part in map(_on_page, sections(gait)):
        lines = [part.panels[i : i + part.columns] for i in range(0, len(part.panels), part.columns)]
        parts = [dataclasses.replace(part, panels=line) for line in lines]
        of_line = [letters, *(itertools.repeat("") if part.grid else letters for _ in parts[1:])]
        drawn[part.title] = [_sheet(gait, [p], PAGE, of, head=False)[0] for p, of in zip(parts, of_line, strict=True)]
    return drawn


@styled
def panels(gait: Gait) -> dict[str, Figure]:
    """By title a figure as wide as a column of each panel, with what its colours mean over it."""
    drawn: dict[str, Figure] = {}
    for part in sections(gait):
        for panel in part.panels:
            title, figure = _alone(gait, panel, part.foot)
            drawn[title if title not in drawn else f"{title} {len(drawn)}"] = figure
    return drawn


@styled
def legend(gait: Gait) -> Figure:
    """What the colours mean, as a figure of its own in two columns."""
    entries = _entries(gait)
    figure = Figure(figsize=(COLUMN, 0.1 + _LINE * -(-len(entries) // 2)))
    _draw_legend(figure, entries, 2, "center")
    return figure


def cut(picture: Image.Image, places: Sequence[Place], dpi: int) -> list[Image.Image]:
    """The image of each panel."""
    ends = 2 * picture.size
    boxes = [[min(round(edge * dpi), end) for edge, end in zip(place.box, ends, strict=True)] for place in places]
    return [picture.crop((left, top, right, bottom)) for left, top, right, bottom in boxes]


def _letters() -> Iterator[str]:
    return itertools.chain(string.ascii_uppercase, string.ascii_lowercase, itertools.repeat(""))


def _on_page(part: Section) -> Section:
    """As many columns as a page has room for."""
    columns = {6: 4, 4: 2 if len(part.panels) <= 4 else 3}.get(part.columns, part.columns)
    return dataclasses.replace(part, columns=columns, height=min(part.height, 1.5))


def _sheet(
    gait: Gait, parts: Sequence[Section], width: float, letters: Iterable[str], head: bool = True
) -> tuple[Figure, dict[str, list[Place]]]:
    """Sections under each other; ``head``: with the legend on top."""
    entries = _entries(gait) if head else {}
    columns = len(entries) if width == WIDTH else 4
    top = 0.04 + _LINE * -(-len(entries) // columns) if entries else 0.0
    height = top + sum(map(_inches, parts))
    figure, letters, places = Figure(figsize=(width, height)), iter(letters), {}
    for part in parts:
        places[part.title] = []
        for i, panel in enumerate(part.panels):
            left, upper, wide = _corner(part, i, width)
            upper += top
            ax = figure.add_axes((left / width, 1 - (upper + part.height) / height, wide / width, part.height / height))
            panel(ax)
            if part.grid:
                _inner(ax, part, i)
            if not (i and part.grid):
                _letter(ax, next(letters))
            lower = upper + part.height + part.foot
            box = (*_edges(part, i, width), lower)
            places[part.title].append(Place(ax.get_title(loc="left"), (box[0], upper - _TITLE, box[1], lower)))
        top += _inches(part)
    if entries:
        _draw_legend(figure, entries, columns, "upper right")
    return figure, places


def _inches(part: Section) -> float:
    return part.rows * (_TITLE + part.height + part.foot)


def _corner(part: Section, index: int, width: float) -> tuple[float, float, float]:
    """(left, upper, width) of a panel, inches; ``upper`` from the section's top."""
    row, column = divmod(index, part.columns)
    gap = _CLOSE if part.grid else _GAP
    wide = (width - _LEFT - _RIGHT - gap * (part.columns - 1)) / part.columns
    return _LEFT + column * (wide + gap), row * (_TITLE + part.height + part.foot) + _TITLE, wide


def _edges(part: Section, index: int, width: float) -> tuple[float, float]:
    """Left and right end, inches, of what belongs to a panel, its labels included."""
    left, _, wide = _corner(part, index, width)
    gap, share = (_CLOSE, 0.5 * _CLOSE) if part.grid else (_GAP, _LEFT)  # share: what of the gap to its left is its own
    column = index % part.columns
    right = width if column == part.columns - 1 else left + wide + gap - share
    return left - share if column else 0.0, right


def _letter(ax: Axes, letter: str) -> None:
    style = {"xytext": (-34, 5), "textcoords": "offset points", "annotation_clip": False}
    ax.annotate(letter, (0, 1), xycoords="axes fraction", fontsize=10, fontweight="bold", **style)


def _inner(ax: Axes, part: Section, index: int) -> None:
    """In a grid of alike panels only the outer ones carry labels."""
    if index % part.columns:
        ax.set_ylabel("")
        ax.tick_params(labelleft=False)
    if index + part.columns < len(part.panels):
        ax.set_xlabel("")


def _alone(gait: Gait, panel: Panel, foot: float) -> tuple[str, Figure]:
    top = 0.04 + _LINE
    height = top + _TITLE + _ALONE + foot
    figure = Figure(figsize=(COLUMN, height))
    wide = COLUMN - _LEFT - 2 * _RIGHT
    ax = figure.add_axes((_LEFT / COLUMN, foot / height, wide / COLUMN, _ALONE / height))
    panel(ax)
    colors: Any = [patch.get_facecolor() for patch in ax.patches]
    colors += [color for areas in ax.collections for color in areas.get_facecolor()]
    colors += [line.get_color() for line in ax.lines]
    shown = set(map(to_hex, colors))
    told = zip(_entries(gait).items(), _TELLING, strict=True)
    entries = {name: handle for (name, handle), color in told if color.lower() in shown}
    if entries:
        _draw_legend(figure, entries, 3, "upper left")
    return ax.get_title(loc="left"), figure


def _draw_legend(
    figure: Figure, entries: dict, columns: int, place: Literal["upper right", "upper left", "center"]
) -> None:
    corners = {"upper right": (1, 1 - 0.04 / figure.get_figheight()), "upper left": (0.1, 1), "center": (0.5, 0.5)}
    style: dict[str, Any] = {"ncols": columns, "fontsize": 8, "handler_map": {tuple: HandlerTuple(ndivide=None, pad=0)}}
    handles = [entries.values(), entries.keys()]
    figure.legend(*map(list, handles), loc=place, bbox_to_anchor=corners[place], columnspacing=1.2, **style)


def _entries(gait: Gait) -> dict:
    """What the colours mean, for all panels; which leg is sound where one wears a prosthesis."""
    worn = one_sided.legs_of(gait.first)
    limbs = {worn.prosthetic: " (prosthetic)", worn.sound: " (sound)"}
    names = {side: label + limbs.get(side, "") for side, label in zip(SIDES, gait.labels, strict=True)}
    return {
        **{names[side]: Line2D([], [], color=COLORS[side], lw=2, ls=DASHES[side]) for side in SIDES},
        "± 1 SD over strides": tuple(Patch(color=COLORS[side], alpha=0.3, lw=0) for side in SIDES),
        "healthy ± 1 SD": Patch(color=HEALTHY, alpha=0.5, lw=0),
        "stance": Patch(facecolor=STANCE, edgecolor=FAINT, lw=0.6),
        "toe-off": Line2D([], [], color=INK, lw=0.8, ls=":"),
        "healthy EMG on": Patch(color=EMG, lw=0),
    }
