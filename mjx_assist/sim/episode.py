"""What differs from episode to episode, in training and replay: curriculum, ground, body, device, sensing, pushes.

Written once over an array namespace ``xp`` (JAX or NumPy) and numbers that the caller draws; what a config does not ask
for is () and costs nothing.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import mujoco
import numpy as np

from mjx_assist.config.family import IDEAL, MASSES
from mjx_assist.config.schema import EnvParams
from mjx_assist.curriculum import progress
from mjx_assist.model import variation
from mjx_assist.model.arrays import put
from mjx_assist.model.names import is_muscle
from mjx_assist.model.variation import Variation
from mjx_assist.reference.cycle import ReferenceGait
from mjx_assist.sim.device import family
from mjx_assist.sim.disturbances import device_path, dropout, pushes, sensing
from mjx_assist.sim.on_ground import GroundRules
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


class EpisodeRules(GroundRules):
    """A config's rules for one walker's episodes, on the reduced model; every method is pure.

    ``scheduled`` is what `values` gives: keys of env_params that the curriculum sets, with their present values.
    """

    def __init__(
        self,
        params: EnvParams,
        model: mujoco.MjModel,
        gait: ReferenceGait,
        ground: heightfield.Terrain | None,
        observed: tuple[str, ...],
    ):
        super().__init__(params, model, gait, ground)
        self._settings, self._curriculum = params.randomization, params.curriculum
        self._device = np.flatnonzero(~is_muscle(model))
        self._deviation = sensing.deviation(observed)
        self._varied = variation.sizes(self._settings, model)
        keys = {*self._curriculum.by_level, *self._curriculum.by_step} if self._curriculum else set()
        self.scheduled_rewards = {key.removeprefix(_REWARD) for key in keys if key.startswith(_REWARD)}
        self._has_path = bool(self._settings.device_gain or self._settings.device_delay)
        self._has_path |= bool(self._settings.device_bandwidth)
        self.family = params.device_family
        self._has_path |= self.family is not None and any(self.family.span(name) != IDEAL[name] for name in IDEAL)
        self.senses = bool(self._settings.observation_noise or self._settings.observation_delay)

    @property
    def sizes(self) -> dict[str, int]:
        """How many numbers uniform in 0..1 `sample` takes of each name."""
        single = ("device_gain", "device_delay", "device_bandwidth", "observation_noise", "observation_delay", "ground")
        several = {"push_impulse": pushes.N_IMPULSES + 1}
        if self._settings.push_angle:
            several["push_angle"] = pushes.N_IMPULSES
        if self._settings.device_off:
            several["device_off"] = dropout.N_UNIFORM
        if self.family:
            several["design"] = len(self.family.free)
        return {**self._varied, **several, **dict.fromkeys(single, 1)}

    def design(self, uniform: Mapping[str, Any], xp: Any = np) -> family.Design | None:
        """What device of the family the episode's walker wears, from numbers uniform in 0..1; None without a family."""
        return family.design_of(self.family, uniform["design"], xp) if self.family else None

    def first_progress(self, uniform: Any, xp: Any = np) -> Any:
        """Where a walker begins, from a number uniform in 0..1; () without a curriculum."""
        return () if self._curriculum is None else progress.begin(self._curriculum, uniform, xp)

    def next_progress(
        self, episode: Episode, steps: Any, covered: Any, survived: Any, uniform: Any, xp: Any = np
    ) -> Any:
        """Where the walker is after an episode of so many control steps; see `curriculum.progress.finish`."""
        if self._curriculum is None:
            return ()
        error = episode.error / xp.maximum(steps, 1)
        return progress.finish(self._curriculum, episode.progress, covered, error, survived, uniform, xp)

    def values(self, trained: Any, xp: Any = np) -> dict[str, Any]:
        """Keys of env_params that the curriculum sets, and their values at this progress."""
        if self._curriculum is None:
            return {}
        return progress.values(self._curriculum, trained, self.params.num_envs, xp)

    def sample(self, scheduled: dict, trained: Any, uniform: Mapping[str, Any], xp: Any = np) -> Episode:
        """A new episode's conditions from numbers uniform in 0..1 (`sizes`); its sensing begins with the first
        observation (`sense`)."""
        share = {k.removeprefix(_RANDOMIZATION): x for k, x in scheduled.items() if k.startswith(_RANDOMIZATION)}
        spans = variation.spans(self._settings, share)

        def single(name: str) -> Any:
            low, high = spans.get(name, (variation.neutral(name),) * 2)
            return low if name not in spans else low + (high - low) * uniform[name][0]

        parts = {"progress": trained}
        if self._curriculum is not None:
            parts |= {"asked": xp.zeros(()), "error": xp.zeros(())}
        if self._settings.push_impulse:
            parts["pushes"] = pushes.sample(
                spans["push_impulse"], self._settings.push_interval, uniform["push_impulse"], xp
            )
            if self._settings.push_angle:
                parts["pushes"] = pushes.directed(parts["pushes"], self._settings.push_angle, uniform["push_angle"])
        worn = self.design(uniform, xp) or {}
        if self._has_path:
            parts["device"] = device_path.start(
                single("device_gain"),
                single("device_delay") + worn.get("delay_s", 0.0),
                xp.minimum(single("device_bandwidth"), worn.get("bandwidth_hz", np.inf)),
                max(self._settings.device_delay, default=0.0)
                + (self.family.span("delay_s")[1] if self.family else 0.0),
                1.0 / self.params.control_framerate,
                self._device.size,
                xp,
            )
        if self._settings.device_off:
            when = self._settings.device_off_time
            off_from = dropout.sample(spans["device_off"], when, uniform["device_off"], xp)
            parts["device"] = dropout.Failing(parts.get("device", ()), off_from)
        if self.senses:
            parts["sensing"] = (single("observation_noise"), single("observation_delay"))
        differs = variation.sample(spans, self.model, {name: uniform[name] for name in self._varied}, xp)
        if self.family and self.family.masses:
            loads = {name.removesuffix("_kg"): worn[name] for name in MASSES if self.family.span(name)[1] > 0}
            own = xp.ones(self.model.nbody) if differs.mass is None else differs.mass
            differs = differs._replace(mass=own + variation.load_factors(self.model, loads, xp))
        if self.uneven:
            differs = self._on_terrain(differs, scheduled, uniform["ground"][0], xp)
        return Episode(**parts, variation=differs)

    def seen_design(self, device: Any, xp: Any = np) -> Any:
        """What the policy sees of the device, from its controller's state; None where it sees nothing of it."""
        return family.seen(self.family, device.design, xp) if self.family and self.family.observed else None

    def push_force(self, episode: Episode, time: Any, dt: float, xp: Any = np, heading: Any = None) -> Any:
        """Force (N; along x, to the left) on the pelvis in the control step that begins at ``time``, to the left None
        where none goes there; None without pushes. ``heading``: rad, where forward is; None: along x."""
        if not isinstance(episode.pushes, pushes.Pushing):
            return None
        return pushes.horizontal(episode.pushes, time, dt, xp, heading)

    def variation(self, episode: Episode, time: Any, dt: float, xp: Any = np, heading: Any = None) -> Variation | None:
        """What the physics of the control step that begins at ``time`` differs in."""
        differs, force = episode.variation, self.push_force(episode, time, dt, xp, heading)
        if force is not None:
            push = put(xp.zeros(self.model.nv), self._forward, force[0], xp)
            push = push if force[1] is None else put(push, self._side, -force[1], xp)
            differs = differs._replace(push=push)
        return None if all(x is None for x in differs) else differs

    def strength(self, episode: Episode) -> Any:
        """Factor on the muscles' forces ``[muscles]``; None where they are the model's."""
        return episode.variation.strength if isinstance(episode.variation, Variation) else None

    def drive(self, episode: Episode, scheduled: dict, control: Any, time: Any, xp: Any = np) -> tuple[Episode, Any]:
        """The device's part of the controls ``[nu]`` of the control step that begins at ``time`` (s): within its limit,
        and what its path leaves of it; nothing once it is off."""
        limit = scheduled.get("device_torque_limit", self.params.device_torque_limit)
        changes = self._has_path or self._settings.device_off or not (isinstance(limit, float) and limit == 1.0)
        if not self._device.size or not changes:
            return episode, control
        command = limit * control[self._device]
        failing = episode.device if isinstance(episode.device, dropout.Failing) else None
        if self._has_path:
            path: Any = failing.path if failing else episode.device
            path, command = device_path.drive(path, command, xp)
            episode = episode._replace(device=failing._replace(path=path) if failing else path)
        if failing:
            command = dropout.drive(failing.off_from, time, command, xp)
        return episode, put(control, self._device, command, xp)

    def advance(self, episode: Episode, asked: Any, error: Any) -> Episode:
        """A control step further: ``asked`` m commanded in it, ``error`` rad off the reference."""
        if self._curriculum is None:
            return episode
        trained = episode.progress._replace(steps=episode.progress.steps + 1)
        return episode._replace(progress=trained, asked=episode.asked + asked, error=episode.error + error)

    def sense(self, episode: Episode, seen: Any, normal: Any, first: bool, xp: Any = np) -> tuple[Episode, Any]:
        """What is seen of an observation ``[n]``, ``first`` of its episode or not.

        ``normal [n]``: standard normal numbers; they are read where the config has ``senses`` alone.
        """
        if not self.senses:
            return episode, seen
        memory = episode.sensing
        if first:
            longest = max(self._settings.observation_delay, default=0.0)
            noise, delay = memory
            memory = sensing.start(noise, delay, longest, 1.0 / self.params.control_framerate, seen, xp)
        memory, seen = sensing.sense(memory, seen, normal, self._deviation, xp)
        return episode._replace(sensing=memory), seen

    def weighted(self, terms: dict[str, Any], scheduled: dict) -> dict[str, Any]:
        """Reward terms with the weights that the curriculum gives now (a factor on an imitation block's)."""
        weights = self.params.reward_keys_and_weights.terms
        for name in self.scheduled_rewards:
            base = weights[name]
            terms[name] = terms[name] * scheduled[_REWARD + name] / (1.0 if isinstance(base, dict) else base)
        return terms

    def covered(self, episode: Episode, steps: Any, distance: Any, xp: Any = np) -> Any:
        """Distance walked, as a share of what the command asks for in an episode of full length."""
        if self._curriculum is None:
            return xp.zeros(())
        asked = episode.asked * self.params.custom_max_episode_steps / xp.maximum(steps, 1)
        return distance / xp.maximum(asked, 1e-3)

    def metrics(
        self, episode: Episode, steps: Any, ended: Any, survived: Any, covered: Any, xp: Any = np
    ) -> dict[str, Any]:
        """What the curriculum logs of a control step."""
        if self._curriculum is None:
            return {}
        error = episode.error / xp.maximum(steps, 1)
        lifted = progress.succeeded(self._curriculum, covered, error, survived)
        return progress.metrics(self._curriculum, episode.progress, self.params.num_envs, ended * 1.0, lifted * 1.0, xp)
