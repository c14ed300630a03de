"""The table of gait figures that are a number per stride: a function and a row each.

metrics.json, strides.csv, the report, comparisons and docs/metrics.md take them from here; it computes none itself."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from mjx_assist.errors import UserError, unknown
from mjx_assist.eval.gait import (
    angles,
    curves,
    cycles,
    device,
    events,
    kinetics,
    loading,
    metabolics,
    spatiotemporal,
    stability,
)
from mjx_assist.eval.gait.metric import GROUPS, StrideMetric
from mjx_assist.eval.replay.record import GaitRecord

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
METRICS: dict[str, StrideMetric] = {}  # by name, in the order in which figures are listed


def register(metric: StrideMetric) -> None:
    """Add a figure to those that everything measures from now on.

    Raises:
        UserError: the name is taken or no name (of a JSON key, a column and a Python identifier), or there is no such
            group.
    """
    if not (metric.of_each("x") if metric.each else metric.name).isidentifier():
        raise UserError(
            f"gait metric {metric.name!r}: a name has letters, digits and underscores alone, its unit last."
        )
    if metric.each and metric.of_each("x") == metric.name:
        raise UserError(f"gait metric {metric.name!r}: a figure of each of several has a <word> in its name for them.")
    if metric.group not in GROUPS:
        raise unknown(f"gait metric {metric.name}: group", metric.group, GROUPS)
    if metric.name in METRICS or metric.name in _TAKEN:
        raise UserError(f"gait metric {metric.name}: there is a figure of this name already.")
    METRICS[metric.name] = metric


def figures(record: GaitRecord) -> dict[str, np.ndarray]:
    """[n] of every figure that the record has, in the table's order; the same names without strides.

    Raises:
        UserError: a function gives something else than a number per stride.
    """
    return {row.name: _values(record, row) for row in METRICS.values() if not row.each and row.known(record)}


def compared(record: GaitRecord) -> dict[str, dict[str, np.ndarray]]:
    """[n] by group and figure: what the record has of each muscle, driven joint and so on, then `figures`."""
    groups: dict[str, dict[str, np.ndarray]] = {group: {} for group in GROUPS}
    for row in METRICS.values():
        if row.each and row.known(record):
            groups[row.group] |= {row.of_each(name): _values(record, row, name) for name in row.each(record)}
    for name, values in figures(record).items():
        groups[METRICS[name].group][name] = values
    return groups


def drawn() -> list[StrideMetric]:
    """The figures that no other panel shows."""
    return [metric for metric in METRICS.values() if metric.drawn and not metric.each]


def documentation(each: bool = False) -> str:
    """The table of docs/metrics.md, a line per family; or that of the figures that comparisons alone list."""
    lines = {}
    for metric in METRICS.values():
        if bool(metric.each) is not each:
            continue
        name = metric.family or metric.name
        lines.setdefault(name, f"| `{name}` | {metric.formula} | {metric.source}{' ' if metric.source else ''}|")
    return "\n".join(["| key | formula | source |", "|---|---|---|", *lines.values()])


@events.once_per_record
def _values(record: GaitRecord, metric: StrideMetric, *name: str) -> np.ndarray:
    values, strides = np.asarray(metric.function(record, *name), float), len(events.strides(record))
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
    varying, both = partial(row, spread=True), partial(row, spread=True, symmetry=True)
    yield varying("stride_time_s", "Stride time", "s", of.stride_time, "from a foot's contact to its next")
    yield varying("stride_length_m", "Stride length", "m", of.stride_length, "forward way of the heel between these")
    yield both("step_time_s", "Step time", "s", of.step_time, "from the other foot's contact to this one's")
    yield both("step_length_m", "Step length", "m", of.step_length, "between the heels' places at these, forward")
    yield _row(
        "step_width_m",
        "Step width",
        "m",
        of.step_width,
        "the same, sideways; below 0: feet cross. 3-D models only",
        "Hollman et al. 2011",
        known=angles.in_3d,
        spread=True,
    )
    legs = partial(row, symmetry=True)
    yield legs("stance_percent", "Stance", "%", of.stance_percent, "share of the stride, contact to toe-off")
    yield row("swing_percent", "Swing", "%", of.swing_percent, "share of the stride, toe-off to contact")
    alone = "share of the stride with this foot alone on the ground"
    double = "share of the stride with both feet on the ground"
    yield legs("single_support_percent", "Single support", "%", of.single_support_percent, alone)
    yield row("double_support_percent", "Double support", "%", of.double_support_percent, double)
    yield varying("stance_time_s", "Stance time", "s", of.stance_time, "contact to toe-off")
    yield row("swing_time_s", "Swing time", "s", of.swing_time, "toe-off to contact")
    yield _row("foot_lift_m", "Foot lift", "m", of.foot_lift, "height range of the heel over the ground")


def _forces() -> Iterator[StrideMetric]:
    def row(name: str, title: str, *more: Any, symmetry: bool = False) -> StrideMetric:
        return _row(f"grf_{name}", f"Ground reaction {title}", *more, group="kinetics", symmetry=symmetry)

    of, cut, alike = kinetics, "Antonsson & Mann 1985", partial(row, symmetry=True)
    filtered = "largest vertical force, 20 Hz zero-lag Butterworth as all below"
    yield alike("peak_bw", "peak", "BW", of.force_peak, filtered, cut)
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
    yield alike("braking_impulse_bw_s", "braking impulse", "BW·s", braking, "∫ of the backward part of the force")
    yield alike("propulsive_impulse_bw_s", "propulsive impulse", "BW·s", propulsive, "∫ of its forward part")


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
            symmetry=name in angles.LEG,
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
    net, own = "largest moment that way, as inverse dynamics finds it", "the same, without the device's"
    for name in (*angles.LEG, *angles.FRONTAL):
        angle = angles.MEASURED[name]
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
                    known=partial(_has, name=name),
                    family=f"<direction>_{ending}",
                )


def _powers() -> Iterator[StrideMetric]:
    gain = "∫ max(P, 0) dt; P = moment × angular velocity; `<joint>`: hip, knee, ankle"
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
                    f"{formula.partition(';')[0]}, without the device" if kind else formula,
                    "Winter 2009",
                    group="kinetics",
                    family=f"<joint>_{kind}{ending}",
                    symmetry=not kind and ending.startswith("positive"),
                )


def _each() -> Iterator[StrideMetric]:
    """Of every driven joint, every muscle and every model of metabolic power; metrics.json tells these by topic."""
    joint = partial(_row, group="device", each=cycles.driven_joints)
    largest = "largest torque of the stride, per kg of the person; `<joint>`: a driven joint"
    gives, takes = "∫ max(P, 0) dt; P = device torque × angular velocity", "∫ min(P, 0) dt"
    name = "device_<joint>_"
    yield joint(f"{name}torque_peak_nm_per_kg", "Device torque peak", "N·m/kg", device.torque_peak, largest)
    yield joint(f"{name}positive_work_j_per_kg", "Device positive work", "J/kg", device.positive_work, gives)
    yield joint(f"{name}negative_work_j_per_kg", "Device negative work", "J/kg", device.negative_work, takes)
    muscle = partial(_row, group="activation", each=_muscles)
    over = "mean over the stride; `<muscle>`: each of them, and all_muscles"
    yield muscle("<muscle>_activation_mean", "Mean activation", "", cycles.activation_mean, over)
    model = partial(_row, group="metabolic", each=metabolics.stride_power)
    power, cost = metabolics.power_of_stride, metabolics.cost_of_stride
    no_rest, whole = (
        "muscles' power over the stride, no resting rate; `<model>`: umberger2010, bhargava2004 and its variants",
        "with the resting rate, over the stride's speed",
    )
    yield model("<model>_muscle_power_w_per_kg", "Muscle power", "W/kg", power, no_rest)
    yield model("<model>_cost_of_transport_j_per_kg_m", "Cost of transport", "J/(kg·m)", cost, whole)


def _muscles(record: GaitRecord) -> list[str]:
    """All of them together first."""
    muscles = cycles.muscles(record)
    return [cycles.ALL_MUSCLES, *muscles] if muscles else []


def _title(name: str) -> str:
    """ "Hip flexion" of "hip_flexion"."""
    return name.replace("_", " ").capitalize()


for _family in (_steps, _forces, _angles, _moments, _powers, loading.rows, curves.rows, stability.rows, _each):
    for _metric in _family():
        register(_metric)
