"""Under what conditions a policy walks: commanded speed, pushes, and what differs from the model.

In the words of the config's randomization, so that a walk here meets what training met.
"""

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import mujoco
import numpy as np

from mjx_assist.config.schema import EnvParams
from mjx_assist.curriculum import progress
from mjx_assist.curriculum.settings import Randomization
from mjx_assist.model import variation
from mjx_assist.model.variation import Variation
from mjx_assist.sim.command import CommandRange
from mjx_assist.sim.disturbances import device_path, pushes, sensing
from mjx_assist.sim.disturbances.device_path import DevicePath
from mjx_assist.sim.disturbances.pushes import Pushes
from mjx_assist.sim.disturbances.sensing import Sensing
from mjx_assist.terrain import heightfield


@dataclass(frozen=True)
class Conditions:
    """What a walk is put under; as it stands here, nothing.

    ``command``: the speeds that are asked (None: as the policy's config draws them). ``randomization``: what differs
    from the model; its ranges are drawn by the episode's seed (`fixed` makes ranges of one value). ``push``: impulse
    (N*s, forward positive) on the pelvis every so many seconds, in the place of random ones. ``terrain_type`` and
    ``terrain_params``: the ground, in the config's words; the seed chooses its variant.
    """

    command: CommandRange | None = None
    randomization: Randomization = field(default_factory=Randomization)
    push: tuple[float, float] | None = None
    terrain_type: str = "flat"
    terrain_params: str = ""

    def ground(self, params: EnvParams) -> EnvParams:
        """A config at its curriculum's end, with this ground in the place of its own."""
        ended = progress.at(params.curriculum, 1.0, np.inf) if params.curriculum else {}
        own = {key: float(value) for key, value in ended.items() if "." not in key}  # not rewards, randomization
        kind = {"terrain_type": self.terrain_type, "terrain_params": self.terrain_params, "terrain": None}
        return replace(params, **{**own, **kind, "terrain_amplitude": 1.0, "curriculum": None})

    def draw(self, model: mujoco.MjModel, devices: int, dt: float, rng: np.random.Generator) -> "Episode":
        """One episode under these conditions; None for each part where nothing differs."""
        spans = variation.spans(self.randomization, {})
        draws = {name: rng.uniform(size=n) for name, n in variation.sizes(self.randomization, model).items()}

        def value(name: str) -> float:
            low, high = spans.get(name, (variation.neutral(name),) * 2)
            return low if low == high else low + (high - low) * rng.uniform()

        def longest(name: str) -> float:
            return spans.get(name, (0.0, 0.0))[1]

        drawn = Episode(variation.draw(spans, model, draws) if draws else None)
        if self.push:
            drawn = drawn._replace(pushes=Pushes(np.full(pushes.N_IMPULSES, self.push[0]), self.push[1]))
        elif "push_impulse" in spans:
            uniform = rng.uniform(size=pushes.N_IMPULSES + 1)
            drawn = drawn._replace(pushes=pushes.draw(spans["push_impulse"], spans["push_interval"], uniform))
        if {"device_gain", "device_delay", "device_bandwidth"} & spans.keys():
            path = [value(name) for name in ("device_gain", "device_delay", "device_bandwidth")]
            drawn = drawn._replace(device=device_path.start(*path, longest("device_delay"), dt, devices))
        if {"observation_noise", "observation_delay"} & spans.keys():
            drawn = drawn._replace(
                noise=value("observation_noise"),
                delay=value("observation_delay"),
                longest_delay=longest("observation_delay"),
            )
        return drawn


class Episode(NamedTuple):
    """What one episode's walker meets. ``noise`` as a share of `sensing.NOISE`, delays in s."""

    variation: Variation | None = None
    pushes: Pushes | None = None
    device: DevicePath | None = None
    noise: float | None = None
    delay: float = 0.0
    longest_delay: float = 0.0

    def senses(self, first: np.ndarray, dt: float) -> Sensing | None:
        """How the observation is seen, from an episode's first on; None: as it is."""
        if self.noise is None:
            return None
        return sensing.start(self.noise, self.delay, self.longest_delay, dt, first)


AS_TRAINED = Conditions()


def constant(speed: float) -> CommandRange:
    """The command to walk at one speed, m/s."""
    return CommandRange("UNIFORM", (speed, speed), (1.0, 1.0))


def fixed(**values: float) -> Randomization:
    """A randomization whose quantities each have one value."""
    return Randomization(**{name: (value, value) for name, value in values.items()})


def describe(conditions: Conditions) -> dict[str, Any]:
    """Conditions as JSON data, written beside results: it tells whether they are of the same conditions."""
    ranges = {name: list(span) for name, span in vars(conditions.randomization).items() if span}
    if "push_impulse" not in ranges:
        ranges.pop("push_interval", None)
    command = conditions.command._asdict() if conditions.command else None
    push = list(conditions.push) if conditions.push else None
    ground = {"terrain_type": conditions.terrain_type, "terrain_params": conditions.terrain_params}
    return {"command": command, "randomization": ranges, "push": push, **ground}


def on_ground(
    differs: Variation | None, params: EnvParams, ground: heightfield.Terrain | None, variant: int
) -> Variation:
    """A variation with a variant of the ground that a config asks for (`Conditions.ground`) under the walker."""
    slope = float(heightfield.base_slope(params, 1.0, variant))
    differs = differs or Variation()
    if slope:
        differs = differs._replace(slope=slope + (0.0 if differs.slope is None else differs.slope))
    if ground is not None:
        lane = heightfield.lane_number(ground, 1.0, variant)
        differs = differs._replace(lane=float(heightfield.lane_offset(ground, lane)))
    return differs
