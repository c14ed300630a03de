"""What a gait report draws: sections of panels, in reading order. sheet.py draws them."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial

from matplotlib.axes import Axes

from mjx_assist.eval.gait import angles, cycles, metabolics, metrics, stride_curves
from mjx_assist.eval.plots import ground, muscles
from mjx_assist.eval.plots import joints as plots_joints
from mjx_assist.eval.replay.record import SIDES, GaitRecord

# Healthy gait, (percent, mean, sd) in the model's signs, from a quantity and a speed in m/s: reference.healthy_band
Band = stride_curves.Band
Panel = Callable[[Axes], None]


@dataclasses.dataclass(frozen=True)
class Gait:
    """What panels draw from: finite records, ``metrics.summarize`` of them, the healthy band, the training log."""

    records: Sequence[GaitRecord]
    metrics: dict
    band: Band
    learning_curve: Sequence[dict] = ()
    labels: Sequence[str] = SIDES  # what the legs are called

    @property
    def first(self) -> GaitRecord:
        return self.records[0]

    def curve(self, name: str) -> dict:
        """Mean and SD over all strides of one of `stride_curves.curves`; see ``cycles.pooled_average``."""
        return cycles.pooled_average(self.records, self.curves[name].series)

    @cached_property
    def curves(self) -> dict[str, stride_curves.Curve]:
        return stride_curves.curves(self.first)

    def has(self, joint: str) -> bool:
        """Whether the walker has a joint, named without its side."""
        return joint in {cycles.base_name(name) for name in self.first.joint_names}


@dataclasses.dataclass(frozen=True)
class Section:
    """Panels of one kind, row by row; ``height`` of a panel and ``foot`` below each row in inches.

    ``grid``: alike panels, close together, of which only the outer ones are labelled, under one letter.
    """

    title: str
    panels: Sequence[Panel]
    columns: int = 4
    height: float = 1.75
    foot: float = 0.42
    grid: bool = False

    @property
    def rows(self) -> int:
        return -(-len(self.panels) // self.columns)


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
            Section("Joint moments and powers", _moments_and_powers(gait, legs), columns=3),
            Section("Device", [panel for joint in device for panel in _device(gait, joint)], columns=3),
            Section(
                "Feet and walking",
                [
                    *_each(ground.force_panel, gait, ("grf_vertical", "grf_anterior")),
                    partial(ground.pressure_panel, gait=gait),
                    partial(ground.clearance_panel, gait=gait),
                    partial(ground.stride_panel, gait=gait),
                    partial(ground.symmetry_panel, gait=gait),
                ],
                columns=3,
            ),
            Section(
                "Muscle activation",
                [*_each(muscles.muscle_panel, gait, cycles.muscles(gait.first))],
                columns=6,
                height=1.05,
                grid=True,
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
    """A row of moments, a row of powers."""
    return [
        panel for kind in (plots_joints.moment_panel, plots_joints.power_panel) for panel in _each(kind, gait, legs)
    ]


def _device(gait: Gait, joint: str) -> list[Panel]:
    torque, power = (partial(plots_joints.device_panel, gait=gait, joint=joint, power=power) for power in (False, True))
    return [torque, power, partial(plots_joints.work_panel, gait=gait, joint=joint)]


def _time(gait: Gait) -> list[Panel]:
    panels: list[Panel] = [partial(ground.speed_panel, gait=gait)]
    return panels + ([partial(ground.learning_panel, gait=gait)] if gait.learning_curve else [])
