"""Full model -> the reduced model that trains fast: no coupled joints, fixed muscle points, feet as a few spheres.

No joint or muscle is known by name here; what depends on the human is data in models/reductions/<human>.json.
"""

import fnmatch
import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import mujoco
import numpy as np

from mjx_assist.data import data_path
from mjx_assist.errors import UserError
from mjx_assist.sim import mjcf
from mjx_assist.sim.assembly import check_keys, full_model
from mjx_assist.sim.coupling import Coupling, independent_joints, read_coupling
from mjx_assist.sim.fidelity import measure
from mjx_assist.sim.foot_contact import read_feet, touch_sensors
from mjx_assist.sim.muscle_paths import read_paths
from mjx_assist.sim.path_fit import refit
from mjx_assist.sim.skeleton import Skeleton, read_skeleton

__all__ = ["Coupling", "ReducedModel", "fidelity", "reduce_model"]


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
    ``spheres``: which ends of heel and toes get a sphere; ``contact``: attributes of every sphere's MJCF ``<pair>``
    with the floor; ``option``: of MJCF ``<option>``. Raises ``UserError`` for a human without a recipe.
    """
    path = data_path("models", "reductions", f"{human}.json")
    if not path.is_file():
        have = ", ".join(sorted(p.stem for p in path.parent.glob("*.json")))
        raise UserError(f"human {human!r} cannot be reduced: it has no reduction recipe. There is one for: {have}.")
    return json.loads(path.read_text())


@cache
def reduce_model(human: str, device: str) -> ReducedModel:
    """The reduced model; deterministic, a few seconds, kept for the rest of the process. Treat it as read-only.

    Raises ``UserError`` for unknown keys and for models that do not fit the rules, naming what does not.
    """
    check_keys(human, device)
    rules = recipe(human)
    full, coupling, walking_range, skeleton = _read(human, device, rules)
    paths = read_paths(full, skeleton)
    feet = read_feet(full, skeleton, rules["spheres"])
    rest = feet, _markers(full, skeleton), rules["option"], rules["contact"]
    first = mujoco.MjModel.from_xml_string(mjcf.write(full, skeleton, paths, *rest))
    paths = refit(full, coupling, skeleton, first, paths, walking_range)
    xml = mjcf.write(full, skeleton, paths, *rest)
    return ReducedModel(human, device, xml, mjcf.load(xml), coupling)


def fidelity(reduced: ReducedModel) -> dict[str, Any]:
    """How close the reduced model is to the full one over the walking range; JSON-able, see fidelity.py."""
    full, coupling, walking_range, skeleton = _read(reduced.human, reduced.device, recipe(reduced.human))
    report = {"human": reduced.human, "device": reduced.device, "walking_range_rad": walking_range}
    return report | measure(full, coupling, skeleton, reduced.model, walking_range)


def _read(human: str, device: str, rules: dict[str, Any]):
    """The full model, its couplings, the walking range of its joints, and its segments."""
    full = full_model(human, device, "composed")
    coupling = read_coupling(full)
    walking_range = walking_ranges(full, rules)
    skeleton = read_skeleton(full, coupling, {full.joint(name).id: r for name, r in walking_range.items()})
    return full, coupling, walking_range, skeleton


def walking_ranges(full: mujoco.MjModel, rules: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Joint name -> (lowest, highest) walking angle, rad, from the recipe's name patterns."""
    names = [full.joint(j).name for j in independent_joints(full)]
    return {
        name: (float(limits[0]), float(limits[1]))
        for pattern, limits in rules["walking_range_rad"].items()
        for name in fnmatch.filter(names, pattern)
    }


def _markers(full: mujoco.MjModel, skeleton: Skeleton) -> dict[str, tuple[int, np.ndarray]]:
    """Framepos sensors: the origin of each foot's heel body (``<touch sensor>_position``) and ``pelvis_position``.

    A heel body carries a touch sensor on a segment whose parent carries none; the pelvis is where the legs part.
    """
    sensors = touch_sensors(full)
    touching = {int(skeleton.segment_of[body]) for body in sensors.values()}
    heels = {
        name: body
        for name, body in sensors.items()
        if skeleton.segments[skeleton.segment_of[body]].parent not in touching
    }
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
