"""What the ground does to the feet, decoded from MuJoCo's constraint forces for many samples at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import mujoco
import numpy as np

Ground = Callable[[np.ndarray, np.ndarray], np.ndarray]
_MOST_ROWS = 10  # of one contact: a pyramid of condim 6


@dataclass(frozen=True)
class GroundContact:
    """T samples: force ``[T, 2, 3]`` N on the (right, left) foot, normal load ``[T, 2, (foot, toes)]`` N, centre of
    pressure ``[T, 2, 3]`` m (NaN where unloaded), free moment ``[T, 2]`` N*m about the vertical through it."""

    force: np.ndarray
    load: np.ndarray
    center_of_pressure: np.ndarray
    free_moment: np.ndarray

    def sample(self, index: int) -> "GroundContact":
        """One sample, without the first axis."""
        return GroundContact(*(getattr(self, part.name)[index] for part in fields(self)))


@dataclass(frozen=True)
class RigidFoot:
    """A foot whose two touch sensors are on one rigid ``body`` of the model (a prosthesis without a toe joint).

    ``ends [2, 3]`` m, in the body's frame: where the reduced model's foot and toes touch. What presses between them is
    shared as on a beam that lies on both, which is how the reduced model's spheres bear it.
    """

    foot: int  # 0 right, 1 left
    body: int
    ends: np.ndarray

    def placed(self, data: mujoco.MjData) -> np.ndarray:
        """The ends ``[2, 3]`` in the world."""
        return data.xpos[self.body] + self.ends @ data.xmat[self.body].reshape(3, 3).T


class ContactTape:
    """Copies a simulation's contacts sample by sample, and decodes them all together.

    ``floor`` is the ground's geom; ``segment`` ``[ngeom]`` is 2 * side + part of a foot's geoms, -1 elsewhere.
    ``ground(x, y)``: its height (m) where it is not the plane z = 0. ``rigid``: feet whose geoms belong to both parts.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        floor: int,
        segment: np.ndarray,
        ground: Ground | None = None,
        rigid: Sequence[RigidFoot] = (),
    ):
        self._elliptic = model.opt.cone == mujoco.mjtCone.mjCONE_ELLIPTIC
        self._floor, self._segment, self._ground, self._rigid = floor, segment, ground, rigid
        self._contacts: list[tuple[np.ndarray, ...]] = []
        self._ends: list[list[np.ndarray]] = [[] for _ in rigid]

    def add(self, data: mujoco.MjData) -> None:
        """Copy the contacts of the last step."""
        c = data.contact
        parts = c.geom, c.efc_address, c.dim, c.pos, c.frame, c.friction, data.efc_force
        self._contacts.append(tuple([part.copy() for part in parts]))
        for foot, ends in zip(self._rigid, self._ends, strict=True):
            ends.append(foot.placed(data))

    def decode(self) -> GroundContact:
        """Forces, loads, CoP and free moment of all samples; after Winter (2009), section 5.2.4."""
        samples = len(self._contacts)
        sample = np.repeat(np.arange(samples), [len(parts[0]) for parts in self._contacts])
        first_row = np.cumsum([0] + [len(parts[-1]) for parts in self._contacts])[sample]
        columns = (np.concatenate(column) for column in zip(*self._contacts, strict=True))
        geom, address, dim, pos, frame, friction, rows = columns
        swapped = geom[:, 1] == self._floor
        segment = self._segment[np.where(swapped, geom[:, 0], geom[:, 1])]
        use = np.flatnonzero((geom == self._floor).any(1) & (segment >= 0) & (address >= 0))
        own_rows = (first_row + address)[use, None] + np.arange(_MOST_ROWS)
        rows = np.append(rows, np.zeros(_MOST_ROWS))[own_rows]
        wrench = _wrench(rows, dim[use], friction[use], self._elliptic)
        in_world = np.einsum("cka,cax->ckx", wrench.reshape(-1, 2, 3), frame[use].reshape(-1, 3, 3))
        in_world *= np.where(swapped, -1.0, 1.0)[use, None, None]  # MuJoCo's is the force on the second geom
        on_foot, torque = in_world[:, 0], in_world[:, 1]
        force, moment, load = np.zeros((2 * samples, 3)), np.zeros((2 * samples, 3)), np.zeros(4 * samples)
        foot = 2 * sample[use] + segment[use] // 2
        np.add.at(force, foot, on_foot)
        np.add.at(moment, foot, torque + np.cross(pos[use], on_foot))
        toes, part = self._on_toes(sample[use], segment[use], pos[use]), 4 * sample[use] + 2 * (segment[use] // 2)
        np.add.at(load, part, (1.0 - toes) * wrench[:, 0])
        np.add.at(load, part + 1, toes * wrench[:, 0])
        height = np.zeros(2 * samples)
        if self._ground:
            height = self._height(foot, pos[use], wrench[:, 0], height.size)
        force, moment = force.reshape(samples, 2, 3), moment.reshape(samples, 2, 3)
        center = _center_of_pressure(force, moment, height.reshape(samples, 2))
        return GroundContact(force, load.reshape(samples, 2, 2), *center)

    def _on_toes(self, sample: np.ndarray, segment: np.ndarray, place: np.ndarray) -> np.ndarray:
        """``[C]`` share of each contact's load that the toes bear: 0 or 1, but on a `RigidFoot`."""
        toes = (segment % 2).astype(float)
        for foot, ends in zip(self._rigid, self._ends, strict=True):
            own = np.flatnonzero(segment // 2 == foot.foot)
            heel, tip = np.moveaxis(np.array(ends)[sample[own]], 1, 0)
            along = ((place[own] - heel) * (tip - heel)).sum(1) / ((tip - heel) ** 2).sum(1)
            toes[own] = np.clip(along, 0.0, 1.0)
        return toes

    def _height(self, foot: np.ndarray, place: np.ndarray, normal: np.ndarray, count: int) -> np.ndarray:
        """``[count]`` m of the ground under each foot, in the middle of its contacts ``[C]`` weighted by their load."""
        weighted, load = np.zeros((count, 2)), np.zeros(count)
        np.add.at(weighted, foot, normal[:, None] * place[:, :2])
        np.add.at(load, foot, normal)
        middle = weighted / np.maximum(load, 1e-12)[:, None]
        return self._ground(middle[:, 0], middle[:, 1]) if self._ground else np.zeros(count)


def _wrench(rows: np.ndarray, dim: np.ndarray, friction: np.ndarray, elliptic: bool) -> np.ndarray:
    """``[C, 6]`` force and torque in the contact's frame from its constraint rows ``[C, 10]``, as mj_contactForce.

    A pyramid's edges are normal +- friction direction (MuJoCo documentation, "Computation, contact").
    """
    if elliptic:
        return np.where(np.arange(6) < dim[:, None], rows[:, :6], 0.0)
    wrench = np.zeros((len(rows), 6))
    edges = np.maximum(2 * (dim - 1), 1)
    rows = np.where(np.arange(_MOST_ROWS) < edges[:, None], rows, 0.0)
    wrench[:, 0] = rows.sum(1)
    tangential = (rows[:, 0::2] - rows[:, 1::2]) * friction
    wrench[:, 1:] = np.where(dim[:, None] > 1, tangential, 0.0)
    return wrench


def _center_of_pressure(force: np.ndarray, moment: np.ndarray, height: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``[..., 3]`` m at a height ``[...]`` m and the free moment ``[...]`` N*m; ``moment`` is about the origin."""
    center, free = np.full(force.shape, np.nan), np.zeros(force.shape[:-1])
    loaded = force[..., 2] > 0
    fx, fy, fz = force[loaded].T
    mx, my, mz = moment[loaded].T
    z = height[loaded]
    center[loaded] = np.stack([(z * fx - my) / fz, (mx + z * fy) / fz, z], axis=1)
    free[loaded] = mz - (center[loaded, 0] * fy - center[loaded, 1] * fx)
    return center, free
