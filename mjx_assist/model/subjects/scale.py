"""A composed human in a person's size: places, shapes, masses and joints, and then the muscles over them.

Lengths grow by each segment's factor in all directions, joints' slides by that of the segment they slide in. What has
a force or a moment in it (springs, dampers) grows so that a person of another size moves alike: with mass and length at
the same gravity, times with the root of length. A device keeps its mass and takes on the size of what it is worn on.
"""

import mujoco
import numpy as np

from mjx_assist.config.subject import Subject
from mjx_assist.errors import UserError, unknown
from mjx_assist.model.muscles.elastic import SUFFIX
from mjx_assist.model.subjects.proportions import Proportions, proportions, strengths
from mjx_assist.model.subjects.standard import WORLD, Standard, segment_of, segments
from mjx_assist.model.subjects.told import LEG_SCALE

_SLIDE, _MUSCLE, _SITE = mujoco.mjtJoint.mjJNT_SLIDE, mujoco.mjtDyn.mjDYN_MUSCLE, mujoco.mjtObj.mjOBJ_SITE
_TERMS = 5  # of a joint equality's polynomial
_FORCE = 2  # gainprm and biasprm of a muscle: its peak isometric force
_ROUNDING = 1e-6


def put_on(spec: mujoco.MjSpec, subject: Subject, body: Standard, human: str) -> Proportions:
    """Makes the composed ``human`` (its key is for messages) the person, in place.

    Raises:
        UserError: a segment, muscle group or joint that it does not have; lengths that no adult has.
    """
    made = proportions(subject, body, human)
    factors = _Factors(spec, made, body)
    if not made.same:
        before = _tendon_lengths(spec)
        _scale_keys(spec, factors)
        _scale_bodies(spec, factors)
        _scale_joints(spec, factors)
        _scale_equalities(spec, factors)
        after = _tendon_lengths(spec)
        stretch = {name: after[name] / length for name, length in before.items() if length}  # over joints: 0 at qpos0
        _scale_tendons(spec, factors, stretch)
        _scale_muscles(spec, factors, stretch)
        spec.add_numeric(name=LEG_SCALE, data=[made.leg], size=1)
    _weaken(spec, subject, human)
    _stiffen(spec, subject, human)
    _load(spec, subject, factors, human)
    return made


class _Factors:
    """Which factor holds for a body's own frame, and for the segment that it hangs on."""

    def __init__(self, spec: mujoco.MjSpec, made: Proportions, body: Standard):
        parents = {b.name: b.parent.name for b in spec.bodies if b.name != WORLD}
        joints = {b.name: [j.name for j in b.joints] for b in spec.bodies}
        self.made, self.segment, self._parents = made, segment_of(parents, joints), parents
        self._own = set(body.bodies)

    def length(self, body: str) -> float:
        return self.made.leg if body == WORLD else self.made.length[self.segment[body]]

    def around(self, body: str) -> float:
        """The factor of what a body hangs on."""
        return self.length(self._parents[body])

    def is_person(self, body: str) -> bool:
        return body in self._own

    def mass(self, body: str) -> float:
        return self.made.mass[self.segment[body]] if self.is_person(body) else 1.0


def _tendon_lengths(spec: mujoco.MjSpec) -> dict[str, float]:
    """m at qpos0."""
    model = spec.compile()
    return {model.tendon(t).name: float(model.tendon_length0[t]) for t in range(model.ntendon)}


def _scale_keys(spec: mujoco.MjSpec, factors: _Factors) -> None:
    model = spec.compile()
    by_qpos = np.ones(model.nq)
    for j in range(model.njnt):
        if model.jnt_type[j] == _SLIDE:
            by_qpos[model.jnt_qposadr[j]] = factors.around(model.body(int(model.jnt_bodyid[j])).name)
    for key in spec.keys:
        if len(key.qpos):
            key.qpos = np.array(key.qpos) * by_qpos


def _scale_bodies(spec: mujoco.MjSpec, factors: _Factors) -> None:
    meshes = {mesh.name: mesh for mesh in spec.meshes}
    scaled: dict[str, float] = {}
    drawn: set[str] = set()
    for frame in spec.frames:
        frame.pos = frame.pos * factors.length(frame.parent.name)
    for body in [b for b in spec.bodies if b.name != WORLD]:
        k, m = factors.length(body.name), factors.mass(body.name)
        body.pos, body.ipos = body.pos * factors.around(body.name), body.ipos * k
        body.mass, body.inertia, body.fullinertia = body.mass * m, body.inertia * m * k**2, body.fullinertia * m * k**2
        for site in body.sites:
            site.pos, site.size, site.fromto = site.pos * k, site.size * k, site.fromto * k
        for part in (*body.cameras, *body.lights):
            part.pos = part.pos * k
        for geom in body.geoms:
            geom.pos, geom.size, geom.fromto = geom.pos * k, geom.size * k, geom.fromto * k
            geom.mass, geom.density = geom.mass * m, geom.density * m / k**3
            name = geom.meshname
            if name and scaled.setdefault(name, k) != k:
                raise UserError(
                    f"mesh {name!r} is of segments that are scaled differently; give the model one for each."
                )
        for name in {geom.meshname for geom in body.geoms} - {""} - drawn:
            meshes[name].scale = meshes[name].scale * k
            drawn.add(name)


def _scale_joints(spec: mujoco.MjSpec, factors: _Factors) -> None:
    made = factors.made
    for joint in spec.joints:
        body, slides = joint.parent.name, joint.type == _SLIDE
        joint.pos = joint.pos * factors.length(body)
        k = factors.around(body) if slides else 1.0
        joint.ref, joint.springref, joint.range = joint.ref * k, joint.springref * k, joint.range * k
        if factors.is_person(body):
            spring = made.weight / made.size if slides else made.weight * made.size
            joint.stiffness, joint.damping = joint.stiffness * spring, joint.damping * (spring * made.size**0.5)
            joint.armature *= made.weight if slides else made.weight * made.size**2


def _scale_equalities(spec: mujoco.MjSpec, factors: _Factors) -> None:
    joints = {joint.name: joint for joint in spec.joints}

    def unit(name: str) -> float:
        joint = joints.get(name)
        return factors.around(joint.parent.name) if joint is not None and joint.type == _SLIDE else 1.0

    for equality in spec.equalities:
        data, kind = np.array(equality.data), equality.type
        if kind == mujoco.mjtEq.mjEQ_JOINT:
            data[:_TERMS] *= unit(equality.name1) / unit(equality.name2) ** np.arange(_TERMS)
        elif kind in (mujoco.mjtEq.mjEQ_CONNECT, mujoco.mjtEq.mjEQ_WELD) and equality.objtype != _SITE:
            data[:3] *= factors.length(equality.name2 if kind == mujoco.mjtEq.mjEQ_WELD else equality.name1)
            data[3:6] *= factors.length(equality.name1)
        equality.data = data


def _scale_tendons(spec: mujoco.MjSpec, factors: _Factors, stretch: dict[str, float]) -> None:
    """Slack lengths and ranges with the path; springs of the person with their forces, or as moments about joints."""
    made = factors.made
    paths = {t.name: [wrap.target for wrap in t.path if wrap.target is not None] for t in spec.tendons}
    for tendon in spec.tendons:
        path = paths[tendon.name]
        over_joints = isinstance(path[0], type(spec.joints[0]))
        k = 1.0 if over_joints else stretch[tendon.name]
        rest = np.array(tendon.springlength)
        tendon.springlength = rest if over_joints else np.where(rest < 0, rest, rest * k)  # -1: of qpos0
        tendon.range = tendon.range * k
        if all(factors.is_person(part.parent.name) or SUFFIX in part.parent.name for part in path):
            spring = made.weight * made.size if over_joints else made.force / k**2
            tendon.stiffness, tendon.damping = tendon.stiffness * spring, tendon.damping * (spring * made.size**0.5)


def _scale_muscles(spec: mujoco.MjSpec, factors: _Factors, stretch: dict[str, float]) -> None:
    """Fibres and tendons in proportion to the whole path at qpos0, so that fibres are there as long as they were in
    optimal lengths; forces by volume over fibre length."""
    joints = {joint.name: joint for joint in spec.joints}
    for actuator in spec.actuators:
        if actuator.dyntype != _MUSCLE:
            continue
        on_slide = joints.get(actuator.target)
        k = stretch[actuator.target] if on_slide is None else factors.around(on_slide.parent.name)
        actuator.lengthrange = actuator.lengthrange * k
        _strengthen(actuator, factors.made.force / k)


def _strengthen(actuator: mujoco.MjsActuator, factor: float) -> None:
    for name in ("gainprm", "biasprm"):
        values = np.array(getattr(actuator, name))
        values[_FORCE] *= factor if values[_FORCE] > 0 else 1.0
        setattr(actuator, name, values)


def _weaken(spec: mujoco.MjSpec, subject: Subject, human: str) -> None:
    muscles = {actuator.name: actuator for actuator in spec.actuators if actuator.dyntype == _MUSCLE}
    for name, factor in strengths(subject, list(muscles), human).items():
        if factor != 1.0:
            _strengthen(muscles[name], factor)


def _stiffen(spec: mujoco.MjSpec, subject: Subject, human: str) -> None:
    """Narrower limits of the joints that a contracture is named for."""
    joints = {joint.name: joint for joint in spec.joints if joint.type == mujoco.mjtJoint.mjJNT_HINGE}
    for name, (low, high) in subject.contracture.items():
        if name not in joints:
            raise unknown(f"subject on {human!r}: contracture", name, joints)
        joint = joints[name]
        unit = np.degrees(1.0) if spec.compiler.degree else 1.0
        lowest, highest = np.array(joint.range) / unit
        limited = joint.limited != mujoco.mjtLimited.mjLIMITED_FALSE and lowest < highest
        if limited and not lowest - _ROUNDING <= low < high <= highest + _ROUNDING:
            raise UserError(
                f"subject on {human!r}: contracture.{name}: [{low:g}, {high:g}] rad must lie within the joint's own "
                f"range, {lowest:.3g} to {highest:.3g} rad; a contracture takes from it."
            )
        joint.range, joint.limited = [low * unit, high * unit], mujoco.mjtLimited.mjLIMITED_TRUE


def _load(spec: mujoco.MjSpec, subject: Subject, factors: _Factors, human: str) -> None:
    """Added mass on the heaviest body of a segment; ``foot`` is both feet."""
    own = [
        body for body in spec.bodies if body.name != WORLD and factors.is_person(body.name) and body.explicitinertial
    ]
    for name, kg in subject.added_mass.items():
        wanted = _loaded(name)
        on = {s: [b for b in own if factors.segment[b.name] == s] for s in wanted}
        if not wanted or not all(on.values()):
            have = {factors.segment[b.name] for b in own}
            raise unknown(f"subject on {human!r}: added_mass", name, have | {s[:-2] for s in have if s[-2] == "_"})
        for bodies in on.values():
            max(bodies, key=lambda body: body.mass).mass += kg


def carried(subject: Subject) -> float:
    """kg of all that a person carries."""
    return sum(kg * len(_loaded(name)) for name, kg in subject.added_mass.items())


def _loaded(name: str) -> set[str]:
    """The segments of a name: itself, or both sides'."""
    return {segment for segment in segments() if name in (segment, segment[:-2])}
