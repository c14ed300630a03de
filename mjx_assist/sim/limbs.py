"""Which of a walker's joints are the person's own, which a prosthesis put in their place, and which leg is sound.

Told by names alone, so that gait records and models answer alike: a prosthesis' joint is called after the one that it
replaces (``OSL_A_L1_osl_ankle_angle_r``) and has no partner on the other leg.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import mujoco
import numpy as np

from mjx_assist.model.names import actuator_names, is_muscle, mirrored_name
from mjx_assist.paths import data_path

LEVELS = {"knee_angle": "transfemoral", "ankle_angle": "transtibial"}  # named by the uppermost joint that is replaced
LEGS = {"r": "right", "l": "left"}
_ARM = 1e-6  # m or gear: a smaller moment arm moves nothing


@dataclass(frozen=True)
class Limbs:
    """``replaced``: the prosthesis' joints. ``prosthetic``, ``sound``: "right" or "left", None where the legs are
    alike. ``level``: "transtibial" or "transfemoral", None where nothing is amputated."""

    replaced: tuple[str, ...] = ()
    prosthetic: str | None = None
    sound: str | None = None
    level: str | None = None

    def residual(self, joint: str) -> bool:
        """Whether a joint is of the leg that wears the prosthesis."""
        return self.prosthetic is not None and LEGS.get(joint[-1]) == self.prosthetic and joint[-2] == "_"


@dataclass(frozen=True)
class LoneMotor:
    """A motor about a joint that no muscle moves, and the most torque it gives (N*m) where the walker stands."""

    name: str
    joint: str
    torque: float


@cache
def coordinates() -> tuple[str, ...]:
    """Names that the joints of people have, those of each leg with its side."""
    table = json.loads(data_path("models", "references", "anatomy.json").read_text(encoding="utf-8"))
    return (*table["root"], *(f"{name}_{side}" for name in table["leg"] for side in LEGS))


def limbs(joints: Sequence[str]) -> Limbs:
    """What the names of a walker's joints say of its legs."""
    legs = [name for name in coordinates() if name[-2:] in ("_r", "_l")]
    replaced = {
        joint: coordinate
        for joint in joints
        for coordinate in legs
        if joint.endswith(f"_{coordinate}") and mirrored_name(joint) not in joints
    }
    sides = {LEGS[coordinate[-1]] for coordinate in replaced.values()}
    if len(sides) != 1:
        return Limbs(tuple(replaced))
    prosthetic = sides.pop()
    taken = {coordinate[:-2] for coordinate in replaced.values()}
    level = next((level for joint, level in LEVELS.items() if joint in taken), None)
    return Limbs(tuple(replaced), prosthetic, next(leg for leg in LEGS.values() if leg != prosthetic), level)


def lone_motors(model: mujoco.MjModel) -> list[LoneMotor]:
    """The motors of a powered prosthesis, and of a device that has joints of its own."""
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    arms = np.zeros((model.nu, model.nv))
    mujoco.mju_sparse2dense(arms, data.actuator_moment, data.moment_rownnz, data.moment_rowadr, data.moment_colind)
    muscle = is_muscle(model)
    helped = np.abs(arms[muscle]).max(axis=0, initial=0.0) > _ARM
    most = np.abs(model.actuator_ctrlrange).max(axis=1) * np.abs(model.actuator_gainprm[:, 0] * arms.T).max(axis=0)
    driven = np.abs(arms).argmax(axis=1)
    return [
        LoneMotor(name, model.joint(int(driven[a])).name, float(most[a]))
        for a, name in enumerate(actuator_names(model))
        if not muscle[a] and not helped[driven[a]]
    ]
