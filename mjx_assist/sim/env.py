"""AssistEnv: a walking human with a device as a brax Env (one walker; batch it with `jax.vmap`).

Each step is one control step: action -> controls -> physics -> reward, termination, next observation.
"""

from typing import Any

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
from brax.envs.base import Env, State
from flax import struct

from mjx_assist.config import EnvParams
from mjx_assist.control.controller import make_controller
from mjx_assist.control.strides import GaitClock
from mjx_assist.sim import action as actions
from mjx_assist.sim import anatomy, command, observation, physics, reference, reward, termination
from mjx_assist.sim.assembly import NO_DEVICE
from mjx_assist.sim.reduction import ReducedModel, reduce_model
from mjx_assist.sim.reference import ReferenceGait


@struct.dataclass
class WalkerState:
    """Everything that lives from one control step to the next, for one walker."""

    physics: physics.PhysicsState
    key: jax.Array
    phase: jax.Array
    step: jax.Array
    command: command.Command
    footsteps: reward.Footsteps


@struct.dataclass
class ControlledState(WalkerState):
    """A walker whose device has a controller: with that controller's state."""

    device: GaitClock


def with_physics_rate(xml: str, rate: int) -> str:
    """The MJCF with timestep 1 / rate (Hz)."""
    spec = mujoco.MjSpec.from_string(xml)
    spec.option.timestep = 1.0 / rate
    spec.compile()
    return spec.to_xml()


class AssistEnv(Env):
    """Walk at a commanded speed, near a reference gait, with muscles and a device.

    ``reset(key)`` and ``step(state, action)`` are pure. ``State.info['truncation']`` marks an end by time;
    ``State.done`` is set at either end. Auto-reset is `auto_reset`, not part of ``step``.
    """

    def __init__(self, params: EnvParams, reduced: ReducedModel, gait: ReferenceGait):
        self.params = params
        self.xml = with_physics_rate(reduced.xml, params.physics_sim_framerate)
        self.physics = physics.make_physics(
            params.backend,
            self.xml,
            params.physics_sim_framerate // params.control_framerate,
            params.num_envs,
            params.num_threads,
        )
        model = self.model = self.physics.model
        self.dt = 1.0 / params.control_framerate
        self.gait = gait
        self.joints = observation.joint_names(model)
        self.observation_spec = observation.make_spec(
            model,
            params.observation_joint_pos_keys,
            params.observation_joint_vel_keys,
            params.observation_joint_sensor_keys,
            params.observe_gait_phase,
        )
        self.action_spec = actions.make_action_spec(model)
        settings = params.device_controller
        self.controller = make_controller(settings, model, self.dt) if settings else None
        self.command_range = command.command_range(params)
        slides = tuple(j for j in self.joints if model.joint(j).type[0] == mujoco.mjtJoint.mjJNT_SLIDE)
        self._reward = reward.make_reward(params.reward_keys_and_weights, self.joints, slides)
        imitated = reward.joint_weights(params.reward_keys_and_weights, "qpos_imitation_rewards", self.joints)
        self._imitated = np.array([self.joints.index(j) for j in imitated], int)
        self._forward = self.joints.index("pelvis_tx")
        self._height = self.joints.index("pelvis_ty")
        self._lowest = params.safe_height - anatomy.height_offset(model)  # of pelvis_ty
        self._muscles = actions.muscle_activations(model)
        self._initial_activation = actions.initial_activation(model)
        self._feet = [observation.sensor_slice(model, f"{side}_foot_position") for side in "rl"]
        self._pelvis = observation.sensor_slice(model, "pelvis_position")
        touch = (("r_foot", "r_toes"), ("l_foot", "l_toes"))
        self._loads = np.array([[observation.sensor_slice(model, name).start for name in side] for side in touch])

    @property
    def observation_size(self) -> int:
        return self.observation_spec.size

    @property
    def action_size(self) -> int:
        return self.model.nu

    @property
    def backend(self) -> str:
        return physics.resolve_backend(self.params.backend)

    def reset(self, rng: jax.Array) -> State:
        """Start at a random phase of the reference (or at its start), with the reference's velocities."""
        key, draws = jax.random.split(rng)
        uniform = jax.random.uniform(draws, (command.N_LEVELS + 3,))
        wish = command.draw(self.command_range, uniform[1:], jnp)
        target = command.target_velocity(self.command_range, wish, 0.0, jnp)
        phase = uniform[0] if self.params.flag_random_ref_index else jnp.zeros(())
        qpos, qvel, _ = reference.sample(self.gait, phase, target, jnp)
        walker = WalkerState(
            physics=physics.reset_state(self.model, qpos, qvel, self._initial_activation),
            key=key,
            phase=phase,
            step=jnp.zeros((), jnp.int32),
            command=wish,
            footsteps=reward.no_footsteps(jnp),
        )
        if self.controller:
            walker = ControlledState(**vars(walker), device=self.controller.start(jnp))
        zero = jnp.zeros(())
        more = ("velocity_error", "tracking_error", "not_finite", "overflow")
        metrics = dict.fromkeys((*self._reward_names, *more), zero)
        return State(walker, self._observe(walker, target), zero, zero, metrics, {"truncation": zero})

    def step(self, state: State, action: jax.Array) -> State:
        """One control step with ``action`` ``[nu]`` in [-1, 1]."""
        before: WalkerState = state.pipeline_state
        control = actions.to_control(self.action_spec, action, jnp)
        if self.controller:
            device, control = self.controller.drive(before.device, before.physics, control, jnp)
        body = self.physics.step(before.physics, control)
        target = command.target_velocity(self.command_range, before.command, body.time, jnp)
        frequency = reference.stride_frequency(self.gait, target, jnp)
        phase = (before.phase + frequency * self.dt) % 1.0
        context = self._context(before, body, control, target, phase)
        footsteps = reward.advance_footsteps(
            before.footsteps,
            context.foot_load,
            context.velocity - target,
            jnp.sum(body.act[self._muscles] ** 2),
            self.dt,
            jnp,
        )
        total, terms = self._reward(context._replace(strike=footsteps.held), jnp)
        broken = termination.not_finite(body, jnp)
        ended = (
            broken
            | self.fallen(body)
            | termination.off_reference(
                body.qpos, context.reference_qpos, self._imitated, self.params.out_of_trajectory_threshold, jnp
            )
        )
        after = before.replace(physics=body, phase=phase, step=before.step + 1, footsteps=footsteps)
        if self.controller:
            after = after.replace(device=device)
        truncated = (after.step >= self.params.custom_max_episode_steps) & ~ended
        metrics = {**terms, "velocity_error": jnp.abs(context.velocity - target)}
        error = (body.qpos - context.reference_qpos)[self._imitated]
        metrics["tracking_error"] = jnp.sqrt(jnp.mean(error**2)) if self._imitated.size else jnp.zeros(())
        metrics = jax.tree.map(lambda x: jnp.where(broken, 0.0, x), metrics)
        metrics["not_finite"] = broken.astype(jnp.float32)
        metrics["overflow"] = body.overflow
        return State(
            pipeline_state=after,
            obs=jnp.nan_to_num(self._observe(after, target), posinf=0.0, neginf=0.0),
            reward=jnp.where(broken, 0.0, total),
            done=(ended | truncated).astype(jnp.float32),
            metrics=metrics,
            info={**state.info, "truncation": truncated.astype(jnp.float32)},
        )

    def fallen(self, body: physics.PhysicsState) -> jax.Array:
        """Whether the pelvis is below ``safe_height``: ``[...]`` for a batch."""
        return termination.fallen(body.qpos[..., self._height], self._lowest)

    @property
    def _reward_names(self) -> tuple[str, ...]:
        weights = self.params.reward_keys_and_weights
        used = [name for name in reward.SCALAR_TERMS if getattr(weights, name)]
        return (*used, *(name for name in reward.IMITATION_BLOCKS if any(getattr(weights, name).values())))

    def _observe(self, walker: WalkerState, target: jax.Array) -> jax.Array:
        return observation.observe(self.observation_spec, walker.physics, target, walker.phase, jnp)

    def _context(
        self, before: WalkerState, body: physics.PhysicsState, control: jax.Array, target: jax.Array, phase: jax.Array
    ) -> reward.StepContext:
        """What the reward terms read."""
        qpos_ref, qvel_ref, feet_ref = reference.sample(self.gait, phase, target, jnp)
        qpos_ref = qpos_ref.at[self._forward].set(body.qpos[self._forward])
        data = body.sensordata
        pelvis = data[self._pelvis]
        feet = jnp.stack([data[foot] - pelvis for foot in self._feet])[:, np.array([0, 2])]
        return reward.StepContext(
            dt=self.dt,
            qpos=body.qpos,
            qvel=body.qvel,
            reference_qpos=qpos_ref,
            reference_qvel=qvel_ref,
            velocity=body.qvel[self._forward],
            target_velocity=target,
            reference_velocity=qvel_ref[self._forward],
            activation=body.act[self._muscles],
            previous_activation=before.physics.act[self._muscles],
            foot_load=data[self._loads].sum(-1) / self.observation_spec.body_weight,
            peak_load=body.sensor_peak[self._loads].sum(-1) / self.observation_spec.body_weight,
            limit_load=body.limit_load,
            body_weight=self.observation_spec.body_weight,
            foot_position=feet,
            reference_foot_position=feet_ref,
            device_effort=actions.device_effort(self.action_spec, control, jnp),
            strike=jnp.zeros(3),
        )


def make_env(params: EnvParams) -> AssistEnv:
    """The env that a config asks for: compose, reduce, load the reference gait."""
    reduced = reduce_model(params.human, params.device_key or NO_DEVICE)
    if params.reference_data_path is None:
        gait = reference.healthy_gait(reduced.model)
    else:
        gait = reference.load_motion(params.reference_data_path, reduced.model)
    return AssistEnv(params, reduced, gait)


def auto_reset(env: Env, state: State, action: Any) -> tuple[State, jax.Array]:
    """Step; where the episode ended, go on from a fresh episode with a fresh key.

    Returns the state to go on from and the observation *before* any reset (for bootstrapping the value at the end).
    """
    after = env.step(state, action)
    fresh, done = env.reset(after.pipeline_state.key), after.done.astype(bool)
    state, obs = jax.tree.map(
        lambda new, old: jnp.where(done, new, old),
        (fresh.pipeline_state, fresh.obs),
        (after.pipeline_state, after.obs),
    )
    return after.replace(pipeline_state=state, obs=obs), after.obs
