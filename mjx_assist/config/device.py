"""What a controller's settings are, in a config or a JSON file; strict, and without the model they are for."""

import math
from dataclasses import dataclass, field
from typing import Annotated, Any

from mjx_assist.config.limits import OneOf
from mjx_assist.config.own_code import FORM
from mjx_assist.config.words import ZERO_TORQUE

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
            peak = largest_torque(controller)
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


def largest_torque(controller: TorqueProfile | Spline) -> float:
    """The largest torque, with its sign, in the controller's unit."""
    torques = controller.torque if isinstance(controller, Spline) else (controller.peak_torque,)
    return max(torques, key=abs, default=0.0)
