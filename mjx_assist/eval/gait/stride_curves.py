"""The curves over the gait cycle that reports and comparisons draw, as data: mean and SD of each, with name and unit.

In the reports' signs: angles and moments grow towards the direction in their name, powers are positive when given."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from mjx_assist.eval.gait import angles, cycles, kinetics, loading, one_sided
from mjx_assist.eval.gait.cycles import FORWARD, VERTICAL
from mjx_assist.eval.gait.healthy import Series
from mjx_assist.eval.replay.record import SIDES, GaitRecord
from mjx_assist.files.plain import plain

DIGITS = 6  # of a number that is written
Band = Callable[[str, Any], tuple[np.ndarray, np.ndarray, np.ndarray]]
MUSCLE_UNITS = {"excitation": "", "activation": "", "force": "N"}
COLUMNS = ("curve", "unit", "side", "limb", "gait_cycle_percent", "mean", "sd", "strides")
HEALTHY = "healthy"
PRESSURE, PRESSURE_OUTWARD, HEEL_HEIGHT = "cop_forward_cm", "cop_outward_cm", "heel_height_cm"


@dataclasses.dataclass(frozen=True)
class Curve:
    """``series``: [T, 2] (right, left) of a record, in ``unit``; ``published``: the healthy band's name, or "", and the

    sign that turns it into this curve's.
    """

    unit: str
    series: Series
    published: str = ""
    sign: int = 1


def curves(record: GaitRecord, muscles: Sequence[str] = tuple(MUSCLE_UNITS)) -> dict[str, Curve]:
    """Every curve of a record by its name, whose end is the unit; ``muscles``: what is told of them."""
    return dict([*_angles(record), *_joints(record), *_ground(record), *_device(record), *_muscles(record, muscles)])


def angle_key(name: str) -> str:
    """Of an angle of `angles.MEASURED`: "knee" is knee_flexion_deg."""
    return f"{angles.MEASURED[name].positive}_deg"


def moment_key(name: str, biological: bool = False) -> str:
    """Of a joint of `angles.LEG`: "knee" is knee_extension_moment_nm_per_kg."""
    return f"{angles.SAGITTAL[name].negative}{'_biological' if biological else ''}_moment_nm_per_kg"


def power_key(name: str, biological: bool = False) -> str:
    """Of a joint of `angles.LEG`."""
    return f"{name}{'_biological' if biological else ''}_power_w_per_kg"


def torque_key(joint: str) -> str:
    """Of a joint that a device drives, by its coordinate; one that the reports do not know keeps its own sign."""
    known = angles.SAGITTAL[angles.JOINT_TITLES[joint]].negative if joint in angles.JOINT_TITLES else joint
    return f"device_{known}_torque_nm"


def muscle_key(muscle: str, figure: str = "activation") -> str:
    """Of a muscle named without its side, and one of `MUSCLE_UNITS`."""
    return f"{muscle}_{figure}{'_n' if MUSCLE_UNITS[figure] else ''}"


def device_power_key(joint: str) -> str:
    """Of a joint that a device drives, by its coordinate."""
    return f"device_{angles.JOINT_TITLES.get(joint, joint)}_power_w_per_kg"


def summary(records: Sequence[GaitRecord], band: Band, speed: float | None) -> dict:
    """What metrics.json tells of the curves: ``percent`` [101], and for ``right`` and ``left`` the number of strides,

    ``limb`` ("sound" or "prosthetic") of a body with a prosthesis, and by name ``mean`` and ``sd`` [101] over all
    strides of all records (sample SD). Unknown points are None; a curve that a leg does not have is left out.
    ``healthy``: mean and SD of the published ones; ``band``: (name, ``speed`` in m/s) -> percent, mean, sd.
    """
    first, worn = records[0], one_sided.legs_of(records[0])
    limbs = {worn.prosthetic: one_sided.PROSTHETIC, worn.sound: one_sided.SOUND} if worn.prosthetic else {}
    known = curves(first)
    averages = {name: cycles.pooled_average(records, curve.series) for name, curve in known.items()}
    strides = next(iter(averages.values()))["strides"]
    tree: dict = {"percent": list(range(101))}
    for foot, side in enumerate(SIDES):
        limb = {"limb": limbs[side]} if side in limbs else {}
        parts = {name: (part["mean"][:, foot], part["sd"][:, foot]) for name, part in averages.items()}
        tree[side] = {"strides": strides[foot], **limb, **_mean_and_sd(parts)}
    tree[HEALTHY] = _mean_and_sd({name: _published(curve, band, speed) for name, curve in known.items()})
    return plain(tree)


def rows(curves_of: dict, record: GaitRecord) -> Iterator[dict]:
    """A row of `COLUMNS` for each side, curve and percent of what `summary` gives; healthy people's have no strides."""
    units = {name: curve.unit for name, curve in curves(record).items()}
    for side in (*SIDES, HEALTHY):
        leg = curves_of[side]
        for name, means in leg["mean"].items():
            ends = {"side": side, "limb": leg.get("limb", ""), "strides": leg.get("strides", "")}
            for percent, mean, sd in zip(curves_of["percent"], means, leg["sd"][name], strict=True):
                numbers = {"gait_cycle_percent": percent, "mean": mean, "sd": sd}
                yield {"curve": name, "unit": units[name], **ends, **numbers}


def _mean_and_sd(parts: dict[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, dict[str, list[float]]]:
    """By ``mean`` and ``sd`` the curves of which anything is known, rounded."""
    known = {name: pair for name, pair in parts.items() if np.isfinite(pair[0]).any()}
    return {
        figure: {name: [float(f"{value:.{DIGITS}g}") for value in pair[i]] for name, pair in known.items()}
        for i, figure in enumerate(("mean", "sd"))
    }


def _published(curve: Curve, band: Band, speed: float | None) -> tuple[np.ndarray, np.ndarray]:
    if not curve.published:
        return np.full(101, np.nan), np.full(101, np.nan)
    percent, mean, sd = (np.asarray(part, float) for part in band(curve.published, speed))
    grid = np.linspace(0, 100, 101)
    return curve.sign * np.interp(grid, percent, mean), np.interp(grid, percent, sd)


def _angles(record: GaitRecord) -> Iterator[tuple[str, Curve]]:
    for name, angle in angles.angles_of(record).items():

        def series(record: GaitRecord, angle: angles.Angle = angle) -> np.ndarray:
            return angle.sign * angles.model_angle(record, angle)

        yield angle_key(name), Curve(angle.unit, series, angle.coordinate, angle.sign)


def _joints(record: GaitRecord) -> Iterator[tuple[str, Curve]]:
    """Moments and powers, net and without the device's part; of the frontal moments there is no published one."""
    for name in angles.LEG:
        sign, _ = angles.MOMENT_SIGNS[angles.SAGITTAL[name].coordinate]
        for own in (False, True):
            moment = partial(_moment, name=name, sign=sign, biological=own)
            power = partial(_power, name=name, biological=own)
            yield moment_key(name, own), Curve("N·m/kg", moment, "" if own else f"{name}_moment", sign)
            yield power_key(name, own), Curve("W/kg", power, "" if own else f"{name}_power")
    for name in set(angles.FRONTAL) & set(angles.angles_of(record)):
        angle = angles.MEASURED[name]
        yield f"{angle.negative}_moment_nm_per_kg", Curve("N·m/kg", partial(_moment, name=name, sign=-angle.sign))


def _moment(record: GaitRecord, name: str, sign: int, biological: bool = False) -> np.ndarray:
    return sign * kinetics.moment(record, name, biological)


def _power(record: GaitRecord, name: str, biological: bool) -> np.ndarray:
    return kinetics.power(record, name, biological)


def _ground(record: GaitRecord) -> Iterator[tuple[str, Curve]]:
    for name, axis in (("grf_vertical", VERTICAL), ("grf_anterior", FORWARD)):
        yield f"{name}_bw", Curve("body weights", partial(cycles.ground_force, axis=axis), name)
    yield PRESSURE, Curve("cm", partial(_pressure, axis=0))
    if "hip_adduction" in angles.angles_of(record):  # legs can swing sideways
        yield PRESSURE_OUTWARD, Curve("cm", partial(_pressure, axis=1))
    yield HEEL_HEIGHT, Curve("cm", lambda record: 100 * cycles.foot_height(record))


def _pressure(record: GaitRecord, axis: int) -> np.ndarray:
    return 100 * loading.pressure_path(record)[:, :, axis]


def _device(record: GaitRecord) -> Iterator[tuple[str, Curve]]:
    for joint in cycles.driven_joints(record):
        sign = angles.MOMENT_SIGNS.get(joint, (1, ""))[0]
        torque = partial(_device_torque, joint=joint, sign=sign)
        yield torque_key(joint), Curve("N·m", torque)
        yield device_power_key(joint), Curve("W/kg", partial(cycles.device_power, joint=joint))


def _device_torque(record: GaitRecord, joint: str, sign: int) -> np.ndarray:
    return sign * cycles.device_torque(record, joint)


def _muscles(record: GaitRecord, figures: Sequence[str]) -> Iterator[tuple[str, Curve]]:
    series = {"excitation": "excitation", "activation": "activation", "force": "muscle_force"}
    for muscle in cycles.muscles(record):
        for figure in figures:

            def of(record: GaitRecord, muscle: str = muscle, array: str = series[figure]) -> np.ndarray:
                return cycles.muscle_series(record, getattr(record, array), muscle)

            yield muscle_key(muscle, figure), Curve(MUSCLE_UNITS[figure], of)
