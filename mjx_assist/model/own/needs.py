"""What a user's model must have to be trained: joints, touch sensors and actuators by name (docs/own_models.md)."""

import difflib

import mujoco

from mjx_assist.errors import UserError
from mjx_assist.model import anatomy
from mjx_assist.model.assembly import AS_COMPOSED, NO_DEVICE, full_model
from mjx_assist.model.own.file import is_path

_TOUCH = mujoco.mjtSensor.mjSENS_TOUCH
_LEG = ("hip_flexion", "knee_angle", "ankle_angle")
_FEET = ("r_foot", "l_foot")
_DIRECTION = {"pelvis_tx": "slides forward, along x", "pelvis_ty": "slides up, along z"}
_TURNS = "turns about y at qpos0"


def check(human: str) -> None:
    """Raises ``UserError`` with all that a human lacks to be trained that is a model from a file."""
    if is_path(human) and (missing := lacking(full_model(human, NO_DEVICE, AS_COMPOSED))):
        raise UserError(
            f"model {human!r} cannot be trained. It lacks: {'; '.join(missing)}. Name them so (docs/own_models.md says "
            "what a model must have)."
        )


def lacking(model: mujoco.MjModel) -> list[str]:
    """All that an unreduced model lacks to be trained, in words; ``[]`` if nothing."""
    present = {coordinate.name: coordinate for coordinate in anatomy.find(model)}
    joints = [*anatomy.ROOT, *(f"{joint}_{side}" for joint in _LEG for side in anatomy.SIDES)]
    free = [model.joint(j).name for j in range(model.njnt) if j not in {j for c in present.values() for j in c.joints}]
    found = [_joint(model, name, free) for name in joints if name not in present]
    sensors = [model.sensor(s).name for s in range(model.nsensor)]
    touch = [name for name, kind in zip(sensors, model.sensor_type, strict=True) if kind == _TOUCH]
    for name in [name for name in _FEET if name not in touch]:
        hint = _near(name, [other for other in touch if other not in _FEET])
        if name in sensors:
            hint = " (there is a sensor of this name, but of another kind)"
        found.append(f"a touch sensor {name!r} under the foot{hint}")
    if model.nu == 0:
        found.append("actuators (muscles, motors)")
    return found


def _joint(model: mujoco.MjModel, coordinate: str, free: list[str]) -> str:
    """A joint that is missing, or that is there and moves another way; ``free``: the joints that make no coordinate."""
    does = _DIRECTION.get(coordinate, _TURNS)
    if named := anatomy.named_like(model, coordinate):
        return f"a joint {named[0]!r} that {does} (it moves another way)"
    pattern = coordinate if coordinate in anatomy.ROOT else f"*{coordinate}"
    return f"a joint {pattern!r} that {does}{_near(coordinate, free)}"


def _near(name: str, have: list[str]) -> str:
    word = name.split("_")[0]
    alike = [other for other in have if word in other and other[-2:] == name[-2:]]
    near = difflib.get_close_matches(name, alike or have, n=1, cutoff=0.3 if alike else 0.6)
    return f" (is it {near[0]!r}?)" if near else ""
