"""One physics step of a model as a graph: what goes in, the solver's loop, what comes out."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import mujoco
import numpy as np

from mjx_assist.model.names import is_muscle
from mjx_assist.model.variation import Variation
from mjx_assist.sim.physics.compiled.graph import Graph, Node, Value, clip, is_node, multiply, needed
from mjx_assist.sim.physics.compiled.model import constraints, sensors, solver, tendons
from mjx_assist.sim.physics.compiled.model.actuators import Actuators, actuators
from mjx_assist.sim.physics.compiled.model.tree import Sparse, Tree

STATE = ("qpos", "qvel", "act", "warmstart")  # what a step hands to the next
READINGS = ("sensordata", "limit_force", "actuator_length", "actuator_velocity", "last_act")  # what it found on its way
PEAKS = {"sensor_peak": "sensordata", "limit_load": "limit_force"}  # largest readings within a control step
RESULTS = (*STATE, *(name for name in READINGS if name != "limit_force"), *PEAKS)  # what a control step hands on
PRECISION = {32: 1e-9, 64: 1e-24}  # of the solver, by the numbers' bits


@dataclass(frozen=True)
class Field:
    """A heightfield: nodes along y and x, half sizes and spacing (m), and what a stored height of 1 is (m)."""

    rows: int
    columns: int
    half: tuple[float, float]
    spacing: tuple[float, float]
    scale: float

    def cells(self, radius: float) -> tuple[int, int]:
        """How many cells along x and y a sphere of this radius can touch."""
        x, y = (
            min(math.ceil(2 * radius / s) + 1, n - 1)
            for s, n in zip(self.spacing, (self.columns, self.rows), strict=True)
        )
        return x, y


@dataclass(frozen=True)
class Step:
    """A step's graph. ``inputs``: state, ``ctrl`` and a variation's fields, by name.

    ``start``: residuals at the warm start; ``loop``: an iteration of the solver; ``solved`` and ``solved_residual``:
    the inputs that take its result; ``outputs``: state after the step and `READINGS`, by name.
    """

    inputs: dict[str, list[Node]]
    start: list[Value]
    loop: solver.Iteration
    solved: list[Node]
    solved_residual: list[Value]
    outputs: dict[str, list[Value]]
    field: "Field | None"

    @property
    def carried(self) -> list[int]:
        """Which residuals the loop carries; the others are zero in every state."""
        return [i for i, x in enumerate(self.start) if is_node(x)]

    @property
    def results(self) -> dict[str, int]:
        """How many numbers of a walker each of `RESULTS` has."""
        return {name: len(self.outputs[PEAKS.get(name, name)]) for name in RESULTS}

    @property
    def varied(self) -> list[str]:
        """The variation's fields among the inputs."""
        return [name for name in self.inputs if name in Variation._fields]

    @cached_property
    def stages(self) -> list[list[Node]]:
        """The nodes of each stage of `Graph`, without inputs, each after those it needs."""
        loop = self.loop
        ends = [x for values in self.outputs.values() for x in values]
        ends += [*self.start, *loop.line_out, loop.line_done, *loop.next_qacc, *loop.next_residual, loop.done]
        stages: list[list[Node]] = [[] for _ in range(5)]
        for node in needed(ends):
            if node.op != "in":
                stages[node.stage].append(node)
        return stages


def field_sizes(model: mujoco.MjModel) -> dict[str, int]:
    """How many numbers each field of a `Variation` has for a walker."""
    sizes = dict.fromkeys(Variation._fields, 1)
    return sizes | {"mass": model.nbody, "strength": int(is_muscle(model).sum()), "push": model.nv}


def make_step(model: mujoco.MjModel, varied: Iterable[str] = (), bits: int = 32) -> Step:
    """The step of a model that `generated.missing` finds nothing wrong with; ``varied``: fields that are inputs."""
    graph = Graph()
    sizes = {"qpos": model.nq, "qvel": model.nv, "act": model.na, "warmstart": model.nv, "ctrl": model.nu}
    known = field_sizes(model)
    sizes |= {name: known[name] for name in Variation._fields if name in set(varied)}
    inputs = {name: [graph.input(f"{name}{i}") for i in range(n)] for name, n in sizes.items()}
    fields = {name: x if known.get(name, 1) > 1 else x[0] for name, x in inputs.items() if name in known and x}
    differs = Variation(**fields)

    tree = Tree(model, inputs["qpos"], inputs["qvel"], differs.mass or [1.0] * model.nbody)
    paths = tendons.paths(tree)
    muscles = np.flatnonzero(is_muscle(model)).tolist()
    strength = dict(zip(muscles, differs.strength or [1.0] * len(muscles), strict=True))
    driven = actuators(tree, paths, inputs["ctrl"], inputs["act"], strength)
    smooth, damping = _smooth(tree, paths, driven, differs)
    contacts = constraints.contacts(tree, differs)
    others, limits = constraints.rows(tree, paths)
    system = solver.System(tree, smooth, contacts, [*limits, *others])
    start = [a - b for a, b in zip(system.rest, system.applied(inputs["warmstart"]), strict=True)]
    loop = solver.iteration(graph, system, start, PRECISION[bits])

    graph.stage = 4
    solved = [graph.input(f"solved{i}") for i in range(model.nv)]
    residual = [graph.input(f"solved_residual{i}") if is_node(x) else x for i, x in enumerate(start)]
    outputs = _integrated(system, residual, damping, driven)
    outputs |= {"warmstart": list(solved), "last_act": list(inputs["act"])}
    return Step(inputs, start, loop, solved, residual, outputs, _field(model))


def _field(model: mujoco.MjModel) -> Field | None:
    """The heightfield that is the ground, if it is one."""
    geoms = {int(g) for g in (*model.pair_geom1, *model.pair_geom2)}
    numbers = {int(model.geom_dataid[g]) for g in geoms if model.geom_type[g] == mujoco.mjtGeom.mjGEOM_HFIELD}
    if not numbers:
        return None
    (number,) = numbers
    rows, columns = int(model.hfield_nrow[number]), int(model.hfield_ncol[number])
    x, y, scale = (float(a) for a in model.hfield_size[number, :3])
    return Field(rows, columns, (x, y), (2 * x / (columns - 1), 2 * y / (rows - 1)), scale)


def _smooth(
    tree: Tree, paths: Sequence[tendons.Path], driven: Actuators, differs: Variation
) -> tuple[list[Value], Sparse]:
    """All joint forces but the constraints' ``[nv]``, and how they fall with velocity (what is taken implicitly)."""
    model = tree.model
    force = [-x for x in tree.bias()]
    damping: Sparse = {}
    for j in range(model.nv):
        factor = 1.0 if differs.joint_damping is None else differs.joint_damping
        damper = multiply(float(model.dof_damping[j]), factor)
        damping[j, j] = damper
        spring = float(model.jnt_stiffness[j]) * (tree.qpos[j] - float(model.qpos_spring[j]))
        force[j] = force[j] - damper * tree.qvel[j] - spring
        if differs.push is not None:
            force[j] = force[j] + differs.push[j]
    pulls = list(zip(driven.path, driven.force, driven.slope, strict=True))
    pulls += [(path, *_passive(tree, t, path)) for t, path in enumerate(paths)]
    for path, pull, slope in pulls:
        for k, arm in path.moment.items():
            force[k] = force[k] + multiply(arm, pull)
        if is_node(slope) or slope != 0:
            solver.add_row(damping, path.moment, -slope)
    return force, damping


def _passive(tree: Tree, tendon: int, path: tendons.Path) -> tuple[Value, float]:
    """Pull of a tendon's spring and damper, and its slope by velocity."""
    model = tree.model
    stiffness, damper = float(model.tendon_stiffness[tendon]), float(model.tendon_damping[tendon])
    low, high = (float(x) for x in model.tendon_lengthspring[tendon])
    speed = sum((multiply(x, tree.qvel[k]) for k, x in path.moment.items()), 0.0)
    stretch = path.length - clip(path.length, low, high)
    return -(stiffness * stretch) - damper * speed, -damper


def _integrated(
    system: solver.System, residual: list[Value], damping: Sparse, driven: Actuators
) -> dict[str, list[Value]]:
    """The state after the step (implicitfast), and what its sensors felt."""
    tree = system.tree
    model, h = tree.model, float(tree.model.opt.timestep)
    from_rows, of_contacts, of_rows = solver.joint_forces(system, residual)
    matrix = dict(tree.mass)
    for key, x in damping.items():
        matrix[key] = matrix.get(key, 0.0) + h * x
    total = [a + b for a, b in zip(system.smooth, from_rows, strict=True)]
    qvel = [v + h * a for v, a in zip(tree.qvel, solver.solve(matrix, total), strict=True)]
    return {
        "qpos": [q + h * v for q, v in zip(tree.qpos, qvel, strict=True)],
        "qvel": qvel,
        "act": driven.next_act,
        "sensordata": sensors.readings(tree, system.contacts, of_contacts),
        "limit_force": of_rows[: int(model.jnt_limited.sum())],
        "actuator_length": [path.length for path in driven.path],
        "actuator_velocity": driven.velocity,
    }
