"""A device's controller resolved against a model: contact loads and joint state in, controls of its actuators out."""

import dataclasses
import fnmatch
import inspect
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import mujoco
import numpy as np

from mjx_assist.config.device import (
    DeviceController,
    Gains,
    Impedance,
    OwnController,
    PhasedImpedance,
    Phases,
    Spline,
    TorqueProfile,
    ZeroTorque,
    joint_patterns,
)
from mjx_assist.config.family import DeviceFamily
from mjx_assist.errors import UserError, unknown
from mjx_assist.model.names import GRAVITY, body_weight
from mjx_assist.model.view import FootLoads, foot_loads
from mjx_assist.sim.device import curves, reach, strides
from mjx_assist.sim.device.family import Design, Worn, profile_of
from mjx_assist.sim.device.family import torque as family_torque
from mjx_assist.sim.device.motors import Motors, controls, make_motors
from mjx_assist.sim.own_code import imported


class Felt(NamedTuple):
    """What each motor's leg and joint do, ``[D]``: percent of the gait cycle; does the leg walk; is its foot in
    contact; angle (rad) and velocity (rad/s) of the joint. ``design``: of a device family, the walker's."""

    percent: Any
    walks: Any
    stance: Any
    angle: Any
    velocity: Any
    design: Any = ()


State = strides.GaitClock | Worn
Torque = Callable[[Felt, Any], Any]  # (felt, xp) -> [D] N*m


@dataclass(frozen=True, eq=False)
class Controller:
    """Call ``start`` at an episode's start and ``drive`` once per control step of ``dt`` s."""

    name: str
    motors: Motors
    torque: Torque
    driven: np.ndarray
    loads: FootLoads
    body_weight: float
    dt: float

    def start(self, xp: Any = np, design: Design | None = None) -> State:
        """The state before anything was felt; a family's controller needs the walker's ``design``."""
        return strides.start(xp) if design is None else Worn(strides.start(xp), design)

    def drive(self, state: State, body: Any, control: Any, xp: Any = np) -> tuple[State, Any]:
        """The next state, and ``control`` ``[nu]`` with this controller's in the place of the device's.

        ``body`` has qpos, qvel and sensordata, in the reduced model's order (`sim.observation.observe`).
        """
        load = self.loads.total(body.sensordata) / self.body_weight
        clock, design = (state.clock, state.design) if isinstance(state, Worn) else (state, ())
        clock = strides.advance(clock, load, self.dt, xp)
        torque = self.wanted(clock, body.qpos, body.qvel, xp, design)
        device = controls(self.motors, torque, body.qpos[self.motors.joint], xp)
        control = xp.where(self.motors.mask, device[self.motors.place], control)
        return state._replace(clock=clock) if isinstance(state, Worn) else clock, control

    def wanted(self, clock: strides.GaitClock, qpos: Any, qvel: Any, xp: Any = np, design: Any = ()) -> Any:
        """Torque ``[D]`` N*m of each motor about its joint, before the motor's limits."""
        percent, walks = strides.percent(clock, self.dt, xp)
        joint, side = self.motors.joint, self.motors.side
        felt = Felt(percent[side], walks[side], clock.loaded[side], qpos[joint], qvel[joint], design)
        return xp.where(self.driven, self.torque(felt, xp), 0.0)


def make_controller(
    settings: DeviceController | DeviceFamily, model: mujoco.MjModel, dt: float, may_import: bool = False
) -> Controller:
    """Settings resolved against a reduced model whose control step is ``dt`` s.

    ``may_import``: whether the user asked for these settings, so that a function of their own that they name is
    imported; never on a policy's word alone.

    Raises:
        UserError: the model has no device, one that takes no torque, or none at the joint the settings name; a function
            of the user's own that may not be imported, or cannot be, or takes other parameters.
    """
    if isinstance(settings, OwnController) and not may_import:
        file = json.dumps(asdict(settings))
        raise UserError(
            f"device controller {settings.type!r} is a function of somebody's own, and no policy has it imported. If "
            f"you know it, ask for it yourself: --controller FILE.json, with {file} in the file."
        )
    motors = make_motors(model)
    patterns = joint_patterns(settings)
    driven = np.array([any(fnmatch.fnmatchcase(name, p) for p in patterns) for name in motors.joint_names])
    if not driven.any():
        raise unknown(f"device controller {settings.type!r}: driven joint", ", ".join(patterns), motors.joint_names)
    weight = body_weight(model)
    profile = profile_of(settings) if isinstance(settings, DeviceFamily) else settings
    if isinstance(profile, TorqueProfile | Spline):
        reach.check(profile, curve_of(profile), weight / GRAVITY, motors, driven)
    return Controller(
        name=settings.type,
        motors=motors,
        torque=_torque(settings, weight / GRAVITY, motors.joint_names),
        driven=driven,
        loads=foot_loads(model),
        body_weight=weight,
        dt=dt,
    )


def _torque(settings: DeviceController | DeviceFamily, mass: float, joints: Sequence[str]) -> Torque:
    """The settings as a function for motors of these joints; ``mass`` (kg) of what walks turns N*m/kg into N*m."""
    match settings:
        case ZeroTorque():
            return lambda felt, xp: xp.zeros_like(felt.angle)
        case TorqueProfile() | Spline():
            curve, scale = curve_of(settings), mass if settings.torque_unit == "N*m/kg" else 1.0
            return lambda felt, xp: xp.where(felt.walks, scale * curves.evaluate(curve, felt.percent, xp), 0.0)
        case Impedance():
            swing = settings.swing or settings
            return lambda felt, xp: xp.where(felt.stance, _spring(settings, felt), _spring(swing, felt))
        case PhasedImpedance():
            return _phased(settings, joints)
        case DeviceFamily():
            return family_torque(settings, mass)
        case OwnController():
            return _own_torque(settings, mass if settings.torque_unit == "N*m/kg" else 1.0)


def _phased(settings: PhasedImpedance, joints: Sequence[str]) -> Torque:
    """Each motor's own spring and damper in the state that its leg is in."""
    by_joint = [_gains_of(settings, joint) for joint in joints]
    early_stance, late_stance, early_swing, late_swing = (
        Gains(*np.array([dataclasses.astuple(getattr(phases, state.name)) for phases in by_joint]).T)
        for state in dataclasses.fields(Phases)
    )

    def torque(felt: Felt, xp: Any) -> Any:
        late = felt.walks & (felt.percent >= settings.late_stance_percent)
        stance = xp.where(late, _spring(late_stance, felt), _spring(early_stance, felt))
        late = felt.walks & (felt.percent >= settings.late_swing_percent)
        swing = xp.where(late, _spring(late_swing, felt), _spring(early_swing, felt))
        return xp.where(felt.stance, stance, swing)

    return torque


def _gains_of(settings: PhasedImpedance, joint: str) -> Phases:
    """The first pattern that names the joint holds."""
    return next((p for name, p in settings.joints.items() if fnmatch.fnmatchcase(joint, name)), Phases())


def _own_torque(settings: OwnController, scale: float) -> Torque:
    """The user's function, called with its parameters; one torque for all motors stands for each."""
    where, name, parameters = f"device controller {settings.type!r}", settings.type, settings.parameters
    function = imported(name, "device controller")
    try:
        inspect.signature(function).bind(None, None, **parameters)
    except TypeError as error:
        allowed = f"{name.rpartition(':')[2]}{inspect.signature(function)}"
        raise UserError(f"{where}: 'parameters' {parameters}: {error}. Allowed: those of {allowed}.") from None

    def torque(felt: Felt, xp: Any) -> Any:
        made = xp.asarray(function(felt, xp, **parameters))
        if made.shape not in ((), felt.angle.shape):
            raise UserError(f"{where}: must return a torque for each motor {felt.angle.shape}, returned {made.shape}.")
        return scale * made + xp.zeros_like(felt.angle)

    return torque


def curve_of(settings: TorqueProfile | Spline) -> curves.Curve:
    """The torque over the gait cycle in the settings' own unit."""
    if isinstance(settings, Spline):
        return curves.spline(settings.percent, settings.torque)
    times = settings.peak_time_percent, settings.rise_time_percent, settings.fall_time_percent
    return curves.four_parameter(settings.peak_torque, *times)


def _spring(gains: Gains, felt: Felt) -> Any:
    """-k (q - q0) - b dq/dt, N*m."""
    elastic = -gains.stiffness_nm_per_rad * (felt.angle - gains.rest_angle_rad)
    return elastic - gains.damping_nm_s_per_rad * felt.velocity
