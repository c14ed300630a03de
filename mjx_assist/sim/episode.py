"""What differs from episode to episode in training: curriculum, ground, body, device, sensing and pushes.

The parts are pure functions that replay uses too; what a config does not ask for is () and costs nothing.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import mujoco
import numpy as np

from mjx_assist.config.schema import EnvParams
from mjx_assist.curriculum import progress
from mjx_assist.model import variation
from mjx_assist.model.names import is_muscle
from mjx_assist.model.variation import Variation
from mjx_assist.reference.cycle import ReferenceGait
from mjx_assist.sim import start_pose
from mjx_assist.sim.disturbances import device_path, pushes, sensing
from mjx_assist.terrain import heightfield

_RANDOMIZATION, _REWARD = "randomization.", "reward_keys_and_weights."  # how such keys of a curriculum begin


class Episode(NamedTuple):
    """One walker's: its ``progress`` in the curriculum, how it and its ground differ from the model, its device's and
    senses' memory; ``asked`` m commanded and ``error`` rad * steps of tracking so far (curriculum only)."""

    progress: Any = ()
    variation: Any = ()
    pushes: Any = ()
    device: Any = ()
    sensing: Any = ()
    asked: Any = ()
    error: Any = ()


class EpisodeRules:
    """A config's rules for one walker's episodes; every method is pure and works under ``jit`` and ``vmap``.

    ``now`` is what `values` gives: keys of env_params that the curriculum sets, with their present values.
    """

    def __init__(
        self,
        params: EnvParams,
        model: mujoco.MjModel,
        gait: ReferenceGait,
        ground: heightfield.Terrain | None,
        observed: tuple[str, ...],
    ):
        self.params, self.model, self.gait, self.terrain = params, model, gait, ground
        self._settings, self._curriculum = params.randomization, params.curriculum
        self._device = np.flatnonzero(~is_muscle(model))
        self._deviation = sensing.deviation(observed)
        self._sizes = variation.sizes(self._settings, model)
        self._slopes = bool(self._settings.slope) or bool(np.any(self._base_slopes()))
        self.uneven = self._slopes or ground is not None
        self._sole = start_pose.sole_table(model, gait) if self._slopes else None
        joints = [model.joint(j).name for j in range(model.njnt)]
        self._forward, self._up = joints.index("pelvis_tx"), joints.index("pelvis_ty")
        self._side = joints.index("pelvis_tz") if "pelvis_tz" in joints else None
        keys = {*self._curriculum.by_level, *self._curriculum.by_step} if self._curriculum else set()
        self.scheduled_rewards = {key.removeprefix(_REWARD) for key in keys if key.startswith(_REWARD)}
        self._has_path = bool(self._settings.device_gain or self._settings.device_delay)
        self._has_path |= bool(self._settings.device_bandwidth)
        self._senses = bool(self._settings.observation_noise or self._settings.observation_delay)

    def first_progress(self, key: jax.Array) -> Any:
        """Where a walker begins; () without a curriculum."""
        if self._curriculum is None:
            return ()
        return progress.begin(self._curriculum, jax.random.uniform(jax.random.fold_in(key, 2)), jnp)

    def next_progress(
        self, episode: Episode, steps: jax.Array, covered: jax.Array, survived: jax.Array, key: Any
    ) -> Any:
        """Where the walker is after an episode of so many control steps; see `curriculum.progress.finish`."""
        if self._curriculum is None:
            return ()
        error = episode.error / jnp.maximum(steps, 1)
        uniform = jax.random.uniform(jax.random.fold_in(key, 3))
        return progress.finish(self._curriculum, episode.progress, covered, error, survived, uniform, jnp)

    def values(self, trained: Any) -> dict[str, Any]:
        """Keys of env_params that the curriculum sets, and their values at this progress."""
        if self._curriculum is None:
            return {}
        return progress.values(self._curriculum, trained, self.params.num_envs, jnp)

    def draw(self, now: dict, trained: Any, key: jax.Array) -> Episode:
        """A new episode's conditions; its sensing begins with the first observation (`sense`)."""
        share = {k.removeprefix(_RANDOMIZATION): x for k, x in now.items() if k.startswith(_RANDOMIZATION)}
        spans = variation.spans(self._settings, share)
        counts = {**self._sizes, "push_impulse": pushes.N_IMPULSES + 1}
        counts |= dict.fromkeys(("device_gain", "device_delay", "device_bandwidth"), 1)
        counts |= dict.fromkeys(("observation_noise", "observation_delay", "ground"), 1)
        keys = jax.random.split(key, len(counts))
        uniform = {name: jax.random.uniform(k, (n,)) for (name, n), k in zip(counts.items(), keys, strict=True)}

        def single(name: str) -> Any:
            low, high = spans.get(name, (variation.neutral(name),) * 2)
            return low if name not in spans else low + (high - low) * uniform[name][0]

        parts = {"progress": trained}
        if self._curriculum is not None:
            parts |= {"asked": jnp.zeros(()), "error": jnp.zeros(())}
        if self._settings.push_impulse:
            parts["pushes"] = pushes.draw(
                spans["push_impulse"], self._settings.push_interval, uniform["push_impulse"], jnp
            )
        if self._has_path:
            longest = max(self._settings.device_delay, default=0.0)
            parts["device"] = device_path.start(
                single("device_gain"),
                single("device_delay"),
                single("device_bandwidth"),
                longest,
                1.0 / self.params.control_framerate,
                self._device.size,
                jnp,
            )
        if self._senses:
            parts["sensing"] = (single("observation_noise"), single("observation_delay"))
        differs = variation.draw(spans, self.model, {name: uniform[name] for name in self._sizes}, jnp)
        if self.uneven:
            differs = self._on_terrain(differs, now, uniform["ground"][0])
        return Episode(**parts, variation=differs)

    def on_ground(
        self, episode: Episode, qpos: jax.Array, qvel: jax.Array, phase: jax.Array, speed: jax.Array
    ) -> tuple:
        """The reference pose ``qpos`` and its velocity, standing on the ground where the episode starts."""
        if not self._slopes:
            return qpos, qvel
        slope = episode.variation.slope
        rise = start_pose.lift(self._sole, self.gait, phase, speed, slope, jnp)
        return qpos.at[self._up].add(rise), qvel.at[self._up].add(slope * qvel[self._forward])

    def variation(self, episode: Episode, time: jax.Array, dt: float) -> Variation | None:
        """What the physics of the control step that begins at ``time`` differs in."""
        differs = episode.variation
        if self._settings.push_impulse:
            force = pushes.force(episode.pushes, time, dt, jnp)
            differs = differs._replace(push=jnp.zeros(self.model.nv).at[self._forward].set(force))
        return None if all(x is None for x in differs) else differs

    def drive(self, episode: Episode, now: dict, control: jax.Array) -> tuple[Episode, jax.Array]:
        """The device's part of the controls ``[nu]`` within its limit, and what its path leaves of it."""
        limit = now.get("device_torque_limit", self.params.device_torque_limit)
        if not self._device.size or (not self._has_path and isinstance(limit, float) and limit == 1.0):
            return episode, control
        command = limit * control[self._device]
        if self._has_path:
            path, command = device_path.drive(episode.device, command, jnp)
            episode = episode._replace(device=path)
        return episode, control.at[self._device].set(command)

    def advance(self, episode: Episode, asked: jax.Array, error: jax.Array) -> Episode:
        """A control step further: ``asked`` m commanded in it, ``error`` rad off the reference."""
        if self._curriculum is None:
            return episode
        trained = episode.progress._replace(steps=episode.progress.steps + 1)
        return episode._replace(progress=trained, asked=episode.asked + asked, error=episode.error + error)

    def sense(self, episode: Episode, seen: jax.Array, key: jax.Array, first: bool) -> tuple[Episode, jax.Array]:
        """What is seen of an observation, ``first`` of its episode or not."""
        if not self._senses:
            return episode, seen
        memory = episode.sensing
        if first:
            longest = max(self._settings.observation_delay, default=0.0)
            memory = sensing.start(*memory, longest, 1.0 / self.params.control_framerate, seen, jnp)
        memory, seen = sensing.sense(memory, seen, jax.random.normal(key, seen.shape), self._deviation, jnp)
        return episode._replace(sensing=memory), seen

    def over_ground(self, episode: Episode, qpos: jax.Array) -> jax.Array:
        """``qpos`` with the pelvis' height taken over the ground under it."""
        if not self.uneven:
            return qpos
        return qpos.at[self._up].add(-self._height(episode, qpos[self._forward], self._y(qpos)))

    def along_ground(self, episode: Episode, qvel: jax.Array) -> jax.Array:
        """``qvel`` with the pelvis' rise taken relative to the slope."""
        return qvel.at[self._up].add(-episode.variation.slope * qvel[self._forward]) if self._slopes else qvel

    def feet_over_ground(
        self, episode: Episode, feet: jax.Array, places: list[jax.Array], pelvis: jax.Array
    ) -> jax.Array:
        """Feet ``[2, 2]`` (forward, up) from the pelvis, heights over the ground under each; places in the world."""
        if not self.uneven:
            return feet
        under = [self._height(episode, place[0], place[1]) for place in (*places, pelvis)]
        return feet.at[:, 1].add(-jnp.stack(under[:2]) + under[2])

    def heights_ahead(self, episode: Episode, qpos: jax.Array) -> jax.Array | None:
        """Ground ``terrain_observation`` m before the pelvis, over that under it; None if it is not observed."""
        if not self.params.terrain_observation:
            return None
        places = np.array(self.params.terrain_observation)
        if not self.uneven:
            return jnp.zeros(places.size)
        x, y = qpos[self._forward], self._y(qpos)
        return self._height(episode, x + places, y) - self._height(episode, x, y)

    def weighted(self, terms: dict[str, Any], now: dict) -> dict[str, Any]:
        """Reward terms with the weights that the curriculum gives now (a factor on an imitation block's)."""
        weights = self.params.reward_keys_and_weights
        for name in self.scheduled_rewards:
            base = getattr(weights, name)
            terms[name] = terms[name] * now[_REWARD + name] / (1.0 if isinstance(base, dict) else base)
        return terms

    def covered(self, episode: Episode, steps: jax.Array, distance: jax.Array) -> jax.Array:
        """Distance walked, as a share of what the command asks for in an episode of full length."""
        if self._curriculum is None:
            return jnp.zeros(())
        asked = episode.asked * self.params.custom_max_episode_steps / jnp.maximum(steps, 1)
        return distance / jnp.maximum(asked, 1e-3)

    def metrics(self, episode: Episode, steps: Any, ended: Any, survived: Any, covered: Any) -> dict[str, Any]:
        """What the curriculum logs of a control step."""
        if self._curriculum is None:
            return {}
        error = episode.error / jnp.maximum(steps, 1)
        lifted = progress.succeeded(self._curriculum, covered, error, survived)
        return progress.metrics(
            self._curriculum, episode.progress, self.params.num_envs, ended * 1.0, lifted * 1.0, jnp
        )

    def _on_terrain(self, differs: Variation, now: dict, uniform: jax.Array) -> Variation:
        """The variation with the ground that a number uniform in 0..1 draws."""
        share = now.get("terrain_amplitude", self.params.terrain_amplitude)
        count = heightfield.n_variants(self.params, self.model)
        variant = jnp.minimum((uniform * count).astype(int), count - 1)
        if self._slopes:
            own = jnp.zeros(()) if differs.slope is None else differs.slope
            differs = differs._replace(slope=own + heightfield.base_slope(self.params, share, variant, jnp))
        if self.terrain is not None:
            lane = heightfield.lane_number(self.terrain, share, variant, jnp)
            differs = differs._replace(lane=heightfield.lane_offset(self.terrain, lane, jnp))
        return differs

    def _base_slopes(self) -> np.ndarray:
        variants = np.arange(heightfield.n_variants(self.params, self.model))
        return heightfield.base_slope(self.params, 1.0, variants)

    def _height(self, episode: Episode, x: Any, y: Any) -> jax.Array:
        differs = episode.variation
        return heightfield.height(self.terrain, differs.lane, differs.slope, x, y, jnp)

    def _y(self, qpos: jax.Array) -> jax.Array:
        return jnp.zeros(()) if self._side is None else -qpos[self._side]
