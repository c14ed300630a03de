"""How one walker and its ground differ from the model: named factors, and the model fields that follow from them.

The same for every backend and for replay: C MuJoCo's model is written to, MJX's fields are replaced.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import mujoco
import numpy as np

from mjx_assist.curriculum.settings import Randomization
from mjx_assist.errors import UserError
from mjx_assist.model.arrays import put
from mjx_assist.model.names import is_muscle
from mjx_assist.terrain.heightfield import FLOOR

# Randomized names that are part of a `Variation`; the rest of them is the env's (device, sensing, pushes).
FACTORS = ("body_mass", "segment_mass", "strength", "side_strength", "friction", "ground_stiffness", "ground_damping")
FACTORS = (*FACTORS, "joint_damping")
LOADS = ("foot_mass", "shank_mass", "waist_mass")  # kg; on both legs alike
GROUPS = {"mass": ("body_mass", "segment_mass"), "strength": ("strength", "side_strength")}
_FORCE = 2  # gainprm and biasprm of a muscle: its peak isometric force


class Variation(NamedTuple):
    """One walker's differences (or a batch's, by leading axes); None: as the model.

    Factors: ``mass [nbody]``, ``strength [muscles]`` (peak isometric force, in actuator order), friction,
    ground_stiffness, ground_damping, joint_damping. ``slope``: tangent of the ground's angle, uphill positive;
    ``lane``: y (m) by which the ground is moved; ``push [nv]``: generalised force (N, N*m) during the control step.
    """

    mass: Any = None
    strength: Any = None
    friction: Any = None
    ground_stiffness: Any = None
    ground_damping: Any = None
    joint_damping: Any = None
    slope: Any = None
    lane: Any = None
    push: Any = None


def neutral(name: str) -> float:
    """The value of a randomized quantity that changes nothing."""
    if name in FACTORS or name == "device_gain":
        return 1.0
    return np.inf if name == "device_bandwidth" else 0.0


def spans(settings: Randomization, share: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Name -> (low, high) of what is randomized; a ``share`` of a name shrinks its range towards the neutral value."""
    ranges = {name: span for name, span in vars(settings).items() if span}
    for name in share.keys() & ranges.keys():
        at = neutral(name)
        ranges[name] = tuple(at + share[name] * (end - at) for end in ranges[name])
    return ranges


def sizes(settings: Randomization, model: mujoco.MjModel) -> dict[str, int]:
    """How many numbers of each randomized quantity of a `Variation` are drawn."""
    several = {"segment_mass": model.nbody, "side_strength": 2}
    return {name: several.get(name, 1) for name in (*FACTORS, *LOADS, "slope") if getattr(settings, name)}


def sample(
    ranges: Mapping[str, tuple[Any, Any]], model: mujoco.MjModel, uniform: Mapping[str, Any], xp: Any = np
) -> Variation:
    """A variation from numbers uniform in 0..1: of each name in `sizes` that many, from ``ranges`` (`spans`)."""
    value = {name: low + (high - low) * uniform[name] for name, (low, high) in ranges.items() if name in uniform}
    left, fields = _left_muscles(model), {}
    if "side_strength" in value:
        value["side_strength"] = xp.where(left, value["side_strength"][1], value["side_strength"][0])
    for field, names in GROUPS.items():
        count = model.nbody if field == "mass" else left.size
        factors = [value[name] for name in names if name in value]
        if factors:
            fields[field] = xp.broadcast_to(math.prod(factors), (count,))
    loads = {name: value[name][0] for name in LOADS if name in value}
    if loads:
        fields["mass"] = fields.get("mass", xp.ones(model.nbody)) + load_factors(model, loads, xp)
    grouped = [*LOADS, *(name for names in GROUPS.values() for name in names)]
    return Variation(**fields, **{name: x[0] for name, x in value.items() if name not in grouped})


def load_factors(model: mujoco.MjModel, loads: Mapping[str, Any], xp: Any = np) -> Any:
    """``[nbody]`` what masses (kg; `LOADS`) add to the factors of `Variation.mass`: each is spread as its segment is.

    Raises:
        UserError: the model has no such segment.
    """
    factors = xp.zeros(model.nbody)
    for name, mass in loads.items():
        at = _carriers(model, name)
        factors = put(factors, at, mass / model.body_mass[at], xp)
    return factors


def _carriers(model: mujoco.MjModel, load: str) -> np.ndarray:
    """The bodies that a load sits on."""
    joints = {"foot_mass": "ankle_angle", "shank_mass": "knee_angle"}
    names = [f"{joints[load]}_{side}" for side in "rl"] if load in joints else ["pelvis_tilt"]
    missing = [name for name in names if mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, name) < 0]
    if missing:
        raise UserError(f"{load}: this model has no joint {missing[0]!r}, so no segment that carries the mass.")
    return np.array([int(model.joint(name).bodyid[0]) for name in names])


def model_fields(base: mujoco.MjModel, variation: Variation, xp: Any = np) -> dict[str, Any]:
    """Name of an MjModel field -> its value for one walker's variation (without ``push``, which is no field).

    Segments keep their centre of mass, inertia grows with mass. Contact: MuJoCo's solref (time constant T, damping
    ratio z) makes a stiffness 1 / (T z)^2 and a damping 2 / T (docs: Modeling, solver parameters; per unit of effective
    mass), so factors s and d on those make T / d and z d / sqrt(s). What MuJoCo derives from masses for the scaling of
    constraints (``invweight0``) stays the model's.
    """
    fields = {}
    if variation.mass is not None:
        mass = base.body_mass * variation.mass
        fields["body_mass"] = mass
        fields["body_inertia"] = base.body_inertia * variation.mass[..., None]
        fields["body_subtreemass"] = _descendants(base) @ mass
    if variation.strength is not None:
        factor = xp.ones(base.nu)
        factor = put(factor, np.flatnonzero(is_muscle(base)), variation.strength, xp)[:, None]
        column = np.arange(base.actuator_gainprm.shape[1]) == _FORCE
        for name in ("actuator_gainprm", "actuator_biasprm"):
            fields[name] = getattr(base, name) * xp.where(column, factor, 1.0)
    kind = "pair" if base.geom(FLOOR).id in (*base.pair_geom1, *base.pair_geom2) else "geom"
    if variation.friction is not None:
        fields[f"{kind}_friction"] = getattr(base, f"{kind}_friction") * variation.friction
    if variation.ground_stiffness is not None or variation.ground_damping is not None:
        stiffness = 1.0 if variation.ground_stiffness is None else variation.ground_stiffness
        damping = 1.0 if variation.ground_damping is None else variation.ground_damping
        scale = xp.stack([1.0 / damping * xp.ones(()), damping / xp.sqrt(stiffness * xp.ones(()))])
        fields[f"{kind}_solref"] = getattr(base, f"{kind}_solref") * scale
    if variation.joint_damping is not None:
        fields["dof_damping"] = base.dof_damping * variation.joint_damping
    if variation.slope is not None or variation.lane is not None:
        fields |= _ground(base, variation, xp)
    return fields


def write(base: mujoco.MjModel, model: mujoco.MjModel, variation: Variation) -> None:
    """Make ``model``, a copy of ``base``, what the variation says (NumPy)."""
    for name, value in model_fields(base, variation).items():
        getattr(model, name)[:] = value
    model.geom_sameframe[model.geom(FLOOR).id] = 0  # C would take the world's frame for a floor compiled at its origin


def _ground(base: mujoco.MjModel, variation: Variation, xp: Any) -> dict[str, Any]:
    """The floor turned about the world's y axis through the origin, then moved along y."""
    floor = base.geom(FLOOR).id
    half = 0.5 * xp.arctan(xp.zeros(()) if variation.slope is None else variation.slope)
    zero = xp.zeros(())
    turn = xp.stack([xp.cos(half), zero, -xp.sin(half), zero])  # uphill: x towards z
    cos, sin = xp.cos(2 * half), xp.sin(2 * half)
    x, y, z = base.geom_pos[floor]
    lane = zero if variation.lane is None else variation.lane
    place = xp.stack([cos * x - sin * z, y + lane, sin * x + cos * z])
    return {
        "geom_quat": put(xp.asarray(base.geom_quat), floor, turn, xp),
        "geom_pos": put(xp.asarray(base.geom_pos), floor, place, xp),
    }


def _descendants(model: mujoco.MjModel) -> np.ndarray:
    """``[nbody, nbody]`` 1 where the column's body hangs on the row's (or is it)."""
    matrix = np.eye(model.nbody)
    for body in range(model.nbody - 1, 0, -1):
        matrix[model.body_parentid[body]] += matrix[body]
    return matrix


def _left_muscles(model: mujoco.MjModel) -> np.ndarray:
    """``[muscles]`` True for muscles of the left side, by name."""
    names = [model.actuator(int(a)).name for a in np.flatnonzero(is_muscle(model))]
    return np.array([name.endswith("_l") or name.startswith("l_") for name in names], bool)
