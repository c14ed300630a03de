"""How every gait figure looks: colours, line styles and names. Drawing itself is in plots*.py.

Right is blue and solid, left vermilion and dashed, healthy grey: told apart by the colour-blind and in grey print."""

import io
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from PIL import Image

from mjx_assist.eval.replay.record import SIDES
from mjx_assist.files.atomic import write_bytes

COLORS = {"right": "#0072B2", "left": "#D55E00"}  # Okabe & Ito's palette, safe for colour-blind readers
DASHES = {"right": "-", "left": (0, (5, 1.6))}
MARKERS = {"right": "o", "left": "^"}
HEALTHY, INK, FAINT, SOFT, THIRD, FOURTH = "#9AA0A6", "#202124", "#C9CDD2", "#5F6368", "#009E73", "#8E44AD"
STANCE, EMG = "#F3F4F6", "#5F6368"
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.labelsize": 8,
    "axes.labelpad": 2.5,
    "axes.edgecolor": "#80868B",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "legend.borderaxespad": 0.2,
    "pdf.fonttype": 42,  # TrueType, which programs can edit
    "svg.fonttype": "none",  # letters stay letters, for whoever edits the figure
    "svg.hashsalt": "mjx-assist",  # the same figure gives the same file
}
MUSCLE_TITLES = {
    "hamstrings": "Hamstrings",
    "bifemsh": "Biceps femoris, short",
    "edl": "Ext. digitorum longus",
    "fdl": "Flex. digitorum longus",
    "glutmax": "Gluteus maximus",
    "iliopsoas": "Iliopsoas",
    "rectfem": "Rectus femoris",
    "vasti": "Vasti",
    "gastroc": "Gastrocnemius",
    "soleus": "Soleus",
    "tibant": "Tibialis anterior",
}
MODEL_TITLES = {
    "umberger2010": "Umberger 2010",
    "bhargava2004": "Bhargava 2004",
    "bhargava2004_opensim": "Bhargava 2004, OpenSim's",
    "bhargava2004_opensim_positive": "Bhargava 2004, OpenSim's, no negative work",
}


def styled(draw):
    """A drawing function under this style, whatever the caller's own matplotlib settings are."""

    def run(*arguments, **named):
        with matplotlib.rc_context(STYLE):
            return draw(*arguments, **named)

    run.__doc__ = draw.__doc__
    return run


def both_legs(ax: Axes, average: dict, metrics: dict, linewidth: float = 1.6, band: bool = True) -> None:
    """Mean and SD of each leg over the cycle, stance shaded up to toe-off, a line at each leg's own.

    ``average``: what ``cycles.pooled_average`` gives.
    """
    if not any(average["strides"]):
        say(ax, "no complete stride")
        return
    stance = metrics["both"]["stance_percent"]
    if stance is not None:
        ax.axvspan(0, stance, color=STANCE, zorder=0, lw=0)
    for foot, side in enumerate(SIDES):
        mean, sd, color = average["mean"][:, foot], average["sd"][:, foot], COLORS[side]
        if band:
            ax.fill_between(average["percent"], mean - sd, mean + sd, color=color, alpha=0.18, lw=0)
        ax.plot(average["percent"], mean, color=color, ls=DASHES[side], lw=linewidth)
        if metrics[side]["stance_percent"] is not None:
            ax.axvline(metrics[side]["stance_percent"], color=color, lw=0.8, ls=":")


def healthy(ax: Axes, band, quantity: str, metrics: dict, sign: int = 1) -> None:
    """The healthy mean and SD at the speed that was asked."""
    percent, mean, sd = (np.asarray(part, float) for part in band(quantity, metrics["speed_asked_m_s"]))
    ax.fill_between(percent, sign * mean - sd, sign * mean + sd, color=HEALTHY, alpha=0.32, lw=0)
    ax.plot(percent, sign * mean, color=HEALTHY, lw=1.1)


def cycle_axis(ax: Axes, title: str, label: str) -> None:
    """Title, unit and the axis of the gait cycle."""
    ax.set(title=title, ylabel=label, xlabel="gait cycle (%)", xlim=(0, 100), xticks=[0, 20, 40, 60, 80, 100])
    zero_line(ax)


def zero_line(ax: Axes) -> None:
    """A faint line at zero where the axis crosses it."""
    if ax.get_ylim()[0] < 0 < ax.get_ylim()[1]:
        ax.axhline(0, color=FAINT, lw=0.8, zorder=0.5)


def corner(ax: Axes, text: str) -> None:
    """A small figure at the title's right, in a line or two."""
    ax.text(1, 1.03, text, transform=ax.transAxes, ha="right", va="bottom", fontsize=7, color=SOFT, linespacing=1.1)


def say(ax: Axes, text: str) -> None:
    """A sentence where a curve would be."""
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85}
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=SOFT, fontsize=9, bbox=box)


DPI = 160


_UNDATED = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}


@styled
def drawn(figure: Figure, kind: str, dpi: int, box: Bbox | None = None) -> bytes:
    """A figure, or what lies in a ``box`` of inches, as the bytes of a "png", "pdf" or "svg" file.

    In the last two letters stay text.
    """
    stream = io.BytesIO()
    figure.savefig(stream, format=kind, dpi=dpi, facecolor="white", metadata=_UNDATED.get(kind), bbox_inches=box)
    return stream.getvalue()


def png(figure: Figure, dpi: int = 110) -> bytes:
    """A figure as a PNG file's bytes."""
    return drawn(figure, "png", dpi)


def svg(figure: Figure) -> bytes:
    """A figure as an SVG file's bytes, its letters as text."""
    return drawn(figure, "svg", DPI)


@styled
def outlined_svg(figure: Figure) -> bytes:
    """A figure as an SVG file's bytes that looks the same whatever fonts there are: its letters as outlines."""
    stream = io.BytesIO()
    with matplotlib.rc_context({"svg.fonttype": "path"}):
        figure.savefig(stream, format="svg", facecolor="white", metadata=_UNDATED["svg"])
    return stream.getvalue()


@styled
def image(figure: Figure, dpi: int) -> Image.Image:
    """A figure as an image in its own colours: a palette of 256 mixes a thin blue line with the grey around it."""
    figure.set_dpi(dpi)
    figure.set_facecolor("white")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[:, :, :3])


def png_of(picture: Image.Image, dpi: int) -> bytes:
    """An image as a PNG file's bytes."""
    stream = io.BytesIO()
    picture.save(stream, format="png", dpi=(dpi, dpi))
    return stream.getvalue()


def save(figure: Figure, path: Path, dpi: int, raster: bytes | None = None) -> bytes:
    """Write a figure as PNG and SVG; returns the PNG's bytes.

    ``path``: without the suffix, which is appended; ``raster``: the PNG where it is made already. Both are drawn
    before either is written, and each appears whole or not at all.

    Raises:
        UserError: one cannot be written.
    """
    raster = png(figure, dpi) if raster is None else raster
    vector = svg(figure)
    for suffix, content in ((".png", raster), (".svg", vector)):
        write_bytes(path.with_name(path.name + suffix), content)
    return raster
