"""How well the reduced model's feet stand for the full model's: shape of the sole, standing height, shared load."""

import mujoco
import numpy as np

from mjx_assist.config.words import FULL, REDUCED
from mjx_assist.model.feet.load import stance, stand, standing_qpos
from mjx_assist.model.feet.shape import Feet, full_part, reach, read_shape, reduced_part, standing_points, touch_sensors
from mjx_assist.model.feet.sole import lowest
from mjx_assist.model.skeleton.coupling import Coupling
from mjx_assist.model.skeleton.skeleton import Skeleton

_PITCH = np.radians(np.arange(-30.0, 30.1, 1.0))
_ROLL = np.radians([-10.0, -7.5, -5.0, -2.5, 0.0, 2.5, 5.0, 7.5, 10.0])
_BENDS = [k / 8 for k in range(9)]  # of the walking range of the joints within the foot
_SWEEP = np.radians(np.arange(-30.0, 30.1, 0.25))  # of the pitch, to trace the outline of a sole
_ALONG = 200  # points along the sole


def measure_feet(
    full: mujoco.MjModel,
    coupling: Coupling,
    skeleton: Skeleton,
    model: mujoco.MjModel,
    walking_range: dict[str, tuple[float, float]],
) -> dict:
    """JSON-able: errors of sole height and reach (mm), standing height (m), the heel's share of the load (%).

    ``feet``: per foot, named after its touch sensors; ``standing_height_m``: of the root over the lowest point at the
    ``stand`` keyframe (at qpos0 if there is none).
    """
    shape = read_shape(full, skeleton)
    qpos = standing_qpos(model)
    names = {int(skeleton.segment_of[b]): sensor for sensor, b in reversed(touch_sensors(full).items())}
    feet = {}
    for chain in shape.chains:
        full_parts = [full_part(full, skeleton, s) for s in chain]
        own_parts = [reduced_part(model, full, skeleton, s) for s in chain]
        feet[names[chain[0]]] = {
            "spheres": sum(len(part.geoms) for part in own_parts),
            **_shape_error(shape, chain, full_parts, own_parts, walking_range),
            **_load_shares(shape, coupling, chain, full_parts, own_parts, qpos),
        }
    heights = {FULL: _height(full, coupling.lift(qpos)), REDUCED: _height(model, qpos)}
    return {"standing_height_m": heights, "feet": feet}


def _height(model: mujoco.MjModel, qpos: np.ndarray) -> float:
    """Of the root body's origin over the lowest point that can touch the ground, m."""
    data = mujoco.MjData(model)
    data.qpos[:] = qpos
    mujoco.mj_kinematics(model, data)
    root = int(model.jnt_bodyid[0])
    return float(data.xpos[root, 2] - lowest(model, data))


def _shape_error(shape: Feet, chain, full_parts, own_parts, walking_range) -> dict[str, dict[str, float]]:
    """mm: of the reach of the foot in all attitudes, and of the height of the sole between the ends it stands on."""
    down, sweep = shape.attitudes(_PITCH, _ROLL), shape.attitudes(_SWEEP, np.zeros(1))
    reach_error, height_error = [], []
    for poses in shape.bends(chain, walking_range, _BENDS):
        own, theirs = (reach(parts, poses, down).max(axis=0) for parts in (own_parts, full_parts))
        reach_error.append(own - theirs)
        ends = standing_points(full_parts, poses, sweep[[0, -1]]) @ shape.axes[0]
        along = np.linspace(ends[0], ends[1], _ALONG)
        own, theirs = (_sole_height(parts, poses, sweep, along) for parts in (own_parts, full_parts))
        height_error.append(own - theirs)
    return {"reach_error_mm": _summary(reach_error), "sole_height_error_mm": _summary(height_error)}


def _sole_height(parts, poses, sweep: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Height [m] of a foot's convex hull at forward positions ``along`` [m]: that of its highest tangent there."""
    tangent = (along[:, None] * np.sin(_SWEEP) - reach(parts, poses, sweep).max(axis=0)) / np.cos(_SWEEP)
    return tangent.max(axis=1)


def _summary(errors: list[np.ndarray]) -> dict[str, float]:
    size = 1e3 * np.abs(np.concatenate(errors))
    return {"mean": float(size.mean()), "worst": float(size.max())}


def _load_shares(shape: Feet, coupling: Coupling, chain, full_parts, own_parts, qpos) -> dict[str, dict[str, float]]:
    """The heel's share of the static load (%) of the foot that stands alone at ``qpos``, and how far it sinks (mm)."""
    lifted = coupling.lift(qpos)
    on = stance(shape, chain, full_parts, lifted)
    loads = {FULL: stand(full_parts, lifted, on), REDUCED: stand(own_parts, qpos, on)}
    return {
        "heel_load_percent": {name: load.heel_percent for name, load in loads.items()},
        "sinking_mm": {name: load.sinking_mm for name, load in loads.items()},
    }
