"""The standard body that a person is scaled from: its segments, their masses, lengths and shares of the height."""

import fnmatch
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from functools import cache
from typing import Any

import mujoco
import numpy as np

from mjx_assist.model import anatomy
from mjx_assist.model import cache as kept
from mjx_assist.model.feet.sole import ground_geoms, supporting_points
from mjx_assist.model.names import actuator_names, is_muscle
from mjx_assist.paths import data_path

WORLD = "world"


@dataclass(frozen=True)
class Standard:
    """One of assist_sim's humans without a device.

    ``mass``: kg by segment. ``vertex`` and ``sole_r``, ``sole_l``: m by segment, whose sums are the heights of the
    vertex and of the soles over the root, standing with all joints at zero. ``lengths``: m by name, each in proportion
    to the segment of that name. ``bodies``, ``muscles``: names of all of its own.
    """

    mass: dict[str, float]
    vertex: dict[str, float]
    sole_r: dict[str, float]
    sole_l: dict[str, float]
    lengths: dict[str, float]
    bodies: tuple[str, ...]
    muscles: tuple[str, ...]

    @property
    def total_mass(self) -> float:
        """kg."""
        return sum(self.mass.values())

    @property
    def height(self) -> float:
        """From vertex to sole, m."""
        return sum(self.vertex.values()) - min(sum(self.sole_r.values()), sum(self.sole_l.values()))


@cache
def rules() -> dict[str, Any]:
    """models/subjects/segments.json."""
    return json.loads(data_path("models", "subjects", "segments.json").read_text(encoding="utf-8"))


def segments() -> tuple[str, ...]:
    """All segments, ``thigh_r``."""
    return tuple(rules()["segments"])


@cache
def standard(human: str, compose: Callable[[str, str], mujoco.MjSpec]) -> Standard:
    """Of a human's key; ``compose`` (assembly.py) makes it without a device, unless it is kept on disk."""
    form = [field.name for field in fields(Standard)]
    key = kept.key(human.encode(), json.dumps([rules(), form], sort_keys=True).encode())
    content = kept.fetch(f"standard-{human}", key, lambda: asdict(measured(compose(human, "none").compile())))
    return Standard(**{**content, "bodies": tuple(content["bodies"]), "muscles": tuple(content["muscles"])})


def segment_of(parents: dict[str, str], joints: dict[str, list[str]]) -> dict[str, str]:
    """Body -> segment. ``parents``: body -> the one it hangs on, outer ones first; ``joints``: body -> its joints'."""
    table, found = rules(), {WORLD: WORLD}
    for body, parent in parents.items():
        inherited = "pelvis" if found[parent] == WORLD else found[parent]
        by_joint = [s for p, s in table["joints"].items() if fnmatch.filter(joints.get(body, []), p)]
        found[body] = table["bodies"].get(body) or (by_joint[0] if by_joint else inherited)
    return found


def measured(model: mujoco.MjModel) -> Standard:
    """A human's own figures."""
    names = [model.body(b).name for b in range(model.nbody)]
    parents = {names[b]: names[model.body_parentid[b]] for b in range(1, model.nbody)}
    joints: dict[str, list[str]] = {}
    for j in range(model.njnt):
        joints.setdefault(names[model.jnt_bodyid[j]], []).append(model.joint(j).name)
    of = segment_of(parents, joints)
    data = mujoco.MjData(model)
    data.qpos[:] = anatomy.upright(model)
    mujoco.mj_kinematics(model, data)
    mass = {name: 0.0 for name in segments()}
    for body in range(1, model.nbody):
        mass[of[names[body]]] += float(model.body_mass[body])
    table = rules()
    top = _shares(model, data, of, *_extreme(model, data, of, "head", lowest=False))
    sole_r, sole_l = (
        _shares(model, data, of, *_extreme(model, data, of, foot, lowest=True)) for foot in ("foot_r", "foot_l")
    )
    place = {name: data.xpos[model.body(name).id] for pair in table["lengths"].values() for name in pair}
    lengths = {name: float(np.linalg.norm(place[a] - place[b])) for name, (a, b) in table["lengths"].items()}
    muscles = tuple(name for name, own in zip(actuator_names(model), is_muscle(model), strict=True) if own)
    return Standard({k: v for k, v in mass.items() if v}, top, sole_r, sole_l, lengths, tuple(names[1:]), muscles)


def _extreme(
    model: mujoco.MjModel, data: mujoco.MjData, of: dict[str, str], within: str, lowest: bool
) -> tuple[int, float]:
    """Body and height (m, world) of a segment's lowest point that can touch the ground, or of its highest mesh's."""
    mesh = np.flatnonzero(model.geom_type == mujoco.mjtGeom.mjGEOM_MESH)
    sign, found = -1.0 if lowest else 1.0, []
    for geom in (ground_geoms(model) if lowest else mesh).tolist():
        body, up = int(model.geom_bodyid[geom]), data.geom_xmat[geom].reshape(3, 3)[2]
        if of[model.body(body).name] == within:
            point = supporting_points(model, geom, sign * up[None])[0]
            found.append((body, float(data.geom_xpos[geom][2] + point @ up)))
    return max(found, key=lambda end: sign * end[1])


def _shares(
    model: mujoco.MjModel, data: mujoco.MjData, of: dict[str, str], body: int, height: float
) -> dict[str, float]:
    """A point's height over the root as m by segment: each body's offset lies in the segment it hangs on."""
    shares: dict[str, float] = {}

    def add(at: int, rise: float) -> None:
        segment = of[model.body(at).name]
        shares[segment] = shares.get(segment, 0.0) + float(rise)

    add(body, height - data.xpos[body][2])
    while model.body_parentid[body]:
        parent = int(model.body_parentid[body])
        add(parent, data.xpos[body][2] - data.xpos[parent][2])
        body = parent
    return shares
