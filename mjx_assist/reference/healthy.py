"""The reference gait: what a healthy walker's joints do over one gait cycle, at any speed from 0.5 to 2 m/s.

The one door to its parts: published figures or a user's motion in, arrays sampled by phase and speed out.
"""

from dataclasses import replace

import mujoco
import numpy as np
from threadpoolctl import threadpool_limits

from mjx_assist.model import anatomy
from mjx_assist.model.subjects.told import leg_scale
from mjx_assist.reference import feet, fit, planar_leg, published
from mjx_assist.reference.cycle import PHASES, ReferenceGait, complete, resample, sample, stride_frequency
from mjx_assist.reference.motion import load_motion
from mjx_assist.reference.published import healthy_band

__all__ = ["ReferenceGait", "healthy_band", "healthy_gait", "load_motion", "sample", "stride_frequency"]
FIT_PHASES = 100  # of a stride in the fit: its curves hold at most 12 harmonics
SPEEDS = np.array([0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0])  # m/s
WALK_RATIO = 0.0065  # step length / cadence, m per step/min: Sekiya and Nagasaki 1998
# deg, above which no published deviation counts: at a steep flank people differ by its timing (ankle 9 at toe-off, 4
# elsewhere), which the foot must not use to clear the ground.
LARGEST_DEVIATION = {"hip_flexion": np.inf, "knee_flexion": 5.0, "ankle_dorsiflexion": 2.0}
TOE_DEVIATION = 0.35  # rad; no published figure: toes bend as the ground asks
OFF_PLANE = {"leg": ("hip_adduction", "hip_rotation"), "root": ("pelvis_list", "pelvis_rotation")}
OFFSET_ROUNDS, OFFSET_HARMONICS = 2, 6  # how often the foot's place in 3-D is looked up, and how smooth it is
SWAY_HARMONICS = (1,)  # of the stride, in the pelvis' way from side to side


def healthy_gait(model: mujoco.MjModel, name: str = "schwartz2008") -> ReferenceGait:
    """The published healthy gait, fitted to walk on this model, 0.5 to 2 m/s.

    A person of another size walks it at the same dimensionless speed and time (Froude). A joint that replaces a human
    one (a prosthesis) walks the same gait; joints that the figures do not know rest.
    Raises UserError for an unknown name, and for a model without pelvis, hips, knees and ankles.
    """
    walk = _Walk(model, name)
    ratio = WALK_RATIO * leg_scale(model) ** 1.5  # a length times a time
    frequency = np.sqrt(60.0 * SPEEDS / ratio) / 120.0
    poses, solutions = [], {}
    with threadpool_limits(1):  # many small systems: threads of BLAS would wait for each other
        for speed, strides in zip(SPEEDS, frequency, strict=True):
            values = walk.at(speed, strides, solutions)
            poses.append(resample(anatomy.to_qpos(model, walk.coordinates, values), PHASES))
    return complete(model, SPEEDS, frequency, np.stack(poses))


class _Walk:
    """The published gait on one body: which coordinates it has, and their curves at a speed."""

    def __init__(self, model: mujoco.MjModel, name: str):
        self.model, self.name = model, name
        self.coordinates = anatomy.coordinates(model)
        self.names = anatomy.names_of(self.coordinates)
        self.leg_length = feet.leg_length(model)
        self.chains = {side: planar_leg.chain_of(model, side) for side in anatomy.SIDES}
        self.alike = self.chains["r"].alike(self.chains["l"])
        # The leg with the more joints carries the pelvis; the other one follows it.
        self.first = max(anatomy.SIDES, key=lambda side: self.chains[side].toe_joint)
        self.in_3d = any(self._has(c) for c in (*OFF_PLANE["root"], *(f"{c}_r" for c in OFF_PLANE["leg"])))

    def at(self, speed: float, strides: float, solutions: dict) -> np.ndarray:
        """[FIT_PHASES, A] values of the coordinates; ``solutions`` goes from one speed to the next."""
        targets = replace(_targets(self.name, speed, strides, self.leg_length), size=leg_scale(self.model))
        values = np.zeros((FIT_PHASES, len(self.names)))
        self._set(values, "pelvis_tilt", targets.tilt)
        for coordinate, curve in self._off_plane(speed).items():
            self._set(values, coordinate, curve)
        offset = dict.fromkeys(anatomy.SIDES, 0.0)
        for _ in range(OFFSET_ROUNDS if self.in_3d else 1):
            self._fit(values, targets, offset, solutions)
            if self.in_3d:
                offset = self._offsets(values)
        if self._has("pelvis_tz"):
            self._set(values, "pelvis_tz", self._sway(values, targets.stance))
        return values

    def _fit(self, values: np.ndarray, targets: fit.Targets, offset: dict, solutions: dict) -> None:
        """Fill in the legs' sagittal angles and the pelvis height."""
        other = next(side for side in anatomy.SIDES if side != self.first)
        requested = replace(targets, offset=offset[self.first])
        angles, height, solutions["first"] = fit.fit(self.chains[self.first], requested, solutions.get("first"))
        height = _late(height, self.first)
        self._set(values, "pelvis_ty", height)
        self._set_leg(values, self.first, angles)
        if not self.alike:
            requested = replace(targets, offset=offset[other], height=_late(height, other))
            angles, _, solutions["other"] = fit.fit(self.chains[other], requested, solutions.get("other"))
        self._set_leg(values, other, angles)

    def _off_plane(self, speed: float) -> dict[str, np.ndarray]:
        """What the published figures ask outside the sagittal plane, rad, by coordinate; legs alternate."""
        phase = np.arange(FIT_PHASES) / FIT_PHASES

        def figure(coordinate):
            quantity, sign = published.BANDS[coordinate]
            return np.radians(sign * published.curve(self.name, quantity, speed, self.leg_length, phase))

        legs = {f"{c}_{side}": _late(figure(c), side) for side in anatomy.SIDES for c in OFF_PLANE["leg"]}
        return legs | {c: (figure(c) - np.roll(figure(c), FIT_PHASES // 2)) / 2 for c in OFF_PLANE["root"]}

    def _offsets(self, values: np.ndarray) -> dict[str, np.ndarray]:
        """[P] complex m for each leg, from its own contact on: from where the sagittal angles alone put its foot
        (forward, up) to where it is."""
        flat = values.copy()
        for coordinate in (*OFF_PLANE["root"], *(f"{c}_{s}" for c in OFF_PLANE["leg"] for s in anatomy.SIDES)):
            self._set(flat, coordinate, 0.0)
        here, plane = (feet.feet(self.model, anatomy.to_qpos(self.model, self.coordinates, v)) for v in (values, flat))
        off = here.heel[..., 0] - plane.heel[..., 0] + 1j * (here.lowest - plane.lowest)
        basis = fit.fourier_basis(np.arange(FIT_PHASES) / FIT_PHASES, range(1, OFFSET_HARMONICS + 1))
        smooth = basis @ np.linalg.lstsq(basis, off, rcond=None)[0]
        return {side: _late(smooth[:, i], side) for i, side in enumerate(anatomy.SIDES)}

    def _sway(self, values: np.ndarray, stance: float) -> np.ndarray:
        """[P] m to the right: the pelvis' way from side to side while the stance feet stay where they are."""
        lateral = feet.feet(self.model, anatomy.to_qpos(self.model, self.coordinates, values)).lateral
        phase = np.arange(FIT_PHASES) / FIT_PHASES
        basis = fit.fourier_basis(phase, SWAY_HARMONICS)[:, 1:]
        rows, wanted = [], []
        for i, side in enumerate(anatomy.SIDES):
            down = _late(phase < stance, side)
            place = np.tile([i == 0, i == 1], (down.sum(), 1))  # where the foot stands is free
            rows.append(np.hstack([basis[down], place]))
            wanted.append(lateral[down, i])
        solution = np.linalg.lstsq(np.vstack(rows), np.concatenate(wanted), rcond=None)[0]
        return basis @ solution[: basis.shape[1]]

    def _has(self, coordinate: str) -> bool:
        return coordinate in self.names

    def _set(self, values: np.ndarray, coordinate: str, curve: np.ndarray | float) -> None:
        if self._has(coordinate):
            values[:, self.names.index(coordinate)] = curve

    def _set_leg(self, values: np.ndarray, side: str, angles: np.ndarray) -> None:
        for column, joint in enumerate(planar_leg.LEG):
            self._set(values, f"{joint}_{side}", _late(angles[:, column], side))


def _late(curve: np.ndarray, side: str) -> np.ndarray:
    """A curve [P] of a leg, from its own contact on, in the right leg's phase (and back)."""
    return curve if side == anatomy.SIDES[0] else np.roll(curve, FIT_PHASES // 2, axis=0)


def _targets(name: str, speed: float, frequency: float, leg_length: float) -> fit.Targets:
    """What the published figures ask of a leg at a speed, in anatomical signs."""
    phase = np.arange(FIT_PHASES) / FIT_PHASES

    def figure(quantity, part="mean"):
        return published.curve(name, quantity, speed, leg_length, phase, part)

    def both_sides(curve):
        return (curve + np.roll(curve, FIT_PHASES // 2)) / 2

    # The trunk is one with the pelvis: the mean tilt comes out of pelvis and hip, so the thigh stays where it was.
    mean_tilt = published.mean_tilt(name, speed, leg_length)
    stance = published.stance_fraction(name, speed, leg_length)
    leg = (figure("hip_flexion") - mean_tilt, -figure("knee_flexion"), figure("ankle_dorsiflexion"), 0 * phase)
    band = [np.minimum(figure(quantity, "sd"), largest) for quantity, largest in LARGEST_DEVIATION.items()]
    support = both_sides(figure("grf_vertical"))
    return fit.Targets(
        angles=np.radians(np.column_stack(leg)),
        deviation=np.column_stack([*np.radians(band), np.full_like(phase, TOE_DEVIATION)]),
        tilt=np.radians(both_sides(mean_tilt - figure("pelvis_tilt_anterior"))),
        support=support / support.mean(),
        stride_length=speed / frequency,
        stride_frequency=frequency,
        stance=stance,
    )
