"""A user's own MuJoCo XML as the full model that everything else expects: all named, and with one floor."""

from pathlib import Path

import mujoco

from mjx_assist.config.words import LEAN_MARK, SUBJECT_MARK
from mjx_assist.errors import UserError
from mjx_assist.model.own.carry import check_options
from mjx_assist.model.own.ground import put_floor
from mjx_assist.paths import expanded

_NAMED = ("body", "joint", "geom", "site", "tendon", "actuator", "sensor")
_PLURAL = {"body": "bodies"}


def is_path(human: str) -> bool:
    """Is a human named by a file instead of a key?"""
    name = human.partition(LEAN_MARK)[0].partition(SUBJECT_MARK)[0]
    return name.endswith(".xml") or "/" in human or "\\" in human


def stem(human: str) -> str:
    """The file's name without its ending, of a path with whatever marks."""
    return Path(human.partition(LEAN_MARK)[0].partition(SUBJECT_MARK)[0]).stem


def read(path: str, floor: str) -> mujoco.MjSpec:
    """The spec in an XML file, everything in it named, with a level plane called ``floor`` at z = 0.

    Raises ``UserError`` for a file that is not there, that MuJoCo cannot read, or that states what no reduction carries
    over, and for other grounds.
    """
    file = expanded(path)
    if not file.is_file():
        raise UserError(f"model file {path!r} is not there.")
    try:
        spec = mujoco.MjSpec.from_file(str(file))
    except ValueError as error:
        raise UserError(f"model file {path!r}: {error}") from error
    if len(spec.flexes) or len(spec.plugins):
        raise UserError(f"cannot reduce {path!r}: it has {'flexes' if len(spec.flexes) else 'plugins'}.")
    if not len(spec.joints):
        raise UserError(f"cannot reduce {path!r}: it has no joints, so there is nothing that could walk.")
    check_options(spec, path)
    _name_everything(spec)
    try:
        put_floor(spec, path, floor)
    except ValueError as error:
        raise UserError(f"model {path!r} does not compile: {error}") from None
    return spec


def _name_everything(spec: mujoco.MjSpec) -> None:
    for kind in _NAMED:
        elements = getattr(spec, _PLURAL.get(kind, f"{kind}s"))
        taken = {element.name for element in elements}
        for number, element in enumerate(elements):
            if not element.name:
                name = f"{kind}_{number}"
                element.name = name if name not in taken else f"{name}_unnamed"
