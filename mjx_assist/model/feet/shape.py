"""The feet of a model as shapes that move: their parts, how they can turn, and how far down they reach then.

Holds for the full model's feet, shoes and devices and for the spheres that stand for them in the reduced model.
"""

from dataclasses import dataclass

import mujoco
import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.model.feet.sole import ground_geoms, supporting_points
from mjx_assist.model.skeleton.inertia import rotation
from mjx_assist.model.skeleton.skeleton import Skeleton

_SIDEWAYS = 0.5  # sine of the angle from which a joint axis lets a foot leave the sagittal plane
_LEVEL = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])


@dataclass(frozen=True)
class Part:
    """What of one segment can touch the ground: geoms, placed and turned in the segment's frame."""

    segment: int
    model: mujoco.MjModel
    geoms: tuple[int, ...]
    places: np.ndarray  # [geoms, 3]
    turns: np.ndarray  # [geoms, 3, 3]

    def supporting_points(self, directions: np.ndarray) -> np.ndarray:
        """Furthest points [n, 3] along unit directions [n, 3], in the segment's frame."""
        found = np.array(
            [
                place + supporting_points(self.model, geom, directions @ turn) @ turn.T
                for geom, place, turn in zip(self.geoms, self.places, self.turns, strict=True)
            ]
        )
        furthest = np.einsum("gni,ni->gn", found, directions).argmax(axis=0)
        return found[furthest, np.arange(len(directions))]


@dataclass(frozen=True)
class Feet:
    """Feet as chains of segments, the heel's first, of a human who stands at qpos0."""

    full: mujoco.MjModel
    skeleton: Skeleton
    chains: tuple[tuple[int, ...], ...]
    axes: np.ndarray  # [3, 3] forward, left and up as rows, in world axes
    wide: bool  # can the feet leave the sagittal plane?

    def attitudes(self, pitch: np.ndarray, roll: np.ndarray) -> np.ndarray:
        """World directions [n, 3] that are down when the standing foot is turned; rad, pitch positive toes down."""
        pitch, roll = (angle.ravel() for angle in np.meshgrid(pitch, roll if self.wide else [0.0]))
        turned = [np.sin(pitch) * np.cos(roll), np.sin(roll), -np.cos(pitch) * np.cos(roll)]
        return np.column_stack(turned) @ self.axes

    def bend(self, chain: tuple[int, ...], angles: dict[int, float]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Position [3] and orientation [3, 3] (world) of a chain's segments; angles: full joint id -> rad."""
        poses = {chain[0]: standing_pose(self.skeleton, chain[0])}
        for index in chain[1:]:
            segment = self.skeleton.segments[index]
            base, turn = poses[segment.parent]
            position, orientation = base + turn @ segment.position, turn @ segment.orientation
            for joint in segment.joints:
                quat, away = np.zeros(4), angles.get(joint, 0.0) - self.full.qpos0[self.full.jnt_qposadr[joint]]
                mujoco.mju_axisAngle2Quat(quat, self.full.jnt_axis[joint], away)
                anchor = self.full.jnt_pos[joint] if segment.hinge is None else segment.hinge
                position = position + orientation @ (anchor - rotation(quat) @ anchor)
                orientation = orientation @ rotation(quat)
            poses[index] = position, orientation
        return [poses[index] for index in chain]

    def bends(self, chain: tuple[int, ...], walking_range: dict[str, tuple[float, float]], fractions: list[float]):
        """``bend`` at fractions of the walking range (joint name -> (lowest, highest), rad) of the chain's joints."""
        joints = [joint for index in chain[1:] for joint in self.skeleton.segments[index].joints]
        ranges = {j: walking_range[self.full.joint(j).name] for j in joints if self.full.joint(j).name in walking_range}
        fractions = fractions if ranges else fractions[:1]
        return [self.bend(chain, {j: low + f * (high - low) for j, (low, high) in ranges.items()}) for f in fractions]


def touch_sensors(full: mujoco.MjModel) -> dict[str, int]:
    """Touch sensor name -> full body that carries its site."""
    touch = np.flatnonzero(full.sensor_type == mujoco.mjtSensor.mjSENS_TOUCH)
    if len(touch) == 0:
        raise UserError("cannot reduce: the model has no touch sensors, so its feet are unknown.")
    return {full.sensor(int(s)).name: int(full.site_bodyid[full.sensor_objid[s]]) for s in touch}


def full_part(full: mujoco.MjModel, skeleton: Skeleton, segment: int) -> Part:
    """The geoms of the full model's bodies that are one segment."""
    geoms = [int(g) for g in ground_geoms(full) if skeleton.segment_of[full.geom_bodyid[g]] == segment]
    if not geoms:
        name = full.body(skeleton.segments[segment].root).name
        raise UserError(f"cannot reduce: {name!r} has a touch sensor but nothing that can touch the ground.")
    bodies = full.geom_bodyid[geoms]
    turns = [skeleton.turn[b] @ rotation(full.geom_quat[g]) for g, b in zip(geoms, bodies, strict=True)]
    places = [skeleton.place[b] + skeleton.turn[b] @ full.geom_pos[g] for g, b in zip(geoms, bodies, strict=True)]
    return Part(segment, full, tuple(geoms), np.array(places), np.array(turns))


def reduced_part(model: mujoco.MjModel, full: mujoco.MjModel, skeleton: Skeleton, segment: int) -> Part:
    """The geoms of the reduced model's body that is a segment."""
    body = model.body(full.body(skeleton.segments[segment].root).name).id
    geoms = [int(g) for g in ground_geoms(model) if model.geom_bodyid[g] == body]
    turns = np.array([rotation(model.geom_quat[g]) for g in geoms])
    return Part(segment, model, tuple(geoms), model.geom_pos[geoms], turns)


def read_shape(full: mujoco.MjModel, skeleton: Skeleton) -> Feet:
    """Finds the feet: segments with touch sensors, a foot being one of them with those that hang on it."""
    touching = sorted({int(skeleton.segment_of[body]) for body in touch_sensors(full).values()})
    chains = []
    for heel in touching:
        if skeleton.segments[heel].parent in touching:
            continue
        chain = [heel]
        for segment in touching:  # parents come before their children
            if skeleton.segments[segment].parent in chain:
                chain.append(segment)
        chains.append(tuple(chain))
    axes = _walking_axes(full, skeleton, [chain[0] for chain in chains])
    wide = any(_leaves_plane(full, skeleton, chain[0], axes) for chain in chains)
    return Feet(full, skeleton, tuple(chains), axes, wide)


def standing_pose(skeleton: Skeleton, segment: int) -> tuple[np.ndarray, np.ndarray]:
    """Position [3] and orientation [3, 3] (world) of a segment at qpos0."""
    position, orientation = np.zeros(3), np.eye(3)
    while segment > 0:
        at = skeleton.segments[segment]
        position, orientation = at.position + at.orientation @ position, at.orientation @ orientation
        segment = at.parent
    return position, orientation


def reach(parts: list[Part], poses: list[tuple[np.ndarray, np.ndarray]], directions: np.ndarray) -> np.ndarray:
    """How far each part goes [parts, n], from the world's origin, along directions [n, 3]; m."""
    rows = []
    for part, (position, orientation) in zip(parts, poses, strict=True):
        local = directions @ orientation
        rows.append(np.einsum("ni,ni->n", part.supporting_points(local), local) + directions @ position)
    return np.array(rows)


def standing_points(parts: list[Part], poses: list[tuple[np.ndarray, np.ndarray]], down: np.ndarray) -> np.ndarray:
    """Where a foot in these poses stands (world, [n, 3]) if the directions ``down`` [n, 3] are down."""
    points = [p + part.supporting_points(down @ r) @ r.T for part, (p, r) in zip(parts, poses, strict=True)]
    return np.array(points)[reach(parts, poses, down).argmax(axis=0), np.arange(len(down))]


def _walking_axes(full: mujoco.MjModel, skeleton: Skeleton, heels: list[int]) -> np.ndarray:
    """Forward, left and up as rows [3, 3] in world axes: feet reach further forward of the ankle than behind it."""
    total = np.zeros(len(_LEVEL))
    for heel in heels:
        segment, pose = skeleton.segments[heel], standing_pose(skeleton, heel)
        ankle = full.jnt_pos[segment.joints[0]] if segment.hinge is None else segment.hinge
        ankle = pose[0] + pose[1] @ ankle
        total += reach([full_part(full, skeleton, heel)], [pose], _LEVEL)[0] - _LEVEL @ ankle
    forward = _LEVEL[total.argmax()]
    return np.array([forward, np.cross([0.0, 0.0, 1.0], forward), [0.0, 0.0, 1.0]])


def _leaves_plane(full: mujoco.MjModel, skeleton: Skeleton, segment: int, axes: np.ndarray) -> bool:
    """Can joints between the world and the segment roll or yaw it, or move it sideways?"""
    while segment > 0:
        for joint in skeleton.segments[segment].joints:
            along = np.abs(axes @ standing_pose(skeleton, segment)[1] @ full.jnt_axis[joint])
            slides = full.jnt_type[joint] == mujoco.mjtJoint.mjJNT_SLIDE
            if (along[1] if slides else max(along[0], along[2])) > _SIDEWAYS:
                return True
        segment = skeleton.segments[segment].parent
    return False
