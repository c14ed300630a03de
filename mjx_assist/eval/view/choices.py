"""What whoever watches may choose: policies and grounds; and how far the policy in view was trained."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from mjx_assist.errors import UserError
from mjx_assist.eval.replay.conditions import AS_TRAINED, Conditions
from mjx_assist.eval.replay.walk import PUSH_S
from mjx_assist.eval.studies import challenge
from mjx_assist.eval.view.player import Player
from mjx_assist.policy.bundle import Bundle
from mjx_assist.policy.trained import Trained, trained

Loader = Callable[[], tuple[Bundle, str]]  # a policy, and the kind of model that it walks
AS_ASKED = "as asked"
PUSH_MAX_N, TURN_MAX = 300.0, 60.0  # N, degrees/s: beyond training


class Choices:
    """Policies by name, the first one walks; grounds by name, ``conditions`` first. `ask` for another, `taken` has it.

    Both are walked from the start of an episode.
    """

    def __init__(self, policies: Mapping[str, Loader], steps: int, seed: int, conditions: Conditions = AS_TRAINED):
        self.policies, self.grounds = dict(policies), {AS_ASKED: conditions, **_grounds(conditions)}
        self.policy, self.ground = next(iter(self.policies)), AS_ASKED
        self.trouble = ""
        self._steps, self._seed, self._wanted = steps, seed, {}
        self.player = self._player(self.policy, self.ground)

    def ask(self, **wanted: str) -> None:
        """Want another ``policy`` or ``ground``, by name; from any thread."""
        self._wanted = self._wanted | wanted

    def next(self, what: str) -> None:
        """Want the next ``policy`` or ``ground``."""
        names = list(self.policies if what == "policy" else self.grounds)
        self.ask(**{what: names[(names.index(getattr(self, what)) + 1) % len(names)]})

    def taken(self) -> bool:
        """Whether there is another player since the last call; one that cannot be had leaves `trouble`."""
        wanted, self._wanted = self._wanted, {}
        policy, ground = wanted.get("policy", self.policy), wanted.get("ground", self.ground)
        if (policy, ground) == (self.policy, self.ground) or policy not in self.policies or ground not in self.grounds:
            return False
        try:
            self.player, self.trouble = self._player(policy, ground), ""
        except UserError as error:
            self.trouble = str(error)
            return False
        self.policy, self.ground = policy, ground
        return True

    def _player(self, policy: str, ground: str) -> Player:
        bundle, kind = self.policies[policy]()
        return Player(bundle, kind, self._steps, self._seed, conditions=self.grounds[ground])


def only(bundle: Bundle, kind: str, steps: int, seed: int, conditions: Conditions = AS_TRAINED) -> Choices:
    """One policy, on every ground."""
    return Choices({"policy": lambda: (bundle, kind)}, steps, seed, conditions)


def trained_for(bundle: Bundle) -> Trained:
    """What the policy's training met."""
    return trained(bundle.config.env_params)


def speeds(bundle: Bundle, beyond: bool) -> tuple[float, float]:
    """The speeds (m/s) to choose from: those trained, or ``beyond`` them all that the reference gait has."""
    low, high = bundle.speeds
    first, last = trained_for(bundle).speed
    return (low, high) if beyond else (max(low, first), min(high, last))


def turns(bundle: Bundle, beyond: bool) -> tuple[float, float]:
    """The heading rates to choose from, degrees/s to the left: those trained, or ``beyond`` them to `TURN_MAX`."""
    right, left = map(math.degrees, trained_for(bundle).turn)
    return (min(right, -TURN_MAX), max(left, TURN_MAX)) if beyond else (right, left)


def most_push(bundle: Bundle, beyond: bool) -> float:
    """The largest push to choose, N: the trained impulse over `PUSH_S`, or ``beyond`` it `PUSH_MAX_N`."""
    most = trained_for(bundle).push / PUSH_S
    return max(most, PUSH_MAX_N) if beyond else most


def _grounds(conditions: Conditions) -> dict[str, Conditions]:
    """Name -> the conditions on another ground: those of the challenge."""
    return {
        row.name: replace(
            conditions,
            randomization=row.conditions.randomization,
            terrain_type=row.conditions.terrain_type,
            terrain_params=row.conditions.terrain_params,
        )
        for row in challenge.rows(("slopes", "terrain"))
    }
