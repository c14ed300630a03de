"""What actuators do: forces, how they change with velocity, and activations one step later."""

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from mjx_assist.sim.physics.compiled.graph import (
    Value,
    both,
    clip,
    divide,
    less,
    less_equal,
    maximum,
    multiply,
    select,
    total,
)
from mjx_assist.sim.physics.compiled.model.tendons import Path
from mjx_assist.sim.physics.compiled.model.tree import Tree

MINVAL = mujoco.mjMINVAL
_DYN, _GAIN, _BIAS = mujoco.mjtDyn, mujoco.mjtGain, mujoco.mjtBias


@dataclass(frozen=True)
class Actuators:
    """Of each actuator: ``path`` (gear included), ``velocity``, ``force`` and d force / d velocity; ``act`` after the
    step."""

    path: list[Path]
    velocity: list[Value]
    force: list[Value]
    slope: list[Value]
    next_act: list[Value]


def actuators(
    tree: Tree, tendons: Sequence[Path], ctrl: Sequence[Value], act: Sequence[Value], strength: dict[int, Value]
) -> Actuators:
    """``strength``: actuator -> factor on a muscle's peak isometric force."""
    model = tree.model
    found = Actuators([], [], [], [], [])
    rates: dict[int, tuple[int, Value, float]] = {}
    for i in range(model.nu):
        path, limits = _path(tree, tendons, i), _span(model.actuator_ctrllimited[i], model.actuator_ctrlrange[i])
        control, source, at = clip(ctrl[i], *limits), None, int(model.actuator_actadr[i])
        if at >= 0:
            source = act[at]
            rates[at] = i, *_rate(model, i, control, source)
        velocity = total(multiply(x, tree.qvel[k]) for k, x in path.moment.items())
        gain, bias, gain_slope, bias_slope = _gain(model, i, path.length, velocity, strength.get(i, 1.0))
        source = control if source is None else source
        force = multiply(gain, source) + bias
        slope = multiply(gain_slope, source) + bias_slope
        if model.actuator_forcelimited[i]:
            low, high = (float(x) for x in model.actuator_forcerange[i])
            slope = select(both(less(low, force), less(force, high)), slope, 0.0)
            force = clip(force, low, high)
        found.path.append(path)
        found.velocity.append(velocity)
        found.force.append(force)
        found.slope.append(slope)
    for at in range(model.na):
        i, rate, duration = rates[at]
        limits = _span(model.actuator_actlimited[i], model.actuator_actrange[i])
        found.next_act.append(clip(act[at] + multiply(duration, rate), *limits))
    return found


def _span(limited: int, span: np.ndarray) -> tuple[float, float]:
    return (float(span[0]), float(span[1])) if limited else (-np.inf, np.inf)


def _path(tree: Tree, tendons: Sequence[Path], i: int) -> Path:
    model, target = tree.model, int(tree.model.actuator_trnid[i, 0])
    gear = float(model.actuator_gear[i, 0])
    if model.actuator_trntype[i] == mujoco.mjtTrn.mjTRN_TENDON:
        return gear * tendons[target]
    return Path(gear * tree.qpos[target], {target: gear})


def _rate(model: mujoco.MjModel, i: int, control: Value, act: Value) -> tuple[Value, float]:
    """d act / dt, and for how long it holds in a step (s)."""
    kind, prm, step = model.actuator_dyntype[i], model.actuator_dynprm[i], float(model.opt.timestep)
    if kind == _DYN.mjDYN_INTEGRATOR:
        return control, step
    if kind == _DYN.mjDYN_MUSCLE:
        excess, weight = clip(control, 0.0, 1.0) - act, 0.5 + 1.5 * clip(act, 0.0, 1.0)
        up, down = float(prm[0]), float(prm[1])
        return excess * select(less(0.0, excess), divide(1 / up, weight), weight * (1 / down)), step
    tau = max(MINVAL, float(prm[0]))
    exact = kind == _DYN.mjDYN_FILTEREXACT
    return (control - act) * (1 / tau), tau * (1 - np.exp(-step / tau)) if exact else step


def _gain(model: mujoco.MjModel, i: int, length: Value, velocity: Value, strength: Value) -> tuple[Value, ...]:
    """Gain, bias, and their derivatives by velocity."""
    if model.actuator_gaintype[i] == _GAIN.mjGAIN_MUSCLE:
        gain, gain_slope = _muscle_gain(model, i, length, velocity, strength)
    else:
        prm = [float(x) for x in model.actuator_gainprm[i, :3]]
        affine = model.actuator_gaintype[i] == _GAIN.mjGAIN_AFFINE
        gain = prm[0] + prm[1] * length + prm[2] * velocity if affine else prm[0]
        gain_slope = prm[2] if affine else 0.0
    if model.actuator_biastype[i] == _BIAS.mjBIAS_MUSCLE:
        return gain, _muscle_bias(model, i, length, strength), gain_slope, 0.0
    prm = [float(x) for x in model.actuator_biasprm[i, :3]]
    affine = model.actuator_biastype[i] == _BIAS.mjBIAS_AFFINE
    bias = prm[0] + prm[1] * length + prm[2] * velocity if affine else 0.0
    return gain, bias, gain_slope, prm[2] if affine else 0.0


def _fibre(model: mujoco.MjModel, i: int, prm: np.ndarray) -> tuple[float, float, float]:
    """Peak isometric force (N), optimal fibre length (m), and the path's length (m) where a fibre's would be 0."""
    low, high, force, scale = (float(x) for x in prm[:4])
    force = scale / max(MINVAL, float(model.actuator_acc0[i])) if force < 0 else force
    shortest, longest = (float(x) for x in model.actuator_lengthrange[i])
    optimal = (longest - shortest) / max(MINVAL, high - low)
    return force, optimal, shortest - low * optimal


def _muscle_gain(model: mujoco.MjModel, i: int, length: Value, velocity: Value, strength: Value) -> tuple[Value, Value]:
    """Active force at full activation (negative: it pulls) and its slope: MuJoCo's mju_muscleGain."""
    prm = model.actuator_gainprm[i]
    peak, optimal, slack = _fibre(model, i, prm)
    lmin, lmax, vmax, _, fvmax = (float(x) for x in prm[4:9])
    x, speed = (length - slack) * (1 / optimal), velocity * (1 / (optimal * vmax))
    a, b = 0.5 * (lmin + 1), 0.5 * (1 + lmax)
    rising = select(less_equal(x, a), (x - lmin) * _inverse(a - lmin), (1.0 - x) * _inverse(1 - a))
    falling = select(less_equal(x, b), (x - 1.0) * _inverse(b - 1), (lmax - x) * _inverse(lmax - b))
    side = select(less_equal(x, 1.0), rising, falling)
    half = 0.5 * side * side
    active = select(both(less(a, x), less_equal(x, b)), 1.0 - half, half)
    active = select(both(less_equal(lmin, x), less_equal(x, lmax)), active, 0.0)
    y = fvmax - 1
    back, ahead = maximum(speed + 1.0, 0.0), maximum(y - speed, 0.0)
    shortens = less_equal(speed, 0.0)
    curve = select(shortens, back * back, fvmax - ahead * ahead * _inverse(y))
    slope = select(shortens, 2.0 * back, 2.0 * _inverse(y) * ahead)
    strong = multiply(-peak, strength) * active
    return strong * curve, strong * slope * (1 / (optimal * vmax))


def _muscle_bias(model: mujoco.MjModel, i: int, length: Value, strength: Value) -> Value:
    """Passive force: MuJoCo's mju_muscleBias."""
    prm = model.actuator_biasprm[i]
    peak, optimal, slack = _fibre(model, i, prm)
    b, fpmax = 0.5 * (1 + float(prm[5])), float(prm[7])
    stretch = maximum(((length - slack) * (1 / optimal) - 1.0) * _inverse(b - 1), 0.0)
    curve = select(less_equal(stretch, 1.0), 0.5 * stretch * stretch, stretch - 0.5)
    return multiply(-peak * fpmax, strength) * curve


def _inverse(x: float) -> float:
    return 1 / max(MINVAL, x)
