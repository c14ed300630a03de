"""The fibres of MuJoCo's muscles: their parameters, and the force of their contractile part; for NumPy and JAX.

MuJoCo's documentation, "Computation, muscle actuators", and its ``FLV.m`` have the curves.
"""

from typing import Any, NamedTuple

import mujoco
import numpy as np

ECCENTRIC_FORCE = 1.4  # of the isometric force at fast lengthening: fvmax of every muscle of the human models


class Fibres(NamedTuple):
    """Of M muscles, each ``[M]``: isometric ``max_force`` N; ``optimal_length`` m; ``tendon_length`` m, rigid: fibre
    length = path length - this; ``max_velocity`` in optimal lengths per s; ``shortest`` and ``longest``, in optimal
    lengths, where they make active force; ``eccentric``: force at fast lengthening over the isometric one."""

    max_force: np.ndarray
    optimal_length: np.ndarray
    tendon_length: np.ndarray
    max_velocity: np.ndarray
    shortest: np.ndarray
    longest: np.ndarray
    eccentric: np.ndarray


def fibres(model: mujoco.MjModel, ids: np.ndarray) -> Fibres:
    """The parameters of the muscles that are the actuators ``ids [M]``."""
    prm, span = model.actuator_gainprm[ids], model.actuator_lengthrange[ids]
    optimal = (span[:, 1] - span[:, 0]) / (prm[:, 1] - prm[:, 0])
    return Fibres(
        max_force=max_force(model, ids, prm),
        optimal_length=optimal,
        tendon_length=span[:, 0] - prm[:, 0] * optimal,
        max_velocity=prm[:, 6].copy(),
        shortest=prm[:, 4].copy(),
        longest=prm[:, 5].copy(),
        eccentric=prm[:, 8].copy(),
    )


def max_force(model: mujoco.MjModel, ids: np.ndarray, prm: np.ndarray) -> np.ndarray:
    """``[M]`` N that gain or bias parameters ``prm [M, 10]`` give the actuators ``ids``, isometric at their best."""
    scaled = prm[:, 3] / np.maximum(model.actuator_acc0[ids], 1e-15)
    return np.where(prm[:, 2] >= 0, prm[:, 2], scaled)


def force_length(length: Any, shortest: Any, longest: Any, xp: Any = np) -> Any:
    """Isometric active force, 0..1, at a fibre length in optimal lengths (`mju_muscleGainLength`)."""
    rising, falling = 0.5 * (shortest + 1), 0.5 * (1 + longest)
    below = xp.where(length <= rising, (length - shortest) / (rising - shortest), (1 - length) / (1 - rising))
    above = xp.where(length <= falling, (length - 1) / (falling - 1), (longest - length) / (longest - falling))
    half = 0.5 * xp.where(length <= 1, below, above) ** 2
    middle = (length > rising) & (length <= falling)
    return xp.where((length >= shortest) & (length <= longest), xp.where(middle, 1 - half, half), 0.0)


def force_velocity(velocity: Any, eccentric: Any = ECCENTRIC_FORCE, xp: Any = np) -> Any:
    """Active force over isometric at a velocity in maximum velocities, lengthening positive (`mju_muscleGain`)."""
    rise = eccentric - 1
    slow_down = xp.maximum(1 + velocity, 0) ** 2
    return xp.where(velocity <= 0, slow_down, eccentric - xp.maximum(rise - velocity, 0) ** 2 / rise)
