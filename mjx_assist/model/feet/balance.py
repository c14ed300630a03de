"""Moves spheres of a foot, within the tolerance of its reach, until its heel bears what the full model's does.

What makes the difference is where a foot touches when it stands flat, which matters little for how far down it reaches.
"""

from dataclasses import dataclass, replace
from itertools import islice

import mujoco
import numpy as np
from scipy.linalg import block_diag
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from mjx_assist.model.feet.contact import TOLERANCE, Sole
from mjx_assist.model.feet.linear_program import minimise
from mjx_assist.model.feet.load import Load, Stance, can_settle, stance, stand, standing_qpos
from mjx_assist.model.feet.shape import read_shape
from mjx_assist.model.feet.spheres import RADIUS, Ball, Target
from mjx_assist.model.names import GRAVITY
from mjx_assist.model.skeleton.coupling import Coupling
from mjx_assist.model.skeleton.skeleton import Skeleton

_ENOUGH = 0.025  # of the load: spheres that share it so closely stay where they are
_TOO_FAR = 0.04  # of the load: then one more sphere is needed
_AIM = 0.02  # of the load: how close those that move are to come
_STEPS, _SHRINK = 12, 0.9
_STEP = np.array([0.005, 0.0005, 0.02])  # m by which forward position, bottom height and radius change at a time
_COST = np.array([0.02, 1.0, 0.005])  # of changing them, per m
_MISSED = 1e3  # cost of a share that is missed
_UNITS = np.array([1e-3, 1e-2, 1e-2])  # m, rad, rad by which a settling foot sinks, pitches and rolls
_DEEP = 0.01  # m, where its settling begins
_TINY = 1e-6  # m, for derivatives


@dataclass(frozen=True)
class _Place:
    """Where a sole's part is: a point of its frame -> as seen from the weight, forward, left and up."""

    turn: np.ndarray  # [3, 3]
    origin: np.ndarray  # [3]
    softness: float  # 1/kg, of its body


def balance(
    full: mujoco.MjModel, coupling: Coupling, skeleton: Skeleton, model: mujoco.MjModel, feet: list[list[Sole]]
) -> list[list[Sole]]:
    """The same soles with spheres moved, or one more on a foot; ``model`` is reduced, with any spheres.

    Each foot stands alone as in foot_load.py. Where the heel's share differs by more than 2.5 % of the load, positions,
    heights and radii change as little as removes that, by linear programs: of the share, linearised, and the reach.
    Where that does not do, a small sphere is put where the full model's heel or fore foot bears its load.
    """
    shape, qpos = read_shape(full, skeleton), standing_qpos(model)
    lifted, data = coupling.lift(qpos), mujoco.MjData(model)
    data.qpos[:] = qpos
    mujoco.mj_kinematics(model, data)
    balanced = []
    for chain, soles in zip(shape.chains, feet, strict=True):
        parts = [sole.part for sole in soles]
        on = stance(shape, chain, parts, lifted)
        if not can_settle(full, on):
            balanced.append(soles)
            continue
        wanted = stand(parts, lifted, on)
        bodies = [model.body(full.body(skeleton.segments[s].root).name).id for s in chain]
        heel = data.xpos[bodies[0]] + data.xmat[bodies[0]].reshape(3, 3) @ on.local
        places = []
        for body, sole in zip(bodies, soles, strict=True):
            turn = shape.axes @ data.xmat[body].reshape(3, 3)
            origin = shape.axes @ (data.xpos[body] - heel)
            places.append(_Place(turn @ sole.frame.T, origin, model.body_invweight0[body, 0]))
        foot = _Foot(model, on, places, shape.wide)
        balanced.append(foot.balanced(soles, wanted, wanted.places @ shape.axes.T))
    return balanced


@dataclass(frozen=True)
class _Foot:
    """How a foot of spheres stands."""

    model: mujoco.MjModel
    on: Stance
    places: list[_Place]
    wide: bool

    def balanced(self, soles: list[Sole], wanted: Load, bears: np.ndarray) -> list[Sole]:
        """``bears`` [2, 3]: where the full model's fore foot and heel do, as seen from the weight."""
        share = wanted.heel_percent / 100
        if abs(self.rest(soles).share - share) <= _ENOUGH:
            return soles
        moved = self.moved(soles, share)
        rest = self.rest(moved)
        if abs(rest.share - share) <= _TOO_FAR:
            return moved
        lacking = bears[np.abs(rest.bears[:, 0] - bears[:, 0]).argmax()]
        return self.moved(self.with_sphere_at(soles, lacking), share)

    def rest(self, soles: list[Sole]) -> "_Rest":
        """The foot of the soles' spheres, settled: each is a spring that only pushes."""
        owner = np.repeat(np.arange(len(soles)), [len(sole.balls) for sole in soles])
        balls = [ball for sole in soles for ball in sole.balls]
        places = [self.places[k] for k in owner]
        centres = np.array([p.origin + p.turn @ b.centre for p, b in zip(places, balls, strict=True)])
        radii, softness = np.array([b.radius for b in balls]), np.array([p.softness for p in places])
        turn, depth = self._settled(centres, radii, softness)
        points, force = centres @ turn.T, self._force(depth, softness)
        stiffness = (self._force(depth + _TINY, softness) - self._force(depth - _TINY, softness)) / (2 * _TINY)
        heel = points[:, 0] < self.on.heel_end
        bears = [force[group] @ points[group] / max(force[group].sum(), 1e-9) for group in (~heel, heel)]
        # what deepens or displaces one contact makes all of the foot sink and turn, by the inverse of its stiffness
        arms = self._arms(points)
        resists = (arms.T * stiffness) @ arms
        resists[1:, 1:] += np.eye(len(resists) - 1) * (force @ points[:, 2])  # turning displaces contacts, too
        lever = np.linalg.lstsq(resists, arms.T @ (stiffness * heel), rcond=None)[0]
        by_depth = stiffness * (heel - arms @ lever)
        by_point = -np.outer(force, self._arms(np.eye(3))[:, 1:] @ lever[1:])
        by_point[:, 2] -= by_depth
        by_centre = np.einsum("ni,nij->nj", by_point, [turn @ place.turn for place in places])
        slope = np.column_stack([by_centre[:, 0], by_centre[:, 2], by_centre[:, 2] + by_depth]) / force.sum()
        return _Rest(float(force[heel].sum() / force.sum()), slope, np.array(bears))

    def _arms(self, points: np.ndarray) -> np.ndarray:
        """[n, 2 or 3] how much deeper points get when the foot sinks, pitches and, where it can, rolls."""
        arms = np.column_stack([np.ones(len(points)), points[:, 0], -points[:, 1]])
        return arms if self.wide else arms[:, :2]

    def _settled(self, centres: np.ndarray, radii: np.ndarray, softness: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How the foot is turned [3, 3] when it bears the weight, and the depth [n] of its spheres, m."""
        weight = GRAVITY * self.model.body_mass.sum()

        def moved(unknown: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            sinks, pitch, roll = np.append(unknown, np.zeros(3 - len(unknown))) * _UNITS
            turn = Rotation.from_rotvec([roll, pitch, 0.0]).as_matrix()
            return turn, sinks - (centres @ turn.T)[:, 2] + radii

        def off_balance(unknown: np.ndarray) -> np.ndarray:
            turn, depth = moved(unknown)
            load = self._force(depth, softness) @ self._arms(centres @ turn.T) / weight
            load[0] -= 1.0
            return load

        start = np.zeros(3 if self.wide else 2)
        start[0] = ((centres[:, 2] - radii).min() + _DEEP) / _UNITS[0]
        return moved(least_squares(off_balance, start, method="lm").x)

    def _force(self, depth: np.ndarray, softness: np.ndarray) -> np.ndarray:
        """[n] N of frictionless contacts at rest (MuJoCo's documentation, chapter Computation, Constraint model)."""
        time, damping = self.model.pair_solref[0]
        least, most, width, middle, power = self.model.pair_solimp[0]
        x = np.clip(depth / width, 0.0, 1.0)
        low, high = x**power / middle ** (power - 1), 1 - (1 - x) ** power / (1 - middle) ** (power - 1)
        impedance = least + (most - least) * np.where(x <= middle, low, high)
        spring = 1 / (time * damping) ** 2 if time > 0 else -time  # negative: stiffness and damping themselves
        stiffness = impedance**2 / (1 - impedance) * spring / most**2
        return stiffness * np.maximum(depth, 0.0) / softness

    def moved(self, soles: list[Sole], share: float) -> list[Sole]:
        """Spheres moved, as little as possible, until the heel bears nearly that share, or can do no more for it."""
        step = _STEP.copy()
        for _ in range(_STEPS):
            rest = self.rest(soles)
            missing = share - rest.share
            if abs(missing) <= _ENOUGH:
                break
            soles = _step(soles, missing - np.copysign(_AIM, missing), rest.slope, step)
            step *= _SHRINK
        return soles

    def with_sphere_at(self, soles: list[Sole], point: np.ndarray) -> list[Sole]:
        """One more small sphere, as low as the shape allows, under ``point`` on the part that is nearest to it."""
        inside = [place.turn.T @ (point - place.origin) for place in self.places]
        outside = [
            max(sole.target.low[0] - x[0], x[0] - sole.target.high[0]) for sole, x in zip(soles, inside, strict=True)
        ]
        k = int(np.argmin(outside))
        target = soles[k].target
        down, radius = target.directions, RADIUS[0]
        centre = np.clip(inside[k], target.low, target.high)
        centre[2] = ((target.ceiling - radius - down[:, :2] @ centre[:2]) / down[:, 2]).max()
        more = Ball(centre, radius, 0.0, np.zeros(0, dtype=int))
        return [replace(sole, balls=[*sole.balls, more]) if n == k else sole for n, sole in enumerate(soles)]


@dataclass(frozen=True)
class _Rest:
    share: float  # the heel's
    slope: np.ndarray  # [spheres, 3] its derivatives by forward position, bottom height and radius, 1/m
    bears: np.ndarray  # [2, 3] where fore foot and heel do


def _step(soles: list[Sole], missing: float, slope: np.ndarray, step: np.ndarray) -> list[Sole]:
    """Spheres changed by at most ``step``, and as little as changes the share by ``missing``."""
    pairs = [(sole.target, ball) for sole in soles for ball in sole.balls]
    radii = np.array([ball.radius for _, ball in pairs])
    ahead = np.array([[t.low[0] - b.centre[0], t.high[0] - b.centre[0]] for t, b in pairs])
    up, down = np.tile(step, (len(pairs), 1)), np.tile(step, (len(pairs), 1))
    up[:, 0], down[:, 0] = np.clip([ahead[:, 1], -ahead[:, 0]], 0.0, step[0])
    up[:, 2], down[:, 2] = np.clip([RADIUS[1] - radii, radii - RADIUS[0]], 0.0, step[2])
    reached, limits = zip(*(_within_reach(target, ball, step) for target, ball in pairs), strict=True)
    rows = np.vstack([np.asarray(block_diag(*reached)), slope.ravel()[None], -slope.ravel()[None]])
    misses = np.zeros((len(rows), 1))
    misses[-2:] = -1.0
    cost = np.tile(_COST, len(pairs)) * np.linspace(1.0, 1.001, slope.size)  # without ties
    found = minimise(
        np.concatenate([cost, cost, [_MISSED]]),
        np.hstack([rows, -rows, misses]),
        np.concatenate([*limits, [missing, -missing]]),
        np.zeros(2 * slope.size + 1),
        np.concatenate([up.ravel(), down.ravel(), [1.0]]),
    )
    change = (found[: slope.size] - found[slope.size : -1]).reshape(-1, 3)
    changed = iter(
        replace(ball, centre=ball.centre + np.array([ahead, 0.0, bottom + wider]), radius=ball.radius + wider)
        for (_, ball), (ahead, bottom, wider) in zip(pairs, change, strict=True)
    )
    return [replace(sole, balls=list(islice(changed, len(sole.balls)))) for sole in soles]


def _within_reach(target: Target, ball: Ball, step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows [n, 3] and limits [n] for a sphere's change, such that it reaches as it should within the tolerance."""
    along = np.column_stack([target.directions[:, [0, 2]], 1 + target.directions[:, 2]])
    support = target.directions @ ball.centre + ball.radius
    rows = np.vstack([along, -along[ball.samples]])
    slack = np.concatenate([target.ceiling - support, (support - target.reach)[ball.samples]])
    slack = np.maximum(slack + max(TOLERANCE, ball.error), 0.0)
    near = slack < np.abs(rows) @ step
    return rows[near], slack[near]
