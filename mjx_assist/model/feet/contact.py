"""Foot contact as a few spheres that reach the ground where the full model's feet, shoes and devices do."""

from dataclasses import dataclass

import mujoco
import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.model.feet.shape import Feet, Part, full_part, reach, read_shape, standing_pose, touch_sensors
from mjx_assist.model.feet.spheres import Ball, Target, fit_spheres
from mjx_assist.model.skeleton.skeleton import Skeleton

__all__ = ["Foot", "Sole", "Sphere", "fit_soles", "name_spheres", "touch_sensors"]
_STEEP = np.arange(10.0, 31.0, 2.5)
_PITCH = np.radians([*-_STEEP[::-1], -8, -6, -4.5, -3, -1.5, 0, 1.5, 3, 4.5, 6, 8, *_STEEP])  # positive toes down
_ROLL = np.radians([-10, -8, -6, -4.5, -3, -1.5, 0, 1.5, 3, 4.5, 6, 8, 10])  # where the model can roll
_BENDS = [0.0, 0.25, 0.5, 0.75, 1.0]  # of the walking range of the joints within the foot
TOLERANCE = 0.0025  # m, of how far down a foot reaches
_FLUSH = 0.003  # m: parts that are this much short of touching still need spheres, for contacts sink in
_MARGIN = 0.01  # m that a touch volume reaches beyond its spheres


@dataclass(frozen=True)
class Sphere:
    name: str
    centre: np.ndarray  # [3] in the segment's frame, m
    radius: float


@dataclass(frozen=True)
class Foot:
    """The spheres of one touch sensor and the box around them in which it counts contacts."""

    sensor: str
    segment: int
    spheres: tuple[Sphere, ...]
    volume_centre: np.ndarray  # [3] in the segment's frame
    volume_size: np.ndarray  # [3] half sizes, along the segment's axes


@dataclass(frozen=True)
class Sole:
    """One segment's part of a foot, and the spheres that stand for it."""

    part: Part  # the full model's
    frame: np.ndarray  # [3, 3] forward, left and up as rows, in the segment's axes, when the human stands at qpos0
    target: Target  # in that frame
    balls: list[Ball]


def fit_soles(
    full: mujoco.MjModel, skeleton: Skeleton, walking_range: dict[str, tuple[float, float]]
) -> list[list[Sole]]:
    """Per foot, spheres under each touching segment, such that it reaches as far down as in the full model.

    As few as do so within 2.5 mm when the foot is pitched by up to 30 degrees either way, with the joints within it
    anywhere in ``walking_range`` (joint name -> (lowest, highest) angle, rad), and rolled by up to 10 degrees if the
    model can roll.
    """
    shape = read_shape(full, skeleton)
    down = shape.attitudes(_PITCH, _ROLL)
    feet = []
    for chain in shape.chains:
        parts = [full_part(full, skeleton, segment) for segment in chain]
        bends = shape.bends(chain, walking_range, _BENDS)
        reaches = [reach(parts, poses, down) for poses in bends]
        soles = []
        for k, part in enumerate(parts):
            frame = shape.axes @ standing_pose(skeleton, part.segment)[1]
            target = _target(shape, part, frame, down, [poses[k] for poses in bends], reaches, k)
            soles.append(Sole(part, frame, target, fit_spheres(target, TOLERANCE)))
        feet.append(soles)
    return feet


def name_spheres(full: mujoco.MjModel, skeleton: Skeleton, soles: list[list[Sole]]) -> list[Foot]:
    """The soles' spheres in their segments' frames, each with the touch sensor that feels it."""
    feet = []
    for sole in (sole for foot in soles for sole in foot):
        balls = sorted(sole.balls, key=lambda ball: (ball.centre[0], ball.centre[1]))
        spheres = [(ball.centre @ sole.frame, ball.radius) for ball in balls]
        feet.extend(_by_sensor(full, skeleton, sole.part.segment, sole.frame[0], spheres))
    return feet


def _target(shape: Feet, part: Part, frame, down, poses, reaches, k: int) -> Target:
    """What the k-th part of a foot has to reach, one sample per direction in its own frame.

    ``poses``: its own per bend; ``reaches``: of all parts [parts, n] per bend. It may reach as far as the whole foot
    does, in every bend; it has to where it is the furthest part, in any bend.
    """
    local = np.concatenate([down @ orientation for _, orientation in poses])
    offset = np.concatenate([down @ position for position, _ in poses])
    own = np.concatenate([r[k] for r in reaches]) - offset
    ceiling = np.concatenate([r.max(axis=0) for r in reaches]) - offset
    _, first, same = np.unique(local.round(9), axis=0, return_index=True, return_inverse=True)
    lowest, needed = np.full(len(first), np.inf), np.zeros(len(first), dtype=bool)
    np.minimum.at(lowest, same.ravel(), ceiling)
    np.logical_or.at(needed, same.ravel(), own >= ceiling - _FLUSH)
    points = part.supporting_points(local[first]) @ frame.T
    low, high = points.min(axis=0), points.max(axis=0)
    if not shape.wide:
        low[1] = high[1] = (low[1] + high[1]) / 2
    return Target(local[first] @ frame.T, own[first], lowest, needed, low, high, shape.wide)


def _by_sensor(full, skeleton, segment: int, forward: np.ndarray, spheres) -> list[Foot]:
    """The segment's touch sensors with their spheres; sensors that share a segment share its spheres by distance."""
    sites = {}
    for sensor, body in touch_sensors(full).items():
        if skeleton.segment_of[body] == segment:
            site = full.sensor_objid[full.sensor(sensor).id]
            sites[sensor] = forward @ (skeleton.place[body] + skeleton.turn[body] @ full.site_pos[site])
    owners = [min(sites, key=lambda sensor: abs(sites[sensor] - forward @ centre)) for centre, _ in spheres]
    feet = []
    for sensor in sites:
        mine = [sphere for sphere, owner in zip(spheres, owners, strict=True) if owner == sensor]
        if not mine:
            raise UserError(f"cannot reduce: touch sensor {sensor!r} has nothing of the sole near it.")
        named = tuple(Sphere(f"{sensor}_{k}", *sphere) for k, sphere in enumerate(mine, start=1))
        low = np.min([s.centre - s.radius for s in named], axis=0) - _MARGIN
        high = np.max([s.centre + s.radius for s in named], axis=0) + _MARGIN
        feet.append(Foot(sensor, segment, named, (low + high) / 2, (high - low) / 2))
    return feet
