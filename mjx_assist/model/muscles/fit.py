"""Refits what fixed points cannot follow: straight stretches between segments, by least squares on length and arms.

Stretches are what a path costs, so a path gets as few as will do; a crossing that one cannot follow gets two, which
count half each, like a muscle's heads.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations_with_replacement, pairwise
from typing import Any

import mujoco
import numpy as np
from scipy.optimize import OptimizeResult, least_squares

from mjx_assist.errors import UserError
from mjx_assist.model.muscles.paths import Branch, MusclePath, PathPoint
from mjx_assist.model.muscles.samples import Poses
from mjx_assist.model.skeleton.coupling import Coupling
from mjx_assist.model.skeleton.skeleton import Skeleton

_LENGTH_SCALE = 2e-4  # m, of the residuals that the fit balances
_MOMENT_ARM_SCALE = 8e-4  # m
_SHIFT_SCALE = 1.0  # m: points move freely, but of equal fits the one nearest to the anatomy wins
_AROUND_WEIGHT = 0.3  # of poses around the walking range, which only keep the paths sane there
_LENGTH_GOAL = 0.7e-3  # m, RMSE in the walking range that will do
_MOMENT_ARM_GOAL, _MOMENT_ARM_SHARE = 1.5e-3, 0.04  # m, or of the muscle's largest moment arm
_STARTS, _SPREAD = 12, 0.1  # how many, and how far from each other, m, where a crossing is doubled
_MOST_BUNDLES = 3  # side by side
_MOST_EXTRA = 2  # stretches beyond one for each crossing
_EVALUATIONS, _SCREENING = 300, 60  # of a fit, and of each start before the best goes on


@dataclass(frozen=True, eq=False)
class _Stretch:
    """Between two points of the full path on different segments, as read; counts 1 / divisor."""

    start: PathPoint
    end: PathPoint
    divisor: float


_Route = tuple[_Stretch, ...]


def refit(
    full: mujoco.MjModel,
    coupling: Coupling,
    skeleton: Skeleton,
    model: mujoco.MjModel,
    paths: Sequence[MusclePath],
    walking_range: dict[str, tuple[float, float]],
) -> list[MusclePath]:
    """The paths, touched stretches replaced so that length and moment arms match the full model's. Deterministic.

    ``model``: the reduced model with the paths as read, for its segments' poses and the exact parts' lengths.
    """
    touched = [path.tendon for path in paths if path.touched]
    if not touched:
        return list(paths)
    poses = Poses(full, coupling, model, touched, walking_range)
    return [_refitted(poses, path) if path.touched else path for path in paths]


def _refitted(poses: Poses, path: MusclePath) -> MusclePath:
    """The path with the fewest crossings that will do, the best of those with as many; else the best of all."""
    targets: dict[bool, _Target] = {}
    tried: list[tuple[int, _Fit]] = []
    for crossings, keeps, route in sorted(_plans(path), key=lambda plan: plan[0]):
        if any(fit.will_do and count < crossings for count, fit in tried):
            break
        if keeps not in targets:
            targets[keeps] = _Target(poses, path if keeps else replace(path, branches=(), constant=0.0))
        tried.append((crossings, _Fit(targets[keeps], route)))
    if not tried:
        name = poses.full.tendon(path.tendon).name
        raise UserError(f"cannot reduce: tendon {name!r} runs along bones that the reduced model makes one.")
    return min((fit for _, fit in tried), key=lambda fit: (not fit.will_do, fit.cost)).path()


def _plans(path: MusclePath) -> Iterator[tuple[int, bool, _Route]]:
    """Ways to write a path: (crossings between segments in all, are the exact branches kept?, route of the rest).

    A route makes every crossing of the touched branches, or goes straight from their first to their last point; or one
    straight line replaces the whole path. Any of its stretches can be doubled.
    """
    kept = sum(a.segment != b.segment for branch in path.branches for a, b in pairwise(branch.elements))
    bases = [(kept, True, _crossings(path.touched))]
    if len(_shortcuts(path.touched)) < len(bases[0][2]):
        bases.append((kept, True, _shortcuts(path.touched)))
    if path.branches:
        bases.append((0, False, _shortcuts(path.whole)))
    for count, keeps, base in bases:
        for extra in range(_MOST_EXTRA + 1):
            for more in combinations_with_replacement(base, extra):
                if base and max(Counter(more).values(), default=0) < _MOST_BUNDLES:
                    yield count + len(base) + extra, keeps, tuple(sorted([*base, *more], key=base.index))


def _crossings(branches: Sequence[Branch]) -> list[_Stretch]:
    """Between consecutive points on different segments; surfaces on the way are left out."""
    pairs = [(a, b, branch.divisor) for branch in branches for a, b in pairwise(_points(branch))]
    return [_Stretch(*pair) for pair in pairs if pair[0].segment != pair[1].segment]


def _shortcuts(branches: Sequence[Branch]) -> list[_Stretch]:
    """From each branch's first to its last point."""
    ends = [(_points(branch)[0], _points(branch)[-1], branch.divisor) for branch in branches]
    return [_Stretch(*pair) for pair in ends if pair[0].segment != pair[1].segment]


def _points(branch: Branch) -> list[PathPoint]:
    return [element for element in branch.elements if isinstance(element, PathPoint)]


class _Target:
    """What the touched part of a path must do at its poses, in units of what the fit balances."""

    def __init__(self, poses: Poses, path: MusclePath):
        """``path``: with the branches that stay."""
        self.path = path
        self.poses, self.drivers = poses, poses.moved_by[path.tendon]
        self.samples, self.inside = poses.samples(path.tendon)
        length, slope = poses.lengths(path.tendon, self.samples)
        self.peak = np.abs(slope[self.inside]).max(initial=0.0)
        exact, exact_slope = path.constant, 0.0
        if path.branches:
            exact, exact_slope = poses.reduced_lengths(path.tendon, self.samples)
        self.length, self.slope = length - exact, slope - exact_slope
        count = np.where(self.inside, self.inside.sum(), (~self.inside).sum())
        self.weight = np.where(self.inside, 1.0, _AROUND_WEIGHT) / np.sqrt(count)


class _Fit:
    """The search for the points of one route, and for the constant that its length lacks."""

    def __init__(self, target: _Target, route: _Route):
        self.target, self.route = target, route
        ends = [point for stretch in route for point in (stretch.start, stretch.end)]
        self.anatomy = np.array([point.position for point in ends]).reshape(-1, 3)
        segments = [point.segment for point in ends]
        self.origin, self.turn, self.drift, self.swing = target.poses.motion(segments, target.drivers, target.samples)
        copies = [route.count(stretch) for stretch in route]
        self.share = 1 / np.array([n * stretch.divisor for n, stretch in zip(copies, route, strict=True)])
        self.bundles = max(copies, default=1)
        self.best = self._search()

    @property
    def cost(self) -> float:
        return float(self.best.cost)

    @cached_property
    def will_do(self) -> bool:
        target = self.target
        length, slope, *_ = self._evaluate(self.best.x)
        off, arm_off = (length - target.length)[target.inside], (slope - target.slope)[target.inside]
        arm_goal = max(_MOMENT_ARM_GOAL, _MOMENT_ARM_SHARE * target.peak)
        return _rms(off).max() <= _LENGTH_GOAL and _rms(arm_off).max(initial=0.0) <= arm_goal

    def path(self) -> MusclePath:
        """The path with this fit in place of its touched branches."""
        path = self.target.path
        tendon, branches = self.target.poses.full.tendon(path.tendon).name, []
        positions, constant = self.best.x[:-1].reshape(-1, 2, 3), float(self.best.x[-1])
        for k, (stretch, share, ends) in enumerate(zip(self.route, self.share, positions, strict=True)):
            segments = stretch.start.segment, stretch.end.segment
            points = [PathPoint(f"{tendon}_{k + 1}{'ab'[i]}", s, ends[i]) for i, s in enumerate(segments)]
            branches.append(Branch(tuple(points), 1 / share))
        whole = (*path.branches, *branches)
        return replace(path, branches=whole, constant=path.constant + constant, touched=(), bundles=self.bundles)

    def _search(self) -> OptimizeResult:
        """From the anatomy, or, where a crossing is doubled, from the most promising of several spreads around it."""
        start = np.append(self.anatomy, 0.0)
        start[-1] = np.mean((self.target.length - self._evaluate(start)[0])[self.target.inside])
        if self.bundles == 1:
            return self._solve(start, _EVALUATIONS)
        spreads = np.random.default_rng(0).normal(0, _SPREAD, (_STARTS, *self.anatomy.shape[:1], 2))
        starts = [np.append(self.anatomy + self._in_plane(spread), start[-1]) for spread in spreads]
        tried = [self._solve(x, _SCREENING) for x in starts]
        return self._solve(min(tried, key=lambda fit: fit.cost).x, _EVALUATIONS)

    def _in_plane(self, spread: np.ndarray) -> np.ndarray:
        """Shifts [P, 2] along each stretch and across it in the plane that its joint turns it in, as [P, 3] local.

        Nothing out of that plane, so what holds for one leg holds for the other, mirrored.
        """
        world = self.origin[:, 0] + (self.turn[:, 0] @ self.anatomy[..., None])[..., 0]
        along = np.repeat(world[1::2] - world[::2], 2, axis=0)
        along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
        axis = self.target.poses.axis(self.target.drivers[0])
        across = np.cross(axis, along)
        shift = spread[:, :1] * along + spread[:, 1:] * across
        return (self.turn[:, 0].swapaxes(1, 2) @ shift[..., None])[..., 0]

    def _solve(self, start: np.ndarray, evaluations: int) -> OptimizeResult:
        """Least squares over all points' positions and the constant, flat."""
        latest: dict[bytes, tuple] = {}  # residual and jacobian are asked for at the same x
        anchor = np.append(self.anatomy, 0.0)
        stiff = np.append(np.full(self.anatomy.size, 1 / _SHIFT_SCALE), 0.0)

        def evaluate(x: np.ndarray) -> tuple:
            if x.tobytes() not in latest:
                latest.clear()
                latest[x.tobytes()] = self._evaluate(x)
            return latest[x.tobytes()]

        def residual(x: np.ndarray) -> np.ndarray:
            length, slope, *_ = evaluate(x)
            off = self._scaled(length - self.target.length, slope - self.target.slope)
            return np.concatenate([off, (x - anchor) * stiff])

        def jacobian(x: np.ndarray) -> np.ndarray:
            return np.concatenate([self._scaled(*evaluate(x)[2:]), np.diag(stiff)])

        ours: Any = jacobian  # scipy's types know its words alone
        return least_squares(residual, start, jac=ours, method="lm", max_nfev=evaluations)

    def _scaled(self, length: np.ndarray, slope: np.ndarray) -> np.ndarray:
        """Errors of length [n, ...] and slopes [n, J, ...] as one list [n * (1 + J), ...] of residuals."""
        weight = self.target.weight.reshape(-1, *[1] * (length.ndim - 1))
        slopes = (slope * weight[:, None] / _MOMENT_ARM_SCALE).reshape(-1, *length.shape[1:])
        return np.concatenate([length * weight / _LENGTH_SCALE, slopes])

    def _evaluate(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        """Length [n] and slopes [n, J] with points and constant at ``x`` [X]; both by x: [n, X], [n, J, X]."""
        column = x[:-1].reshape(-1, 1, 3, 1)
        world = self.origin + (self.turn @ column)[..., 0]
        velocity = self.drift + (self.swing @ column)[..., 0]
        step, opening = world[1::2] - world[::2], velocity[:, 1::2] - velocity[:, ::2]  # [K, n, 3], [J, K, n, 3]
        norm = np.maximum(np.linalg.norm(step, axis=-1, keepdims=True), 1e-9)
        share = self.share[:, None, None]
        direction = step / norm
        along = (direction * opening).sum(-1, keepdims=True)
        pull = _at_ends(share * direction)[..., None, :]  # how the length grows with each end's world position
        bend = _at_ends(share * (opening - along * direction) / norm)[..., None, :]
        by_position = (pull @ self.turn)[..., 0, :]  # [P, n, 3]
        slope_by_position = (bend @ self.turn + pull @ self.swing)[..., 0, :]  # [J, P, n, 3]
        n, drivers = world.shape[1], len(velocity)
        by_x = np.concatenate([by_position.swapaxes(0, 1).reshape(n, -1), np.ones((n, 1))], axis=1)
        slope_by_x = slope_by_position.transpose(2, 0, 1, 3).reshape(n, drivers, -1)
        slope_by_x = np.concatenate([slope_by_x, np.zeros((n, drivers, 1))], axis=2)
        return (share * norm).sum((0, 2)) + x[-1], (share * along).sum((1, 3)).T, by_x, slope_by_x


def _at_ends(stretches: np.ndarray) -> np.ndarray:
    """Of stretches [..., K, n, 3], what their ends [..., 2 K, n, 3] get: the negative at the start."""
    return np.stack([-stretches, stretches], axis=-3).reshape(*stretches.shape[:-3], -1, *stretches.shape[-2:])


def _rms(values: np.ndarray) -> np.ndarray:
    return np.sqrt(np.mean(values**2, axis=0))
