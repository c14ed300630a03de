"""The angles that gait reports know: their model coordinate, which way is which, and the same on both legs.

Signs of gait laboratories; models without a coordinate (planar ones, an amputated ankle) go without the angle."""

import dataclasses

import numpy as np

from mjx_assist.eval.gait.cycles import base_name, joint_series
from mjx_assist.eval.replay.record import GaitRecord


@dataclasses.dataclass(frozen=True)
class Angle:
    """``coordinate`` x ``sign`` grows towards ``positive``; ``turns``: a root angle, seen mirrored by the left leg."""

    coordinate: str
    sign: int
    positive: str
    negative: str
    turns: bool = False


SAGITTAL = {
    "hip": Angle("hip_flexion", 1, "hip_flexion", "hip_extension"),
    "knee": Angle("knee_angle", -1, "knee_flexion", "knee_extension"),
    "ankle": Angle("ankle_angle", 1, "ankle_dorsiflexion", "ankle_plantarflexion"),
    "pelvis_tilt": Angle("pelvis_tilt", -1, "pelvis_forward_tilt", "pelvis_backward_tilt"),
}
OFF_PLANE = {
    "hip_adduction": Angle("hip_adduction", 1, "hip_adduction", "hip_abduction"),
    "hip_rotation": Angle("hip_rotation", 1, "hip_internal_rotation", "hip_external_rotation"),
    "pelvis_list": Angle("pelvis_list", -1, "pelvis_upward_obliquity", "pelvis_downward_obliquity", turns=True),
    "pelvis_rotation": Angle("pelvis_rotation", 1, "pelvis_forward_rotation", "pelvis_backward_rotation", turns=True),
}
LEG = ("hip", "knee", "ankle")  # joints with moments and powers that the published figures know


def angles_of(record: GaitRecord) -> dict[str, Angle]:
    """The angles that a record has: the sagittal ones always, the others where the model has the coordinate."""
    known = {base_name(name) for name in record.joint_names}
    return SAGITTAL | {name: angle for name, angle in OFF_PLANE.items() if angle.coordinate in known}


def in_3d(record: GaitRecord) -> bool:
    """Whether the walker can move sideways: planar models have no lateral figures."""
    return bool({"pelvis_tz", *(angle.coordinate for angle in OFF_PLANE.values())} & set(record.joint_names))


def model_angle(record: GaitRecord, angle: Angle) -> np.ndarray:
    """[T, 2] degrees in the right leg's model sign, for the left leg as the right one would see it."""
    series = np.degrees(joint_series(record, record.qpos, angle.coordinate))
    return series * (1, -1) if angle.turns else series
