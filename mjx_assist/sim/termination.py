"""When an episode ends: a fall, a joint too far from the reference, a state that is not finite."""

from collections.abc import Sequence
from typing import Any

import mujoco
import numpy as np

from mjx_assist.model.names import joint_names, match_joints

FASTEST = 1e3  # rad/s, m/s
LARGEST_SENSED = 1e6  # SI units of a sensor or a limit's force: a thousand body weights


def fallen(pelvis_height: Any, safe_height: float) -> Any:
    """True below ``safe_height`` (m)."""
    return pelvis_height < safe_height


def off_reference(qpos: Any, reference_qpos: Any, joints: np.ndarray, threshold: float, xp: Any = np) -> Any:
    """True where any imitated joint ``[K]`` (indices) is further than ``threshold`` (rad, m) from the reference."""
    if not joints.size:
        return xp.zeros(qpos.shape[:-1], bool)
    return xp.any(xp.abs(qpos[..., joints] - reference_qpos[..., joints]) > threshold, axis=-1)


def ending_joints(keys: Sequence[str] | None, joints: tuple[str, ...], imitated: np.ndarray) -> np.ndarray:
    """Indices of the joints that end an episode: what ``out_of_trajectory_joint_keys`` names, else the imitated."""
    if keys is None:
        return imitated
    named = match_joints(keys, joints, "config key 'env_params.out_of_trajectory_joint_keys': joint")
    return np.array([joints.index(name) for name in named], int)


def limit_joints(keys: Sequence[str] | None, model: mujoco.MjModel) -> np.ndarray | None:
    """Which of the limited joints' forces count in the reward, by ``joint_limit_keys``; None: all."""
    if keys is None:
        return None
    limited = tuple(np.array(joint_names(model))[np.asarray(model.jnt_limited, bool)].tolist())
    named = match_joints(keys, limited, "config key 'env_params.joint_limit_keys': joint")
    return np.array([limited.index(name) for name in named], int)


def not_finite(state: Any, xp: Any = np) -> Any:
    """True where a simulation blew up: its state or a sensor is not finite, or beyond what any walk comes to.

    ``state`` has qpos, qvel, act, sensordata and, of the control step's extremes, sensor_peak and limit_load.
    """
    felt = xp.concatenate([state.sensordata, state.sensor_peak, state.limit_load], axis=-1)
    flat = xp.concatenate([state.qpos, state.qvel, state.act, felt], axis=-1)
    run_away = (xp.max(xp.abs(state.qvel), axis=-1) > FASTEST) | xp.any(xp.abs(felt) > LARGEST_SENSED, axis=-1)
    return ~xp.all(xp.isfinite(flat), axis=-1) | run_away
