"""One leg of a model in the sagittal plane: links, soles and joint ranges, as the reference gait's fit moves them."""

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from mjx_assist.errors import UserError
from mjx_assist.model import anatomy
from mjx_assist.reference import feet

LEG = ("hip_flexion", "knee_angle", "ankle_angle", "mtp_angle")
CONTACT_PITCH = 0.25  # rad, toes up: the heel's point that lands first
TOE_JOINT = 0.7  # of its length, from the heel: where a foot without a toe joint rolls over
ALIKE = 0.01  # m, by which the links of two legs that walk alike may differ

Complex = NDArray[np.complex128]  # places in the sagittal plane, forward + i up, m


@dataclass(frozen=True)
class Chain:
    """One leg in the sagittal plane as complex numbers (forward + i up) in the standing pose, m."""

    links: np.ndarray  # [4] root -> hip -> knee -> ankle -> toe joint
    hindfoot: np.ndarray  # [K] points of the rigid foot, from the ankle
    hindfoot_radius: np.ndarray  # [K]
    toes: np.ndarray  # [M] points of the toes, from the toe joint
    toes_radius: np.ndarray  # [M]
    limits: np.ndarray  # [4, 2] joint ranges, rad
    toe_joint: bool  # False: the foot is one rigid part, split in two halves

    def alike(self, other: "Chain") -> bool:
        """Whether two legs can walk alike: same joints and ranges, links within a centimetre."""
        same = self.toe_joint == other.toe_joint and np.allclose(self.limits, other.limits, atol=0.01)
        return bool(same and np.abs(self.links - other.links).max() < ALIKE)

    @property
    def heel(self) -> complex:
        """The point of the hindfoot that lands first."""
        turned = self.hindfoot * np.exp(1j * CONTACT_PITCH)
        lowest = np.argmin(turned.imag - self.hindfoot_radius)
        return self.hindfoot[lowest] - 1j * self.hindfoot_radius[lowest] * np.exp(-1j * CONTACT_PITCH)


def chain_of(model: mujoco.MjModel, side: str = "r") -> Chain:
    """The planar leg of a model; couplings that shift the knee with its angle are left out (about 1 mm).

    Raises `UserError` for a leg without hip, knee or ankle.
    """
    data, plane = feet.standing(model), np.array([1, 0, 1j])
    found = {c.name: c for c in anatomy.coordinates(model)}
    needed = [f"{name}_{side}" for name in LEG[:3]]
    missing = [name for name in needed if name not in found]
    if missing:
        raise UserError(f"the model has no {missing[0]!r}: a reference gait needs {', '.join(needed)}.")
    leg = [found[name] for name in (*needed, f"{LEG[3]}_{side}") if name in found]
    anchors = [data.xanchor[c.joints[0]] @ plane for c in (found["pelvis_tilt"], *leg)]
    limits = [c.limits for c in leg]
    points, radii = [], []
    for part in feet.PARTS:
        body = feet.touching_body(model, side, part)
        local, radius = feet.touching_points(model, data, body)
        points.append(local @ plane)
        radii.append(radius)
    toe_joint = len(leg) == len(LEG)
    if not toe_joint:
        points, radii, rolls_over = _halves(points[0], radii[0])
        anchors.append(rolls_over)
        limits.append((0.0, 0.0))
    hindfoot, toes = points[0] - anchors[3], points[1] - anchors[4]
    return Chain(np.diff(anchors), hindfoot, radii[0], toes, radii[1], np.array(limits), toe_joint)


def _halves(points: Complex, radius: np.ndarray):
    """Rear and front half of a rigid foot ([points], [radii]), and the point on its sole where it rolls over."""
    rear, front = (points.real - radius).min(), (points.real + radius).max()
    front_half = points.real > (points.real.min() + points.real.max()) / 2
    halves = [~front_half, front_half] if front_half.any() else [~front_half, ~front_half]
    rolls_over = rear + TOE_JOINT * (front - rear) + 1j * (points.imag - radius).min()
    return [points[h] for h in halves], [radius[h] for h in halves], rolls_over
