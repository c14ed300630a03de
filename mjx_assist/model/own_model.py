"""A user's own MuJoCo XML as the full model that everything else expects: all named, and with one floor."""

from collections.abc import Collection
from pathlib import Path

import mujoco
import numpy as np

from mjx_assist.errors import UserError

_LEVEL = 1e-6  # m and sine of an angle: how far from z = 0 and from level a floor may be
_NAMED = ("body", "joint", "geom", "site", "tendon", "actuator", "sensor")
_PLURAL = {"body": "bodies"}


def is_path(human: str) -> bool:
    """Is a human named by a file instead of a key?"""
    return human.endswith(".xml") or "/" in human or "\\" in human


def read(path: str, floor: str) -> mujoco.MjSpec:
    """The spec in an XML file, everything in it named, with a level plane called ``floor`` at z = 0.

    Raises ``UserError`` for a file that is not there or that MuJoCo cannot read, and for another floor.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise UserError(f"model file {path!r} is not there.")
    try:
        spec = mujoco.MjSpec.from_file(str(file))
    except ValueError as error:
        raise UserError(f"model file {path!r}: {error}") from error
    if len(spec.flexes) or len(spec.plugins):
        raise UserError(f"cannot reduce {path!r}: it has {'flexes' if len(spec.flexes) else 'plugins'}.")
    _name_everything(spec)
    _name_floor(spec, path, floor)
    return spec


def _name_everything(spec: mujoco.MjSpec) -> None:
    for kind in _NAMED:
        elements = getattr(spec, _PLURAL.get(kind, f"{kind}s"))
        taken = {element.name for element in elements}
        for number, element in enumerate(elements):
            if not element.name:
                name = f"{kind}_{number}"
                element.name = name if name not in taken else f"{name}_unnamed"


def _name_floor(spec: mujoco.MjSpec, path: str, floor: str) -> None:
    """Calls the plane that the world carries ``floor``, everywhere; adds one where there is none."""
    planes = [g for g in spec.worldbody.geoms if g.type == mujoco.mjtGeom.mjGEOM_PLANE and (g.contype or g.conaffinity)]
    if not planes:
        spec.worldbody.add_geom(name=floor, type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0, 0, 1], contype=1, conaffinity=1)
        return
    plane = planes[0]
    tilt = abs(plane.quat[1]) + abs(plane.quat[2])
    if len(planes) > 1 or abs(plane.pos[2]) > _LEVEL or tilt > _LEVEL:
        raise UserError(f"cannot reduce {path!r}: its floor must be one plane, level, at z = 0.")
    for pair in spec.pairs:
        pair.geomname1, pair.geomname2 = (floor if n == plane.name else n for n in (pair.geomname1, pair.geomname2))
    plane.name = floor


def check(full: mujoco.MjModel, joints: Collection[int]) -> None:
    """Raises ``UserError`` naming what the reduction cannot carry over, and why. ``joints``: ids of those that stay."""
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
