"""Many designs of a device family walked in one batch by one policy, on the physics that trains; every design meets the
same seeds (common random numbers), so that a difference between two designs is the designs'."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mjx_assist.config.design_study import COST, DEVICE_POWER, FELL, FIGURES, SPEED_ERROR
from mjx_assist.config.words import UNIFORM
from mjx_assist.eval.gait.metabolics import STANDING_W_PER_KG
from mjx_assist.eval.replay.conditions import AS_TRAINED
from mjx_assist.model.assembly import device_mass
from mjx_assist.model.names import body_weight
from mjx_assist.model.reduction import reduce_model
from mjx_assist.model.view import foot_loads
from mjx_assist.policy.bundle import Bundle
from mjx_assist.reference import cycle
from mjx_assist.sim import termination
from mjx_assist.sim.env import AssistEnv
from mjx_assist.sim.walker_state import Moved
from mjx_assist.training.export import without_own_code

WARM_UP_S = 3.0  # of a walk, that do not count: the start's transients


class Step(NamedTuple):
    """Of a control step: metabolic power of the muscles and positive power of the device (W/kg of the person), mean
    square torque over motors, largest torque (N*m), limit load (N*m) and foot load (body weights), place (m)."""

    metabolic: Any
    positive: Any
    square: Any
    torque: Any
    limit: Any
    foot: Any
    place: Any


class Sums(NamedTuple):
    """Of a walk after the warm-up: control steps that count, the sums or maxima of `Step`, and where it began (m)."""

    steps: Any
    of: Step
    begin: Any


class Walks:
    """Call with designs ``[n, free parameters]`` in 0..1 and seeds; gives ``[n, seeds, figures]`` (`FIGURES`).

    A walk that fell has NaN for all figures but that. ``batch``: walkers at once, what one program is made for.
    """

    def __init__(self, bundle: Bundle, speed: float, seconds: float, batch: int):
        params = AS_TRAINED.applied(without_own_code(bundle.config.env_params))
        params = replace(params, velocity_mode=UNIFORM, min_target_velocity=speed, max_target_velocity=speed)
        params, self._size = replace(params, num_envs=batch), batch
        self._env = AssistEnv(params, reduce_model(bundle.human, bundle.device), bundle.gait)
        self._act = bundle.policy.act
        self._steps = round(seconds / self._env.dt)
        self._warm = round(WARM_UP_S / self._env.dt)
        model = self._env.model
        self._person = float(model.body_subtreemass[0]) - device_mass(bundle.human, bundle.device)
        self._loads, self._weight = foot_loads(model), body_weight(model)
        self._walk = jax.jit(self._batch)

    def __call__(self, unit: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
        keys = np.stack([np.asarray(jax.random.PRNGKey(seed)) for seed in seeds])
        rows = np.repeat(unit, len(seeds), axis=0).astype(np.float32)
        keys = np.tile(keys, (len(unit), 1))
        missing = -len(rows) % self._size  # filled up with the last walk again
        keys, rows = (np.concatenate([x, np.repeat(x[-1:], missing, axis=0)]) for x in (keys, rows))
        starts = range(0, len(rows), self._size)
        found = [np.asarray(self._walk(keys[i : i + self._size], rows[i : i + self._size])) for i in starts]
        return np.concatenate(found)[: len(unit) * len(seeds)].reshape(len(unit), len(seeds), -1).astype(float)

    def _batch(self, keys: jax.Array, unit: jax.Array) -> jax.Array:
        """``[walkers, figures]`` of walkers' keys and designs."""
        env = self._env
        state = jax.vmap(lambda key, u: env.start(key, {"design": u}))(keys, unit)
        zero = jnp.zeros(len(keys))
        up, sums = zero < 1, Sums(zero, Step(*[zero] * len(Step._fields)), zero)

        def step(carry: tuple, count: jax.Array) -> tuple:
            walker, seen, up, sums = carry
            action = self._act(seen, jnp)
            walker, seen, stands, of_step = jax.vmap(self._control_step)(walker, action)
            up = up & stands
            return (walker, seen, up, _added(sums, of_step, up & (count >= self._warm))), None

        carry = (state.pipeline_state, state.obs, up, sums)
        (_, _, up, sums), _ = jax.lax.scan(step, carry, jnp.arange(self._steps))
        return _figures(sums, up, env.dt, env.params.min_target_velocity)

    def _control_step(self, before: Any, action: jax.Array) -> tuple:
        """(walker, what it sees, does it stand, the step's part of `Sums`) of one walker."""
        env = self._env
        moved = env.move(before, action, {})
        body = moved.body
        target = env.course.speed(before.command, body.time, jnp)
        frequency = cycle.cadence(env.gait, target, env.params.reference_playback, jnp)
        phase = (before.phase + frequency * env.dt) % 1.0
        after = before.replace(
            physics=body.carried(),
            phase=phase,
            step=before.step + 1,
            command=moved.command,
            episode=moved.episode,
            device=moved.device,
        )
        after, seen = env.observe(after, target)
        stands = ~(env.fallen(env.rules.over_ground(moved.episode, body.qpos, jnp)) | termination.not_finite(body, jnp))
        return after, jnp.nan_to_num(seen), stands, self._measured(before, moved)

    def _measured(self, before: Any, moved: Moved) -> Step:
        """The device's work is its torque times the way of its joint: both hold for the whole of a control step."""
        env, body, torque = self._env, moved.body, moved.torque
        joint = env.controller.motors.joint if env.controller else np.array([], int)
        way = body.qpos - before.physics.qpos
        return Step(
            metabolic=env.effort.metabolic_power(body, moved.control, env.rules.strength(moved.episode), jnp),
            positive=jnp.maximum(torque * way[joint], 0.0).sum() / (self._person * env.dt),
            square=jnp.mean(torque**2),
            torque=jnp.abs(torque).max(),
            limit=body.limit_load.max(),
            foot=self._loads.total(body.sensor_peak).max() / self._weight,
            place=env.course.way(moved.command, body.qpos),
        )


def _added(sums: Sums, step: Step, counts: jax.Array) -> Sums:
    """The sums with a control step of the walkers that it counts for."""
    joined = {name: getattr(sums.of, name) + getattr(step, name) for name in ("metabolic", "positive", "square")}
    joined |= {name: jnp.maximum(getattr(sums.of, name), getattr(step, name)) for name in ("torque", "limit", "foot")}
    of = jax.tree.map(lambda old, new: jnp.where(counts, new, old), sums.of, Step(**joined, place=step.place))
    begin = jnp.where(counts & (sums.steps == 0), step.place, sums.begin)
    return Sums(sums.steps + counts, of, begin)


def _figures(sums: Sums, up: jax.Array, dt: float, asked: float) -> jax.Array:
    """``[walkers, figures]`` in the order of `FIGURES`."""
    steps, of = jnp.maximum(sums.steps, 2), sums.of
    power, speed = of.metabolic / steps, (of.place - sums.begin) / ((steps - 1) * dt)
    figures = {
        COST: power / speed,
        "metabolic_power_w_per_kg": power,
        "cost_of_transport": (power + STANDING_W_PER_KG) / speed,
        DEVICE_POWER: of.positive / steps,
        "device_torque_peak": of.torque,
        "device_torque_rms": jnp.sqrt(of.square / steps),
        "limit_load": of.limit,
        "foot_load": of.foot,
        "speed": speed,
        SPEED_ERROR: jnp.abs(speed - asked),
    }
    return jnp.stack([1.0 - up if name == FELL else jnp.where(up, figures[name], jnp.nan) for name in FIGURES], axis=-1)
