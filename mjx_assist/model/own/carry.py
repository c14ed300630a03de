"""What a user's model states beside its bodies: carried over into the reduction, or refused by name.

Not carried, and no physics of the model: time step, integrator, solver and its iterations, which a run chooses.
"""

from collections.abc import Collection
from typing import Any

import mujoco
import numpy as np

from mjx_assist.errors import UserError, note
from mjx_assist.model.names import GRAVITY

STEPS = (1e-5, 0.05)  # s: at less a walk takes for ever, at more nothing stands
_Off, _On = mujoco.mjtDisableBit, mujoco.mjtEnableBit
# Flags that change what a walker does, gravity's apart; the others are about numerics.
_OFF = {
    _Off.mjDSBL_CONSTRAINT: "constraint",
    _Off.mjDSBL_EQUALITY: "equality",
    _Off.mjDSBL_FRICTIONLOSS: "frictionloss",
    _Off.mjDSBL_LIMIT: "limit",
    _Off.mjDSBL_CONTACT: "contact",
    _Off.mjDSBL_SPRING: "spring",
    _Off.mjDSBL_DAMPER: "damper",
    _Off.mjDSBL_CLAMPCTRL: "clampctrl",
    _Off.mjDSBL_ACTUATION: "actuation",
    _Off.mjDSBL_SENSOR: "sensor",
}
_USUAL = {"gravity": [0.0, 0.0, -GRAVITY], "cone": "pyramidal", "impratio": 1.0}
_CONES = {mujoco.mjtCone.mjCONE_PYRAMIDAL: "pyramidal", mujoco.mjtCone.mjCONE_ELLIPTIC: "elliptic"}
# Arrays that must be zero, by the kind of element, and what a number in them is.
_LOST = {
    "joint": {
        "jnt_actgravcomp": "gravity compensation by its actuators",
        "jnt_stiffnesspoly": "a spring that is not linear",
        "dof_dampingpoly": "damping that is not linear",
    },
    "tendon": {
        "tendon_actfrclimited": "a limit on its actuators' force",
        "tendon_armature": "armature",
        "tendon_stiffnesspoly": "a spring that is not linear",
        "tendon_dampingpoly": "damping that is not linear",
    },
    "actuator": {
        "actuator_actearly": "an activation that is used before its step",
        "actuator_armature": "armature",
        "actuator_damping": "damping",
        "actuator_dampingpoly": "damping that is not linear",
        "actuator_delay": "a delay",
    },
    "geom": {"geom_adhesion": "adhesion", "geom_surfacevel": "a surface that moves"},
}
_TOUCH = ("friction", "solref", "solreffriction", "solimp")
_MARGIN = 0.0025  # m, by which feet may touch early: the tolerance of their fit
_UNEVEN = 1e-3  # of a segment's weight: gravity compensation that differs more between its bodies is no one number
_PLAY = 1e-9  # relative: contact parameters that differ less are the same


def check_options(spec: mujoco.MjSpec, path: str) -> None:
    """Raises ``UserError`` naming an option of the file that would be lost, or a time step at which nothing walks."""
    option = spec.option
    if not STEPS[0] <= option.timestep <= STEPS[1]:
        raise UserError(
            f'cannot reduce {path!r}: its <option> has timestep="{option.timestep:g}"; it must be from {STEPS[0]:g} '
            f"to {STEPS[1]:g} s."
        )
    lost = [f'flag {word}="disable"' for bit, word in _OFF.items() if option.disableflags & bit]
    lost += ['flag override="enable"'] if option.enableflags & _On.mjENBL_OVERRIDE else []
    lost += ["actuatorgroupdisable"] if option.disableactuator else []
    fluid = {name: getattr(option, name) for name in ("density", "viscosity") if getattr(option, name)}
    if fluid and np.any(option.wind):
        fluid["wind"] = " ".join(f"{speed:g}" for speed in option.wind)
    lost += [f'{name}="{value if name == "wind" else format(value, "g")}"' for name, value in fluid.items()]
    if lost:
        raise UserError(
            f"cannot reduce {path!r}: its <option> has {', '.join(lost)}, which a reduction does not carry over. "
            "Take it out; what is carried over is in docs/own_models.md."
        )


def option(full: mujoco.MjModel) -> dict[str, Any]:
    """Attributes of MJCF's ``<option>`` that the reduction takes from the file."""
    off = full.opt.disableflags & _Off.mjDSBL_GRAVITY
    found = {
        "gravity": np.zeros(3) if off else full.opt.gravity.copy(),
        "cone": _CONES[mujoco.mjtCone(full.opt.cone)],
        "impratio": full.opt.impratio,
    }
    return {name: value for name, value in found.items() if not np.array_equal(value, _USUAL[name])}


def contact(full: mujoco.MjModel, floor: str, geoms: Collection[int]) -> dict[str, Any]:
    """Attributes of MJCF's ``<pair>`` with which all ``geoms`` touch the floor, by the file's pairs or MuJoCo's mixing.

    Raises ``UserError`` where they touch it differently: the spheres of a reduction touch alike.
    """
    found = {geom: _touch(full, full.geom(floor).id, geom) for geom in geoms}
    first = next(iter(found))
    own = full.geom_friction[full.geom(floor).id, 0]
    if own not in (1.0, found[first]["friction"][0]):
        note(
            f"model: the floor's friction {own:g} does not count: of two geoms MuJoCo takes the larger one, here "
            f"{found[first]['friction'][0]:g}. Give the feet the floor's, or the floor a higher priority."
        )
    for geom, touch in found.items():
        for name, value in touch.items():
            if not np.allclose(value, found[first][name], rtol=_PLAY, atol=0.0):
                a, b = (_said(full, g, name, found[g][name]) for g in (first, geom))
                raise UserError(
                    f"cannot reduce: the feet touch the floor in several ways, {a} and {b}. Give them the same, or "
                    'state what holds for all as "contact" in <model>.reduction.json (docs/own_models.md).'
                )
    return found[first]


def _said(full: mujoco.MjModel, geom: int, name: str, value: Any) -> str:
    numbers = " ".join(f"{number:g}" for number in np.atleast_1d(value))
    return f"geom {full.geom(geom).name!r} with {name} {numbers}"


def _touch(full: mujoco.MjModel, floor: int, geom: int) -> dict[str, Any]:
    """How one geom touches the floor."""
    found, margin = _mixed(full, floor, geom)
    for p, pair in enumerate(zip(full.pair_geom1, full.pair_geom2, strict=True)):
        if set(pair) == {floor, geom}:
            margin = float(full.pair_margin[p])
            found = {"condim": int(full.pair_dim[p])} | {name: getattr(full, f"pair_{name}")[p] for name in _TOUCH}
    if margin > _MARGIN:
        name = full.geom(geom).name
        raise UserError(
            f"cannot reduce: geom {name!r} touches the floor {1e3 * margin:g} mm before it is there, by their margins; "
            f"a reduction's feet are true to {1e3 * _MARGIN:g} mm. Give them a margin of 0."
        )
    return found


def _mixed(full: mujoco.MjModel, floor: int, geom: int) -> tuple[dict[str, Any], float]:
    """MuJoCo's own mixing of two geoms' contact parameters and margins (m): of a sphere and a plane that have them."""
    spec = mujoco.MjSpec()
    shapes = ((mujoco.mjtGeom.mjGEOM_PLANE, [0, 0, 1], floor), (mujoco.mjtGeom.mjGEOM_SPHERE, [0.1, 0, 0], geom))
    ball = spec.worldbody.add_body()
    ball.add_freejoint()
    for parent, (kind, size, like) in zip((spec.worldbody, ball), shapes, strict=True):
        made = parent.add_geom(type=kind, size=size, contype=1, conaffinity=1)
        for name in ("condim", "priority", "friction", "solmix", "solref", "solimp", "margin"):
            setattr(made, name, getattr(full, f"geom_{name}")[like])
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    touch = data.contact[0]
    found = {"condim": int(touch.dim)} | {name: np.array(getattr(touch, name)) for name in _TOUCH}
    return found, float(touch.includemargin)


def compensation(full: mujoco.MjModel, members: Collection[int]) -> float:
    """Gravity compensation of the bodies that are one segment.

    Raises ``UserError`` where it differs between them: it acts at each one's own centre of mass.
    """
    bodies = np.array(members)
    mass, share = full.body_mass[bodies], full.body_gravcomp[bodies]
    if not share.any() or not mass.sum():
        return 0.0
    mean = float(mass @ share / mass.sum())
    if mass @ np.abs(share - mean) > _UNEVEN * mass.sum():
        names = ", ".join(f"{full.body(int(b)).name!r} {g:g}" for b, g in zip(bodies, share, strict=True))
        raise UserError(f"cannot reduce: bodies that move as one differ in gravcomp: {names}.")
    return mean


def check(full: mujoco.MjModel, joints: Collection[int], own: bool) -> None:
    """Raises ``UserError`` naming what the reduction cannot carry over, and why.

    ``joints``: ids of those that stay; ``own``: is the model a user's file?
    """
    on_joint = (mujoco.mjtTrn.mjTRN_JOINT, mujoco.mjtTrn.mjTRN_JOINTINPARENT)
    for a in range(full.nu):
        name, target = full.actuator(a).name, int(full.actuator_trnid[a, 0])
        if full.actuator_trntype[a] not in (*on_joint, mujoco.mjtTrn.mjTRN_TENDON):
            raise UserError(f"cannot reduce: actuator {name!r} drives neither a joint nor a tendon.")
        if full.actuator_trntype[a] in on_joint and target not in joints:
            joint = full.joint(target).name
            raise UserError(f"cannot reduce: actuator {name!r} drives joint {joint!r}, which follows another joint.")
    for body in np.flatnonzero(full.body_mocapid >= 0):
        raise UserError(f"cannot reduce: body {full.body(int(body)).name!r} is a mocap body.")
    for kind, arrays in _LOST.items() if own else ():
        for field, what in arrays.items():
            for number in np.flatnonzero(getattr(full, field).reshape(len(getattr(full, field)), -1).any(1)):
                name = getattr(full, kind)(int(number)).name
                raise UserError(f"cannot reduce: {kind} {name!r} has {what}, which a reduction does not carry over.")
