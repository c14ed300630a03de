"""A walk that turned, laid out straight: what a gait record holds of it, and back to where it was in the world.

Gait analysis reads x as forward. So the record of a turning walk is seen along the commanded heading (`sim.heading`):
places as they lie from the pelvis, and the pelvis where it has come to along its path. A foot that stands turns under
the pelvis there, and the strides of the outer and of the inner foot are as long as the pelvis' way.
"""

import dataclasses
from typing import Any

import numpy as np

from mjx_assist.eval.replay.record import GaitRecord
from mjx_assist.sim import heading
from mjx_assist.sim.heading import Frame, Root

PLACES = ("foot_position", "toe_position", "toe_tip", "com_position", "center_of_pressure")
VECTORS = ("ground_reaction", "com_velocity")


def along_heading(columns: dict[str, Any], root: Root, frame: Frame, rate: np.ndarray) -> dict[str, Any]:
    """A record's columns over T samples, of the world, along the frame ``[T]`` and its rate ``[T]`` (rad/s)."""
    qpos, qvel = columns["qpos"], columns["qvel"]
    begin = np.stack([qpos[:, root.forward], -qpos[:, root.side], 0 * rate], axis=1)
    end = np.stack([frame.way, -frame.side, 0 * rate], axis=1)
    seen = {"qpos": heading.seen_pose(root, frame, qpos), "qvel": heading.seen_motion(root, frame, rate, qpos, qvel)}
    for name in (*PLACES, *VECTORS):
        series = columns[name]
        shape = (-1, *[1] * (series.ndim - 2), 3)
        fixed = name in PLACES
        turned = heading.seen_vector(
            frame.heading.reshape(shape[:-1]), series - begin.reshape(shape) if fixed else series
        )
        seen[name] = turned + end.reshape(shape) if fixed else turned
    return {**columns, **seen}


def in_world(record: GaitRecord) -> GaitRecord:
    """The record as the walk was in the world, for programs that play it; itself where it did not turn."""
    if not np.any(record.heading):
        return record
    root = heading.root_in(record.joint_names)
    yaw, place = np.asarray(record.heading), np.asarray(record.pelvis_place)
    back = Frame(-yaw, place[:, 0], -place[:, 1])
    rate = -np.gradient(yaw, record.time)
    columns = {name: getattr(record, name) for name in ("qpos", "qvel", *PLACES, *VECTORS)}
    return dataclasses.replace(record, **along_heading(columns, root, back, rate), heading=None)


def on_level_ground(record: GaitRecord) -> GaitRecord:
    """The record of a walk that turned with its pelvis as high as over level ground, for pictures: what it walked on is
    not along its heading."""
    qpos = record.qpos.copy()
    qpos[:, record.joint_names.index("pelvis_ty")] -= np.asarray(record.com_ground)
    return dataclasses.replace(record, qpos=qpos)
