"""The reference gait: what a healthy walker's joints do over one gait cycle, at any speed from 0.5 to 2 m/s.

The one door to its parts: published figures or a user's motion in, arrays sampled by phase and speed out.
"""

import mujoco
import numpy as np

from mjx_assist.sim import foot_kinematics, gait_fit, published_gait
from mjx_assist.sim.gait_cycle import PHASES, ReferenceGait, complete, resample, sample, stride_frequency
from mjx_assist.sim.motion import load_motion
from mjx_assist.sim.published_gait import healthy_band

__all__ = ["ReferenceGait", "healthy_band", "healthy_gait", "load_motion", "sample", "stride_frequency"]

FIT_PHASES = 100  # of a stride in the fit: its curves hold at most 12 harmonics
SPEEDS = np.array([0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0])  # m/s
WALK_RATIO = 0.0065  # step length / cadence, m per step/min: Sekiya and Nagasaki 1998
TOE_DEVIATION = (0.35, 0.2)  # rad, stance and swing; no published figure: toes bend as the ground asks


def healthy_gait(model: mujoco.MjModel, name: str = "schwartz2008") -> ReferenceGait:
    """The published healthy gait, fitted to walk on this model, 0.5 to 2 m/s. Raises UserError for an unknown name."""
    chain, leg_length = gait_fit.chain_of(model), foot_kinematics.leg_length(model)
    frequency = np.sqrt(60.0 * SPEEDS / WALK_RATIO) / 120.0
    curves, solution = [], None
    for speed, strides in zip(SPEEDS, frequency, strict=True):
        targets = _targets(name, speed, strides, leg_length)
        right, height, solution = gait_fit.fit(chain, targets, solution)
        left = np.roll(right, FIT_PHASES // 2, axis=0)
        curves.append(np.column_stack([np.zeros(FIT_PHASES), height, targets.tilt, right, left]))
    return complete(model, SPEEDS, frequency, resample(np.stack(curves), PHASES))


def _targets(name: str, speed: float, frequency: float, leg_length: float) -> gait_fit.Targets:
    """What the published figures ask of the right leg at a speed, in the model's signs."""
    phase = np.arange(FIT_PHASES) / FIT_PHASES

    def figure(quantity, part="mean"):
        return published_gait.curve(name, quantity, speed, leg_length, phase, part)

    def both_sides(curve):
        return (curve + np.roll(curve, FIT_PHASES // 2)) / 2

    # The trunk is one with the pelvis: the mean tilt comes out of pelvis and hip, so the thigh stays where it was.
    mean_tilt = published_gait.mean_tilt(name, speed, leg_length)
    stance = published_gait.stance_fraction(name, speed, leg_length)
    leg = (figure("hip_flexion") - mean_tilt, -figure("knee_flexion"), figure("ankle_dorsiflexion"), 0 * phase)
    band = [figure(quantity, "sd") for quantity in ("hip_flexion", "knee_flexion", "ankle_dorsiflexion")]
    support = both_sides(figure("grf_vertical"))
    return gait_fit.Targets(
        angles=np.radians(np.column_stack(leg)),
        deviation=np.column_stack([*np.radians(band), np.where(phase < stance + 0.05, *TOE_DEVIATION)]),
        tilt=np.radians(both_sides(mean_tilt - figure("pelvis_tilt_anterior"))),
        support=support / support.mean(),
        stride_length=speed / frequency,
        stride_frequency=frequency,
        stance=stance,
    )
