"""What a control step leaves behind, read from the body after it for the reward (`sim.reward.StepContext`).

Heights are over the ground; place, direction and feet along the commanded heading, as the reference has them.
"""

from typing import Any

import jax
import jax.numpy as jnp
import mujoco
import numpy as np

from mjx_assist.config.schema import EnvParams
from mjx_assist.model.names import actuator_names, body_weight, joint_names, sensor_slice
from mjx_assist.model.view import foot_loads
from mjx_assist.reference.cycle import ReferenceGait, sample
from mjx_assist.sim import action as actions
from mjx_assist.sim import termination
from mjx_assist.sim.course import CourseRules
from mjx_assist.sim.effort import Effort
from mjx_assist.sim.episode import EpisodeRules
from mjx_assist.sim.reward import StepContext
from mjx_assist.sim.walker_state import Moved, WalkerState


class Reader:
    """Reads the steps of one config's walkers."""

    def __init__(
        self,
        params: EnvParams,
        model: mujoco.MjModel,
        gait: ReferenceGait,
        rules: EpisodeRules,
        course: CourseRules,
        effort: Effort,
    ):
        self._gait, self._rules, self._course, self._effort = gait, rules, course, effort
        self._dt, self._weight = 1.0 / params.control_framerate, body_weight(model)
        self._action_spec = actions.make_action_spec(model, params.device_action)
        self._limits = termination.limit_joints(params.joint_limit_keys, model)
        self._joints = joint_names(model)
        self._forward = self._joints.index("pelvis_tx")
        self._muscles = actions.muscle_activations(model)
        self._muscle_names = tuple(np.array(actuator_names(model))[self._action_spec.muscle])
        self._feet = [sensor_slice(model, f"{side}_foot_position") for side in "rl"]
        self._pelvis = sensor_slice(model, "pelvis_position")
        self._loads = foot_loads(model)

    def context(self, before: WalkerState, moved: Moved, target: jax.Array, phase: jax.Array) -> StepContext:
        """What the reward terms read; ``target`` m/s and ``phase`` are those after the step."""
        body, episode, asked = moved.body, moved.episode, moved.command
        over, along = (
            self._rules.over_ground(episode, body.qpos, jnp),
            self._rules.along_ground(episode, body.qvel, jnp),
        )
        qpos, qvel = self._course.seen(asked, self._course.rate(asked, body.time, jnp), over, along, jnp)
        qpos_ref, qvel_ref, feet_ref = sample(self._gait, phase, target, jnp)
        qpos_ref = qpos_ref.at[self._forward].set(qpos[self._forward])
        data = body.sensordata
        return StepContext(
            dt=self._dt,
            qpos=qpos,
            qvel=qvel,
            reference_qpos=qpos_ref,
            reference_qvel=qvel_ref,
            velocity=qvel[self._forward],
            target_velocity=target,
            reference_velocity=qvel_ref[self._forward],
            activation=body.act[self._muscles],
            previous_activation=before.physics.act[self._muscles],
            foot_load=self._loads.total(data) / self._weight,
            peak_load=self._loads.total(body.sensor_peak) / self._weight,
            limit_load=body.limit_load if self._limits is None else body.limit_load[self._limits],
            body_weight=self._weight,
            foot_position=self._feet_from_pelvis(episode, asked, data),
            reference_foot_position=feet_ref,
            device_effort=actions.device_effort(self._action_spec, moved.control, jnp),
            metabolic_power=self._effort.metabolic_power(body, moved.control, self._rules.strength(episode), jnp),
            device_power=self._effort.device_power(body, moved.torque, jnp),
            device_rate=self._effort.device_rate(moved.torque, getattr(before, "torque", None), self._dt, jnp),
            strike=jnp.zeros(3),
            joints=self._joints,
            muscles=self._muscle_names,
        )

    def _feet_from_pelvis(self, episode: Any, asked: Any, data: jax.Array) -> jax.Array:
        """``[2, 2]`` m, forward and up, as the reference has them."""
        pelvis = data[self._pelvis]
        feet = self._course.vector(asked, jnp.stack([data[foot] - pelvis for foot in self._feet]), jnp)
        feet = feet[:, np.array([0, 2])]
        return self._rules.feet_over_ground(episode, feet, [data[foot] for foot in self._feet], pelvis, jnp)
