"""AssistEnv: a walking human with a device as a brax Env (one walker; batch it with `jax.vmap`).

Each step is one control step: action -> controls -> physics -> reward, termination, next observation.
"""

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
from brax.envs.base import Env, State

from mjx_assist.config.schema import EnvParams, RunConfig
from mjx_assist.config.words import COMPOSED
from mjx_assist.curriculum import progress
from mjx_assist.model import anatomy
from mjx_assist.model.assembly import NO_DEVICE
from mjx_assist.model.mjcf import with_physics_rate
from mjx_assist.model.names import joint_names
from mjx_assist.model.own import needs
from mjx_assist.model.reduction import ReducedModel, reduce_model
from mjx_assist.model.subjects.told import leg_scale
from mjx_assist.reference import cycle
from mjx_assist.reference.chosen import chosen_gait
from mjx_assist.reference.cycle import ReferenceGait
from mjx_assist.sim import action as actions
from mjx_assist.sim import command, course, fit_to_body, forked, observation, reward, sense, termination
from mjx_assist.sim.course import CourseRules
from mjx_assist.sim.device.controller import make_controller
from mjx_assist.sim.effort import Effort
from mjx_assist.sim.episode import EpisodeRules
from mjx_assist.sim.footsteps import advance_footsteps, no_footsteps
from mjx_assist.sim.physics.base import Physics
from mjx_assist.sim.physics.checked import checked_physics
from mjx_assist.sim.physics.composed import ComposedPhysics
from mjx_assist.sim.reading import Reader
from mjx_assist.sim.walker_state import ControlledState, Moved, WalkerState, with_torque
from mjx_assist.terrain.heightfield import Terrain, make_terrain, with_ground


class AssistEnv(Env):
    """Walk at a commanded speed, near a reference gait, with muscles and a device.

    ``reset(key)`` and ``step(state, action)`` are pure. ``State.info['truncation']`` marks an end by time;
    ``State.done`` is set at either end. Auto-reset is `auto_reset`, not part of ``step``.
    """

    def __init__(self, params: EnvParams, reduced: ReducedModel, gait: ReferenceGait):
        self.params = params
        terrain = make_terrain(params, reduced.model, params.turns)
        self.xml = with_ground(with_physics_rate(reduced.xml, params.physics_sim_framerate), terrain)
        self.physics = self._physics(reduced, terrain)
        model = self.model = self.physics.model
        self.dt = 1.0 / params.control_framerate
        self.gait = gait
        self.joints = joint_names(model)
        self.observation_spec = observation.spec_of(model, params)
        self.action_spec = actions.make_action_spec(model, params.device_action)
        settings = params.controller
        self.controller = make_controller(settings, model, self.dt, may_import=True) if settings else None
        self.command_range = command.command_range(params)
        self.rules = EpisodeRules(params, model, gait, terrain, self.observation_spec.names)
        self.course = CourseRules(params, model, params.turns)
        self.effort = Effort(model, params)
        slides = tuple(j for j in self.joints if model.joint(j).type[0] == mujoco.mjtJoint.mjJNT_SLIDE)
        self._reward = reward.make_reward(params.reward_keys_and_weights, self.joints, slides)
        imitated = reward.joint_weights(params.reward_keys_and_weights, "qpos_imitation_rewards", self.joints)
        self._imitated = np.array([self.joints.index(j) for j in imitated], int)
        self._ending = termination.ending_joints(params.out_of_trajectory_joint_keys, self.joints, self._imitated)
        self._forward, self._height = map(self.joints.index, ("pelvis_tx", "pelvis_ty"))
        self._height_offset = anatomy.height_offset(model)  # of pelvis_ty over the ground
        self._leg_scale = leg_scale(model)
        named = {"heading_error": course.HEADING, "path_error": course.SIDE} if params.turns else {}
        self._turning_metrics = {name: self.joints.index(joint) for name, joint in named.items()}
        self._muscles = actions.muscle_activations(model)
        self._reader = Reader(params, model, gait, self.rules, self.course, self.effort)
        self._initial_activation = actions.initial_activation(model)

    @property
    def observation_size(self) -> int:
        return self.observation_spec.size

    @property
    def action_size(self) -> int:
        return self.model.nu

    @property
    def backend(self) -> str:
        """What simulates: where ``auto`` or ``compiled`` is asked for, what was found to be possible."""
        return self.physics.backend

    def _physics(self, reduced: ReducedModel, terrain: Terrain | None) -> Physics:
        params = self.params
        substeps = params.physics_sim_framerate // params.control_framerate
        if params.model_kind == COMPOSED:
            return ComposedPhysics(reduced, self.xml, terrain, substeps, params.num_threads)
        sizes = substeps, params.num_envs, params.num_threads
        return checked_physics(params.human, params.backend, self.xml, *sizes)

    def reset(self, rng: jax.Array) -> State:
        """Start at a random phase of the reference (or at its start), with the reference's velocities."""
        uniform = jax.random.uniform(jax.random.fold_in(rng, 2))
        return self._begin(rng, self.rules.first_progress(uniform, jnp))

    def start(self, rng: jax.Array, uniform: dict[str, jax.Array]) -> State:
        """A first episode, of whose conditions some are given: the numbers uniform in 0..1 that they are drawn from."""
        return self._begin(rng, self.rules.first_progress(0.0, jnp), uniform)

    def next_episode(self, state: State) -> State:
        """The episode after the one that ``state`` ends, with a fresh key; the curriculum goes on."""
        walker: WalkerState = state.pipeline_state
        covered = self.rules.covered(walker.episode, walker.step, self._way(walker), jnp)
        survived = state.info["truncation"] > 0
        uniform = jax.random.uniform(jax.random.fold_in(walker.key, 3))
        trained = self.rules.next_progress(walker.episode, walker.step, covered, survived, uniform, jnp)
        return self._begin(walker.key, trained)

    def _begin(self, rng: jax.Array, trained: progress.Progress | tuple, given: dict | None = None) -> State:
        key, draws = jax.random.split(rng)
        uniform = jax.random.uniform(draws, (command.N_UNIFORM + 1,))
        scheduled = self.rules.values(trained, jnp)
        drawn = command.sample(self._speeds(scheduled), uniform[1:], jnp)
        conditions = self._uniform(jax.random.fold_in(draws, 1)) | (given or {})
        asked = self.course.sample(drawn, scheduled, conditions, jnp)
        target = self.course.speed(asked, 0.0, jnp)
        phase = uniform[0] if self.params.flag_random_ref_index else jnp.zeros(())
        qpos, qvel = cycle.start(self.gait, phase, target, self.params.reference_playback, jnp)
        episode = self.rules.sample(scheduled, trained, conditions, jnp)
        qpos, qvel = self.rules.on_ground(episode, qpos, qvel, phase, target, jnp)
        walker = WalkerState(
            physics=self.physics.start(qpos, qvel, jnp.asarray(self._initial_activation)).carried(),
            key=key,
            phase=phase,
            step=jnp.zeros((), jnp.int32),
            command=self.course.begin(asked, qpos, jnp),
            footsteps=no_footsteps(jnp),
            episode=episode,
        )
        if self.controller:
            device = self.controller.start(jnp, self.rules.design(conditions, jnp))
            walker = ControlledState(**vars(walker), device=device)
        if self.effort.pays_rate:
            walker = with_torque(walker, jnp.zeros(self.effort.n_motors))
        zero = jnp.zeros(())
        walker, obs = self.observe(walker, target, first=True)
        terms = reward.term_names(self.params.reward_keys_and_weights)
        logged = ("velocity_error", "tracking_error", *self._turning_metrics, "not_finite", "overflow")
        metrics = dict.fromkeys((*terms, *logged), zero)
        metrics |= self.rules.metrics(walker.episode, zero, zero, zero > 0, zero, jnp)
        return State(walker, obs, zero, zero, metrics, {"truncation": zero})

    def _uniform(self, key: jax.Array) -> dict[str, jax.Array]:
        """The numbers that an episode's conditions are drawn from."""
        sizes = {**self.rules.sizes, **self.course.sizes}
        keys = jax.random.split(key, len(sizes))
        return {name: jax.random.uniform(k, (n,)) for (name, n), k in zip(sizes.items(), keys, strict=True)}

    def step(self, state: State, action: jax.Array) -> State:
        """One control step with ``action`` ``[nu]`` in [-1, 1]."""
        before: WalkerState = state.pipeline_state
        scheduled = self.rules.values(before.episode.progress, jnp)
        moved = self.move(before, action, scheduled)
        body, episode, device, torque = moved.body, moved.episode, moved.device, moved.torque
        target = self.course.speed(before.command, body.time, jnp)
        frequency = cycle.cadence(self.gait, target, self.params.reference_playback, jnp)
        phase = (before.phase + frequency * self.dt) % 1.0
        context = self._reader.context(before, moved, target, phase)
        footsteps = advance_footsteps(
            before.footsteps,
            context.foot_load,
            context.velocity - target,
            jnp.sum(body.act[self._muscles] ** 2),
            self.dt,
            jnp,
        )
        total, terms = self._reward(context._replace(strike=footsteps.held), jnp)
        if self.rules.scheduled_rewards:
            terms = self.rules.weighted(terms, scheduled)
            total = sum(terms.values())
        broken = termination.not_finite(body, jnp)
        threshold = scheduled.get("out_of_trajectory_threshold", self.params.out_of_trajectory_threshold)
        ended = (
            broken
            | self.fallen(context.qpos, scheduled)
            | termination.off_reference(context.qpos, context.reference_qpos, self._ending, threshold, jnp)
        )
        error = (context.qpos - context.reference_qpos)[self._imitated]
        tracking_error = jnp.sqrt(jnp.mean(error**2)) if self._imitated.size else jnp.zeros(())
        after = before.replace(
            physics=body.carried(),
            phase=phase,
            step=before.step + 1,
            command=moved.command,
            footsteps=footsteps,
            episode=self.rules.advance(episode, target * self.dt, tracking_error),
        )
        if self.effort.pays_rate:
            after = with_torque(after, torque)
        if device is not None:
            after = after.replace(device=device)
        truncated = (after.step >= self.params.custom_max_episode_steps) & ~ended
        after, obs = self.observe(after, target)
        metrics = {**terms, "velocity_error": jnp.abs(context.velocity - target), "tracking_error": tracking_error}
        metrics |= {name: jnp.abs(context.qpos[joint]) for name, joint in self._turning_metrics.items()}
        metrics = jax.tree.map(lambda x: jnp.where(broken, 0.0, x), metrics)
        metrics["not_finite"] = broken.astype(jnp.float32)
        metrics["overflow"] = body.overflow
        covered = self.rules.covered(after.episode, after.step, self._way(after), jnp)
        metrics |= self.rules.metrics(after.episode, after.step, ended | truncated, truncated, covered, jnp)
        return State(
            pipeline_state=after,
            obs=jnp.nan_to_num(obs, posinf=0.0, neginf=0.0),
            reward=jnp.where(broken, 0.0, total),
            done=(ended | truncated).astype(jnp.float32),
            metrics=metrics,
            info={**state.info, "truncation": truncated.astype(jnp.float32)},
        )

    def move(self, before: WalkerState, action: jax.Array, scheduled: dict) -> Moved:
        """What a control step's action becomes, and the body after it."""
        control, device = actions.to_control(self.action_spec, action, jnp), None
        if self.controller and isinstance(before, ControlledState):
            device, control = self.controller.drive(before.device, before.physics, control, jnp)
        episode, control = self.rules.drive(before.episode, scheduled, control, before.physics.time, jnp)
        time, heading = before.physics.time, self.course.direction(before.command)
        differs = self.rules.variation(episode, time, self.dt, jnp, heading)
        body = self.physics.step(before.physics, control, differs)
        rate = self.course.rate(before.command, time, jnp)
        asked = self.course.advance(before.command, rate, self.dt, before.physics.qpos, body.qpos, jnp)
        return Moved(body, episode, device, control, self.effort.device_torque(body, control, jnp), asked)

    def _way(self, walker: WalkerState) -> jax.Array:
        """m that a walker has come along its heading."""
        return self.course.way(walker.command, walker.physics.qpos)

    def fallen(self, qpos: jax.Array, scheduled: dict | None = None) -> jax.Array:
        """Whether the pelvis is below ``safe_height``, in proportion to a person's legs, over the ground that ``qpos``
        is over: ``[...]`` for a batch."""
        height = (qpos[..., self._height] + self._height_offset) / self._leg_scale
        return termination.fallen(height, (scheduled or {}).get("safe_height", self.params.safe_height))

    def _speeds(self, scheduled: dict) -> command.CommandRange:
        """What speeds are drawn from at the present state of the curriculum."""
        low, high = self.command_range.speed
        speed = (scheduled.get("min_target_velocity", low), scheduled.get("max_target_velocity", high))
        return self.command_range._replace(speed=speed)

    def observe(self, walker: WalkerState, target: jax.Array, first: bool = False) -> tuple[WalkerState, jax.Array]:
        """What the policy sees, and the walker with what its sensing remembers of it."""
        body, rules = walker.physics, self.rules
        rate = self.course.rate(walker.command, body.time, jnp)
        over = rules.over_ground(walker.episode, body.qpos, jnp)
        ahead = rules.heights_ahead(walker.episode, over, jnp, self.course.direction(walker.command))
        qpos, qvel = self.course.seen(walker.command, rate, over, body.qvel, jnp)
        body = body.replace(qpos=qpos, qvel=qvel)
        worn = rules.seen_design(walker.device, jnp) if isinstance(walker, ControlledState) else None
        seen = observation.observe(self.observation_spec, body, target, walker.phase, jnp, ahead, worn, rate)
        key = jax.random.fold_in(walker.key, walker.step)
        normal = jax.random.normal(key, seen.shape) if rules.senses else None
        episode, seen = rules.sense(walker.episode, seen, normal, first, jnp)
        return walker.replace(episode=episode), seen


def make_env(config: RunConfig | EnvParams) -> AssistEnv:
    """The env that a config asks for: compose, reduce, load the reference gait."""
    params = config.env_params if isinstance(config, RunConfig) else config
    forked.check()
    needs.check(params.human)
    reduced = reduce_model(params.human, params.device_key or NO_DEVICE)
    gait = chosen_gait(params, reduced.model)
    params = fit_to_body.fitted(params, reduced.model)
    sense.check(params, reduced.model, gait)
    course.check(params, reduced.model)
    return AssistEnv(params, reduced, gait)
