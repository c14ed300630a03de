"""Under what conditions a policy walks: commanded speed, pushes, and what differs from the model.

In the words of the config's randomization, so that a walk here meets what training met.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mjx_assist.config.schema import EnvParams
from mjx_assist.config.words import SINUSOIDAL, UNIFORM
from mjx_assist.curriculum import progress
from mjx_assist.curriculum.settings import Randomization
from mjx_assist.sim.command import CommandRange


@dataclass(frozen=True)
class Conditions:
    """What a walk is put under; as it stands here, nothing.

    ``command``: the speeds that are asked (None: as the policy's config draws them). ``randomization``: what differs
    from the model; its ranges are drawn by the episode's seed (`fixed` makes ranges of one value). ``push``: impulse
    (N*s, forward positive) on the pelvis every so many seconds, in the place of random ones; a third number turns it to
    the left (rad). ``turn``: the heading rates that are asked, rad/s (None: straight ahead). ``standing``: until when
    and from when the walker stands, s (None: it walks). ``terrain_type`` and ``terrain_params``: the ground, in the
    config's words; the seed chooses its variant.
    """

    command: CommandRange | None = None
    randomization: Randomization = field(default_factory=Randomization)
    push: tuple[float, ...] | None = None
    turn: CommandRange | None = None
    standing: tuple[float, float] | None = None
    terrain_type: str = "flat"
    terrain_params: str = ""

    def applied(self, params: EnvParams) -> EnvParams:
        """A config at its curriculum's end, with this ground and randomization in the place of its own."""
        ended = progress.at(params.curriculum, 1.0, np.inf) if params.curriculum else {}
        own = {key: float(value) for key, value in ended.items() if "." not in key}  # not rewards, randomization
        own = {key: value for key, value in own.items() if "heading_rate" not in key}  # that is `turn`
        kind = {"terrain_type": self.terrain_type, "terrain_params": self.terrain_params, "terrain": None}
        kind |= {"terrain_amplitude": 1.0, "curriculum": None, "randomization": self.randomization}
        return replace(params, **{**own, **kind})


AS_TRAINED = Conditions()
_EIGHT = 2.404826  # rad, the first zero of J0


def constant(speed: float) -> CommandRange:
    """The command to walk at one speed, m/s."""
    return CommandRange(UNIFORM, (speed, speed), (1.0, 1.0))


STRAIGHT = constant(0.0)  # of a turn, rad/s


def figure_of_eight(rate: float) -> CommandRange:
    """The turn, at most ``rate`` rad/s, whose path at a constant speed is a closed figure of eight.

    The heading swings as a sine by `_EIGHT` to both sides; the way that such a curve gets on in a period is in
    proportion to the Bessel function J0 of that angle (Langbein & Leopold 1966, USGS Prof. Paper 422-H, the
    sine-generated curve), which is 0 there.
    """
    period = 2 * np.pi * _EIGHT / abs(rate)
    return CommandRange(SINUSOIDAL, (-rate, rate), (period, period))


def fixed(**values: float) -> Randomization:
    """A randomization whose quantities each have one value."""
    return Randomization(**{name: (value, value) for name, value in values.items()})


def describe(conditions: Conditions) -> dict[str, Any]:
    """Conditions as JSON data, written beside results: it tells whether they are of the same conditions."""
    ranges = {name: list(span) for name, span in vars(conditions.randomization).items() if span}
    for name, when in (("push_impulse", "push_interval"), ("device_off", "device_off_time")):
        if name not in ranges:
            ranges.pop(when, None)
    command = conditions.command._asdict() if conditions.command else None
    push = list(conditions.push) if conditions.push else None
    ground = {"terrain_type": conditions.terrain_type, "terrain_params": conditions.terrain_params}
    turn = {"turn": conditions.turn._asdict()} if conditions.turn else {}
    standing = {"standing": list(conditions.standing)} if conditions.standing else {}
    return {"command": command, "randomization": ranges, "push": push, **ground, **turn, **standing}
