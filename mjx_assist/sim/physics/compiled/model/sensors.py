"""Sensor readings on the graph: loads on touch sensors, and positions."""

from collections.abc import Sequence

import mujoco

from mjx_assist.sim.physics.compiled import vectors as v
from mjx_assist.sim.physics.compiled.graph import (
    Value,
    absolute,
    both,
    divide,
    is_node,
    less_equal,
    maximum,
    minimum,
    select,
    sqrt,
    total,
)
from mjx_assist.sim.physics.compiled.model.constraints import Contact
from mjx_assist.sim.physics.compiled.model.tree import Tree
from mjx_assist.sim.physics.compiled.vectors import Vector

_OBJ, _GEOM = mujoco.mjtObj, mujoco.mjtGeom


def readings(tree: Tree, contacts: Sequence[Contact], forces: Sequence[Vector]) -> list[Value]:
    """``[nsensordata]`` with the contacts' ``forces`` in their frames."""
    model, found = tree.model, [0.0] * tree.model.nsensordata
    for s in range(model.nsensor):
        at = int(model.sensor_adr[s])
        if model.sensor_type[s] == mujoco.mjtSensor.mjSENS_TOUCH:
            site = int(model.sensor_objid[s])
            felt = [(c, f) for c, f in zip(contacts, forces, strict=True) if c.body == model.site_bodyid[site]]
            found[at] = total(select(_reaches(tree, site, c), f[0], 0.0) for c, f in felt)
        else:
            found[at : at + 3] = _position(tree, s)
    return found


def _position(tree: Tree, sensor: int) -> Vector:
    model, rest = tree.model, tree.rest
    kind, number = model.sensor_objtype[sensor], int(model.sensor_objid[sensor])
    body, places = {
        _OBJ.mjOBJ_SITE: (lambda: model.site_bodyid[number], rest.site_xpos),
        _OBJ.mjOBJ_GEOM: (lambda: model.geom_bodyid[number], rest.geom_xpos),
        _OBJ.mjOBJ_XBODY: (lambda: number, rest.xpos),
        _OBJ.mjOBJ_BODY: (lambda: number, rest.xipos),
    }[mujoco.mjtObj(int(kind))]
    return tree.world(places[number], tree.of_body[body()])


def _reaches(tree: Tree, site: int, contact: Contact) -> Value:
    """Whether the ray from a contact against its normal meets the sensor's volume (a box or a sphere)."""
    model, rest, link = tree.model, tree.rest, contact.link
    start = v.minus(contact.at, tree.vector(rest.site_xpos[site], link))
    ray = v.scale(-1.0, contact.frame[0])
    if model.site_type[site] == _GEOM.mjGEOM_SPHERE:
        middle, square = v.dot(ray, start), v.dot(start, start) - float(model.site_size[site, 0]) ** 2
        root = middle * middle - square
        return both(less_equal(0.0, root), less_equal(0.0, sqrt(maximum(root, 0.0)) - middle))
    axes = tree.turned(rest.site_xmat[site], link)
    enters: Value = 0.0
    leaves: Value = 1e30
    inside: Value = True
    for x, way, size in zip(v.turned_back(axes, start), v.turned_back(axes, ray), model.site_size[site], strict=True):
        if not is_node(way) and way == 0:
            inside = both(inside, less_equal(absolute(x), float(size)))
            continue
        ends = [divide(side - x, way) for side in (-float(size), float(size))]
        enters, leaves = maximum(enters, minimum(*ends)), minimum(leaves, maximum(*ends))
    return both(inside, less_equal(enters, leaves))
