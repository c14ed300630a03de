"""What a controller's settings are, in a config or a JSON file; strict, and without the model they are for."""

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any

from mjx_assist.config.comments import without_comments
from mjx_assist.config.limits import OneOf
from mjx_assist.config.limits import check as check_numbers
from mjx_assist.config.own_code import FORM, check_name
from mjx_assist.config.tree import build
from mjx_assist.config.words import ZERO_TORQUE
from mjx_assist.errors import UserError
from mjx_assist.files.untrusted import read_json

TORQUE_UNITS = ("N*m/kg", "N*m")
# More is a slip of the unit: a healthy ankle makes 1.6 N*m/kg (Schwartz et al. 2008), the strongest devices 250 N*m.
MOST_TORQUE = {"N*m/kg": 4.0, "N*m": 400.0}
# Coordinate -> where a positive and a negative torque about it turn the joint.
DIRECTIONS = {
    "ankle_angle": ("dorsiflexion", "plantarflexion"),
    "knee_angle": ("knee extension", "knee flexion"),
    "hip_flexion": ("hip flexion", "hip extension"),
}


@dataclass(frozen=True)
class ZeroTorque:
    """The device is worn and does nothing.

    Attributes:
        type: zero_torque
    """

    type: str = ZERO_TORQUE


@dataclass(frozen=True)
class TorqueProfile:
    """The four-parameter profile of Zhang et al. 2017.

    Its defaults are the generic ankle assistance of Poggensee & Collins 2021, Sci Robot 6:eabf1078, which are means of
    what Zhang et al. found best for each of their subjects.

    Attributes:
        type: torque_profile
        joint: pattern of the joints that are driven; others get no torque
        peak_torque (torque_unit): in the joint's own sign; plantarflexion is negative, hip flexion positive
        torque_unit: N*m, or N*m for each kg of all that walks
        peak_time_percent (% of the gait cycle): of the peak
        rise_time_percent (% of the gait cycle): from the onset to the peak
        fall_time_percent (% of the gait cycle): from the peak to the end
    """

    type: str = "torque_profile"
    joint: str = "*ankle_angle*"
    peak_torque: float = -0.54
    torque_unit: Annotated[str, OneOf(TORQUE_UNITS)] = "N*m/kg"
    peak_time_percent: float = 52.9
    rise_time_percent: float = 26.2
    fall_time_percent: float = 9.8


@dataclass(frozen=True)
class Spline:
    """A smooth periodic curve through knots.

    Attributes:
        percent (% of the gait cycle): of the knots, from 0 up
        torque (torque_unit): at the knots, in the joint's own sign
        type: spline
        joint: pattern of the joints that are driven; others get no torque
        torque_unit: N*m, or N*m for each kg of all that walks
    """

    percent: tuple[float, ...]
    torque: tuple[float, ...]
    type: str = "spline"
    joint: str = "*"
    torque_unit: Annotated[str, OneOf(TORQUE_UNITS)] = "N*m/kg"


@dataclass(frozen=True)
class Gains:
    """Of an impedance: torque = -stiffness (angle - rest angle) - damping velocity.

    Attributes:
        stiffness_nm_per_rad (N*m/rad): of the spring
        damping_nm_s_per_rad (N*m*s/rad): of the damper
        rest_angle_rad (rad): of the spring
    """

    stiffness_nm_per_rad: float = 0.0
    damping_nm_s_per_rad: float = 0.0
    rest_angle_rad: float = 0.0


@dataclass(frozen=True)
class Impedance(Gains):
    """A spring and damper about the joint.

    Attributes:
        type: impedance
        joint: pattern of the joints that are driven; others get no torque
        swing: others while the foot is off the ground; null: the same
    """

    type: str = "impedance"
    joint: str = "*"
    swing: Gains | None = None


@dataclass(frozen=True)
class Phases:
    """An impedance for each state of a leg that walks.

    Attributes:
        early_stance: the foot is on the ground
        late_stance: it is, late in the gait cycle
        early_swing: it is off the ground
        late_swing: it is, late in the gait cycle
    """

    early_stance: Gains = field(default_factory=Gains)
    late_stance: Gains = field(default_factory=Gains)
    early_swing: Gains = field(default_factory=Gains)
    late_swing: Gains = field(default_factory=Gains)


@dataclass(frozen=True)
class PhasedImpedance:
    """Springs and dampers that change with the gait phase; the foot's contact tells stance from swing.

    Attributes:
        joints: by joint pattern, the springs and dampers of each phase; other joints get no torque
        type: impedance_phases
        late_stance_percent (% of the gait cycle): where late stance begins
        late_swing_percent (% of the gait cycle): where late swing begins
    """

    joints: dict[str, Phases]
    type: str = "impedance_phases"
    late_stance_percent: float = 30.0
    late_swing_percent: float = 75.0


@dataclass(frozen=True)
class OwnController:
    """A function of the user's own (docs/extending.md), called with the ``parameters`` by name.

    Attributes:
        type: where it is, ``package.module:function``
        joint: pattern of the joints that are driven; others get no torque
        torque_unit: of the torques that it returns: N*m, or N*m for each kg of all that walks
        parameters: of the function, by name
    """

    type: str = FORM
    joint: str = "*"
    torque_unit: Annotated[str, OneOf(TORQUE_UNITS)] = "N*m"
    parameters: dict = field(default_factory=dict)


DeviceController = ZeroTorque | TorqueProfile | Spline | Impedance | PhasedImpedance | OwnController


def joint_patterns(controller: Any) -> tuple[str, ...]:
    """Name patterns of the joints that it drives."""
    return tuple(getattr(controller, "joints", (getattr(controller, "joint", "*"),)))


_EVERY_TENTH = tuple(10.0 * i for i in range(10))  # percent of the gait cycle
# Published defaults by the name that `--controller` takes; of several, the first whose joint the device drives.
# Splines: a quarter of the joint's own moment in healthy gait at free speed (Schwartz et al. 2008, J Biomech 41:1639).
PUBLISHED: dict[str, tuple[DeviceController, ...]] = {
    ZERO_TORQUE: (ZeroTorque(),),
    "profile": (TorqueProfile(),),
    "spline": (
        Spline(_EVERY_TENTH, (0.0, 0.0, -0.08, -0.16, -0.25, -0.30, -0.01, 0.0, 0.0, 0.0), joint="*ankle_angle*"),
        Spline(_EVERY_TENTH, (-0.03, -0.12, -0.04, 0.0, 0.06, 0.16, 0.08, 0.03, 0.01, -0.05), joint="*hip_flexion*"),
    ),
    "impedance": (
        # The spring that cost least energy in the clutched ankle exoskeleton of Collins et al. 2015, Nature 522:212.
        Impedance(180.0, 0.0, 0.0, joint="*ankle_angle*", swing=Gains()),
    ),
    "impedance_phases": (
        # The gains of the Open-Source Leg's state machine for walking (github.com/neurobionics/opensourceleg, version
        # 1.2.8); there late stance begins at 6 degrees of dorsiflexion, and late swing at 50 of knee flexion.
        PhasedImpedance(
            {
                "*osl_ankle_angle*": Phases(
                    Gains(19.874, 0.0, math.radians(-2)),
                    Gains(79.498, 0.063, math.radians(-20)),
                    Gains(7.949, 0.0, math.radians(25)),
                    Gains(7.949, 0.0, math.radians(15)),
                ),
                "*osl_knee_angle*": Phases(
                    Gains(99.372, 3.180, math.radians(5)),
                    Gains(99.372, 1.272, math.radians(8)),
                    Gains(39.749, 0.063, math.radians(60)),
                    Gains(15.899, 3.816, math.radians(5)),
                ),
            }
        ),
    ),
}


def direction(joint: str, torque: float) -> str:
    """Where a torque about a joint, named or by a pattern, turns it; the sign where that is not known."""
    words = next((words for name, words in DIRECTIONS.items() if name in joint), ("positive", "negative"))
    return words[int(torque < 0)]


def described(controller: DeviceController) -> str:
    """What the controller does, with joint, sign and unit, in a sentence."""
    match controller:
        case TorqueProfile() | Spline():
            peak = _peak(controller)
            profile = isinstance(controller, TorqueProfile)
            when = f" at {controller.peak_time_percent:g} % of the gait cycle" if profile else ""
            return (
                f"{controller.type}: up to {peak:+g} {controller.torque_unit} about {controller.joint} "
                f"({direction(controller.joint, peak)}){when}"
            )
        case Impedance():
            spring = f"{controller.stiffness_nm_per_rad:g} N*m/rad about {controller.rest_angle_rad:g} rad"
            return f"{controller.type}: {spring} of {controller.joint}" + (
                ", in swing otherwise" if controller.swing else ""
            )
        case OwnController():
            return f"{controller.type}: a torque in {controller.torque_unit} about {controller.joint}"
    return f"{controller.type}: no torque"


def _peak(controller: TorqueProfile | Spline) -> float:
    """The largest torque, with its sign, in the controller's unit."""
    torques = controller.torque if isinstance(controller, Spline) else (controller.peak_torque,)
    return max(torques, key=abs, default=0.0)


def read(path: str | Path) -> DeviceController:
    """A controller's settings from a JSON file.

    Raises:
        UserError: no such file, not JSON, an unknown key or type, a value out of range.
    """
    what = f"controller file {str(path)!r}"
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
    peak, most = _peak(controller), MOST_TORQUE[controller.torque_unit]
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
