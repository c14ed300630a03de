"""Full model -> the reduced model that trains fast: no coupled joints, fixed muscle points, feet as a few spheres.

No joint or muscle is known by name here; what depends on the human is data in models/reductions/<human>.json.
"""

import fnmatch
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from mjx_assist.errors import UserError, unknown
from mjx_assist.files.untrusted import read_json
from mjx_assist.model import bodies, human_key, mjcf
from mjx_assist.model import cache as build_cache
from mjx_assist.model.assembly import AS_COMPOSED, NO_DEVICE, check_keys, full_model
from mjx_assist.model.feet.balance import balance
from mjx_assist.model.feet.contact import fit_soles, name_spheres
from mjx_assist.model.feet.shape import touch_sensors
from mjx_assist.model.muscles.fit import refit
from mjx_assist.model.muscles.paths import read_paths, unfitted
from mjx_assist.model.own import carry
from mjx_assist.model.own.file import is_path
from mjx_assist.model.skeleton.coupling import Coupling, read_coupling, reduced_joints
from mjx_assist.model.skeleton.folding import Sweeps, kept_joints
from mjx_assist.model.skeleton.skeleton import Skeleton, read_skeleton
from mjx_assist.model.subjects import proportions, standard
from mjx_assist.paths import data_path, expanded
from mjx_assist.terrain.heightfield import FLOOR

_UNLIMITED = {mujoco.mjtJoint.mjJNT_HINGE: 0.5, mujoco.mjtJoint.mjJNT_SLIDE: 0.05}  # rad, m
__all__ = ["Coupling", "ReducedModel", "reduce_model"]


@dataclass(frozen=True)
class ReducedModel:
    """A human with a device, reduced; ``xml`` is all there is to ``model``."""

    human: str
    device: str
    xml: str
    model: mujoco.MjModel
    coupling: Coupling


def recipe(human: str) -> dict[str, Any]:
    """What a reduction needs to know about a human, from models/reductions/<human>.json.

    ``walking_range_rad``: joint name pattern -> (lowest, highest) angle, where paths and hinges are fitted;
    ``contact``: attributes of every sphere's MJCF ``<pair>`` with the floor, null for those that the file has;
    ``option``: of MJCF ``<option>``, beside what a file has (own/carry.py).
    For a model file: default.json, with the keys that a ``<model>.reduction.json`` beside it has replaced by its own.
    Raises ``UserError`` for a human without a recipe.
    """
    folder, human = data_path("models", "reductions"), human_key.parse(human).human
    if is_path(human):
        rules, beside = _read_recipe(folder / "default.json"), expanded(human).with_suffix(".reduction.json")
        own = _read_recipe(beside) if beside.is_file() else {}
        for key in own:
            if key not in rules:
                raise unknown(f"key in {beside.name}", key, rules)
        return rules | own
    path = folder / f"{human}.json"
    if not path.is_file():
        have = ", ".join(sorted(p.stem for p in folder.glob("*.json")))
        raise UserError(f"human {human!r} cannot be reduced: it has no reduction recipe. There is one for: {have}.")
    return _read_recipe(path)


def _read_recipe(path: Path) -> dict[str, Any]:
    return read_json(path, f"reduction recipe {str(path)!r}")


@cache
def reduce_model(human: str, device: str) -> ReducedModel:
    """The reduced model; deterministic; built once on a machine, later read from disk (cache.py). Read-only.

    Raises ``UserError`` for unknown keys and for models that do not fit the rules, naming what does not.
    """
    check_keys(human, device)
    own = is_path(human)
    parts = human_key.parse(human)
    body = {} if own else bodies.read(parts.body)
    people = [] if parts.subject is None else [standard.rules(), proportions.muscle_rules()]
    rules = (json.dumps(part, sort_keys=True) for part in (recipe(human), body, *people))
    shaped_by = ["" if own else human, device, *rules]
    key = build_cache.key(*(text.encode() for text in shaped_by), _compiled(human) if own else b"")
    name = f"{parts.human if not own else Path(parts.human).stem} {device}"
    kept = build_cache.fetch(name, key, lambda: _kept(build(human, device)))
    coupling = Coupling(tuple(kept["full_joints"]), np.array(kept["source"]), np.array(kept["polycoef"]))
    return ReducedModel(human, device, kept["xml"], mjcf.load(kept["xml"]), coupling)


def _kept(reduced: ReducedModel) -> dict[str, Any]:
    """What the cache keeps of a reduced model."""
    coupling = reduced.coupling
    joints, source, polycoef = coupling.full_joint_names, coupling.source.tolist(), coupling.polycoef.tolist()
    return {"xml": reduced.xml, "full_joints": joints, "source": source, "polycoef": polycoef}


def _compiled(path: str) -> bytes:
    """A user's model with all that its file includes, as MuJoCo compiled it."""
    model = full_model(path, NO_DEVICE, AS_COMPOSED)
    buffer = np.zeros(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, buffer)
    return buffer.tobytes()


def build(human: str, device: str, fit_paths: bool = True) -> ReducedModel:
    """``reduce_model`` from scratch. Without ``fit_paths``, which take most of the time, muscles that a folded joint
    moves run as they do at qpos0."""
    check_keys(human, device)
    rules = recipe(human)
    full, coupling, walking_range, skeleton = read(human, device, rules)
    paths = read_paths(full, skeleton)
    soles = fit_soles(full, skeleton, walking_range)
    touching = [geom for foot in soles for sole in foot for geom in sole.part.geoms]
    contact = rules["contact"] or carry.contact(full, FLOOR, touching)
    option = (carry.option(full) if is_path(human) else {}) | rules["option"]
    rest = _markers(full, skeleton), option, contact
    plain = mjcf.write(full, skeleton, [unfitted(p) for p in paths], name_spheres(full, skeleton, soles), *rest)
    soles = balance(full, coupling, skeleton, mjcf.load(plain), soles)
    rest = name_spheres(full, skeleton, soles), *rest
    if fit_paths:
        first = mujoco.MjModel.from_xml_string(mjcf.write(full, skeleton, paths, *rest))
        paths = refit(full, coupling, skeleton, first, paths, walking_range)
    else:
        paths = [unfitted(path) for path in paths]
    xml = mjcf.write(full, skeleton, paths, *rest)
    return ReducedModel(human, device, xml, mjcf.load(xml), coupling)


def read(human: str, device: str, rules: dict[str, Any]):
    """The full model, its couplings, the walking range of its joints, and its segments."""
    full = full_model(human, device, AS_COMPOSED)
    coupling = folded = read_coupling(full)
    walking_range = walking_ranges(full, folded, rules)
    by_joint = {full.joint(name).id: limits for name, limits in walking_range.items()}
    kept = kept_joints(Sweeps(full, folded, by_joint))
    if kept:
        coupling = read_coupling(full, kept)
    skeleton = read_skeleton(full, coupling, by_joint, folded)
    carry.check(full, skeleton.joints, is_path(human))
    return full, coupling, walking_range, skeleton


def walking_ranges(full: mujoco.MjModel, folded: Coupling, rules: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Joint name -> (lowest, highest) walking angle, rad: from the recipe's name patterns, within the joint's limits.

    A joint that no pattern names has its limits; without any, it has half a radian or 5 cm about qpos0.
    """
    names = [full.joint(j).name for j in reduced_joints(full, folded)]
    ranges = {
        name: (float(limits[0]), float(limits[1]))
        for pattern, limits in rules["walking_range_rad"].items()
        for name in fnmatch.filter(names, pattern)
    }
    for name in names:
        joint = full.joint(name)
        if not full.jnt_limited[joint.id]:
            if name not in ranges and full.body_parentid[full.jnt_bodyid[joint.id]]:  # roots go anywhere
                around = _UNLIMITED[mujoco.mjtJoint(full.jnt_type[joint.id])]
                ranges[name] = (float(joint.qpos0[0] - around), float(joint.qpos0[0] + around))
        else:
            low, high = ranges.get(name, tuple(joint.range))
            ranges[name] = (max(float(low), float(joint.range[0])), min(float(high), float(joint.range[1])))
    return ranges


def _markers(full: mujoco.MjModel, skeleton: Skeleton) -> dict[str, tuple[int, np.ndarray]]:
    """Framepos sensors: the origin of each foot's heel body (``<touch sensor>_position``) and ``pelvis_position``.

    A heel body carries a touch sensor on a segment whose parent carries none; the pelvis is where the legs part.
    """
    sensors = touch_sensors(full)
    touching = {int(skeleton.segment_of[body]) for body in sensors.values()}
    heels, seen = {}, set()
    for name, body in sensors.items():
        segment = int(skeleton.segment_of[body])
        if segment not in seen and skeleton.segments[segment].parent not in touching:
            heels[name] = body
            seen.add(segment)
    markers = {f"{name}_position": body for name, body in heels.items()}
    markers["pelvis_position"] = _common_ancestor(full, list(heels.values()))
    return {name: (int(skeleton.segment_of[body]), skeleton.place[body]) for name, body in markers.items()}


def _common_ancestor(full: mujoco.MjModel, bodies: list[int]) -> int:
    chains = []
    for body in bodies:
        chain = [body]
        while chain[-1]:
            chain.append(int(full.body_parentid[chain[-1]]))
        chains.append(chain)
    return next(body for body in chains[0] if all(body in chain for chain in chains))
