"""Writes the reduced model as plain MJCF, at full precision and without anything idle."""

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from typing import Any

import mujoco
import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.model.attributes import number, quaternion, span, text, unless
from mjx_assist.model.feet.contact import Foot
from mjx_assist.model.muscles.paths import MusclePath, PathPoint, WrapSurface, branches_of
from mjx_assist.model.own.carry import compensation
from mjx_assist.model.skeleton.inertia import Inertial
from mjx_assist.model.skeleton.skeleton import Segment, Skeleton
from mjx_assist.model.subjects.told import LEG_SCALE, leg_scale
from mjx_assist.model.warnings_heard import hear_warnings
from mjx_assist.terrain.heightfield import FLOOR


def with_physics_rate(xml: str, rate: int) -> str:
    """The MJCF with timestep 1 / rate (Hz)."""
    spec = mujoco.MjSpec.from_string(xml)
    spec.option.timestep = 1.0 / rate
    spec.compile()
    return spec.to_xml()


_JOINT_TYPES = {mujoco.mjtJoint.mjJNT_SLIDE: "slide", mujoco.mjtJoint.mjJNT_HINGE: "hinge"}
_SOLREF, _SOLIMP = [0.02, 1], [0.9, 0.95, 0.001, 0.5, 2]  # MuJoCo's defaults
_TERMS = 5  # of a joint equality's polynomial
_RIGID = 0.002  # s, time constant of the couplings that are kept: they slip by hundredths of a millimetre
_HARD = (0.99, 0.999)  # their impedance at least: as soft as by default they slip by a centimetre at 240 Hz
_SITE_SIZE = 0.003  # m, of a muscle path point in a viewer


def write(
    full: mujoco.MjModel,
    skeleton: Skeleton,
    paths: Iterable[MusclePath],
    feet: Iterable[Foot],
    markers: dict[str, tuple[int, np.ndarray]],
    option: dict[str, Any],
    contact: dict[str, Any],
) -> str:
    """MJCF text.

    ``markers``: framepos sensor name -> (segment, position [3] in it). ``option`` and ``contact``: attributes of MJCF's
    ``<option>`` and, for every foot sphere with the floor, ``<pair>``.
    """
    paths, feet = list(paths), list(feet)
    root = ET.Element("mujoco", model="reduced")
    ET.SubElement(root, "compiler", angle="radian", autolimits="false", balanceinertia="false")
    ET.SubElement(root, "option", text(option))
    default = ET.SubElement(root, "default")
    ET.SubElement(default, "geom", type="sphere", contype="0", conaffinity="0", mass="0")
    ET.SubElement(default, "site", size=number(_SITE_SIZE), group="3")
    ET.SubElement(default, "pair", text(contact))
    bodies = _bodies(root, full, skeleton)
    _add_points(bodies, paths, feet, markers)
    _add_contact(root, feet)
    _add_tendons(root, full, paths)
    _add_actuators(root, full, paths)
    _add_equalities(root, full, skeleton, float(option["timestep"]))
    sensors = ET.SubElement(root, "sensor")
    for foot in feet:
        ET.SubElement(sensors, "touch", name=foot.sensor, site=foot.sensor)
    for name in markers:
        ET.SubElement(sensors, "framepos", name=name, objtype="site", objname=name)
    _add_keyframes(root, full, skeleton)
    if (scale := leg_scale(full)) != 1.0:
        ET.SubElement(ET.SubElement(root, "custom"), "numeric", name=LEG_SCALE, data=f"{scale:.17g}")
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def load(xml: str) -> mujoco.MjModel:
    """The compiled model with MuJoCo's automatic reset off, so that divergence shows in C.

    Island discovery is off too: a walker is one island, and looking for more takes 4 % of a step. Not flags in the
    file: MJX's warp backend refuses the first (it never resets by itself).
    """
    hear_warnings()
    model = mujoco.MjModel.from_xml_string(xml)
    model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET | mujoco.mjtDisableBit.mjDSBL_ISLAND
    return model


def _bodies(root: ET.Element, full: mujoco.MjModel, skeleton: Skeleton) -> list[ET.Element]:
    """One element per segment, the world first, nested, with inertia and joints."""
    world = ET.SubElement(root, "worldbody")
    ET.SubElement(world, "light", pos="0 -2 4", dir="0 0.4 -1", directional="true")
    ET.SubElement(world, "geom", name=FLOOR, type="plane", size="0 0 1", rgba="0.75 0.78 0.8 1")
    bodies = [world]
    for segment in skeleton.segments[1:]:
        name = full.body(segment.root).name
        where = {"pos": segment.position, "quat": unless(quaternion(segment.orientation), [1, 0, 0, 0])}
        where["gravcomp"] = unless(compensation(full, segment.members), 0.0)
        body = ET.SubElement(bodies[segment.parent], "body", {"name": name, **text(where)})
        _add_inertial(body, segment.inertial)
        for joint in segment.joints:
            _add_joint(body, full, joint, segment, *skeleton.reflected[joint])
        bodies.append(body)
    return bodies


def _add_inertial(body: ET.Element, inertial: Inertial) -> None:
    i = inertial.inertia
    full = [i[0, 0], i[1, 1], i[2, 2], i[0, 1], i[0, 2], i[1, 2]]
    ET.SubElement(body, "inertial", text({"pos": inertial.centre, "mass": inertial.mass, "fullinertia": full}))


def _add_joint(body: ET.Element, full: mujoco.MjModel, joint: int, segment: Segment, armature, damping) -> None:
    """``armature``, ``damping``: what folded joints add to the joint's own."""
    dof, qpos = full.jnt_dofadr[joint], full.jnt_qposadr[joint]
    limited = bool(full.jnt_limited[joint])
    position = full.jnt_pos[joint] if segment.hinge is None else segment.hinge
    attributes = {
        "name": full.joint(joint).name,
        "type": _JOINT_TYPES[mujoco.mjtJoint(full.jnt_type[joint])],
        "pos": unless(position, np.zeros(3)),
        "axis": full.jnt_axis[joint],
        "limited": limited or None,
        "range": full.jnt_range[joint] if limited else None,
        "ref": unless(full.qpos0[qpos], 0.0),
        "springref": unless(full.qpos_spring[qpos], full.qpos0[qpos]),
        "stiffness": unless(full.jnt_stiffness[joint], 0.0),
        "damping": unless(full.dof_damping[dof] + damping, 0.0),
        "armature": unless(full.dof_armature[dof] + armature, 0.0),
        "frictionloss": unless(full.dof_frictionloss[dof], 0.0),
        "margin": unless(full.jnt_margin[joint], 0.0),
        "solreflimit": unless(full.jnt_solref[joint], _SOLREF),
        "solimplimit": unless(full.jnt_solimp[joint], _SOLIMP),
        "solreffriction": unless(full.dof_solref[dof], _SOLREF),
        "solimpfriction": unless(full.dof_solimp[dof], _SOLIMP),
        **span("actuatorfrc", full.jnt_actfrclimited[joint], full.jnt_actfrcrange[joint]),
    }
    ET.SubElement(body, "joint", text(attributes))


def _add_points(bodies, paths, feet, markers) -> None:
    """Muscle path points, contact spheres, touch volumes and position markers."""
    elements = [e for path in paths for branch in branches_of(path) for e in branch.elements]
    surfaces = {e.name: e for e in elements if isinstance(e, WrapSurface)}
    sides = [e.side for e in elements if isinstance(e, WrapSurface)]  # tendons on one surface have each their own
    for point in {e.name: e for e in [*elements, *sides] if isinstance(e, PathPoint)}.values():
        ET.SubElement(bodies[point.segment], "site", {"name": point.name, **text({"pos": point.position})})
    for surface in surfaces.values():
        shape = {"type": surface.shape, "size": surface.size[: 1 if surface.shape == "sphere" else 2], "group": "4"}
        where = {"pos": surface.position, "quat": unless(quaternion(surface.orientation), [1, 0, 0, 0])}
        ET.SubElement(bodies[surface.segment], "geom", {"name": surface.name, **text(shape | where)})
    for foot in feet:
        volume = {"pos": foot.volume_centre, "size": foot.volume_size, "type": "box", "rgba": "0.8 0.2 0.2 0.2"}
        ET.SubElement(bodies[foot.segment], "site", {"name": foot.sensor, **text(volume)})
        for sphere in foot.spheres:
            shape = {"pos": sphere.centre, "size": sphere.radius}
            ET.SubElement(bodies[foot.segment], "geom", {"name": sphere.name, **text(shape)})
    for name, (segment, position) in markers.items():
        ET.SubElement(bodies[segment], "site", {"name": name, **text({"pos": position})})


def _add_contact(root: ET.Element, feet: list[Foot]) -> None:
    pairs = ET.SubElement(root, "contact")
    for foot in feet:
        for sphere in foot.spheres:
            ET.SubElement(pairs, "pair", name=f"{sphere.name}_{FLOOR}", geom1=FLOOR, geom2=sphere.name)


def _add_tendons(root: ET.Element, full: mujoco.MjModel, paths: list[MusclePath]) -> None:
    tendons = ET.SubElement(root, "tendon")
    for path in paths:
        t = path.tendon
        limited = bool(full.tendon_limited[t])
        stiff = full.tendon_stiffness[t] > 0  # without stiffness the spring length means nothing
        attributes = {
            "name": full.tendon(t).name,
            "limited": limited or None,
            "range": full.tendon_range[t] - path.constant if limited else None,
            "stiffness": unless(full.tendon_stiffness[t], 0.0),
            "springlength": full.tendon_lengthspring[t] - path.constant if stiff else None,
            "damping": unless(full.tendon_damping[t], 0.0),
            "frictionloss": unless(full.tendon_frictionloss[t], 0.0),
            "margin": unless(full.tendon_margin[t], 0.0),
            "solreflimit": unless(full.tendon_solref_lim[t], _SOLREF),
            "solimplimit": unless(full.tendon_solimp_lim[t], _SOLIMP),
            "solreffriction": unless(full.tendon_solref_fri[t], _SOLREF),
            "solimpfriction": unless(full.tendon_solimp_fri[t], _SOLIMP),
            "user": [path.constant, path.bundles],
        }
        if path.joints:
            tendon = ET.SubElement(tendons, "fixed", text(attributes))
            for joint, share in path.joints:
                ET.SubElement(tendon, "joint", joint=joint, coef=number(share))
            continue
        tendon = ET.SubElement(tendons, "spatial", text(attributes | {"rgba": "0.95 0.3 0.3 1"}))
        for k, branch in enumerate(branches_of(path)):
            if k or branch.divisor != 1:  # a pulley starts a branch whose length counts 1 / divisor
                ET.SubElement(tendon, "pulley", divisor=number(branch.divisor))
            for element in branch.elements:
                _add_element(tendon, element)


def _add_element(tendon: ET.Element, element: PathPoint | WrapSurface) -> None:
    if isinstance(element, PathPoint):
        ET.SubElement(tendon, "site", site=element.name)
        return
    side = {} if element.side is None else {"sidesite": element.side.name}
    ET.SubElement(tendon, "geom", {"geom": element.name, **side})


def _add_actuators(root: ET.Element, full: mujoco.MjModel, paths: list[MusclePath]) -> None:
    """The full model's actuators; laws of a tendon's length allow for ``path.constant``, which it lacks here."""
    actuators = ET.SubElement(root, "actuator")
    constant = {path.tendon: path.constant for path in paths}
    kinds = {
        "dyntype": ({int(v): k for k, v in _names(mujoco.mjtDyn, "mjDYN_").items()}, full.actuator_dyntype),
        "gaintype": ({int(v): k for k, v in _names(mujoco.mjtGain, "mjGAIN_").items()}, full.actuator_gaintype),
        "biastype": ({int(v): k for k, v in _names(mujoco.mjtBias, "mjBIAS_").items()}, full.actuator_biastype),
    }
    for a in range(full.nu):
        drives_tendon = full.actuator_trntype[a] == mujoco.mjtTrn.mjTRN_TENDON
        target = full.tendon if drives_tendon else full.joint
        shift = constant[full.actuator_trnid[a, 0]] * full.actuator_gear[a, 0] if drives_tendon else 0.0
        attributes = {
            "name": full.actuator(a).name,
            "tendon" if drives_tendon else "joint": target(full.actuator_trnid[a, 0]).name,
            "gear": unless(full.actuator_gear[a], [1, 0, 0, 0, 0, 0]),
            **span("ctrl", full.actuator_ctrllimited[a], full.actuator_ctrlrange[a]),
            **span("force", full.actuator_forcelimited[a], full.actuator_forcerange[a]),
            **span("act", full.actuator_actlimited[a], full.actuator_actrange[a]),
            **{key: names[int(values[a])] for key, (names, values) in kinds.items()},
            "dynprm": full.actuator_dynprm[a],
            "gainprm": _of_shifted_length(full, a, full.actuator_gainprm[a], full.actuator_gaintype[a], shift),
            "biasprm": _of_shifted_length(full, a, full.actuator_biasprm[a], full.actuator_biastype[a], shift),
            "lengthrange": None if np.ptp(full.actuator_lengthrange[a]) == 0 else full.actuator_lengthrange[a] - shift,
        }
        ET.SubElement(actuators, "general", text(attributes))


def _of_shifted_length(full: mujoco.MjModel, a: int, prm: np.ndarray, law: int, shift: float) -> np.ndarray:
    """Parameters of a gain or bias whose actuator is shorter by ``shift``, m; muscles shift their length range instead.

    Raises ``UserError`` for other laws, which may depend on length in any way.
    """
    if shift and law > int(mujoco.mjtGain.mjGAIN_MUSCLE):  # kinds of gain and of bias are numbered alike
        raise UserError(f"cannot reduce: actuator {full.actuator(a).name!r} is neither a muscle nor affine.")
    prm = prm.copy()
    if law == int(mujoco.mjtGain.mjGAIN_AFFINE):  # prm[0] + prm[1] * length + prm[2] * velocity
        prm[0] += prm[1] * shift
    return prm


def _names(enum: Any, prefix: str) -> dict[str, Any]:
    """MJCF keyword -> value of a MuJoCo enumeration."""
    return {name.removeprefix(prefix).lower(): value for name, value in enum.__members__.items()}


def _add_equalities(root: ET.Element, full: mujoco.MjModel, skeleton: Skeleton, timestep: float) -> None:
    """The couplings of joints that stayed joints, as rigid as the time step allows."""
    equalities = ET.SubElement(root, "equality")
    for e in range(full.neq):
        if not full.eq_active0[e] or full.eq_type[e] != mujoco.mjtEq.mjEQ_JOINT:
            continue
        joint, driver = int(full.eq_obj1id[e]), int(full.eq_obj2id[e])
        if joint in skeleton.joints:
            attributes = {
                "joint1": full.joint(joint).name,
                "joint2": full.joint(driver).name if driver >= 0 else None,
                "polycoef": full.eq_data[e, :_TERMS],
                "solref": [max(_RIGID, 2 * timestep), 1.0],  # a time constant must be at least two steps
                "solimp": [*np.maximum(full.eq_solimp[e, :2], _HARD), *full.eq_solimp[e, 2:]],
            }
            ET.SubElement(equalities, "joint", text(attributes))


def _add_keyframes(root: ET.Element, full: mujoco.MjModel, skeleton: Skeleton) -> None:
    keep = skeleton.joints
    keys = ET.SubElement(root, "keyframe")
    for k in range(full.nkey):
        values = {"qpos": full.key_qpos[k, keep], "qvel": unless(full.key_qvel[k, keep], np.zeros(len(keep)))}
        ET.SubElement(keys, "key", {"name": full.key(k).name, **text(values)})
