"""The table of gait figures that are a number per stride: a function and a row each.

metrics.json, strides.csv, the report, comparisons and docs/metrics.md take them from here; it computes none itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from mjx_assist.errors import UserError, unknown
from mjx_assist.eval.gait import angles, events, kinetics, spatiotemporal, stability
from mjx_assist.eval.replay.record import GaitRecord

GROUPS = ("kinematics", "kinetics", "device", "activation", "metabolic")  # under which comparisons list figures
# What stands beside a stride's figures in metrics.json, strides.csv and comparisons.
_TAKEN = (
    *(
        "strides",
        "sd",
        "grf_peak_unfiltered_max_bw",
        "corr_reference",
        "rmse_deg",
        "activation_mean",
        "activation_peak",
    ),
    *("episode", "seed", "controller", "side", "start_s", "end_s"),
)


def always(_record: GaitRecord) -> bool:
    """Of a figure that every record has."""
    return True


@dataclass(frozen=True)
class StrideMetric:
    """A figure of every stride.

    ``name``: the key, with the unit at its end; ``title`` and ``unit``: for people. ``function``: record -> [n], a
    number for each of ``events.strides`` in their order, NaN where a stride lacks it. ``formula`` and ``source``: for
    the documentation. ``known``: which records have it, the others go without. ``family``: its line in the
    documentation, by default its own. ``drawn``: as a panel of "Further figures", in reports and comparisons.
    """

    name: str
    title: str
    unit: str
    function: Callable[[GaitRecord], np.ndarray]
    formula: str = ""
    source: str = ""
    group: str = "kinematics"
    known: Callable[[GaitRecord], bool] = always
    family: str = ""
    drawn: bool = True

    @property
    def label(self) -> str:
        """Of a row or an axis: "Stride time (s)"."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


METRICS: dict[str, StrideMetric] = {}  # by name, in the order in which figures are listed


def register(metric: StrideMetric) -> None:
    """Add a figure to those that everything measures from now on.

    Raises:
        UserError: the name is taken or no name (of a JSON key, a column and a Python identifier), or there is no such
            group.
    """
    if not metric.name.isidentifier():
        raise UserError(
            f"gait metric {metric.name!r}: a name has letters, digits and underscores alone, its unit last."
        )
    if metric.group not in GROUPS:
        raise unknown(f"gait metric {metric.name}: group", metric.group, GROUPS)
    if metric.name in METRICS or metric.name in _TAKEN:
        raise UserError(f"gait metric {metric.name}: there is a figure of this name already.")
    METRICS[metric.name] = metric


def figures(record: GaitRecord, group: str | None = None) -> dict[str, np.ndarray]:
    """[n] of every figure (of a group) that the record has, in the table's order; the same names without strides.

    Raises:
        UserError: a function gives something else than a number per stride.
    """
    rows = (metric for metric in METRICS.values() if group in (None, metric.group))
    return {metric.name: _values(record, metric) for metric in rows if metric.known(record)}


def drawn() -> list[StrideMetric]:
    """The figures that no other panel shows."""
    return [metric for metric in METRICS.values() if metric.drawn]


def documentation() -> str:
    """The table of docs/metrics.md, a line per family."""
    lines = {}
    for metric in METRICS.values():
        name = metric.family or metric.name
        lines.setdefault(name, f"| `{name}` | {metric.formula} | {metric.source}{' ' if metric.source else ''}|")
    return "\n".join(["| key | formula | source |", "|---|---|---|", *lines.values()])


@events.once_per_record
def _values(record: GaitRecord, metric: StrideMetric) -> np.ndarray:
    values, strides = np.asarray(metric.function(record), float), len(events.strides(record))
    if values.shape != (strides,):
        raise UserError(
            f"gait metric {metric.name}: its function gives an array of shape {values.shape} for {strides} strides, "
            "not a number for each."
        )
    return values


# Figures that panels of their own, tables or symmetry show; a new one is a StrideMetric as it is.
_row = partial(StrideMetric, drawn=False)


def _steps() -> Iterator[StrideMetric]:
    of, perry = spatiotemporal, "Perry & Burnfield 2010"
    row = partial(_row, source=perry)
    yield row("speed_m_s", "Speed", "m/s", of.speed, "stride length / stride time")
    yield row("cadence_steps_per_min", "Cadence", "steps/min", of.cadence, "120 / stride time")
    yield row("stride_time_s", "Stride time", "s", of.stride_time, "from a foot's contact to its next")
    yield row("stride_length_m", "Stride length", "m", of.stride_length, "forward way of the heel between these")
    yield row("step_time_s", "Step time", "s", of.step_time, "from the other foot's contact to this one's")
    yield row("step_length_m", "Step length", "m", of.step_length, "between the heels' places at these, forward")
    yield _row(
        "step_width_m",
        "Step width",
        "m",
        of.step_width,
        "the same, sideways; below 0: feet cross. 3-D models only",
        "Hollman et al. 2011",
        known=angles.in_3d,
    )
    yield row("stance_percent", "Stance", "%", of.stance_percent, "share of the stride, contact to toe-off")
    yield row("swing_percent", "Swing", "%", of.swing_percent, "share of the stride, toe-off to contact")
    alone, both = of.single_support_percent, of.double_support_percent
    yield row(
        "single_support_percent", "Single support", "%", alone, "share of the stride with this foot alone on the ground"
    )
    yield row("double_support_percent", "Double support", "%", both, "share of the stride with both feet on the ground")
    yield row("stance_time_s", "Stance time", "s", of.stance_time, "contact to toe-off")
    yield row("swing_time_s", "Swing time", "s", of.swing_time, "toe-off to contact")
    yield _row("foot_lift_m", "Foot lift", "m", of.foot_lift, "height range of the heel over the ground")


def _forces() -> Iterator[StrideMetric]:
    def row(name: str, title: str, unit: str, function: Callable, formula: str, source: str = "") -> StrideMetric:
        return _row(f"grf_{name}", f"Ground reaction {title}", unit, function, formula, source, group="kinetics")

    of, cut = kinetics, "Antonsson & Mann 1985"
    yield row(
        "peak_bw", "peak", "BW", of.force_peak, "largest vertical force, 20 Hz zero-lag Butterworth as all below", cut
    )
    yield row("peak_unfiltered_bw", "peak unfiltered", "BW", of.force_peak_unfiltered, "its largest sample")
    yield row("loading_peak_bw", "loading peak", "BW", of.loading_peak, "its largest in the first half of stance")
    yield row("push_off_peak_bw", "push off peak", "BW", of.push_off_peak, "its largest in the second half")
    yield row("valley_bw", "valley", "BW", of.valley, "its lowest between these two")
    rate = "its steepest rise in the first half of stance"
    yield row("loading_rate_bw_per_s", "loading rate", "BW/s", of.loading_rate, rate)
    yield row("vertical_impulse_bw_s", "vertical impulse", "BW·s", of.vertical_impulse, "∫ F dt over the stride")
    yield row("braking_peak_bw", "braking peak", "BW", of.braking_peak, "largest backward force, positive")
    yield row("propulsive_peak_bw", "propulsive peak", "BW", of.propulsive_peak, "largest forward force")
    braking, propulsive = of.braking_impulse, of.propulsive_impulse
    yield row("braking_impulse_bw_s", "braking impulse", "BW·s", braking, "∫ of the backward part of the force")
    yield row("propulsive_impulse_bw_s", "propulsive impulse", "BW·s", propulsive, "∫ of its forward part")


def _has(record: GaitRecord, name: str) -> bool:
    return name in angles.angles_of(record)


def _angles() -> Iterator[StrideMetric]:
    extent = (
        "largest less smallest; `<angle>`: hip, knee, ankle, pelvis_tilt, in 3-D hip_adduction, hip_rotation, "
        "pelvis_list, pelvis_rotation"
    )
    peak = (
        "largest angle that way (knee_flexion, ankle_plantarflexion, pelvis_forward_tilt, ...); "
        "below 0: never gets there"
    )
    for name, angle in angles.MEASURED.items():
        row, way = partial(_row, unit="deg", known=partial(_has, name=name)), partial(kinetics.angle_peak, name=name)
        yield row(
            f"{name}_range_deg",
            f"{_title(name)} range",
            function=partial(kinetics.angle_range, name=name),
            formula=extent,
            family="<angle>_range_deg",
        )
        for direction, sign in ((angle.positive, 1), (angle.negative, -1)):
            yield row(
                f"{direction}_peak_deg",
                f"{_title(direction)} peak",
                function=partial(way, sign=sign),
                formula=peak,
                family="<direction>_peak_deg",
            )


def _moments() -> Iterator[StrideMetric]:
    net, own = "largest moment that way, muscles + device, per body mass", "the same, muscles alone"
    for name in angles.LEG:
        angle = angles.SAGITTAL[name]
        for kind, formula in (("", net), ("biological_", own)):
            for direction, sign in ((angle.positive, 1), (angle.negative, -1)):
                ending = f"{kind}moment_peak_nm_per_kg"
                yield _row(
                    f"{direction}_{ending}",
                    f"{_title(direction)} {kind.replace('_', ' ')}moment peak",
                    "N·m/kg",
                    partial(kinetics.moment_peak, name=name, sign=sign, biological=bool(kind)),
                    formula,
                    "Winter 2009",
                    group="kinetics",
                    family=f"<direction>_{ending}",
                )


def _powers() -> Iterator[StrideMetric]:
    gain = "∫ max(P, 0) dt; P = moment × angular velocity, muscles + device; `<joint>`: hip, knee, ankle"
    parts = {  # ending -> title, unit, function, formula
        "positive_work_j_per_kg": ("positive work", "J/kg", kinetics.positive_work, gain),
        "negative_work_j_per_kg": ("negative work", "J/kg", kinetics.negative_work, "∫ min(P, 0) dt"),
        "power_peak_w_per_kg": ("power peak", "W/kg", kinetics.power_peak, "largest P"),
        "power_lowest_w_per_kg": ("power lowest", "W/kg", kinetics.power_lowest, "lowest P"),
    }
    for name in angles.LEG:
        for kind in ("", "biological_"):
            for ending, (title, unit, function, formula) in parts.items():
                yield _row(
                    f"{name}_{kind}{ending}",
                    f"{_title(name)} {kind.replace('_', ' ')}{title}",
                    unit,
                    partial(function, name=name, biological=bool(kind)),
                    f"{formula.partition(';')[0]}, muscles alone" if kind else formula,
                    "Winter 2009",
                    group="kinetics",
                    family=f"<joint>_{kind}{ending}",
                )


def _margins() -> Iterator[StrideMetric]:
    row = partial(_row, unit="m", source="Hof et al. 2005")
    ahead = (
        "at initial contact: forefoot - XcoM of the landing foot; XcoM = x + v / √(g / l), l the mean height of the "
        "centre of mass"
    )
    yield row(
        "margin_of_stability_forward_m",
        "Margin of stability forward",
        function=stability.forward_margin,
        formula=ahead,
    )
    yield row(
        "margin_of_stability_backward_m",
        "Margin of stability backward",
        function=stability.backward_margin,
        formula="XcoM - heel",
    )
    yield row(
        "margin_of_stability_lateral_m",
        "Margin of stability lateral",
        function=stability.lateral_margin,
        formula="heel - XcoM, outward. 3-D models only",
        known=angles.in_3d,
    )


def _title(name: str) -> str:
    """ "Hip flexion" of "hip_flexion"."""
    return name.replace("_", " ").capitalize()


for _family in (_steps, _forces, _angles, _moments, _powers, _margins):
    for _metric in _family():
        register(_metric)
