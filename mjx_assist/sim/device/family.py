"""A design of a device family as numbers of one walker: drawn, seen, and the torque that it gives.

Written once over an array namespace ``xp`` (JAX or NumPy)."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from mjx_assist.config.device import TorqueProfile
from mjx_assist.config.family import PARAMETERS, TIMES, DeviceFamily
from mjx_assist.sim.device import curves
from mjx_assist.sim.device.strides import GaitClock

_STILL = 1e-6  # rad/s: below it a power limits no torque

Design = dict[str, Any]  # name of `config.family.PARAMETERS` -> one walker's value, in the config's units


class Worn(NamedTuple):
    """The state of a family's controller: the gait clock, and the design that this walker wears."""

    clock: GaitClock
    design: Design


def design_of(family: DeviceFamily, uniform: Any, xp: Any = np) -> Design:
    """The design that numbers uniform in 0..1, ``[free parameters]``, draw; the family's own ``design`` goes first."""
    made = {}
    for name in PARAMETERS:
        low, high = family.span(name)
        value = low + (high - low) * uniform[family.free.index(name)] if name in family.free else low
        made[name] = xp.asarray(family.design.get(name, value)) * xp.ones(())
    return made


def seen(family: DeviceFamily, design: Design, xp: Any = np) -> Any:
    """What the policy sees of a design, ``[free parameters]``: each as -1..1 over its range."""
    spans = {name: family.span(name) for name in family.free}
    return xp.stack([2.0 * (design[name] - low) / (high - low) - 1.0 for name, (low, high) in spans.items()])


def torque(family: DeviceFamily, mass: float) -> Callable[[Any, Any], Any]:
    """(felt, xp) -> ``[D]`` N*m of each motor; ``mass`` (kg) of what walks turns N*m/kg into N*m."""
    scale = mass if family.torque_unit == "N*m/kg" else 1.0

    def of(felt: Any, xp: Any) -> Any:
        design = felt.design
        peak_time, rise_time, fall_time = (design[name] for name in TIMES)
        push = scale * design["peak_torque"]
        push = push * curves.four_parameter_at(felt.percent, peak_time, rise_time, fall_time, xp)
        push = xp.where(felt.walks, push, 0.0)
        stretch = xp.maximum(felt.angle - design["rest_angle_rad"], 0.0)
        push = push - xp.where(felt.stance, design["stiffness_nm_per_rad"] * stretch, 0.0)
        by_power = design["power_limit_w"] / xp.maximum(xp.abs(felt.velocity), _STILL)
        most = xp.minimum(design["torque_limit_nm"], by_power)
        return xp.clip(push, -most, most)

    return of


def profile_of(family: DeviceFamily) -> TorqueProfile | None:
    """The family's strongest profile, by which a motor that could never give any of it is found; None without one."""
    peak = max(family.span("peak_torque"), key=abs)
    if peak == 0:
        return None
    middle = (sum(family.span(name)) / 2 for name in TIMES)
    return TorqueProfile("torque_profile", family.joint, peak, family.torque_unit, *middle)
