"""From a policy's action in [-1, 1] to the model's controls; the same function for training and replay."""

from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from mjx_assist.config.words import FROM_ZERO, WHOLE_RANGE
from mjx_assist.model.names import is_muscle

UNLIMITED = (-1.0, 1.0)  # control range of an actuator without one
INITIAL_ACTIVATION = 0.01  # of every muscle when an episode starts: more would throw an unloaded foot


def initial_activation(model: mujoco.MjModel) -> np.ndarray:
    """``[na]`` of an episode's start: muscles barely active, a device's filtered motors at rest."""
    activation = np.zeros(model.na)
    activation[muscle_activations(model)] = INITIAL_ACTIVATION
    return activation


def muscle_activations(model: mujoco.MjModel) -> np.ndarray:
    """``[muscles]`` where each muscle's activation lies in ``act``, in actuator order."""
    return np.asarray(model.actuator_actadr[is_muscle(model)])


@dataclass(frozen=True)
class ActionSpec:
    """Per actuator ``[nu]``: muscle or device, and the controls that a device's +1, 0 and -1 mean."""

    muscle: np.ndarray
    at_plus_one: np.ndarray
    at_minus_one: np.ndarray
    at_zero: np.ndarray | float = 0.0

    @property
    def neutral(self) -> np.ndarray:
        """The action ``[nu]`` that drives nothing: zero excitation, zero device torque."""
        half = 0.5 * (self.at_plus_one - self.at_minus_one)
        off = 0.0 - np.divide(self.at_zero, half, out=np.zeros_like(half), where=half != 0)
        return np.where(self.muscle, -1.0, np.clip(off, -1.0, 1.0)).astype(np.float32)


def make_action_spec(model: mujoco.MjModel, device: str = FROM_ZERO) -> ActionSpec:
    """Muscles take excitation 0..1 from the whole range; a device takes 0 at 0.

    ``device`` `WHOLE_RANGE` is MyoAssist's map instead: -1 and +1 are the ends of a device's control range, so that 0
    is half the torque of one that can push one way only.

    A device that can push one way only (``ctrlrange [-1, 0]``) is driven by positive actions; negative ones are zero
    torque. So an untrained head, whose action scatters around zero, sees the effect of pushing in half of its samples.
    """
    limited = np.asarray(model.actuator_ctrllimited, bool)[:, None]
    low, high = np.where(limited, model.actuator_ctrlrange, UNLIMITED).T
    one_sided = (low >= 0) | (high <= 0)
    far_end = np.where(np.abs(high) >= np.abs(low), high, low)
    if device == WHOLE_RANGE:
        ends = (high.astype(np.float32), low.astype(np.float32), (0.5 * (low + high)).astype(np.float32))
        return ActionSpec(is_muscle(model), *ends)
    return ActionSpec(
        muscle=is_muscle(model),
        at_plus_one=np.where(one_sided, far_end, high).astype(np.float32),
        at_minus_one=np.where(one_sided, 0.0, low).astype(np.float32),
    )


def to_control(spec: ActionSpec, action: Any, xp: Any = np) -> Any:
    """Controls ``[..., nu]`` for an action ``[..., nu]``; the action is clipped to [-1, 1] first."""
    action = xp.clip(action, -1.0, 1.0)
    up, down = xp.maximum(action, 0.0), xp.maximum(-action, 0.0)
    device = up * spec.at_plus_one + down * spec.at_minus_one + (1.0 - up - down) * spec.at_zero
    return xp.where(spec.muscle, 0.5 * (action + 1.0), device)


def device_effort(spec: ActionSpec, control: Any, xp: Any = np) -> Any:
    """Mean square of the device's controls relative to their range, ``[...]``; 0 without a device."""
    if spec.muscle.all():
        return xp.zeros(control.shape[:-1])
    device = ~spec.muscle
    scale = np.maximum(np.abs(spec.at_plus_one), np.abs(spec.at_minus_one))[device]
    return xp.mean((control[..., device] / scale) ** 2, axis=-1)
