"""What a control step costs: metabolic power of the muscles, electrical power and torque rate of the device.

The muscles' is `model.muscles.energy`'s, the same that a gait record is analysed with.
"""

from typing import Any

import mujoco
import numpy as np

from mjx_assist.config.schema import EnvParams
from mjx_assist.errors import UserError
from mjx_assist.model.assembly import NO_DEVICE, device_mass
from mjx_assist.model.muscles.energy import power_of_state, slow_twitch
from mjx_assist.model.muscles.fibres import fibres
from mjx_assist.model.names import actuator_names, is_muscle
from mjx_assist.sim.action import muscle_activations
from mjx_assist.sim.device import drive
from mjx_assist.sim.device.motors import Motors, make_motors, torques

DEVICE_TERMS = ("device_torque_rate_penalty", "device_power_penalty")


class Effort:
    """Of a reduced model; every method is pure. Per kg of the person, without the device.

    Raises:
        UserError: a weight of `DEVICE_TERMS`, and a device that makes no torque by its control alone.
    """

    def __init__(self, model: mujoco.MjModel, params: EnvParams):
        muscle = is_muscle(model)
        self._muscle, self._act = np.flatnonzero(muscle), muscle_activations(model)
        self._fibres = fibres(model, self._muscle)
        self._slow = slow_twitch(list(np.array(actuator_names(model))[self._muscle]))
        worn = device_mass(params.human, params.device_key or NO_DEVICE)
        self._mass = float(model.body_subtreemass[0]) - worn  # of the person, as studies of people count it
        self._device = np.flatnonzero(~muscle)
        self.n_motors = self._device.size
        wanted = [name for name in DEVICE_TERMS if params.reward_keys_and_weights.terms[name]]
        self._motors = self._made(model, wanted) if self.n_motors else None
        wanted = wanted if self.n_motors else []
        self.pays_rate = DEVICE_TERMS[0] in wanted
        self._drive = drive.drive_of(params.device_key or NO_DEVICE) if wanted else drive.drives()[drive.DEFAULT]

    def metabolic_power(self, body: Any, control: Any, strength: Any, xp: Any = np) -> Any:
        """W/kg of all muscles, ``[...]``, in the last physics step of a control step under controls ``[..., nu]``.

        ``body``: its ``actuator_length``, ``actuator_velocity`` and ``last_act`` (`PhysicsState`); ``strength``: factor
        on the muscles' forces, or None.
        """
        of_muscles = power_of_state(
            self._fibres,
            self._slow,
            control[..., self._muscle],
            body.last_act[..., self._act],
            body.actuator_length[..., self._muscle],
            body.actuator_velocity[..., self._muscle],
            1.0 if strength is None else strength,
            xp,
        )
        return of_muscles.sum(-1) / self._mass

    def device_torque(self, body: Any, control: Any, xp: Any = np) -> Any:
        """``[..., D]`` N*m of each motor about its joint; NaN for a device that is no motor."""
        command = control[..., self._device]
        if self._motors is None:
            return xp.full_like(command, np.nan)
        return torques(self._motors, command, body.qpos[..., self._motors.joint], xp)

    def device_power(self, body: Any, torque: Any, xp: Any = np) -> Any:
        """W/kg, ``[...]``: `drive.power_cost` of torques ``[..., D]`` at the joints' present velocities."""
        velocity = body.qvel[..., self._motors.joint] if self._motors else xp.zeros_like(torque)
        return drive.power_cost(self._drive, torque, velocity, xp) / self._mass

    def device_rate(self, torque: Any, before: Any, dt: float, xp: Any = np) -> Any:
        """`drive.rate_cost`, ``[...]``, from the torque of the control step before; NaN where its weight is 0."""
        if not self.pays_rate:
            return xp.full(torque.shape[:-1], np.nan if self.n_motors else 0.0)
        return drive.rate_cost(self._drive, torque, before, dt, xp)

    def _made(self, model: mujoco.MjModel, wanted: list[str]) -> Motors | None:
        try:
            return make_motors(model)
        except UserError as error:
            if wanted:
                keys = ", ".join(f"'env_params.reward_keys_and_weights.{name}'" for name in wanted)
                raise UserError(f"config key {keys}: no torque is known. {error}") from None
            return None
