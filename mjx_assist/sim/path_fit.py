"""Fits fixed muscle points to a full model whose coupled joints move them: least squares on length and moment arm.

One bundle with moved points where that is near enough; else two bundles that pull half each, like a muscle's heads.
"""

from collections.abc import Sequence
from dataclasses import replace

import mujoco
import numpy as np
from scipy.optimize import OptimizeResult, least_squares

from mjx_assist.sim.coupling import Coupling
from mjx_assist.sim.muscle_paths import (
    MusclePath,
    PathPoint,
    crossed_joints,
    crosses_refitted_hinge,
    full_lengths,
    sample_grid,
)
from mjx_assist.sim.skeleton import Skeleton

_LENGTH_SCALE = 2e-4  # m, of the residuals that the fit balances
_MOMENT_ARM_SCALE = 8e-4  # m
_SHIFT_SCALE = 1.0  # m: points move freely, but of equal fits the one nearest to the anatomy wins
_BEYOND_WEIGHT = 0.3  # of samples outside the walking range, which only keep the paths sane there
_BEYOND = 0.5  # how far these reach, in walking ranges, on either side
_SAMPLES = {1: (25, 13), 2: (10, 6), 3: (6, 4)}  # per joint, (in walking, beyond), for a muscle that crosses so many
_SPLIT_ABOVE = 1.3e-3  # m of moment-arm RMSE, from which on one bundle is not enough
_SPLIT_SPREAD = 0.03  # m, of the random starts of a split
_SPLIT_STARTS = 8
_EVALUATIONS, _SCREENING = 300, 50  # of a fit, and of each start of a split before the best goes on


class _Target:
    """What a path through points on given segments must do at N poses, and what it does with its points elsewhere."""

    def __init__(self, model, skeleton, qpos, joints, segments, length, slope, weight):
        """``qpos`` [N, nq]; ``length`` [N] and ``slope`` [N, J] wanted for the J hinge ``joints``; ``weight`` [N]."""
        self.wanted_length, self.wanted_slope, self.weight = length, slope, weight
        data = mujoco.MjData(model)
        ids = [model.joint(name).id for name in joints]
        origin, turn, axis, anchor = [], [], [], []
        for q in qpos:
            data.qpos[:] = q
            mujoco.mj_kinematics(model, data)
            origin.append(data.xpos[segments])  # segment k is body k of the reduced model
            turn.append(data.xmat[segments].reshape(-1, 3, 3))
            axis.append(data.xaxis[ids])
            anchor.append(data.xanchor[ids])
        self.origin, self.turn = np.stack(origin, 1), np.stack(turn, 1)  # [P, N, 3], [P, N, 3, 3]
        axis, anchor = np.stack(axis, 1)[:, None], np.stack(anchor, 1)[:, None]  # [J, 1, N, 3]
        moves = [[carrier in skeleton.crossing(s, 0) for s in segments] for carrier in model.jnt_bodyid[ids]]
        moves = np.array(moves)[..., None, None]  # [J, P, 1, 1]
        self.drift = np.cross(axis, self.origin - anchor) * moves  # a point's velocity is drift + swing @ position
        self.swing = np.cross(axis[..., None], self.turn, axisa=-2, axisb=-2, axisc=-2) * moves[..., None]

    def evaluate(self, positions: np.ndarray) -> tuple[np.ndarray, ...]:
        """Length [N] and slopes [N, J] of the path through ``positions`` [P, 3], each in its segment's frame.

        Then the derivatives of both by the positions: [N, P, 3] and [N, J, P, 3].
        """
        column = positions[:, None, :, None]
        world = self.origin + (self.turn @ column)[..., 0]
        velocity = self.drift + (self.swing @ column)[..., 0]
        step, opening = world[1:] - world[:-1], velocity[:, 1:] - velocity[:, :-1]
        norm = np.maximum(np.linalg.norm(step, axis=-1, keepdims=True), 1e-9)
        direction = step / norm
        along = (direction * opening).sum(-1, keepdims=True)
        pull = _at_ends(direction)[..., None, :]  # how the length grows with each point's world position
        bend = _at_ends((opening - along * direction) / norm)[..., None, :]
        by_position = (pull @ self.turn)[..., 0, :].transpose(1, 0, 2)
        slope_by_position = (bend @ self.turn + pull @ self.swing)[..., 0, :].transpose(2, 0, 1, 3)
        return norm.sum((0, 2)), along.sum((1, 3)).T, by_position, slope_by_position

    def residual(self, length: np.ndarray, slope: np.ndarray) -> np.ndarray:
        """[N * (1 + J)] in units of what the fit balances."""
        off = (slope - self.wanted_slope) * self.weight[:, None] / _MOMENT_ARM_SCALE
        return np.concatenate([(length - self.wanted_length) * self.weight / _LENGTH_SCALE, off.ravel()])

    def jacobian(self, by_x: np.ndarray, slope_by_x: np.ndarray) -> np.ndarray:
        """Of the residual: [N * (1 + J), X] from the derivatives of length [N, X] and slopes [N, J, X]."""
        slope_rows = slope_by_x * self.weight[:, None, None] / _MOMENT_ARM_SCALE
        return np.concatenate([by_x * self.weight[:, None] / _LENGTH_SCALE, slope_rows.reshape(-1, by_x.shape[-1])])

    def moment_arm_error(self, slope: np.ndarray) -> float:
        """Moment-arm RMSE of the worst joint in the walking range, m."""
        inside = self.weight == self.weight.max()
        return float(np.sqrt(((slope - self.wanted_slope)[inside] ** 2).mean(0)).max())


def _at_ends(stretches: np.ndarray) -> np.ndarray:
    """Stretches [..., P - 1, N, 3] to points [..., P, N, 3]: the stretch that ends there less the next one's."""
    points = np.zeros((*stretches.shape[:-3], stretches.shape[-3] + 1, *stretches.shape[-2:]))
    points[..., 1:, :, :] = stretches
    points[..., :-1, :, :] -= stretches
    return points


def refit(
    full: mujoco.MjModel,
    coupling: Coupling,
    skeleton: Skeleton,
    model: mujoco.MjModel,
    paths: Sequence[MusclePath],
    walking_range: dict[str, tuple[float, float]],
) -> list[MusclePath]:
    """The paths, those of changed ones refitted so that length and moment arms match the full model's. Deterministic.

    ``model``: the reduced model with the paths as read, for its segments' poses.
    """
    fits = {}
    for i, path in enumerate(paths):
        if path.changed:
            target = _target(full, coupling, skeleton, model, path, walking_range)
            fits[i] = _Fit(path, _free_points(path, skeleton), target)
    splits = [fit for fit in fits.values() if fit.moment_arm_error() > _SPLIT_ABOVE]
    for fit in splits:
        fit.split(np.random.default_rng(0).normal(0, _SPLIT_SPREAD, (_SPLIT_STARTS, 2, *fit.start.shape)))
    found = [fit.spread() for fit in splits]
    for fit in splits:  # what is good for one leg is good for the other
        fit.split([spread for spread in found if spread.shape == (2, *fit.start.shape)] or [fit.spread()])
    return [fits[i].path() if i in fits else path for i, path in enumerate(paths)]


def _target(full, coupling, skeleton, model, path, walking_range) -> _Target:
    """What the path must do in the walking range, and, with little weight, around it."""
    joints = [full.joint(j).name for j in crossed_joints(path, skeleton)]
    columns = [model.joint(name).qposadr[0] for name in joints]
    segments = [point.segment for point in path.bundles[0]]
    samples = _SAMPLES.get(len(joints), _SAMPLES[3])
    inside = sample_grid(model, joints, walking_range, samples[0])
    around = sample_grid(model, joints, _widened(full, walking_range, joints), samples[1])
    weights = [np.full(len(q), w / np.sqrt(len(q))) for q, w in ((inside, 1.0), (around, _BEYOND_WEIGHT))]
    qpos = np.concatenate([inside, around])
    length, slope = full_lengths(full, coupling, qpos)
    wanted = length[:, path.tendon], slope[:, path.tendon][:, columns]
    return _Target(model, skeleton, qpos, joints, segments, *wanted, np.concatenate(weights))


def _widened(full, walking_range, joints) -> dict[str, tuple[float, float]]:
    """The walking ranges, wider on both sides but within the joints' limits."""
    wide = {}
    for name in joints:
        low, high = walking_range[name]
        joint = full.joint(name)
        least, most = joint.range if full.jnt_limited[joint.id] else (-np.inf, np.inf)
        reach = _BEYOND * (high - low)
        wide[name] = (min(low, max(low - reach, least)), max(high, min(high + reach, most)))
    return wide


class _Fit:
    """The search for one path: first one bundle with its free points moved, then, if asked, splits in two."""

    def __init__(self, path: MusclePath, free: list[int], target: _Target):
        self.whole, self.free, self.target = path, free, target
        self.points = path.bundles[0]
        self.start = np.array([self.points[i].position for i in free])
        self.best = self._solve(self.start)

    def moment_arm_error(self) -> float:
        return self.target.moment_arm_error(self._mean_length(self.best.x)[1])

    def spread(self) -> np.ndarray:
        """How far the best fit's points are from where they were: [bundles, free points, 3]."""
        return self.best.x.reshape(-1, *self.start.shape) - self.start

    def split(self, spreads: Sequence[np.ndarray]) -> None:
        """Try two bundles, from starts that are [2, free points, 3] away; the most promising one goes on."""
        tried = [self._solve(self.start + spread, _SCREENING) for spread in spreads]
        promising = min(tried, key=lambda fit: fit.cost).x
        self.best = min(self.best, self._solve(promising), key=lambda fit: fit.cost)

    def path(self) -> MusclePath:
        bundles = []
        for k, moved in enumerate(self.best.x.reshape(-1, *self.start.shape)):
            bundle = list(self.points)
            for i, position in zip(self.free, moved, strict=True):
                name = bundle[i].name if k == 0 else f"{bundle[i].name}_{k + 1}"
                bundle[i] = PathPoint(name, bundle[i].segment, position)
            bundles.append(tuple(bundle))
        return replace(self.whole, bundles=tuple(bundles))

    def _solve(self, start: np.ndarray, evaluations: int = _EVALUATIONS) -> OptimizeResult:
        """Least squares over the free points' positions, flat, of all bundles."""
        start = start.ravel()
        latest: dict[bytes, tuple] = {}  # residual and jacobian are asked for at the same x

        def evaluate(x: np.ndarray) -> tuple:
            if x.tobytes() not in latest:
                latest.clear()
                latest[x.tobytes()] = self._mean_length(x)
            return latest[x.tobytes()]

        def residual(x: np.ndarray) -> np.ndarray:
            return np.concatenate([self.target.residual(*evaluate(x)[:2]), (x - start) / _SHIFT_SCALE])

        def jacobian(x: np.ndarray) -> np.ndarray:
            return np.concatenate([self.target.jacobian(*evaluate(x)[2:]), np.eye(x.size) / _SHIFT_SCALE])

        return least_squares(residual, start, jacobian, method="lm", max_nfev=evaluations)

    def _mean_length(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        """Length [N] and slopes [N, J] when the bundles' free points are ``x`` [X]; both by x: [N, X], [N, J, X]."""
        positions = np.array([point.position for point in self.points])
        parts = []
        for moved in x.reshape(-1, *self.start.shape):
            positions[self.free] = moved
            parts.append(self.target.evaluate(positions))
        length, slope, by_position, slope_by_position = zip(*parts, strict=True)
        by_x = np.concatenate([d[:, self.free].reshape(len(d), -1) for d in by_position], axis=-1)
        by_points = [d[:, :, self.free].reshape(*d.shape[:2], -1) for d in slope_by_position]
        share = 1 / len(parts)
        return share * sum(length), share * sum(slope), share * by_x, share * np.concatenate(by_points, axis=-1)


def _free_points(path: MusclePath, skeleton: Skeleton) -> list[int]:
    """Points that the fit may move: both ends of every stretch with a moved point or a refitted hinge in it."""
    points, free = path.bundles[0], set()
    for i in range(len(points) - 1):
        if path.moved[i] or path.moved[i + 1] or crosses_refitted_hinge(points[i], points[i + 1], skeleton):
            free |= {i, i + 1}
    return sorted(free)
