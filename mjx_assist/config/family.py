"""A family of devices: what its parameters are, over which ranges they are drawn, and one design of it.

Strict, and without the model that it is for; what a design does is in `sim.device.family`."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Annotated

from mjx_assist.config.device import MOST_TORQUE, TORQUE_UNITS
from mjx_assist.config.limits import OneOf
from mjx_assist.errors import UserError, unknown

Span = float | tuple[float, ...] | None  # a value, or [low, high] of what is free; null: no limit
TIMES = ("peak_time_percent", "rise_time_percent", "fall_time_percent")
MASSES = {"foot_mass_kg": 2, "shank_mass_kg": 2, "waist_mass_kg": 1}  # and on how many places each sits
# Between what is asked of the device and its torque, with the spans that change nothing.
IDEAL = {"delay_s": (0.0, 0.0), "bandwidth_hz": (math.inf, math.inf)}
UNLIMITED = ("torque_limit_nm", "power_limit_w", "bandwidth_hz")  # what may be null
FAMILY = "device_family"


@dataclass(frozen=True)
class DeviceFamily:
    """Devices about one joint of each leg: a torque profile, a spring on a clutch, limits, a path, masses.

    A parameter is a number, or ``[low, high]`` and then free: drawn for each walker and episode. The torque is the sum
    of the four-parameter profile of Zhang et al. 2017 and of a spring that a clutch holds while the foot is on the
    ground (Collins et al. 2015): with a peak torque and a stiffness of 0 it is zero.

    Attributes:
        joint: pattern of the joints that are driven; others get no torque
        torque_unit: of peak_torque: N*m, or N*m for each kg of all that walks in the model
        peak_torque (torque_unit): in the joint's own sign; plantarflexion is negative, hip flexion positive
        peak_time_percent (% of the gait cycle): of the peak
        rise_time_percent (% of the gait cycle): from the onset to the peak
        fall_time_percent (% of the gait cycle): from the peak to the end
        stiffness_nm_per_rad (N*m/rad): of the spring, which pulls back from angles above rest_angle_rad alone
        rest_angle_rad (rad): at which the spring is slack
        torque_limit_nm (N*m): more is not applied; null: the model's own limit alone
        power_limit_w (W): of the torque times the joint's velocity; null: none
        delay_s (s): of the torque behind what the joint and the foot do
        bandwidth_hz (Hz): of a first-order low-pass; null: none
        foot_mass_kg (kg): on each foot, beside the device that the model wears
        shank_mass_kg (kg): on each shank, likewise
        waist_mass_kg (kg): at the waist, likewise
        observed: whether the policy sees the free parameters, each as -1..1 over its range; else it has to adapt
        design: values for free parameters: every walker then wears this one device
    """

    joint: str = "*ankle_angle*"
    torque_unit: Annotated[str, OneOf(TORQUE_UNITS)] = "N*m/kg"
    peak_torque: Span = 0.0
    peak_time_percent: Span = 52.9
    rise_time_percent: Span = 26.2
    fall_time_percent: Span = 9.8
    stiffness_nm_per_rad: Span = 0.0
    rest_angle_rad: Span = 0.0
    torque_limit_nm: Span = None
    power_limit_w: Span = None
    delay_s: Span = 0.0
    bandwidth_hz: Span = None
    foot_mass_kg: Span = 0.0
    shank_mass_kg: Span = 0.0
    waist_mass_kg: Span = 0.0
    observed: bool = True
    design: dict[str, float] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """What drives the device, as other controllers call themselves."""
        return FAMILY

    def span(self, name: str) -> tuple[float, float]:
        """(low, high) of a parameter; the same twice where it is not free, infinite where it is null."""
        value = getattr(self, name)
        ends = value if isinstance(value, tuple) else (math.inf if value is None else value,)
        return ends[0], ends[-1]

    @property
    def free(self) -> tuple[str, ...]:
        """The parameters that have a range, in their order."""
        return tuple(name for name in PARAMETERS if isinstance(getattr(self, name), tuple))

    @property
    def masses(self) -> bool:
        """Whether any of its devices adds mass."""
        return any(self.span(name)[1] > 0 for name in MASSES)


PARAMETERS = tuple(f.name for f in fields(DeviceFamily) if f.type == Span)


def with_design(family: DeviceFamily, design: Mapping[str, float]) -> DeviceFamily:
    """The family with one design of it for every walker; what the design leaves open stays free.

    Raises:
        UserError: a name that is no free parameter, or a value beyond its range.
    """
    chosen = replace(family, design={**family.design, **design})
    _check_design(chosen, "design")
    return chosen


def chosen_mass(family: DeviceFamily) -> float:
    """kg that the family's design adds; of a mass that no design chooses the least."""
    return added_mass({name: family.design.get(name, family.span(name)[0]) for name in MASSES})


def added_mass(design: Mapping[str, float]) -> float:
    """kg that a design's masses come to, both legs together."""
    return sum(count * design[name] for name, count in MASSES.items())


def from_unit(family: DeviceFamily, unit: Mapping[str, float]) -> dict[str, float]:
    """Free parameters from numbers in 0..1 over their ranges."""
    return {name: low + (high - low) * unit[name] for name in family.free for low, high in [family.span(name)]}


def check(family: DeviceFamily, where: str) -> None:
    """Raises ``UserError`` beginning with ``where`` (a key, its quote still open) for what is no family of devices."""
    for name in PARAMETERS:
        _check_span(family, name, f"{where}.{name}'")
    if not family.free:
        raise UserError(
            f"{where}': has no free parameter, so it is one device and no family: give at least one of "
            f"{', '.join(PARAMETERS[:6])} a range [low, high]; for one device there is 'env_params.device_controller'."
        )
    _check_times(family, where)
    _check_peak(family, where)
    able = any(family.span(name) != (0.0, 0.0) for name in ("peak_torque", "stiffness_nm_per_rad"))
    if not able and not family.masses:
        raise UserError(f"{where}': no device of it pushes or weighs anything: peak_torque and stiffness are 0.")
    _check_design(family, f"{where}.design'")


def _check_span(family: DeviceFamily, name: str, where: str) -> None:
    value = getattr(family, name)
    if value is None and name not in UNLIMITED:
        raise UserError(f"{where}: null says 'no limit', which this has not; give a number or [low, high].")
    if isinstance(value, tuple) and (len(value) != 2 or not value[0] < value[1]):
        raise UserError(f"{where}: must be a number or [low, high] with low < high, got {list(value)}.")
    low = family.span(name)[0]
    positive = name in (*TIMES[1:], "bandwidth_hz")
    signed = name in ("peak_torque", "rest_angle_rad")
    if not signed and (low < 0 or (positive and low == 0)):
        raise UserError(f"{where}: must be {'positive' if positive else '0 or more'}, got {_text(value)}.")


def _check_times(family: DeviceFamily, where: str) -> None:
    (earliest, latest), (_, rise), (_, fall) = (family.span(name) for name in TIMES)
    if earliest - rise < 0 or latest + fall > 100:
        raise UserError(
            f"{where}': every device's torque must lie within the gait cycle: the earliest begins at "
            f"{earliest - rise:g} % (peak_time_percent - rise_time_percent), the latest ends at {latest + fall:g} % "
            "(peak_time_percent + fall_time_percent)."
        )


def _check_peak(family: DeviceFamily, where: str) -> None:
    peak, most = max(family.span("peak_torque"), key=abs), MOST_TORQUE[family.torque_unit]
    if abs(peak) > most:
        other = next(unit for unit in TORQUE_UNITS if unit != family.torque_unit)
        hint = f" Did you mean {other}?" if abs(peak) <= MOST_TORQUE[other] else ""
        raise UserError(
            f"{where}.peak_torque': {peak:g} {family.torque_unit} is more than devices make: {most:g}.{hint}"
        )


def _check_design(family: DeviceFamily, where: str) -> None:
    for name, value in family.design.items():
        if name not in family.free:
            raise unknown(f"{where}: free parameter of the family", name, family.free)
        low, high = family.span(name)
        if not low <= value <= high:
            hint = f" Did you mean {-value:g}? Plantarflexion is negative." if low <= -value <= high else ""
            raise UserError(f"{where}: {name} must lie in the family's {low:g} to {high:g}, got {value:g}.{hint}")


def _text(value: Span) -> str:
    return str(list(value)) if isinstance(value, tuple) else str(value)
