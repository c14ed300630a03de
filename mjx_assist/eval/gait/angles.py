"""The angles of gait reports, told once: coordinate, which way is which, title, unit. Plots, tables, exports follow.

Signs of gait laboratories; models without a coordinate (planar ones, an amputated ankle) go without the angle."""

import dataclasses

import numpy as np

from mjx_assist.eval.gait.cycles import base_name, leg_series
from mjx_assist.eval.replay.record import GaitRecord


@dataclasses.dataclass(frozen=True)
class Angle:
    """``coordinate``, without its side, times ``sign`` grows towards ``positive``.

    ``positive`` and ``negative``: the directions in the names of figures, the joint first; ``words``: the same two for
    a person who knows the joint. ``turns``: a root angle, seen mirrored by the left leg.
    """

    coordinate: str
    sign: int
    positive: str
    negative: str
    title: str
    words: tuple[str, str]
    turns: bool = False
    unit: str = "deg"

    @property
    def label(self) -> str:
        """Of an axis in the reports' sign: "flexion (deg)"."""
        return f"{_direction(self.positive)} ({self.unit})"

    @property
    def column(self) -> str:
        """The title's last word, for a narrow column."""
        return self.title.lower().split()[-1]

    def towards(self, sign: float) -> str:
        """In words, where the model's coordinate times ``sign`` grows."""
        return self.words[int(sign * self.sign < 0)]


SAGITTAL = {
    "hip": Angle("hip_flexion", 1, "hip_flexion", "hip_extension", "Hip", ("hip flexion", "hip extension")),
    "knee": Angle("knee_angle", -1, "knee_flexion", "knee_extension", "Knee", ("knee flexion", "knee extension")),
    "ankle": Angle(
        "ankle_angle", 1, "ankle_dorsiflexion", "ankle_plantarflexion", "Ankle", ("dorsiflexion", "plantarflexion")
    ),
    "pelvis_tilt": Angle(
        "pelvis_tilt",
        -1,
        "pelvis_forward_tilt",
        "pelvis_backward_tilt",
        "Pelvis tilt",
        ("forward tilt", "backward tilt"),
    ),
}
OFF_PLANE = {
    "hip_adduction": Angle(
        "hip_adduction", 1, "hip_adduction", "hip_abduction", "Hip adduction", ("hip adduction", "hip abduction")
    ),
    "hip_rotation": Angle(
        "hip_rotation",
        1,
        "hip_internal_rotation",
        "hip_external_rotation",
        "Hip rotation",
        ("internal rotation", "external rotation"),
    ),
    "pelvis_list": Angle(
        "pelvis_list",
        -1,
        "pelvis_upward_obliquity",
        "pelvis_downward_obliquity",
        "Pelvis list",
        ("right side up", "right side down"),
        turns=True,
    ),
    "pelvis_rotation": Angle(
        "pelvis_rotation",
        1,
        "pelvis_forward_rotation",
        "pelvis_backward_rotation",
        "Pelvis rotation",
        ("right side forward", "right side backward"),
        turns=True,
    ),
}
# Not measured: gait laboratories see the foot as one. A device may act on them.
FOOT = {
    "subtalar": Angle("subtalar_angle", 1, "foot_inversion", "foot_eversion", "Subtalar", ("inversion", "eversion")),
    "toes": Angle("mtp_angle", 1, "toe_extension", "toe_flexion", "Toes", ("toe extension", "toe flexion")),
}
MEASURED = SAGITTAL | OFF_PLANE
BY_COORDINATE = {angle.coordinate: angle for angle in (MEASURED | FOOT).values()}
FRONTAL = ("hip_adduction",)  # with moments too, of which there are no published curves here
LEG = ("hip", "knee", "ankle")  # joints with moments and powers that the published figures know
PANELS = {name: SAGITTAL[name] for name in ("pelvis_tilt", *LEG)}  # as figures show them, from the top of the body down


def _direction(name: str) -> str:
    """ "forward tilt" of "pelvis_forward_tilt"."""
    return name.partition("_")[2].replace("_", " ")


# Moments and device torques, by coordinate: the sign that turns the model's into the reports', which is positive where
# they extend or push the foot down, and the word for that.
MOMENT_SIGNS = {SAGITTAL[n].coordinate: (-SAGITTAL[n].sign, _direction(SAGITTAL[n].negative)) for n in LEG}
JOINT_TITLES = {SAGITTAL[name].coordinate: name for name in LEG}


def angles_of(record: GaitRecord) -> dict[str, Angle]:
    """The angles that a record has: the sagittal ones always, the others where the model has the coordinate."""
    known = {base_name(name) for name in record.joint_names}
    return SAGITTAL | {name: angle for name, angle in OFF_PLANE.items() if angle.coordinate in known}


def in_3d(record: GaitRecord) -> bool:
    """Whether the walker can move sideways: planar models have no lateral figures."""
    return bool({"pelvis_tz", *(angle.coordinate for angle in OFF_PLANE.values())} & set(record.joint_names))


def model_angle(record: GaitRecord, angle: Angle) -> np.ndarray:
    """[T, 2] degrees in the right leg's model sign, for the left leg as the right one would see it."""
    return _degrees(record, record.qpos, angle)


def reference_angle(record: GaitRecord, angle: Angle) -> np.ndarray:
    """[T, 2] degrees of the reference at the same instants, as ``model_angle``."""
    return _degrees(record, record.reference_qpos, angle)


def _degrees(record: GaitRecord, positions: np.ndarray, angle: Angle) -> np.ndarray:
    series = np.degrees(leg_series(record, positions, angle.coordinate))
    return series * (1, -1) if angle.turns else series
