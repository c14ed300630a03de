"""When an episode ends: a fall, a joint too far from the reference, a state that is not finite."""

from typing import Any

import numpy as np


def fallen(pelvis_height: Any, safe_height: float) -> Any:
    """True below ``safe_height`` (m)."""
    return pelvis_height < safe_height


def off_reference(qpos: Any, reference_qpos: Any, joints: np.ndarray, threshold: float, xp: Any = np) -> Any:
    """True where any imitated joint ``[K]`` (indices) is further than ``threshold`` (rad, m) from the reference."""
    if not joints.size:
        return xp.zeros(qpos.shape[:-1], bool)
    return xp.any(xp.abs(qpos[..., joints] - reference_qpos[..., joints]) > threshold, axis=-1)


def not_finite(state: Any, xp: Any = np) -> Any:
    """True where positions, velocities or activations hold NaN or infinity, or the simulation has run away."""
    flat = xp.concatenate([state.qpos, state.qvel, state.act], axis=-1)
    return ~xp.all(xp.isfinite(flat), axis=-1) | (xp.max(xp.abs(state.qvel), axis=-1) > 1e3)
