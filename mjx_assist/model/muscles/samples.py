"""Poses at which muscle paths are fitted, and how points on the reduced skeleton's segments move there."""

from collections.abc import Sequence
from itertools import product

import mujoco
import numpy as np
from scipy.stats import qmc

from mjx_assist.errors import UserError
from mjx_assist.model.muscles.paths import by_driver, full_lengths, reduced_lengths, settled
from mjx_assist.model.skeleton.coupling import Coupling

_INSIDE, _AROUND = 384, 192  # poses in the walking range and around it
_REACH = 0.7  # how far around, in walking ranges, on either side, but within the joint's limits
_FEW = 48  # of the poses inside, for a tendon that one joint moves; each further joint doubles them
_PROBES = 24  # random poses that show which joints move which tendon
_MOVES = 1e-7  # m/rad, least slope that counts


class Poses:
    """Poses of the reduced model, first in the walking range, then around it; the root is at qpos0.

    Joints that the reduced model's own equalities drive follow; the others, the drivers, are sampled by low-discrepancy
    numbers. Drivers that no tendon has in common share theirs, so left and right are sampled alike.
    """

    def __init__(
        self,
        full: mujoco.MjModel,
        coupling: Coupling,
        model: mujoco.MjModel,
        tendons: Sequence[int],
        walking_range: dict[str, tuple[float, float]],
    ):
        """``model``: the reduced one, with any paths; ``tendons``: the full model's that are to be fitted."""
        self.full, self.coupling, self.model, self.tendons = full, coupling, model, list(tendons)
        self.moved_by = self._probe(walking_range)  # tendon -> joints
        self.qpos = self._sample(walking_range)
        length, slope = full_lengths(full, coupling, self.qpos, self.tendons)
        self._length, self._slope = length, by_driver(model, self.qpos, slope)
        self._trace()

    def lengths(self, tendon: int, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The full model's length [n] and slopes [n, J] by the drivers that move the tendon."""
        column = self.tendons.index(tendon)
        return self._length[samples, column], self._slope[samples, column][:, self.moved_by[tendon]]

    def reduced_lengths(self, tendon: int, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same of the reduced model's tendon of that name."""
        qpos, name = self.qpos[samples], self.full.tendon(tendon).name
        length, slope = reduced_lengths(self.model, qpos, [self.model.tendon(name).id])
        return length[:, 0], by_driver(self.model, qpos, slope)[:, 0, self.moved_by[tendon]]

    def samples(self, tendon: int) -> tuple[np.ndarray, np.ndarray]:
        """As many poses as a tendon needs that so many drivers move: indices, and which are in the walking range."""
        inside = min(_INSIDE, _FEW * 2 ** max(0, len(self.moved_by[tendon]) - 1))
        chosen = np.concatenate([np.arange(inside), _INSIDE + np.arange(inside // 2)])
        return chosen, chosen < _INSIDE

    def axis(self, joint: int) -> np.ndarray:
        """The joint's axis [3] in the world at the first pose."""
        return self._axis[0, joint]

    def motion(self, segments: Sequence[int], drivers: list[int], samples: np.ndarray) -> tuple[np.ndarray, ...]:
        """How the segments [S] are placed and move, in the world: a point p of one is at ``origin + turn @ p``.

        When driver j turns it moves by ``drift + swing @ p``. Shapes of these: [S, n, 3], [S, n, 3, 3], [J, S, n, 3],
        [J, S, n, 3, 3].
        """
        origin = self._origin[samples][:, segments].swapaxes(0, 1)
        turn = self._turn[samples][:, segments].swapaxes(0, 1)
        drift, swing = np.zeros((len(drivers), *origin.shape)), np.zeros((len(drivers), *turn.shape))
        follow = by_driver(self.model, self.qpos[samples], np.eye(self.model.nv)[None].repeat(len(samples), 0))
        for joint, driver in product(range(self.model.njnt), drivers):
            share, j = follow[:, joint, driver, None], drivers.index(driver)
            if not share.any():
                continue
            axis, anchor = self._axis[samples, joint], self._anchor[samples, joint]
            for k, segment in enumerate(segments):
                if not self._carries(int(self.model.jnt_bodyid[joint]), segment):
                    continue
                if self.model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_SLIDE:
                    drift[j, k] += share * axis
                else:
                    drift[j, k] += share * np.cross(axis, origin[k] - anchor)
                    swing[j, k] += share[..., None] * np.cross(axis[..., None], turn[k], axisa=1, axisb=1, axisc=1)
        return origin, turn, drift, swing

    def _carries(self, body: int, segment: int) -> bool:
        """Is the body the segment or above it? Segment k is body k of the reduced model."""
        while segment > body:
            segment = int(self.model.body_parentid[segment])
        return segment == body

    def _probe(self, walking_range) -> dict[int, list[int]]:
        """Per tendon the drivers that change its length."""
        limits = np.array([self._limits(walking_range, j) or [q, q] for j, q in enumerate(self.model.qpos0)])
        qpos = settled(self.model, np.random.default_rng(0).uniform(limits[:, 0], limits[:, 1], (_PROBES, len(limits))))
        slope = by_driver(self.model, qpos, full_lengths(self.full, self.coupling, qpos, self.tendons)[1])
        moves = np.abs(slope).max(0) > _MOVES
        return {t: np.flatnonzero(row).tolist() for t, row in zip(self.tendons, moves, strict=True)}

    def _sample(self, walking_range) -> np.ndarray:
        digit = _digits(list(self.moved_by.values()))
        numbers = qmc.Halton(max(digit.values(), default=0) + 1, scramble=False).random(_INSIDE + _AROUND + 1)[1:]
        qpos = np.tile(self.model.qpos0, (len(numbers), 1))
        for joint, k in digit.items():
            within = self._limits(walking_range, joint)
            if within is None:
                name = self.model.joint(joint).name
                raise UserError(f"cannot reduce: no walking range is given for joint {name!r}, which moves a muscle.")
            wide = self._widened(joint, within)
            low, high = (np.repeat(pair, [_INSIDE, _AROUND]) for pair in zip(within, wide, strict=True))
            qpos[:, joint] = low + (high - low) * numbers[:, k]
        return settled(self.model, qpos)

    def _trace(self) -> None:
        """Where segments and joint axes are."""
        data, poses = mujoco.MjData(self.model), []
        for q in self.qpos:
            data.qpos[:] = q
            mujoco.mj_kinematics(self.model, data)
            poses.append([data.xpos.copy(), data.xmat.reshape(-1, 3, 3).copy(), data.xaxis.copy(), data.xanchor.copy()])
        self._origin, self._turn, self._axis, self._anchor = (np.array(values) for values in zip(*poses, strict=True))

    def _limits(self, walking_range, joint: int) -> tuple[float, float] | None:
        own = tuple(self.model.jnt_range[joint]) if self.model.jnt_limited[joint] else None
        return walking_range.get(self.model.joint(joint).name, own)

    def _widened(self, joint: int, within: tuple[float, float]) -> tuple[float, float]:
        low, high = within
        least, most = self.model.jnt_range[joint] if self.model.jnt_limited[joint] else (-np.inf, np.inf)
        reach = _REACH * (high - low)
        return min(low, max(low - reach, least)), max(high, min(high + reach, most))


def _digits(groups: Sequence[Sequence[int]]) -> dict[int, int]:
    """A number for each member, different for members of one group, as small as can be."""
    digit: dict[int, int] = {}
    for member in sorted(set().union(*groups)):
        taken = {digit.get(other) for group in groups if member in group for other in group}
        digit[member] = next(k for k in range(len(taken) + 1) if k not in taken)
    return digit
