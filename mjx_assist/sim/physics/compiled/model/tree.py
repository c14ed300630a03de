"""The tree of joints: where links are and how they move, the mass matrix, and forces between links and joints.

One link per degree of freedom. All frames are aligned with the world at qpos0, so what is planar in a model is planar
in its algebra: constants fold it away. Recursions are Featherstone's (2008), with vectors in the world's axes at each
link's own origin.
"""

from collections.abc import Sequence

import mujoco
import numpy as np

from mjx_assist.sim.physics.compiled import vectors as v
from mjx_assist.sim.physics.compiled.graph import Value, cos, sin
from mjx_assist.sim.physics.compiled.vectors import Matrix, Vector

WORLD = -1  # the link that does not move
Sparse = dict[tuple[int, int], Value]  # of a symmetric matrix, (row, column) with column <= row


def numbers(x: np.ndarray) -> list[float]:
    """Plain numbers, those that rounding made nearly 0 or 1 made so."""
    x = np.asarray(x, float)
    x = np.where(np.abs(x) < 1e-10, 0.0, x)
    return np.where(np.abs(np.abs(x) - 1) < 1e-12, np.sign(x), x).tolist()


def matrix(x: np.ndarray) -> Matrix:
    """`numbers` of a 3 x 3 matrix."""
    return [numbers(row) for row in np.reshape(x, (3, 3))]


class Tree:
    """A model at ``qpos [nv]`` and ``qvel [nv]``; ``mass_factor [nbody]`` scales masses and inertias.

    Of every link: ``parent``; ``turn`` and ``offset`` from its parent's frame; in the world ``orientation``,
    ``origin``, ``axis`` and ``from_parent``. ``chain[i]``: the links that carry link i, itself last.
    ``mass``: the mass matrix.
    """

    def __init__(self, model: mujoco.MjModel, qpos: Sequence[Value], qvel: Sequence[Value], mass_factor: Sequence):
        self.model, self.qpos, self.qvel = model, qpos, qvel
        self.rest = mujoco.MjData(model)
        self.rest.qpos[:] = model.qpos0
        mujoco.mj_kinematics(model, self.rest)
        self.slides = (model.jnt_type == mujoco.mjtJoint.mjJNT_SLIDE).tolist()
        self._links()
        self._place()
        self._mass_factor = mass_factor
        self.mass = self._mass_matrix()

    def _links(self) -> None:
        model, rest = self.model, self.rest
        self.of_body, self.parent = [WORLD] * model.nbody, []
        self._origin_at_rest, self.axis_at_rest, self.chain = [], [], []
        for body in range(1, model.nbody):
            last = self.of_body[model.body_parentid[body]]
            first = model.body_jntadr[body]
            for j in range(first, first + model.body_jntnum[body]):
                slide_of = rest.xpos[body] if last == WORLD else self._origin_at_rest[last]
                self._origin_at_rest.append(np.asarray(slide_of if self.slides[j] else rest.xanchor[j]).copy())
                self.axis_at_rest.append(numbers(rest.xaxis[j]))
                self.parent.append(last)
                self.chain.append([*(self.chain[last] if last != WORLD else []), j])
                last = j
            self.of_body[body] = last

    def local(self, at_rest: np.ndarray, link: int) -> list[float]:
        """A place in the world at qpos0, seen from a link."""
        return numbers(np.asarray(at_rest) - (0.0 if link == WORLD else self._origin_at_rest[link]))

    def _place(self) -> None:
        model, links = self.model, range(self.model.nv)
        self.turn = [self._turn(j) for j in links]
        self.offset, self.from_parent, self.axis = [], [], []
        self.orientation: list[Matrix] = []
        self.origin: list[Vector] = []
        for j in links:
            parent, travel = self.parent[j], self.qpos[j] - float(model.qpos0[j])
            offset: Vector = self.local(self._origin_at_rest[j], parent)
            if self.slides[j]:
                offset = v.plus(offset, v.scale(travel, self.axis_at_rest[j]))
            above = v.EYE if parent == WORLD else self.orientation[parent]
            self.offset.append(offset)
            self.from_parent.append(v.turned(above, offset))
            self.axis.append(v.turned(above, self.axis_at_rest[j]))
            self.orientation.append(v.product(above, self.turn[j]))
            self.origin.append(
                self.from_parent[j] if parent == WORLD else v.plus(self.origin[parent], self.from_parent[j])
            )

    def _turn(self, j: int) -> Matrix:
        """Rotation of a link against its parent (Rodrigues)."""
        if self.slides[j]:
            return v.EYE
        axis, angle = self.axis_at_rest[j], self.qpos[j] - float(self.model.qpos0[j])
        along = np.outer(axis, axis)
        steady, turning = matrix(along), matrix(np.eye(3) - along)
        return [
            [a + cos(angle) * b + sin(angle) * c for a, b, c in zip(*rows, strict=True)]
            for rows in zip(steady, turning, v.skew(axis), strict=True)
        ]

    def vector(self, at_rest: np.ndarray, link: int) -> Vector:
        """From a link's origin to a place of it (in the world at qpos0), in the world's axes."""
        local = self.local(at_rest, link)
        return local if link == WORLD else v.turned(self.orientation[link], local)

    def world(self, at_rest: np.ndarray, link: int) -> Vector:
        """Where a place of a link (in the world at qpos0) is."""
        vector = self.vector(at_rest, link)
        return vector if link == WORLD else v.plus(self.origin[link], vector)

    def turned(self, at_rest: np.ndarray, link: int) -> Matrix:
        """A rotation fixed to a link (in the world at qpos0), now."""
        rotation = matrix(at_rest)
        return rotation if link == WORLD else v.product(self.orientation[link], rotation)

    def up_to(self, link: int, top: int) -> list[int]:
        """The links from ``link`` up to ``top``, without that."""
        found = []
        while link != top:
            found.append(link)
            link = self.parent[link]
        return found

    def common(self, a: int, b: int) -> int:
        """The nearest link that carries both."""
        carriers = {WORLD, *(self.chain[a] if a != WORLD else [])}
        while b not in carriers:
            b = self.parent[b]
        return b

    def seen_from(self, local: Vector, link: int, other: int) -> Vector:
        """A place given from one link, from another one: only through the joints between them."""
        top = self.common(link, other)
        for k in self.up_to(link, top):
            local = v.plus(v.turned(self.turn[k], local), self.offset[k])
        for k in reversed(self.up_to(other, top)):
            local = v.turned_back(self.turn[k], v.minus(local, self.offset[k]))
        return local

    def _mass_matrix(self) -> Sparse:
        model, rest, links = self.model, self.rest, range(self.model.nv)
        self._masses: list[Value] = [0.0 for _ in links]
        self._moments: list[Vector] = [v.ZERO for _ in links]  # mass times centre of mass
        self._inertias: list[Matrix] = [v.NULL for _ in links]  # about the link's origin
        for body in range(1, model.nbody):
            k = self.of_body[body]
            if k == WORLD or model.body_mass[body] == 0:
                continue
            factor = self._mass_factor[body]
            mass, centre = factor * float(model.body_mass[body]), self.vector(rest.xipos[body], k)
            axes = rest.ximat[body].reshape(3, 3)
            own = matrix(axes @ np.diag(model.body_inertia[body]) @ axes.T)
            turned = v.product(v.product(self.orientation[k], own), v.transposed(self.orientation[k]))
            turned = [v.scale(factor, row) for row in turned]
            distant = v.matrix_minus(v.diagonal(v.dot(centre, centre)), [v.scale(x, centre) for x in centre])
            self._masses[k] = self._masses[k] + mass
            self._moments[k] = v.plus(self._moments[k], v.scale(mass, centre))
            parts = v.matrix_plus(turned, [v.scale(mass, row) for row in distant])
            self._inertias[k] = v.matrix_plus(self._inertias[k], parts)
        linear = [v.diagonal(x) for x in self._masses]
        coupling = [v.transposed(v.skew(h)) for h in self._moments]
        found = self.gathered(linear, coupling, self._inertias)
        for i in links:
            found[i, i] = found[i, i] + float(model.dof_armature[i])
        return found

    def gathered(self, linear: Sequence[Matrix], coupling: Sequence[Matrix], angular: Sequence[Matrix]) -> Sparse:
        """J' [[linear, coupling], [coupling', angular]] J, summed over links; matrices at each link's origin."""
        linear, coupling, angular = list(linear), list(coupling), list(angular)
        found: Sparse = {}
        for j in reversed(range(self.model.nv)):
            if self.slides[j]:
                force, torque = v.turned(linear[j], self.axis[j]), v.turned_back(coupling[j], self.axis[j])
            else:
                force, torque = v.turned(coupling[j], self.axis[j]), v.turned(angular[j], self.axis[j])
            for k in reversed(self.chain[j]):
                found[j, k] = v.dot(self.axis[k], force if self.slides[k] else torque)
                torque = v.plus(torque, v.cross(self.from_parent[k], force))
            parent = self.parent[j]
            if parent == WORLD:
                continue
            arm = v.skew(self.from_parent[j])
            moved = v.matrix_minus(coupling[j], v.product(linear[j], arm))
            turning = v.matrix_minus(angular[j], v.product(v.transposed(coupling[j]), arm))
            turning = v.matrix_plus(turning, v.product(arm, moved))
            linear[parent] = v.matrix_plus(linear[parent], linear[j])
            coupling[parent] = v.matrix_plus(coupling[parent], moved)
            angular[parent] = v.matrix_plus(angular[parent], turning)
        return found

    def bias(self) -> list[Value]:
        """Joint forces ``[nv]`` that gravity and motion ask for at zero joint acceleration (Newton and Euler)."""
        forces: list[Vector] = []
        torques: list[Vector] = []
        spin: list[tuple[Vector, Vector]] = []  # angular velocity and acceleration
        acceleration: list[Vector] = []
        gravity = numbers(-self.model.opt.gravity)
        for j in range(self.model.nv):
            parent, own = self.parent[j], v.scale(self.qvel[j], self.axis[j])
            w, dw = (v.ZERO, v.ZERO) if parent == WORLD else spin[parent]
            at, r = gravity if parent == WORLD else acceleration[parent], self.from_parent[j]
            at = v.plus(at, v.plus(v.cross(dw, r), v.cross(w, v.cross(w, r))))
            if self.slides[j]:
                at = v.plus(at, v.scale(2.0, v.cross(w, own)))  # the travel is part of r, which turns
            else:
                w, dw = v.plus(w, own), v.plus(dw, v.cross(w, own))
            spin.append((w, dw))
            acceleration.append(at)
            h, inertia = self._moments[j], self._inertias[j]
            swing = v.plus(v.cross(dw, h), v.cross(w, v.cross(w, h)))
            forces.append(v.plus(v.scale(self._masses[j], at), swing))
            angular = v.plus(v.turned(inertia, dw), v.cross(w, v.turned(inertia, w)))
            torques.append(v.plus(angular, v.cross(h, at)))
        return self.to_joints(forces, torques)

    def to_joints(self, forces: Sequence[Vector], torques: Sequence[Vector]) -> list[Value]:
        """J' of forces and torques ``[link]`` at the links' origins."""
        forces, torques = list(forces), list(torques)
        found: list[Value] = [0.0] * self.model.nv
        for j in reversed(range(self.model.nv)):
            found[j] = v.dot(self.axis[j], forces[j] if self.slides[j] else torques[j])
            parent = self.parent[j]
            if parent != WORLD:
                forces[parent] = v.plus(forces[parent], forces[j])
                carried = v.plus(torques[j], v.cross(self.from_parent[j], forces[j]))
                torques[parent] = v.plus(torques[parent], carried)
        return found

    def to_links(self, x: Sequence[Value]) -> tuple[list[Vector], list[Vector]]:
        """J x: angular and linear motion ``[link]`` of the links' origins."""
        angular: list[Vector] = []
        linear: list[Vector] = []
        for j in range(self.model.nv):
            parent, own = self.parent[j], v.scale(x[j], self.axis[j])
            turning, moving = (v.ZERO, v.ZERO) if parent == WORLD else (angular[parent], linear[parent])
            moving = v.plus(moving, v.cross(turning, self.from_parent[j]))
            angular.append(turning if self.slides[j] else v.plus(turning, own))
            linear.append(v.plus(moving, own) if self.slides[j] else moving)
        return angular, linear
