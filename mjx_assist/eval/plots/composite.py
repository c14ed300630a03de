"""The composite gait figure: sections of lettered panels on one matplotlib Figure (no pyplot, no global state).

It is drawn once: as an image that can be cut into its sections, and as SVG. Panels are in plots_*.py."""

import dataclasses
import itertools
import string
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from PIL import Image

from mjx_assist.eval.gait import angles, cycles, metabolics, metrics, one_sided, stride_curves
from mjx_assist.eval.plots import ground, muscles
from mjx_assist.eval.plots import joints as plots_joints
from mjx_assist.eval.plots.style import (
    COLORS,
    DASHES,
    EMG,
    FAINT,
    HEALTHY,
    INK,
    STANCE,
    styled,
)
from mjx_assist.eval.replay.record import SIDES, GaitRecord

__all__ = ["Band", "Gait", "composite", "cut"]
# Healthy gait, (percent, mean, sd) in the model's signs, from a quantity and a speed in m/s: reference.healthy_band
Band = stride_curves.Band
Panel = Callable[[Axes], None]
WIDTH = 11.0  # inches, of the figure; what follows too
_HEAD, _TITLE, _FOOT, _LEFT, _RIGHT, _GAP = 0.42, 0.34, 0.42, 0.62, 0.12, 0.66


@dataclasses.dataclass(frozen=True)
class Gait:
    """What panels draw from: finite records, ``metrics.summarize`` of them, the healthy band, the training log."""

    records: Sequence[GaitRecord]
    metrics: dict
    band: Band
    learning_curve: Sequence[dict] = ()

    @property
    def first(self) -> GaitRecord:
        return self.records[0]

    def curve(self, name: str) -> dict:
        """Mean and SD over all strides of one of `stride_curves.curves`; see ``cycles.pooled_average``."""
        return cycles.pooled_average(self.records, self._curves[name].series)

    @cached_property
    def _curves(self) -> dict[str, stride_curves.Curve]:
        return stride_curves.curves(self.first)

    def has(self, joint: str) -> bool:
        """Whether the walker has a joint, named without its side."""
        return joint in {cycles.base_name(name) for name in self.first.joint_names}


@dataclasses.dataclass(frozen=True)
class Section:
    """Panels of one kind, row by row; ``height`` of a panel and ``foot`` below each row in inches."""

    title: str
    panels: Sequence[Panel]
    columns: int = 4
    height: float = 1.75
    foot: float = _FOOT

    @property
    def rows(self) -> int:
        return -(-len(self.panels) // self.columns)

    @property
    def inches(self) -> float:
        return self.rows * (_TITLE + self.height + self.foot)


def sections(gait: Gait) -> list[Section]:
    """What there is to show of this gait, in reading order; a section without panels is left out."""
    legs = [joint for joint in angles.MOMENT_SIGNS if gait.has(joint)]
    off_plane = [name for name in angles.angles_of(gait.first) if name in angles.OFF_PLANE]
    device = cycles.driven_joints(gait.first)
    energy = [model for model in metabolics.MODELS if model in (gait.metrics.get("metabolic") or {})]
    further = [metric for metric in metrics.drawn() if metric.known(gait.first)]
    return [
        section
        for section in (
            Section("Joint angles", [*_each(plots_joints.angle_panel, gait, angles.PANELS)]),
            Section("Out of the sagittal plane", _off_plane(gait, off_plane)),
            Section("Joint moments and powers", _moments_and_powers(gait, legs)),
            Section("Device", [panel for joint in device for panel in _device(gait, joint)], columns=3),
            Section(
                "Feet and walking",
                [
                    partial(ground.pressure_panel, gait=gait),
                    partial(ground.clearance_panel, gait=gait),
                    partial(ground.stride_panel, gait=gait),
                    partial(ground.symmetry_panel, gait=gait),
                ],
            ),
            Section(
                "Muscle activation",
                [*_each(muscles.muscle_panel, gait, cycles.muscles(gait.first))],
                columns=6,
                height=1.05,
            ),
            Section("Metabolic power", [*_each(muscles.energy_panel, gait, energy)], columns=2, height=1.5, foot=0.8),
            Section("Further figures", [*_each(ground.figure_panel, gait, further)], columns=3),
            Section("Time", _time(gait), columns=2, height=1.4),
        )
        if section.panels
    ]


def _each(panel: Callable, gait: Gait, names) -> Iterator[Panel]:
    return (lambda ax, name=name: panel(ax, gait, name) for name in names)


def _off_plane(gait: Gait, angle_names: Sequence[str]) -> list[Panel]:
    """Pelvis and hips from the front and above, what holds the pelvis level, and how far apart the feet are set."""
    moments = [name for name in angle_names if name in angles.FRONTAL]
    width = metrics.METRICS["step_width_m"]
    return [
        *_each(plots_joints.angle_panel, gait, angle_names),
        *_each(plots_joints.frontal_moment_panel, gait, moments),
        *([partial(ground.figure_panel, gait=gait, metric=width)] if angle_names and width.known(gait.first) else []),
    ]


def _moments_and_powers(gait: Gait, legs: Sequence[str]) -> list[Panel]:
    """A row of moments with the vertical force at its end, a row of powers with the fore-aft force."""
    forces = [*_each(ground.force_panel, gait, ("grf_vertical", "grf_anterior"))]
    moments, powers = ([*_each(panel, gait, legs)] for panel in (plots_joints.moment_panel, plots_joints.power_panel))
    return [*moments, forces[0], *powers, forces[1]]


def _device(gait: Gait, joint: str) -> list[Panel]:
    torque, power = (partial(plots_joints.device_panel, gait=gait, joint=joint, power=power) for power in (False, True))
    return [torque, power, partial(plots_joints.work_panel, gait=gait, joint=joint)]


def _time(gait: Gait) -> list[Panel]:
    panels: list[Panel] = [partial(ground.speed_panel, gait=gait)]
    return panels + ([partial(ground.learning_panel, gait=gait)] if gait.learning_curve else [])


@styled
def composite(gait: Gait) -> tuple[Figure, dict[str, tuple[float, float]]]:
    """The one figure that shows a walker, and where each section lies in it: (top, bottom), inches from its top."""
    parts = sections(gait)
    height = _HEAD + sum(part.inches for part in parts)
    figure = Figure(figsize=(WIDTH, height))
    letters = itertools.chain(string.ascii_uppercase, string.ascii_lowercase)
    top, places = _HEAD, {}
    for part in parts:
        for i, panel in enumerate(part.panels):
            ax = figure.add_axes(_rectangle(part, i, top, height))
            panel(ax)
            letter = "" if i and part.columns > 4 else next(letters, "")
            if part.columns > 4:
                _small_multiple(ax, part, i)
            offset = {"xytext": (-34, 5), "textcoords": "offset points", "annotation_clip": False}
            ax.annotate(letter, (0, 1), xycoords="axes fraction", fontsize=10, fontweight="bold", **offset)
        places[part.title] = (top if places else 0.0, top + part.inches)  # the legend goes with the first
        top += part.inches
    legend = {"ncols": 7, "fontsize": 8.5, "handler_map": {tuple: HandlerTuple(ndivide=None, pad=0)}}
    figure.legend(*_legend(gait), loc="upper right", bbox_to_anchor=(1, 1 - 0.04 / height), **legend)
    return figure, places


def _rectangle(part: Section, index: int, top: float, height: float) -> tuple[float, float, float, float]:
    """(left, bottom, width, height) of a panel in parts of the figure."""
    row, column = divmod(index, part.columns)
    gap = _GAP if part.columns <= 4 else 0.22
    width = (WIDTH - _LEFT - _RIGHT - gap * (part.columns - 1)) / part.columns
    left = _LEFT + column * (width + gap)
    upper = top + row * (_TITLE + part.height + part.foot) + _TITLE
    return left / WIDTH, 1 - (upper + part.height) / height, width / WIDTH, part.height / height


def _small_multiple(ax: Axes, part: Section, index: int) -> None:
    """In a grid of alike panels only the outer ones carry labels."""
    if index % part.columns:
        ax.set_ylabel("")
        ax.tick_params(labelleft=False)
    if index + part.columns < len(part.panels):
        ax.set_xlabel("")


def cut(picture: Image.Image, places: dict[str, tuple[float, float]], dpi: int) -> dict[str, Image.Image]:
    """The composite's image cut into its sections."""
    return {
        title: picture.crop((0, round(top * dpi), picture.width, min(round(bottom * dpi), picture.height)))
        for title, (top, bottom) in places.items()
    }


def _legend(gait: Gait) -> tuple[list, list[str]]:
    """What the colours mean, once for all panels; which leg is sound where one wears a prosthesis."""
    worn = one_sided.legs_of(gait.first)
    names = {worn.prosthetic: " (prosthetic)", worn.sound: " (sound)"}
    entries = {
        **{side + names.get(side, ""): Line2D([], [], color=COLORS[side], lw=2, ls=DASHES[side]) for side in SIDES},
        "± 1 SD over strides": tuple(Patch(color=COLORS[side], alpha=0.3, lw=0) for side in SIDES),
        "healthy ± 1 SD": Patch(color=HEALTHY, alpha=0.5, lw=0),
        "stance": Patch(facecolor=STANCE, edgecolor=FAINT, lw=0.6),
        "toe-off": Line2D([], [], color=INK, lw=0.8, ls=":"),
        "healthy EMG on": Patch(color=EMG, lw=0),
    }
    return list(entries.values()), list(entries)
