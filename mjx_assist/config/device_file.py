"""Device controllers from the user's files, and values that make none."""

import itertools
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

from mjx_assist.config import torque_table
from mjx_assist.config.comments import without_comments
from mjx_assist.config.device import (
    MOST_TORQUE,
    TORQUE_UNITS,
    DeviceController,
    Gains,
    Impedance,
    OwnController,
    PhasedImpedance,
    Spline,
    TorqueProfile,
    largest_torque,
)
from mjx_assist.config.limits import check as check_numbers
from mjx_assist.config.own_code import check_name
from mjx_assist.config.tree import build
from mjx_assist.config.words import ZERO_TORQUE
from mjx_assist.errors import UserError
from mjx_assist.files.untrusted import read_json


def read(path: str | Path) -> DeviceController:
    """A controller's settings from a JSON file, or from a table of torque over the gait cycle (.csv).

    Raises:
        UserError: no such file, not JSON, no such table, an unknown key or type, a value out of range.
    """
    what = f"controller file {str(path)!r}"
    if Path(path).suffix.lower() == ".csv":
        table = torque_table.read(path)
        check(table, what)
        return table
    tree = without_comments(read_json(path, what))
    controller = build(DeviceController, tree, Path(path).name)
    check(controller, what)
    if isinstance(controller, TorqueProfile | Spline):
        _check_says(tree, what)
    return controller


def check(controller: DeviceController, where: str) -> None:
    """Raises ``UserError`` beginning with ``where`` for values that make no controller."""
    check_numbers(controller)
    match controller:
        case TorqueProfile():
            _check_profile(controller, where)
            _check_torque(controller, where)
        case Spline():
            _check_knots(controller, where)
            _check_torque(controller, where)
        case Impedance():
            _check_gains((controller, controller.swing or Gains()), where)
            if not any(
                g.stiffness_nm_per_rad or g.damping_nm_s_per_rad for g in (controller, controller.swing or Gains())
            ):
                raise UserError(f"{where}: can never push: stiffness and damping are 0. {_OFF}")
        case PhasedImpedance():
            _check_gains([getattr(p, f.name) for p in controller.joints.values() for f in fields(p)], where)
            if not 0 < controller.late_stance_percent < controller.late_swing_percent < 100:
                raise UserError(
                    f"{where}: need 0 < late_stance_percent ({controller.late_stance_percent:g}) < late_swing_percent "
                    f"({controller.late_swing_percent:g}) < 100."
                )
        case OwnController():
            check_name(controller.type, f"{where}: type")


_OFF = f"For a device that is worn and does nothing the type is {ZERO_TORQUE!r}."


def _check_says(tree: dict, what: str) -> None:
    """A file says joint and unit itself: by a default the same number is seventy times as much, or another joint's."""
    for key, values in (("joint", "such as *ankle_angle*"), ("torque_unit", " or ".join(TORQUE_UNITS))):
        if key not in tree:
            raise UserError(f"{what}: {key!r} must be given: {values}. The torque's sign is the joint's own.")


def _check_torque(controller: TorqueProfile | Spline, where: str) -> None:
    peak, most = largest_torque(controller), MOST_TORQUE[controller.torque_unit]
    if peak == 0:
        raise UserError(f"{where}: can never push: its torque is 0 throughout. {_OFF}")
    if abs(peak) > most:
        other = next(unit for unit in TORQUE_UNITS if unit != controller.torque_unit)
        hint = f" Did you mean {other}?" if abs(peak) <= MOST_TORQUE[other] else ""
        raise UserError(
            f"{where}: a torque of {peak:g} {controller.torque_unit} is more than any device makes: at most {most:g} "
            f"{controller.torque_unit}.{hint}"
        )


def _check_gains(every: Iterable[Gains], where: str) -> None:
    for gains in every:
        if min(gains.stiffness_nm_per_rad, gains.damping_nm_s_per_rad) < 0:
            raise UserError(f"{where}: stiffness and damping must be 0 or more.")


def _check_profile(profile: TorqueProfile, where: str) -> None:
    onset = profile.peak_time_percent - profile.rise_time_percent
    end = profile.peak_time_percent + profile.fall_time_percent
    if min(profile.rise_time_percent, profile.fall_time_percent) <= 0 or onset < 0 or end > 100:
        raise UserError(
            f"{where}: rise and fall time must be positive and lie within the gait cycle; they begin at {onset:g} % "
            f"(peak_time_percent - rise_time_percent) and end at {end:g} % (peak_time_percent + fall_time_percent)."
        )


def _check_knots(spline: Spline, where: str) -> None:
    percent = spline.percent
    if len(percent) != len(spline.torque) or len(percent) < 2:
        raise UserError(
            f"{where}: percent and torque must have the same length, at least 2; they have {len(percent)} and "
            f"{len(spline.torque)}."
        )
    rising = all(a < b for a, b in itertools.pairwise(percent))
    if not rising or percent[0] < 0 or percent[-1] >= 100:
        raise UserError(
            f"{where}: percent must increase, from 0 or more to less than 100 (100 is 0 of the next stride), got "
            f"{list(percent)}."
        )
