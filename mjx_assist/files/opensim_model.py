"""What a scaled OpenSim model (.osim) says of its person: mass, and lengths between joint centres.

Of OpenSim 4 (frames with an offset) and 3 (``location_in_parent``); a knee whose centre moves by a spline is read at
zero. Nothing else of the model is used.
"""

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.files.untrusted import read_bytes

_MOST_BYTES = 2**27
_BODIES = {"thigh": "femur", "shank": "tibia", "foot": "calcn"}  # segment -> the bone that the next joint is placed in
_JOINTS = {"thigh": "knee", "shank": "ankle", "foot": "mtp"}
_SHORTEST = 0.02  # m, of a length that is one


def read_opensim_model(path: str | Path) -> dict:
    """The data of a subject: ``mass`` (kg) and ``segment_lengths`` (m).

    Raises:
        UserError: no such file, no OpenSim model, or none with these bones.
    """
    what = f"OpenSim model {str(path)!r}"
    content = read_bytes(Path(path), what, _MOST_BYTES)
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise UserError(f"{what}: declares entities of its own, which is not read; OpenSim writes none.")
    try:
        root = ET.fromstring(content)
    except (ET.ParseError, ValueError, LookupError) as error:
        raise UserError(f"{what} is not XML: {error}.") from None
    model = root.find("Model") if root.tag == "OpenSimDocument" else None
    if model is None:
        raise UserError(f"{what}: begins with <{root.tag}>, not with an OpenSimDocument that holds a Model.")
    masses = [m[0] for body in model.iter("Body") if (m := _numbers(body, "mass", what)) is not None and m.size]
    lengths = _lengths(_joint_places(model, what))
    if not lengths:
        raise UserError(
            f"{what}: has no hips, knees or ankles under the names femur, tibia, calcn and knee, ankle, mtp."
        )
    mass = float(sum(masses))
    if mass <= 0:
        raise UserError(f"{what}: its bodies have no mass.")
    return {"mass": round(mass, 3), "segment_lengths": {name: round(m, 5) for name, m in sorted(lengths.items())}}


def _numbers(element: ET.Element, tag: str, what: str) -> np.ndarray | None:
    text = element.findtext(tag)
    try:
        values = None if text is None else np.array([float(part) for part in text.split()])
    except ValueError:
        raise UserError(
            f"{what}: <{tag}> of {element.get('name')!r} holds {(text or '')[:40]!r}, which is no number."
        ) from None
    if values is not None and not np.isfinite(values).all():
        raise UserError(f"{what}: <{tag}> of {element.get('name')!r} is not finite.")
    return values


def _joint_places(model: ET.Element, what: str) -> dict[tuple[str, str], np.ndarray]:
    """(joint's name, bone that it is placed in) -> where, m, in that bone's frame with all coordinates at zero."""
    places = {}
    for joint in model.iter():
        name = joint.get("name") or ""
        if not joint.tag.endswith("Joint") or not name:
            continue
        bone, offset = _parent(joint, what)
        if bone and offset is not None and offset.size == 3:
            places[name, bone] = offset + _moved(joint, what)
    return places


def _parent(joint: ET.Element, what: str) -> tuple[str, np.ndarray | None]:
    old = joint.findtext("parent_body")
    if old is not None:
        return old.strip(), _numbers(joint, "location_in_parent", what)
    frame_name = (
        joint.findtext("socket_parent_frame") or joint.findtext("socket_parent_frame_connectee_name") or ""
    ).strip()
    for frame in joint.iter("PhysicalOffsetFrame"):
        if frame.get("name") == frame_name.split("/")[-1]:
            bone = frame.findtext("socket_parent") or frame.findtext("socket_parent_connectee_name") or ""
            return bone.strip().split("/")[-1], _numbers(frame, "translation", what)
    return frame_name.split("/")[-1], np.zeros(3)


def _moved(joint: ET.Element, what: str) -> np.ndarray:
    """What a custom joint's translations add at zero."""
    moved = np.zeros(3)
    for axis in joint.iter("TransformAxis"):
        if (axis.get("name") or "").startswith("translation"):
            direction = _numbers(axis, "axis", what)
            if direction is not None and direction.size == 3:
                moved += direction * _at_zero(axis, what)
    return moved


def _at_zero(axis: ET.Element, what: str) -> float:
    factor = 1.0
    for multiplier in axis.iter("MultiplierFunction"):
        scale = _numbers(multiplier, "scale", what)
        factor *= 1.0 if scale is None or not scale.size else float(scale[0])
    for tag in ("SimmSpline", "NaturalCubicSpline", "PiecewiseLinearFunction"):
        for spline in axis.iter(tag):
            x, y = _numbers(spline, "x", what), _numbers(spline, "y", what)
            if x is not None and y is not None and x.size == y.size > 0:
                return factor * float(np.interp(0.0, x, y))
    for tag in ("LinearFunction", "PolynomialFunction"):
        for polynomial in axis.iter(tag):
            coefficients = _numbers(polynomial, "coefficients", what)  # of the highest power first
            return 0.0 if coefficients is None or not coefficients.size else factor * float(coefficients[-1])
    for constant in axis.iter("Constant"):
        value = _numbers(constant, "value", what)
        return 0.0 if value is None or not value.size else factor * float(value[0])
    return 0.0


def _lengths(places: dict[tuple[str, str], np.ndarray]) -> dict[str, float]:
    found: dict[str, float] = {}
    for side in ("r", "l"):
        for segment, bone in _BODIES.items():
            for (joint, parent), place in places.items():
                if parent == f"{bone}_{side}" and _JOINTS[segment] in joint.lower() and "patell" not in joint.lower():
                    found[f"{segment}_{side}"] = float(np.linalg.norm(place))
    hips = [place for (joint, parent), place in places.items() if parent == "pelvis" and "hip" in joint.lower()]
    if len(hips) == 2:
        found["pelvis"] = float(np.linalg.norm(hips[0] - hips[1]))
    return {name: length for name, length in found.items() if length > _SHORTEST}
