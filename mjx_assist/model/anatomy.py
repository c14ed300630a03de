"""What a model's joints mean to a walker: anatomical coordinates ("knee_angle_r") to the model's qpos.

Which joints make a coordinate is data (models/references/anatomy.json); their signs come from the model's axes.
"""

import fnmatch
import json
from dataclasses import dataclass
from functools import cache

import mujoco
import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.paths import data_path

SIDES = ("r", "l")
ROOT = ("pelvis_tx", "pelvis_ty", "pelvis_tilt")  # the root joints that every walker has
_ALONG = 0.5  # least cosine between a joint's axis and its coordinate's


@dataclass(frozen=True)
class Coordinate:
    """One anatomical coordinate and the joints that make it; several joints' turns add up (a two-spring ankle)."""

    name: str
    joints: tuple[int, ...]  # ids
    sign: np.ndarray  # [K] of each joint about the coordinate's axis
    limits: tuple[float, float]  # in the coordinate's sign, rad or m; infinite where no joint is limited
    offset: float  # the coordinate's value where its joint is at zero: a root height over the ground, else 0


def coordinates(model: mujoco.MjModel) -> tuple[Coordinate, ...]:
    """The coordinates that a model has: root, right leg, left leg. Raises `UserError` for a root that is not one."""
    present = find(model)
    missing = set(ROOT) - {c.name for c in present}
    if missing:
        raise UserError(f"the model has no joint {sorted(missing)[0]!r}; a walker's root has {', '.join(ROOT)}.")
    return present


def find(model: mujoco.MjModel) -> tuple[Coordinate, ...]:
    """`coordinates` of any model, whatever it lacks."""
    table = _table()
    data = mujoco.MjData(model)
    data.qpos[:] = upright(model)
    mujoco.mj_kinematics(model, data)
    names = [model.joint(j).name for j in range(model.njnt)]
    found = [_coordinate(model, data, names, name, **entry) for name, entry in table["root"].items()]
    for side in SIDES:
        for name, entry in table["leg"].items():
            pattern = entry["joints"].format(side=side)
            mirror = 1.0 if side == SIDES[0] else np.array([-1.0, 1.0, -1.0])  # of an axis of rotation
            axis = mirror * np.array(entry["axis"], float)
            found.append(_coordinate(model, data, names, f"{name}_{side}", pattern, axis))
    return tuple(c for c in found if c is not None)


def named_like(model: mujoco.MjModel, coordinate: str) -> list[str]:
    """The joints whose names say that they make a coordinate, whichever way they turn or slide."""
    base, _, side = coordinate.rpartition("_")
    entry = _table()["root"].get(coordinate) or _table()["leg"][base]
    names = [model.joint(j).name for j in range(model.njnt)]
    return fnmatch.filter(names, entry["joints"].format(side=side))


def names_of(found: tuple[Coordinate, ...]) -> tuple[str, ...]:
    """The coordinates' names, in their order."""
    return tuple(c.name for c in found)


def to_qpos(model: mujoco.MjModel, found: tuple[Coordinate, ...], values: np.ndarray) -> np.ndarray:
    """Anatomical values [..., A] -> qpos [..., nq]; other joints rest, joints that an equality couples follow.

    Joints that add up share a value by filling the first one's range, then the next one's.
    """
    qpos = np.broadcast_to(upright(model), (*values.shape[:-1], model.nq)).copy()
    for column, coordinate in enumerate(found):
        left = values[..., column] - coordinate.offset
        for joint, sign in zip(coordinate.joints, coordinate.sign, strict=True):
            part = left
            if len(coordinate.joints) > 1 and model.jnt_limited[joint]:
                part = np.clip(left, *sorted(sign * model.jnt_range[joint]))
            qpos[..., model.jnt_qposadr[joint]] = sign * part
            left = left - part
    return follow_equalities(model, qpos)


def follow_equalities(model: mujoco.MjModel, qpos: np.ndarray) -> np.ndarray:
    """qpos [..., nq] with every joint that a joint equality drives at its polynomial's value."""
    for row in np.flatnonzero((model.eq_type == mujoco.mjtEq.mjEQ_JOINT) & (model.eq_obj2id >= 0)):
        driven, driver = (model.jnt_qposadr[obj[row]] for obj in (model.eq_obj1id, model.eq_obj2id))
        offset = qpos[..., driver] - model.qpos0[driver]
        qpos[..., driven] = model.qpos0[driven] + np.polynomial.polynomial.polyval(offset, model.eq_data[row, :5])
    return qpos


def upright(model: mujoco.MjModel) -> np.ndarray:
    """qpos [nq] with every anatomical joint at zero; the others, a device's own, rest (qpos0 within their range)."""
    qpos = model.qpos0.copy()
    patterns = [entry["joints"] for entry in _table()["root"].values()]
    patterns += [entry["joints"].format(side=side) for entry in _table()["leg"].values() for side in SIDES]
    for joint in range(model.njnt):
        address = model.jnt_qposadr[joint]
        if any(fnmatch.fnmatchcase(model.joint(joint).name, pattern) for pattern in patterns):
            qpos[address] = 0.0
        elif model.jnt_limited[joint]:
            qpos[address] = np.clip(qpos[address], *model.jnt_range[joint])
    return follow_equalities(model, qpos)


def height_offset(model: mujoco.MjModel) -> float:
    """Height of the root over the ground (m) where ``pelvis_ty`` is zero."""
    return next(c.offset for c in coordinates(model) if c.name == "pelvis_ty")


@cache
def _table() -> dict:
    return json.loads(data_path("models", "references", "anatomy.json").read_text(encoding="utf-8"))


def _coordinate(model, data, names, name, joints, axis) -> Coordinate | None:
    """The coordinate that joints named like ``joints`` and turning about (sliding along) ``axis`` make, or None."""
    driven = {int(j) for e, j in enumerate(model.eq_obj1id) if model.eq_type[e] == mujoco.mjtEq.mjEQ_JOINT}
    along = {
        j: float(data.xaxis[j] @ axis)
        for j, n in enumerate(names)
        if fnmatch.fnmatchcase(n, joints) and j not in driven
    }
    ids = tuple(j for j, cosine in along.items() if abs(cosine) >= _ALONG)
    if not ids:
        return None
    sign = np.sign([along[j] for j in ids])
    ranges = [
        sorted(s * model.jnt_range[j]) if model.jnt_limited[j] else (-np.inf, np.inf)
        for j, s in zip(ids, sign, strict=True)
    ]
    low, high = np.sum(ranges, axis=0)
    offset = float(data.xanchor[ids[0]] @ axis) if name == "pelvis_ty" else 0.0
    return Coordinate(name, ids, sign, (float(low), float(high)), offset)
