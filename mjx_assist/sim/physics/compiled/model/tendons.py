"""Tendon lengths and their derivatives: straight between sites, around cylinders and spheres (MuJoCo's rules)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import mujoco
import numpy as np

from mjx_assist.sim.physics.compiled import vectors as v
from mjx_assist.sim.physics.compiled.graph import (
    Value,
    absolute,
    atan2,
    both,
    clip,
    cos,
    divide,
    either,
    less,
    less_equal,
    maximum,
    opposite,
    select,
    sin,
    sqrt,
)
from mjx_assist.sim.physics.compiled.model.tree import Tree, matrix
from mjx_assist.sim.physics.compiled.vectors import Vector

MINVAL = mujoco.mjMINVAL
_NEWTON_STEPS = 8  # of a path inside a geom: from a right angle, each squares the error
_WRAP = mujoco.mjtWrap
Point2 = Sequence[Value]  # two of them


@dataclass
class Path:
    """Length (m) of a tendon or a part of it, and its derivative by each degree of freedom that changes it."""

    length: Value = 0.0
    moment: dict[int, Value] = field(default_factory=dict)

    def __add__(self, other: "Path") -> "Path":
        joints = sorted(self.moment.keys() | other.moment.keys())
        moment = {k: self.moment.get(k, 0.0) + other.moment.get(k, 0.0) for k in joints}
        return Path(self.length + other.length, moment)

    def __rmul__(self, factor: float) -> "Path":
        return Path(factor * self.length, {k: factor * x for k, x in self.moment.items()})

    def where(self, condition: Value, other: "Path") -> "Path":
        """This path where the condition holds, else the other."""
        joints = sorted(self.moment.keys() | other.moment.keys())
        moment = {k: select(condition, self.moment.get(k, 0.0), other.moment.get(k, 0.0)) for k in joints}
        return Path(select(condition, self.length, other.length), moment)


def paths(tree: Tree) -> list[Path]:
    """Of every tendon of the model."""
    return [_path(tree, t) for t in range(tree.model.ntendon)]


def _path(tree: Tree, tendon: int) -> Path:
    model = tree.model
    at, end = model.tendon_adr[tendon], model.tendon_adr[tendon] + model.tendon_num[tendon]
    if model.wrap_type[at] == _WRAP.mjWRAP_JOINT:
        joints = [(int(model.wrap_objid[w]), float(model.wrap_prm[w])) for w in range(at, end)]
        return sum((Path(c * tree.qpos[j], {j: c}) for j, c in joints), Path())
    found, share = Path(), 1.0
    while at < end - 1:
        here, there = model.wrap_type[at], model.wrap_type[at + 1]
        if here == _WRAP.mjWRAP_PULLEY or there == _WRAP.mjWRAP_PULLEY:
            share = 1.0 / float(model.wrap_prm[at]) if here == _WRAP.mjWRAP_PULLEY else share
            at += 1
        elif there == _WRAP.mjWRAP_SITE:
            found += share * _straight(tree, *(_site(tree, model.wrap_objid[w]) for w in (at, at + 1)))
            at += 1
        else:
            found += share * _around(tree, at + 1)
            at += 2
    return found


def _site(tree: Tree, site: int) -> tuple[Vector, int]:
    link = tree.of_body[tree.model.site_bodyid[site]]
    return tree.local(tree.rest.site_xpos[site], link), link


def _straight(tree: Tree, first: tuple[Vector, int], last: tuple[Vector, int]) -> Path:
    """Between two places, each given from its own link; only the joints between them take part."""
    top = tree.common(first[1], last[1])
    ends, arms = [], []
    for x, link in (first, last):
        arm = []
        for k in tree.up_to(link, top):
            x = v.turned(tree.turn[k], x)
            arm.append((k, x))
            x = v.plus(x, tree.offset[k])
        ends.append(x)
        arms.append(arm)
    way = v.minus(ends[1], ends[0])
    length = v.length(way)
    moment: dict[int, Value] = {}
    for arm, sign in zip(arms, (-1.0, 1.0), strict=True):
        direction = v.scale(divide(sign, length), way)
        for k, x in reversed(arm):  # downwards; ``direction`` is seen from k's parent
            axis = tree.axis_at_rest[k]
            moment[k] = v.dot(axis, direction if tree.slides[k] else v.cross(x, direction))
            direction = v.turned_back(tree.turn[k], direction)
    return Path(length, moment)


def _around(tree: Tree, at: int) -> Path:
    """From the site before a geom to the one after it (``at``: the geom's number among the wrapped things)."""
    model, rest = tree.model, tree.rest
    geom, is_sphere = int(model.wrap_objid[at]), model.wrap_type[at] == _WRAP.mjWRAP_SPHERE
    link, radius = tree.of_body[model.geom_bodyid[geom]], float(model.geom_size[geom, 0])
    axes, centre = matrix(rest.geom_xmat[geom]), tree.local(rest.geom_xpos[geom], link)

    def inside(x: Vector, other: int) -> list[Value]:
        return v.turned_back(axes, v.minus(tree.seen_from(x, other, link), centre))

    ends = [_site(tree, model.wrap_objid[at - 1]), _site(tree, model.wrap_objid[at + 1])]
    points = [inside(*end) for end in ends]
    side_site = round(float(model.wrap_prm[at]))
    side = inside(*_site(tree, side_site)) if side_site >= 0 else None
    plane = _plane(points[0], points[1]) if is_sphere else ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    flat = [(v.dot(p, plane[0]), v.dot(p, plane[1])) for p in points]
    if side is not None and np.linalg.norm(np.array(side, float)) < radius:
        wraps, arc, tangents = _inside(flat[0], flat[1], radius)
    else:
        towards = None if side is None else _unit((v.dot(side, plane[0]), v.dot(side, plane[1])))
        wraps, arc, tangents = _circle(flat[0], flat[1], radius, towards)
    touch = [v.plus(v.scale(x, plane[0]), v.scale(y, plane[1])) for x, y in tangents]
    if not is_sphere:
        legs = [_length((p[0] - t[0], p[1] - t[1])) for p, t in zip(points, touch, strict=True)]
        rise = divide(points[1][2] - points[0][2], maximum(legs[0] + arc + legs[1], MINVAL))
        for t, ahead in zip(touch, (legs[0], legs[0] + arc), strict=True):
            t[2] = points[0][2] + rise * ahead
        arc = _length((arc, rise * arc))
    places = [(v.plus(v.turned(axes, t), centre), link) for t in touch]
    wrapped = _straight(tree, ends[0], places[0]) + _straight(tree, places[1], ends[1]) + Path(arc)
    return wrapped.where(wraps, _straight(tree, *ends))


def _plane(p0: Vector, p1: Vector) -> tuple[Vector, Vector]:
    """Two axes of the plane of two places and the origin, the first through p0."""
    first = v.scale(divide(1.0, v.length(p0)), p0)
    normal = v.cross(p0, p1)
    second = v.cross(normal, first)
    return first, v.scale(divide(1.0, maximum(v.length(second), MINVAL)), second)


def _circle(p0: Point2, p1: Point2, radius: float, side: Point2 | None) -> tuple[Value, Value, list[Point2]]:
    """Around the outside of a circle: whether it wraps, the arc (m), where it touches."""
    squares, square = [_dot(p0, p0), _dot(p1, p1)], radius * radius
    way = (p1[0] - p0[0], p1[1] - p0[1])
    share = clip(divide(-_dot(way, p0), maximum(_dot(way, way), MINVAL)), 0.0, 1.0)
    nearest = (p0[0] + share * way[0], p0[1] + share * way[1])
    wraps = both(less_equal(square, squares[0]), less_equal(square, squares[1]))
    passes = less(square, _dot(nearest, nearest))
    free = passes if side is None else both(passes, less_equal(0.0, _dot(side, nearest)))
    wraps = both(wraps, opposite(free))
    legs = [sqrt(maximum(x - square, MINVAL)) for x in squares]
    found = []
    for sign in (1.0, -1.0):
        a, b = sign * radius * legs[0], sign * radius * legs[1]
        first = (divide(p0[0] * square + a * p0[1], squares[0]), divide(p0[1] * square - a * p0[0], squares[0]))
        last = (divide(p1[0] * square - b * p1[1], squares[1]), divide(p1[1] * square + b * p1[0], squares[1]))
        if side is None:
            apart = (first[0] - last[0], first[1] - last[1])
            good = -_dot(apart, apart)
        else:
            good = _dot(_unit((first[0] + last[0], first[1] + last[1])), side)
        crosses = _intersect(p0, first, p1, last)
        found.append((first, last, select(crosses, -1e4, good), crosses))
    better = less(found[1][2], found[0][2])
    first, last = (tuple(select(better, x, y) for x, y in zip(found[0][i], found[1][i], strict=True)) for i in (0, 1))
    wraps = both(wraps, opposite(select_condition(better, found[0][3], found[1][3])))
    turn = first[1] * last[0] - first[0] * last[1]
    angle = atan2(absolute(turn), _dot(first, last))
    long_way = select_condition(better, less(turn, 0.0), less(0.0, turn))
    return wraps, radius * select(long_way, 2 * math.pi - angle, angle), [first, last]


def select_condition(condition: Value, a: Value, b: Value) -> Value:
    """``a`` where the condition holds, else ``b``, for conditions."""
    return either(both(condition, a), both(opposite(condition), b))


def _inside(p0: Point2, p1: Point2, radius: float) -> tuple[Value, Value, list[Point2]]:
    """Held inside a circle: it touches in one place, where the angles to both sides are equal.

    MuJoCo's equation asin(A z) + asin(B z) - 2 asin(z) + G = 0, solved for the angle asin(z).
    """
    lengths = [_length(p0), _length(p1)]
    way = (p1[0] - p0[0], p1[1] - p0[1])
    square = _dot(way, way)
    share = divide(-_dot(way, p0), maximum(square, MINVAL))
    nearest = (p0[0] + share * way[0], p0[1] + share * way[1])
    crosses = both(less(0.0, share), less(share, 1.0))
    crosses = both(crosses, less_equal(_dot(nearest, nearest), radius * radius))
    wraps = both(less(radius, lengths[0]), less(radius, lengths[1]))
    wraps = both(wraps, opposite(crosses))
    across = p0[0] * p1[1] - p0[1] * p1[0]
    between = atan2(absolute(across), _dot(p0, p1))
    ratios = [divide(radius, x) for x in lengths]
    angle: Value = 0.5 * math.pi
    at_start = sum((_asin(a) for a in ratios), -2.0 * angle) + between
    for _ in range(_NEWTON_STEPS):
        sine, cosine = sin(angle), cos(angle)
        value, slope = between - 2.0 * angle, -2.0
        for a in ratios:
            value = value + _asin(a * sine)
            slope = slope + divide(a * cosine, sqrt(maximum(1.0 - a * sine * a * sine, MINVAL)))
        angle = angle - divide(value, slope)
    turns = less(0.0, across)
    start = tuple(select(turns, x, y) for x, y in zip(p0, p1, strict=True))
    ratio = select(turns, ratios[0], ratios[1])
    off = angle - _asin(ratio * sin(angle))
    ray = _unit(start)
    solved = (cos(off) * ray[0] - sin(off) * ray[1], sin(off) * ray[0] + cos(off) * ray[1])
    middle = _unit((p0[0] + p1[0], p0[1] + p1[1]))
    fails = less(0.0, at_start)
    point = tuple(radius * select(fails, x, y) for x, y in zip(middle, solved, strict=True))
    return wraps, 0.0, [point, point]


def _intersect(a: Point2, b: Point2, c: Point2, d: Point2) -> Value:
    """Whether the segments a-b and c-d meet."""
    ab, cd, ca = (b[0] - a[0], b[1] - a[1]), (d[0] - c[0], d[1] - c[1]), (a[0] - c[0], a[1] - c[1])
    det = cd[1] * ab[0] - cd[0] * ab[1]
    meets = less_equal(MINVAL, absolute(det))
    for along in (cd[0] * ca[1] - cd[1] * ca[0], ab[0] * ca[1] - ab[1] * ca[0]):
        share = divide(along, det)
        meets = both(meets, both(less_equal(0.0, share), less_equal(share, 1.0)))
    return meets


def _dot(a: Point2, b: Point2) -> Value:
    return a[0] * b[0] + a[1] * b[1]


def _length(a: Point2) -> Value:
    return sqrt(_dot(a, a))


def _unit(a: Point2) -> Point2:
    length = maximum(_length(a), MINVAL)
    return divide(a[0], length), divide(a[1], length)


def _asin(x: Value) -> Value:
    return atan2(x, sqrt(maximum(1.0 - x * x, 0.0)))
