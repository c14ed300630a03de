"""Makes published joint angles walk on one body: feet on the ground in stance, off it in swing, and no sliding.

A least-squares fit of one leg in the sagittal plane that moves the angles as little, in published standard deviations,
as it can, and swings the thigh with the published acceleration; where the third dimension puts the foot comes in as an
offset.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mjx_assist.model.names import GRAVITY
from mjx_assist.reference.planar_leg import LEG, Chain, Complex

HARMONICS = {"hip_flexion": 6, "knee_angle": 8, "ankle_angle": 10, "mtp_angle": 10}  # of each joint's correction
ROUGHNESS = {"hip_flexion": 0.1, "knee_angle": 0.1, "ankle_angle": 0.2, "mtp_angle": 0.5}  # rad, of its first harmonic
HEIGHT_HARMONICS = (2, 4, 6)  # of the stride: right and left steps are alike, so only even ones
LIMIT_MARGIN = 0.04  # rad, kept from the joints' limits
SOLE_HEIGHT = -0.002  # m, what soft ground gives under a standing foot
DEEPEST = -0.005  # m, at any time
CLEARANCE = 0.012  # m, of the swing foot: healthy toes pass the ground at 1 to 2 cm (Winter 1992)
# What counts as off by one: m, rad, body weights, rad/s^2. The angles count in their published standard deviations.
TOLERANCE = {
    "height": 0.002,
    "depth": 0.001,
    "clearance": 0.0015,
    "slide": 0.005,
    "toes_flat": 0.1,
    "limit": 0.003,
    "force": 0.05,
    "acceleration": 2.0,
}
_LENGTHS = ("height", "depth", "clearance", "slide")  # of the tolerances, in m


@dataclass(frozen=True)
class Targets:
    """What one speed asks for, over P phases of a leg, from its initial contact on."""

    angles: np.ndarray  # [P, 4] published hip, knee, ankle; toes 0 (rad)
    deviation: np.ndarray  # [P, 4] their standard deviations (rad)
    tilt: np.ndarray  # [P] pelvis tilt (rad)
    support: np.ndarray  # [P] published vertical ground reaction under both feet (body weights)
    stride_length: float  # m
    stride_frequency: float  # Hz
    stance: float  # fraction of the cycle
    offset: np.ndarray | float = 0.0  # [P] complex m, from where the plane puts the foot to where it is in 3-D
    height: np.ndarray | None = None  # [P] m of the root over the ground; None: to be fitted
    size: float = 1.0  # of the person: what is in m here and in TOLERANCE is in proportion to it, times to its root


def fit(chain: Chain, targets: Targets, start: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(angles [P, 4], root height [P], solution) nearest to the published angles that walk on the ground.

    ``start`` is the solution of a similar problem.
    """
    problem = _Problem(chain, targets)
    solution = _least_squares(problem, problem.start() if start is None else start)
    return *problem.unpack(solution), solution


def _least_squares(problem: "_Problem", x: np.ndarray, iterations: int = 40, converged: float = 1e-5) -> np.ndarray:
    """Levenberg-Marquardt on the normal equations: X is small and R large, so each step costs milliseconds."""
    residual, slope = problem.rows(x)
    damping = 1e-3
    for _ in range(iterations):
        square, gradient = slope.T @ slope, slope.T @ residual
        trial = x - np.linalg.solve(square + damping * np.diag(np.diag(square)), gradient)
        trial_residual, trial_slope = problem.rows(trial)
        gain = residual @ residual - trial_residual @ trial_residual
        if gain < 0:
            damping *= 10
            continue
        x, residual, slope, damping = trial, trial_residual, trial_slope, damping / 10
        if gain < converged * (residual @ residual):
            break
    return x


class _Problem:
    """Residuals [R] and their derivatives [R, X] in the Fourier coefficients X of four joint angles' corrections
    and the pelvis height; each demand yields one such pair."""

    def __init__(self, chain: Chain, targets: Targets):
        self.chain, self.targets, size = chain, targets, targets.size
        self.tolerance = TOLERANCE | {name: TOLERANCE[name] * size for name in _LENGTHS}
        self.tolerance["acceleration"] /= size
        self.sole_height, self.clearance, self.deepest = SOLE_HEIGHT * size, CLEARANCE * size, DEEPEST * size
        phases = len(targets.tilt)
        self.phase = np.arange(phases) / phases
        self.bases = [fourier_basis(self.phase, range(1, HARMONICS[name] + 1)) for name in LEG]
        if not chain.toe_joint:
            self.bases[3] = np.zeros((phases, 0))
        self.height_basis = fourier_basis(self.phase, HEIGHT_HARMONICS)
        if targets.height is not None:
            self.height_basis = np.zeros((phases, 0))
        self.edges = np.cumsum([0, *(basis.shape[1] for basis in self.bases), self.height_basis.shape[1]])
        self.windows = _windows(self.phase, targets.stance)

    def start(self) -> np.ndarray:
        """The published angles, and the pelvis as high as the straight leg."""
        x = np.zeros(self.edges[-1])
        x[self.edges[4] : self.edges[4] + 1] = -np.sum(self.chain.links).imag
        return x

    def unpack(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(angles [P, 4], pelvis height [P])."""
        parts = [x[a:b] for a, b in pairwise(self.edges)]
        corrections = np.stack([basis @ part for basis, part in zip(self.bases, parts[:4], strict=True)], axis=-1)
        height = self.height_basis @ parts[4] if self.targets.height is None else self.targets.height
        return self.targets.angles + corrections, height

    def rows(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """All residuals [R] and their derivatives [R, X]."""
        residuals, slopes = zip(*self._demands(x), strict=True)
        return np.concatenate(residuals), np.concatenate(slopes)

    def _demands(self, x: np.ndarray):
        angles, height = self.unpack(x)
        turned = np.exp(1j * np.cumsum(np.column_stack([self.targets.tilt, angles]), axis=1))
        anchors = 1j * height[:, None] + np.cumsum(turned[:, :4] * self.chain.links, axis=1)
        anchors = anchors + np.reshape(self.targets.offset, (-1, 1))
        yield from self._published(x, angles)
        yield self._swung(x)
        if self.targets.height is None:
            yield self._force(x)
        yield from self._ground(anchors, turned)
        yield from self._planted(anchors, turned)
        if self.chain.toe_joint:
            yield self._scaled(np.angle(turned[:, 4]), self._turns(range(4)), self.windows["toes_down"], "toes_flat")

    def _published(self, x: np.ndarray, angles: np.ndarray):
        """Near the published angles, by a smooth correction, inside the joint limits."""
        for joint, name in enumerate(LEG[: 3 + self.chain.toe_joint]):
            block = slice(self.edges[joint], self.edges[joint + 1])
            slope = self._turns([joint])
            off = angles[:, joint] - self.targets.angles[:, joint]
            yield off / self.targets.deviation[:, joint], slope / self.targets.deviation[:, joint, None]
            harmonic = np.concatenate([[0], np.repeat(np.arange(1, HARMONICS[name] + 1), 2)])
            rough = np.zeros((harmonic.size, x.size))
            rough[:, block] = np.diag(harmonic**2 / ROUGHNESS[name])
            yield rough @ x, rough
            low, high = self.chain.limits[joint] + np.array([LIMIT_MARGIN, -LIMIT_MARGIN])
            beyond = angles[:, joint] - np.clip(angles[:, joint], low, high)
            yield self._scaled(beyond, slope, beyond != 0, "limit")

    def _swung(self, x: np.ndarray):
        """The swinging thigh accelerates as published: a few degrees gone through quickly double the hip's power."""
        slope = np.zeros((len(self.phase), x.size))
        hip = slice(self.edges[0], self.edges[1])
        slope[:, hip] = self._acceleration(self.bases[0], range(1, HARMONICS[LEG[0]] + 1))
        return self._scaled(slope @ x, slope, self.windows["swung"], "acceleration")

    def _force(self, x: np.ndarray):
        """The pelvis rises and falls as the published ground reaction makes a body do: F = m (g + z'')."""
        slope = np.zeros((len(self.phase), x.size))
        slope[:, self.edges[4] :] = self._acceleration(self.height_basis, HEIGHT_HARMONICS) / GRAVITY
        return self._scaled(slope @ x - (self.targets.support - 1.0), slope, 1.0, "force")

    def _acceleration(self, basis: np.ndarray, harmonics) -> np.ndarray:
        """[P, K] second derivative in time (1/s^2) of a basis [P, K] of these harmonics of the stride."""
        harmonic = np.array([0, *np.repeat(harmonics, 2)])
        return -basis * (2 * np.pi * harmonic * self.targets.stride_frequency) ** 2

    def _ground(self, anchors: Complex, turned: Complex):
        """The lowest points of hindfoot and toes: on the ground in stance, clear of it in swing, never deep in it."""
        for part, points, radius, down in (
            (2, self.chain.hindfoot, self.chain.hindfoot_radius, "heel_down"),
            (3, self.chain.toes, self.chain.toes_radius, "toes_down"),
        ):
            centres = anchors[:, part, None] + turned[:, part + 1, None] * points
            lowest = np.argmin(centres.imag - radius, axis=1)
            point = centres[np.arange(len(lowest)), lowest] - 1j * radius[lowest]
            slope = self._moves(point, anchors, range(part + 1)).imag
            yield self._scaled(point.imag - self.sole_height, slope, self.windows[down], "height")
            low = self.windows["swing"] * (point.imag < self.clearance)
            yield self._scaled(point.imag - self.clearance, slope, low, "clearance")
            yield self._scaled(point.imag - self.deepest, slope, point.imag < self.deepest, "depth")

    def _planted(self, anchors: Complex, turned: Complex):
        """A heel and a toe joint on the ground stay where they are while the pelvis passes at constant speed."""
        heel = anchors[:, 2] + turned[:, 3] * self.chain.heel
        travelled = self.targets.stride_length * np.where(self.phase > 0.9, self.phase - 1, self.phase)
        for point, window in ((heel, self.windows["heel_planted"]), (anchors[:, 3], self.windows["toes_planted"])):
            slope = self._moves(point, anchors, range(3)).real
            place, share = point.real + travelled, window / window.sum()
            yield self._scaled(place - share @ place, slope - share @ slope, window, "slide")

    def _moves(self, point: Complex, anchors: Complex, joints) -> Complex:
        """[P, X] derivative of a point [P] that these leg joints and the pelvis height carry."""
        slope = np.zeros((len(self.phase), self.edges[-1]), complex)
        for joint in joints:
            block = slice(self.edges[joint], self.edges[joint + 1])
            slope[:, block] = 1j * (point - anchors[:, joint])[:, None] * self.bases[joint]
        slope[:, self.edges[4] :] = 1j * self.height_basis
        return slope

    def _turns(self, joints) -> np.ndarray:
        """[P, X] derivative of the sum of these leg joints' angles."""
        slope = np.zeros((len(self.phase), self.edges[-1]))
        for joint in joints:
            slope[:, self.edges[joint] : self.edges[joint + 1]] = self.bases[joint]
        return slope

    def _scaled(self, residual: np.ndarray, slope: np.ndarray, weight, of: str) -> tuple[np.ndarray, np.ndarray]:
        scale = weight / self.tolerance[of] * np.ones_like(residual)
        return scale * residual, scale[:, None] * slope


def _windows(phase: np.ndarray, stance: float) -> dict[str, np.ndarray]:
    """[P] weights, 0 to 1: heel down at 0, toes down at 10 %, heel up from 30 %, toe-off at the end of stance; the hip
    begins to flex before it."""
    return {
        "heel_down": _plateau(phase, -0.02, 0.0, 0.28, 0.36),
        "toes_down": _plateau(phase, 0.08, 0.13, stance - 0.05, stance - 0.01),
        "heel_planted": _plateau(phase, 0.0, 0.03, 0.28, 0.36),
        "toes_planted": _plateau(phase, 0.08, 0.13, stance - 0.10, stance - 0.02),
        "swung": _plateau(phase, stance - 0.15, stance - 0.10, 0.85, 0.95),
        "swing": _plateau(phase, stance + 0.03, stance + 0.09, 0.88, 0.95),
    }


def _plateau(phase: np.ndarray, start: float, full: float, fades: float, end: float) -> np.ndarray:
    """Rises from 0 at start to 1 at full, falls from fades to 0 at end; start may lie before the cycle's."""
    phase = np.where(phase > 1 + start, phase - 1, phase) if start < 0 else phase
    return np.interp(phase, [start, full, fades, end], [0.0, 1.0, 1.0, 0.0])


def fourier_basis(phase: np.ndarray, harmonics) -> np.ndarray:
    """[P, 1 + 2 * len(harmonics)]: ones, then cosine and sine of each harmonic, phase in cycles."""
    columns = [np.ones_like(phase)]
    for k in harmonics:
        columns += [np.cos(2 * np.pi * k * phase), np.sin(2 * np.pi * k * phase)]
    return np.stack(columns, axis=-1)
