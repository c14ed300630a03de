"""One gait cycle of reference motion at several speeds, as plain arrays; sampled by phase and speed.

Where such a cycle comes from is in reference.py (published figures) and motion.py (a user's file).
"""

import dataclasses
from dataclasses import dataclass

import mujoco
import numpy as np

from mjx_assist.config.words import MATCHED, SCALED
from mjx_assist.errors import UserError
from mjx_assist.model.muscles import elastic
from mjx_assist.reference import feet as foot_kinematics

PHASES = 200  # of a stride


@dataclass(frozen=True)
class ReferenceGait:
    """One gait cycle at S speeds and P phases; phase 0 is the right foot's initial contact, J the model's joints."""

    joint_names: tuple[str, ...]
    speed: np.ndarray  # [S] m/s, increasing
    stride_frequency: np.ndarray  # [S] Hz
    qpos: np.ndarray  # [S, P, J] at phase p / P; the pelvis_tx column is 0
    dqpos: np.ndarray  # [S, P, J] d qpos / d phase, per cycle; the pelvis_tx column is metres per cycle
    foot_position: np.ndarray  # [S, P, 2, 2] heels (r, l) from the pelvis origin, (forward, up) in world axes, m


def sample(gait: ReferenceGait, phase, speed, xp=np):
    """(qpos [..., J], qvel [..., J], foot_position [..., 2, 2]) at a phase [...] in cycles and a speed [...] in m/s.

    Phase wraps, speed is held to the gait's range; both broadcast. Linear in both; qpos lacks the way walked.
    """
    qpos, dqpos, feet = (between(gait, t, phase, speed, xp) for t in (gait.qpos, gait.dqpos, gait.foot_position))
    return qpos, dqpos * stride_frequency(gait, speed, xp)[..., None], feet


def between(gait: ReferenceGait, table, phase, speed, xp=np):
    """A table [S, P, ...] over the gait's speeds and phases at a phase and a speed [...], see `sample`."""
    phase, speed = xp.broadcast_arrays(xp.asarray(phase), xp.asarray(speed))
    phases = gait.qpos.shape[1]
    place = (phase - xp.floor(phase)) * phases
    low = xp.floor(place).astype(int) % phases
    row, share = _speed_bracket(gait, speed, xp)
    table = xp.asarray(table)
    shape = phase.shape + (1,) * (table.ndim - 2)
    t, s = xp.reshape(place - xp.floor(place), shape), xp.reshape(share, shape)
    next_row, high = xp.minimum(row + 1, table.shape[0] - 1), (low + 1) % phases
    slower = (1 - t) * table[row, low] + t * table[row, high]
    faster = (1 - t) * table[next_row, low] + t * table[next_row, high]
    return (1 - s) * slower + s * faster


def stride_frequency(gait: ReferenceGait, speed, xp=np):
    """Strides per second at a speed [...] in m/s, linear between the gait's speeds."""
    return xp.interp(xp.asarray(speed), xp.asarray(gait.speed), xp.asarray(gait.stride_frequency))


def cadence(gait: ReferenceGait, speed, playback: str, xp=np):
    """Strides per second at a commanded speed [...] in m/s: `stride_frequency`, or how a gait of one speed is played.

    `SCALED`: stride length stays, so the cadence is the gait's own times the commanded over its own speed.
    """
    own = stride_frequency(gait, speed, xp)
    return own * xp.asarray(speed) / float(gait.speed[0]) if playback == SCALED else own


def start(gait: ReferenceGait, phase, speed, playback: str, xp=np):
    """(qpos [..., J], qvel [..., J]) to begin with at a commanded speed; see `sample`.

    A gait that is played at its own speed gives its velocities times the commanded over that.
    """
    qpos, qvel, _ = sample(gait, phase, speed, xp)
    if playback == MATCHED:
        return qpos, qvel
    return qpos, qvel * (xp.asarray(speed) / float(gait.speed[0]))[..., None]


def at_speed(gait: ReferenceGait, speed: float) -> ReferenceGait:
    """The gait at one of its speeds, m/s, alone.

    Raises:
        UserError: it does not have it.
    """
    low, high = float(np.min(gait.speed)), float(np.max(gait.speed))
    if not low <= speed <= high:
        raise UserError(
            f"config key 'env_params.reference_speed': {speed:g} m/s is beyond the reference gait, which serves for "
            f"{low:g} to {high:g} m/s."
        )
    row, share = _speed_bracket(gait, np.asarray(speed), np)
    after = min(row + 1, len(gait.speed) - 1)
    tables = {name: getattr(gait, name) for name in ("qpos", "dqpos", "foot_position")}
    tables = {name: ((1 - share) * table[row] + share * table[after])[None] for name, table in tables.items()}
    frequency = np.atleast_1d(stride_frequency(gait, speed))
    return dataclasses.replace(gait, speed=np.array([speed]), stride_frequency=frequency, **tables)


def _speed_bracket(gait: ReferenceGait, speed, xp):
    """(index of the slower neighbour, share of the faster one) for each speed."""
    place = xp.interp(speed, xp.asarray(gait.speed), xp.arange(len(gait.speed)) * 1.0)
    row = xp.floor(place).astype(int)
    return row, place - row


def complete(model: mujoco.MjModel, speed, frequency, qpos: np.ndarray) -> ReferenceGait:
    """The gait whose poses are qpos [S, P, nq]: derivatives (spectral) and foot positions follow from them.

    Fibres in series with an elastic tendon are as long as they are when it is just slack.
    """
    qpos = elastic.slack(model, qpos)
    joints = tuple(model.joint(j).name for j in range(model.njnt))
    feet = [foot_kinematics.feet(model, poses) for poses in qpos]
    position = np.stack([pose.heel - pose.pelvis[:, None] for pose in feet])
    dqpos = phase_derivative(qpos)
    dqpos[:, :, joints.index("pelvis_tx")] = (np.asarray(speed) / frequency)[:, None]
    return ReferenceGait(joints, np.asarray(speed), np.asarray(frequency), qpos, dqpos, position)


def phase_derivative(curves: np.ndarray) -> np.ndarray:
    """d/d phase of periodic curves [..., P, J], from their Fourier series."""
    phases = curves.shape[-2]
    harmonic = np.arange(phases // 2 + 1.0)
    if phases % 2 == 0:
        harmonic[-1] = 0.0  # the highest harmonic of an even count has no defined derivative
    spectrum = np.fft.rfft(curves, axis=-2) * (2j * np.pi * harmonic)[:, None]
    return np.fft.irfft(spectrum, phases, axis=-2)


def resample(curves: np.ndarray, phases: int) -> np.ndarray:
    """Periodic curves [..., P, J] at another number of phases, by their Fourier series."""
    return np.fft.irfft(np.fft.rfft(curves, axis=-2), phases, axis=-2) * (phases / curves.shape[-2])
