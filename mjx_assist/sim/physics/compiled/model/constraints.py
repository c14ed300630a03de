"""Constraint rows as MuJoCo makes them: contacts of the feet, and rows of single joints, joint pairs and tendons.

A row has a stiffness D (1 / regularisation), an acceleration ``rest`` that it asks for, and a force D (rest - J a)
that its kind bounds. docs: Computation, constraint model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from mjx_assist.model.variation import Variation
from mjx_assist.sim.physics.compiled import vectors as v
from mjx_assist.sim.physics.compiled.graph import (
    Value,
    absolute,
    divide,
    is_node,
    less,
    less_equal,
    maximum,
    minimum,
    multiply,
    select,
    sqrt,
    total,
)
from mjx_assist.sim.physics.compiled.model.tendons import Path
from mjx_assist.sim.physics.compiled.model.tree import Tree, matrix, numbers
from mjx_assist.sim.physics.compiled.vectors import Matrix, Vector

MINVAL, MINIMP, MAXIMP = mujoco.mjMINVAL, mujoco.mjMINIMP, mujoco.mjMAXIMP
FIELD_CONTACTS = 4  # of a sphere with a heightfield: its deepest; more meet only near a node of the grid
_GEOM = mujoco.mjtGeom


@dataclass(frozen=True)
class Row:
    """Not a contact's: ``jacobian`` of the joints it concerns; ``most``: the largest force of dry friction.

    ``kind``: "equality", "friction" or "limit" (which pushes only).
    """

    kind: str
    jacobian: dict[int, Value]
    stiffness: Value
    rest: Value
    most: float = 0.0


@dataclass(frozen=True)
class Contact:
    """A sphere on the ground: ``link`` and ``body`` of the sphere, ``at`` from the link's origin (world axes).

    ``frame``: normal, and tangents if there is ``friction`` (a pyramid's slopes along them). ``rest``: along these.
    """

    link: int
    body: int
    at: Vector
    frame: Matrix
    friction: tuple[Value, ...]
    stiffness: Value
    rest: Vector


def impedance(
    model: mujoco.MjModel, position: Value, reference: Sequence[Value], shape: np.ndarray
) -> tuple[Value, Value, Value]:
    """Stiffness and damping of the reference acceleration (1/s2, 1/s), and the impedance d(r).

    ``reference``: solref (time constant and damping ratio, or both negative: stiffness and damping); ``shape``: solimp.
    """
    low, high = (float(np.clip(x, MINIMP, MAXIMP)) for x in shape[:2])
    width, middle, power = float(max(MINVAL, shape[2])), float(np.clip(shape[3], MINIMP, MAXIMP)), float(shape[4])
    if not is_node(*reference) and reference[0] <= 0:
        spring, damper = -reference[0] / high**2, -reference[1] / high
    else:
        time, ratio = maximum(reference[0], 2 * float(model.opt.timestep)), reference[1]
        spring, damper = divide(1.0, high * time * ratio * (high * time * ratio)), divide(2.0, high * time)
    x = minimum(absolute(position) * (1 / width), 1.0)
    if power == 1:
        y = x
    else:
        y = select(less(x, middle), x * x * (1 / middle), 1.0 - (1.0 - x) * (1.0 - x) * (1 / (1 - middle)))
    return spring, damper, low + y * (high - low)


def _stiffness(imp: Value, weight: Value) -> Value:
    """1 / R of a row whose inverse inertia is about ``weight``."""
    return divide(imp, maximum(multiply(weight, 1.0 - imp), MINVAL))


def rows(tree: Tree, tendons: Sequence[Path]) -> tuple[list[Row], list[Row]]:
    """The rows that are no contacts, and those of the limited joints in their order."""
    model, found, limits = tree.model, [], []
    for e in np.flatnonzero(model.eq_active0).tolist():
        found.append(_equality(tree, e))
    for j in np.flatnonzero(model.dof_frictionloss).tolist():
        reference, shape = model.dof_solref[j], model.dof_solimp[j]
        most, weight = float(model.dof_frictionloss[j]), float(model.dof_invweight0[j])
        found.append(_friction(tree, {j: 1.0}, reference, shape, weight, most))
    for t in np.flatnonzero(model.tendon_frictionloss).tolist():
        reference, shape = model.tendon_solref_fri[t], model.tendon_solimp_fri[t]
        most, weight = float(model.tendon_frictionloss[t]), float(model.tendon_invweight0[t])
        found.append(_friction(tree, tendons[t].moment, reference, shape, weight, most))
    for j in np.flatnonzero(model.jnt_limited).tolist():
        reference, shape = model.jnt_solref[j], model.jnt_solimp[j]
        path, weight = Path(tree.qpos[j], {j: 1.0}), float(model.dof_invweight0[j])
        limits.append(_limit(tree, path, model.jnt_range[j], reference, shape, weight))
    for t in np.flatnonzero(model.tendon_limited).tolist():
        reference, shape = model.tendon_solref_lim[t], model.tendon_solimp_lim[t]
        weight = float(model.tendon_invweight0[t])
        found.append(_limit(tree, tendons[t], model.tendon_range[t], reference, shape, weight))
    return found, limits


def _speed(tree: Tree, jacobian: dict[int, Value]) -> Value:
    return total(multiply(x, tree.qvel[k]) for k, x in jacobian.items())


def _equality(tree: Tree, e: int) -> Row:
    """One joint a polynomial of another (or constant)."""
    model = tree.model
    first, second = int(model.eq_obj1id[e]), int(model.eq_obj2id[e])
    poly = [float(x) for x in model.eq_data[e, :5]]
    jacobian: dict[int, Value] = {first: 1.0}
    position, weight = tree.qpos[first] - float(model.qpos0[first]) - poly[0], float(model.dof_invweight0[first])
    if second >= 0:
        x = tree.qpos[second] - float(model.qpos0[second])
        value, slope = poly[4], 0.0
        for c in poly[3::-1]:  # Horner's scheme, for the value and its slope
            slope = multiply(slope, x) + value
            value = multiply(value, x) + c
        position = position + poly[0] - value
        jacobian[second] = -slope
        weight += float(model.dof_invweight0[second])
    spring, damper, imp = impedance(model, position, [float(x) for x in model.eq_solref[e]], model.eq_solimp[e])
    rest = -(damper * _speed(tree, jacobian)) - spring * imp * position
    return Row("equality", jacobian, _stiffness(imp, weight), rest)


def _friction(tree: Tree, jacobian: dict, reference: np.ndarray, shape: np.ndarray, weight: float, most: float) -> Row:
    _, damper, imp = impedance(tree.model, 0.0, [float(x) for x in reference], shape)
    return Row("friction", jacobian, _stiffness(imp, weight), multiply(-damper, _speed(tree, jacobian)), most)


def _limit(tree: Tree, path: Path, span: np.ndarray, reference: np.ndarray, shape: np.ndarray, weight: float) -> Row:
    """The nearer end of a range."""
    below, above = path.length - float(span[0]), float(span[1]) - path.length
    position, sign = minimum(below, above), select(less(below, above), 1.0, -1.0)
    jacobian = {k: multiply(sign, x) for k, x in path.moment.items()}
    spring, damper, imp = impedance(tree.model, position, [float(x) for x in reference], shape)
    stiffness = select(less(position, 0.0), _stiffness(imp, weight), 0.0)
    rest = multiply(-damper, _speed(tree, jacobian)) - spring * imp * position
    return Row("limit", jacobian, stiffness, rest)


def contacts(tree: Tree, varied: Variation) -> list[Contact]:
    """Of every pair of the ground and a sphere: one with a plane, `FIELD_CONTACTS` with a heightfield."""
    model = tree.model
    motion = tree.to_links(tree.qvel)
    return [contact for pair in range(model.npair) for contact in _pair(tree, pair, varied, motion)]


def _pair(tree: Tree, pair: int, varied: Variation, motion: tuple) -> list[Contact]:
    model = tree.model
    geoms = int(model.pair_geom1[pair]), int(model.pair_geom2[pair])
    ground, sphere = sorted(geoms, key=lambda geom: model.geom_type[geom])
    body = int(model.geom_bodyid[sphere])
    link, radius = tree.of_body[body], float(model.geom_size[sphere, 0])
    centre, place = tree.vector(tree.rest.geom_xpos[sphere], link), tree.world(tree.rest.geom_xpos[sphere], link)
    axes, origin = _ground(tree, ground, varied)
    if model.geom_type[ground] == _GEOM.mjGEOM_PLANE:
        normal = v.transposed(axes)[2]
        touches = [(v.dot(normal, v.minus(place, origin)) - radius, normal)]
    else:
        touches = _field_touches(v.turned_back(axes, v.minus(place, origin)), radius, axes)
    found = []
    for distance, normal in touches:
        at = v.minus(centre, v.scale(radius + 0.5 * distance, normal))
        found.append(_contact(tree, pair, link, body, at, distance, normal, varied, motion))
    return found


def _ground(tree: Tree, geom: int, varied: Variation) -> tuple[Matrix, Vector]:
    """Axes and origin of the ground, tilted about the world's y axis by its slope and moved to its lane."""
    axes = matrix(tree.rest.geom_xmat[geom])
    x, y, z = numbers(tree.rest.geom_xpos[geom])
    lane = 0.0 if varied.lane is None else varied.lane
    if varied.slope is None:
        return axes, [x, y + lane, z]
    c = divide(1.0, sqrt(1.0 + varied.slope * varied.slope))
    s = varied.slope * c
    tilt = [[c, 0.0, -s], [0.0, 1.0, 0.0], [s, 0.0, c]]
    return tilt, [c * x - s * z, y + lane, s * x + c * z]


def _field_touches(centre: Vector, radius: float, axes: Matrix) -> list[tuple[Value, Vector]]:
    """Distances (m) and normals of a sphere's deepest touches, its ``centre`` seen from the heightfield."""
    graph = next(x.graph for x in centre if is_node(x))
    field = graph.node("field", *centre, radius)
    part = [graph.node("part", field, float(k)) for k in range(4 * FIELD_CONTACTS)]
    return [(part[4 * k], v.turned(axes, part[4 * k + 1 : 4 * k + 4])) for k in range(FIELD_CONTACTS)]


def _tangents(normal: Vector) -> tuple[Vector, Vector]:
    """MuJoCo's frame of a contact: the world's y axis made orthogonal to the normal, or z where that is near y."""
    if is_node(*normal) and is_node(normal[1]):
        steep = less_equal(0.5, absolute(normal[1]))
        start: Vector = [0.0, select(steep, 0.0, 1.0), select(steep, 1.0, 0.0)]
    else:
        start = [0.0, 0.0, 1.0] if abs(normal[1]) >= 0.5 else [0.0, 1.0, 0.0]
    first = v.minus(start, v.scale(v.dot(start, normal), normal))
    first = v.scale(divide(1.0, v.length(first)), first)
    return first, v.cross(normal, first)


def _contact(
    tree: Tree,
    pair: int,
    link: int,
    body: int,
    at: Vector,
    distance: Value,
    normal: Vector,
    varied: Variation,
    motion: tuple,
) -> Contact:
    model = tree.model
    time, ratio = (float(x) for x in model.pair_solref[pair])
    reference = [time, ratio]
    if varied.ground_stiffness is not None or varied.ground_damping is not None:
        stiffness = 1.0 if varied.ground_stiffness is None else varied.ground_stiffness
        damping = 1.0 if varied.ground_damping is None else varied.ground_damping
        reference = [divide(time, damping), divide(ratio * damping, sqrt(stiffness))]
    spring, damper, imp = impedance(model, distance, reference, model.pair_solimp[pair])
    weight = float(model.body_invweight0[body, 0] + model.body_invweight0[0, 0])
    frame, friction = [normal], ()
    if model.pair_dim[pair] == 3:
        factor = 1.0 if varied.friction is None else varied.friction
        friction = tuple(multiply(factor, float(x)) for x in model.pair_friction[pair, :2])
        frame += _tangents(normal)
        square = friction[0] * friction[0]
        weight = weight * (1.0 + square) * (2.0 * square) * (1 / float(model.opt.impratio))
    angular, linear = motion
    velocity = v.plus(linear[link], v.cross(angular[link], at))
    rest = [multiply(-damper, v.dot(axis, velocity)) for axis in frame]
    rest[0] = rest[0] - spring * imp * distance
    stiffness = select(less(distance, 0.0), _stiffness(imp, weight), 0.0)
    return Contact(link, body, at, frame, friction, stiffness, rest)
