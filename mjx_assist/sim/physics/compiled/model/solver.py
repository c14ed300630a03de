"""The constraint solver on the graph: Newton's method with an exact line search, on sparse factors (MuJoCo's problem).

The cost of an acceleration a is half the inertial norm of (a - smooth acceleration), and of each row what its force is
the slope of. All rows are told by their residuals rest - J a.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from mjx_assist.sim.physics.compiled import vectors as v
from mjx_assist.sim.physics.compiled.graph import (
    Graph,
    Value,
    absolute,
    add,
    both,
    clip,
    differ,
    divide,
    either,
    is_node,
    less,
    less_equal,
    maximum,
    multiply,
    negative,
    opposite,
    select,
    subtract,
    total,
)
from mjx_assist.sim.physics.compiled.model.constraints import Contact, Row
from mjx_assist.sim.physics.compiled.model.tree import Sparse, Tree
from mjx_assist.sim.physics.compiled.vectors import Vector

Residuals = list[Value]  # of the contacts along their frames' axes, then of the rows


@dataclass(frozen=True)
class System:
    """What the solver knows of a step: M a = ``smooth`` + J' f."""

    tree: Tree
    smooth: Sequence[Value]
    contacts: Sequence[Contact]
    rows: Sequence[Row]

    @property
    def rest(self) -> Residuals:
        return [x for c in self.contacts for x in c.rest] + [row.rest for row in self.rows]

    def split(self, flat: Sequence[Value]) -> tuple[list[Sequence[Value]], Sequence[Value]]:
        """Per contact, and of the rows."""
        parts, at = [], 0
        for c in self.contacts:
            parts.append(flat[at : at + len(c.frame)])
            at += len(c.frame)
        return parts, flat[at:]

    def applied(self, x: Sequence[Value]) -> Residuals:
        """J x."""
        angular, linear = self.tree.to_links(x)
        found = []
        for c in self.contacts:
            motion = v.plus(linear[c.link], v.cross(angular[c.link], c.at))
            found += [v.dot(axis, motion) for axis in c.frame]
        return found + [total(multiply(j, x[k]) for k, j in row.jacobian.items()) for row in self.rows]

    def edges(self, flat: Sequence[Value]) -> list[tuple[Row, Value]]:
        """Every scalar row with its value: a contact's are the edges of its friction pyramid."""
        per_contact, of_rows = self.split(flat)
        found = []
        for c, y in zip(self.contacts, per_contact, strict=True):
            edge = Row("limit", {}, c.stiffness, 0.0)
            found += [(edge, value) for value in pyramid(c, y)]
        return found + list(zip(self.rows, of_rows, strict=True))


def pyramid(contact: Contact, y: Sequence[Value]) -> list[Value]:
    """Along the edges of a contact's friction pyramid, of a vector in its frame."""
    if not contact.friction:
        return [y[0]]
    return [
        op(y[0], multiply(mu, side)) for mu, side in zip(contact.friction, y[1:], strict=True) for op in (add, subtract)
    ]


def force(row: Row, residual: Value) -> Value:
    """Of a row at its residual."""
    pull = multiply(row.stiffness, residual)
    if row.kind == "equality":
        return pull
    return clip(pull, -row.most, row.most) if row.kind == "friction" else maximum(pull, 0.0)


def zones(row: Row, residual: Value) -> list[Value]:
    """The conditions that bound the part where a row's force changes with its residual."""
    if row.kind == "equality":
        return []
    if row.kind == "friction":
        pull = multiply(row.stiffness, residual)
        return [less(-row.most, pull), less(pull, row.most)]
    return [less(0.0, residual)]


def yields(row: Row, residual: Value) -> Value:
    """Whether a row's force changes with its residual there."""
    return reduce(both, zones(row, residual), True)


def joint_forces(system: System, residuals: Residuals) -> tuple[list[Value], list[Vector], list[Value]]:
    """J' f ``[nv]``; each contact's force in its frame; each row's force."""
    tree = system.tree
    forces: list[Vector] = [v.ZERO for _ in range(tree.model.nv)]
    torques: list[Vector] = list(forces)
    per_contact, of_rows = system.split(residuals)
    in_frames: list[Vector] = []
    for c, y in zip(system.contacts, per_contact, strict=True):
        edge = Row("limit", {}, c.stiffness, 0.0)
        f = [force(edge, x) for x in pyramid(c, y)]
        local = [total(f)] + [mu * (f[2 * i] - f[2 * i + 1]) for i, mu in enumerate(c.friction)]
        in_frames.append(local)
        world: Vector = v.ZERO
        for size, axis in zip(local, c.frame, strict=True):
            world = v.plus(world, v.scale(size, axis))
        forces[c.link] = v.plus(forces[c.link], world)
        torques[c.link] = v.plus(torques[c.link], v.cross(c.at, world))
    found = tree.to_joints(forces, torques)
    of_each = [force(row, y) for row, y in zip(system.rows, of_rows, strict=True)]
    for row, f in zip(system.rows, of_each, strict=True):
        for k, j in row.jacobian.items():
            found[k] = found[k] + multiply(j, f)
    return found, in_frames, of_each


def hessian(system: System, residuals: Residuals) -> Sparse:
    """M + J' D J over the rows that yield."""
    tree = system.tree
    linear: list = [v.NULL for _ in range(tree.model.nv)]
    coupling, angular = list(linear), list(linear)
    per_contact, of_rows = system.split(residuals)
    for c, y in zip(system.contacts, per_contact, strict=True):
        stiff = [select(less(0.0, e), c.stiffness, 0.0) for e in pyramid(c, y)]
        local = [[total(stiff)]]
        if c.friction:
            pairs = list(zip(c.friction, stiff[::2], stiff[1::2], strict=True))
            across = [mu * (a - b) for mu, a, b in pairs]
            side = [mu * mu * (a + b) for mu, a, b in pairs]
            local = [[local[0][0], *across], [across[0], side[0], 0.0], [across[1], 0.0, side[1]]]
        at_contact = _turned(local, c.frame)
        arm = v.skew(c.at)
        moved = v.product(at_contact, arm)
        linear[c.link] = v.matrix_plus(linear[c.link], at_contact)
        coupling[c.link] = v.matrix_minus(coupling[c.link], moved)
        angular[c.link] = v.matrix_minus(angular[c.link], v.product(arm, moved))
    found = dict(tree.mass)
    for key, x in tree.gathered(linear, coupling, angular).items():
        found[key] = found[key] + x
    for row, y in zip(system.rows, of_rows, strict=True):
        add_row(found, row.jacobian, select(yields(row, y), row.stiffness, 0.0))
    return found


def add_row(matrix: Sparse, jacobian: dict[int, Value], stiffness: Value) -> None:
    """``matrix += J' stiffness J``."""
    if len(jacobian) == 1 and is_sign(*jacobian.values()):
        (k,) = jacobian
        matrix[k, k] = matrix[k, k] + stiffness
        return
    for i, x in jacobian.items():
        for k, y in jacobian.items():
            if k <= i:
                matrix[i, k] = matrix.get((i, k), 0.0) + multiply(multiply(x, stiffness), y)


def is_sign(x: Value) -> bool:
    """Whether a value is 1 or -1, whatever it depends on."""
    if is_node(x):
        return x.op == "sel" and all(is_sign(a) for a in x.args[1:])
    return abs(x) == 1


def _turned(local: list, frame: Sequence[Vector]) -> list:
    """F' K F for a matrix K in the axes ``frame``."""
    n = range(len(frame))
    half = [[total(multiply(local[i][k], frame[k][j]) for k in n) for j in range(3)] for i in n]
    return [[total(multiply(frame[k][i], half[k][j]) for k in n) for j in range(3)] for i in range(3)]


def times(matrix: Sparse, x: Sequence[Value]) -> list[Value]:
    """``matrix @ x`` for a symmetric matrix."""
    found: list[Value] = [0.0] * len(x)
    for (i, k), value in sorted(matrix.items(), key=lambda item: item[0]):
        found[i] = found[i] + multiply(value, x[k])
        if i != k:
            found[k] = found[k] + multiply(value, x[i])
    return found


def solve(matrix: Sparse, b: Sequence[Value]) -> list[Value]:
    """x with ``matrix @ x = b``: L' D L from the leaves up, which fills in only where branches are coupled."""
    matrix, n = dict(matrix), len(b)
    inverse: list[Value] = [0.0] * n
    factor: list[dict[int, Value]] = [{} for _ in range(n)]
    for k in reversed(range(n)):
        inverse[k] = divide(1.0, matrix[k, k])
        below = [i for i in range(k) if is_node(matrix.get((k, i), 0.0)) or matrix.get((k, i), 0.0) != 0]
        factor[k] = {i: multiply(matrix[k, i], inverse[k]) for i in below}
        for i in below:
            for j in below:
                if j <= i:
                    matrix[i, j] = matrix.get((i, j), 0.0) - multiply(factor[k][i], matrix[k, j])
    x = list(b)
    for k in reversed(range(n)):
        for i, value in factor[k].items():
            x[i] = x[i] - multiply(value, x[k])
    x = [multiply(a, d) for a, d in zip(x, inverse, strict=True)]
    for k in range(n):
        for i, value in factor[k].items():
            x[k] = x[k] - multiply(value, x[i])
    return x


@dataclass(frozen=True)
class Iteration:
    """One iteration of Newton's method: inputs of its stage, and what it makes of them.

    ``residual``: inputs too, but those that are zero in every state are numbers. ``line``: the line search's inputs
    (place, bounds), ``line_out`` the next ones; ``found``: the input that takes its result.
    """

    qacc: list[Value]
    residual: Residuals
    line: list[Value]
    line_out: list[Value]
    line_done: Value
    found: Value
    next_qacc: list[Value]
    next_residual: Residuals
    done: Value


def iteration(graph: Graph, system: System, start: Residuals, precision: float) -> Iteration:
    """``start``: residuals at the first guess; ``precision``: of the decrease, in units of a M a, that is enough."""
    n = system.tree.model.nv
    graph.stage = 1
    qacc: list[Value] = [graph.input(f"qacc{i}") for i in range(n)]
    residual = [graph.input(f"residual{i}") if is_node(x) else x for i, x in enumerate(start)]
    along_joints, _, _ = joint_forces(system, residual)
    inertial = times(system.tree.mass, qacc)
    gradient = [a - b - c for a, b, c in zip(inertial, system.smooth, along_joints, strict=True)]
    direction = [negative(x) for x in solve(hessian(system, residual), gradient)]
    along = system.applied(direction)
    slope, curve = v.dot(direction, gradient), v.dot(direction, times(system.tree.mass, direction))
    pieces = _distinct(system, residual, along)
    weights = [(n_equal, force(row, y)) for n_equal, row, y, _ in pieces]

    graph.stage = 2
    line: list[Value] = [graph.input(name) for name in ("line", "line_low", "line_high")]
    value, bend = slope + line[0] * curve, curve
    for (n_equal, row, y, g), (_, before) in zip(pieces, weights, strict=True):
        there, times_g = y - multiply(line[0], g), multiply(n_equal, g)
        value = value - multiply(times_g, force(row, there) - before)
        bend = bend + select(yields(row, there), multiply(multiply(times_g, g), row.stiffness), 0.0)
    low, high = select(less(value, 0.0), line[0], line[1]), select(less(0.0, value), line[0], line[2])
    guess = line[0] - divide(value, bend)
    middle = select(less(1e30, high), 2.0 * low, 0.5 * (low + high))
    guess = select(both(less(low, guess), less(guess, high)), guess, middle)
    line_done = less_equal(absolute(value), -1e-4 * slope)

    graph.stage = 3
    found = graph.input("line_found")
    whole = both(less_equal(1.0, found), less_equal(found, 1.0))
    for _, row, y, g in pieces:
        for before, after in zip(zones(row, y), zones(row, y - multiply(found, g)), strict=True):
            whole = both(whole, opposite(both(less(0.0, row.stiffness), differ(before, after))))
    settled = either(whole, less_equal(-slope, precision * v.dot(qacc, inertial)))
    return Iteration(
        qacc,
        residual,
        line,
        [select(line_done, line[0], guess), low, high],
        line_done,
        found,
        [a + multiply(found, d) for a, d in zip(qacc, direction, strict=True)],
        [a - multiply(found, d) for a, d in zip(residual, along, strict=True)],
        settled,
    )


def _distinct(system: System, residual: Residuals, along: Residuals) -> list[tuple[float, Row, Value, Value]]:
    """Rows with their residual and its change along the step, equal ones once: how many they are comes first."""
    counted: dict[tuple, list] = {}
    for (row, y), (_, g) in zip(system.edges(residual), system.edges(along), strict=True):
        key = (row.kind, row.most, *(id(x) if is_node(x) else x for x in (row.stiffness, y, g)))
        counted.setdefault(key, [0.0, row, y, g])[0] += 1.0
    return [tuple(x) for x in counted.values()]
