"""What whoever watches may choose: policies and grounds; and how far the policy in view was trained."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from mjx_assist.errors import UserError
from mjx_assist.eval.replay.conditions import AS_TRAINED, Conditions, fixed
from mjx_assist.eval.replay.walk import PUSH_S
from mjx_assist.eval.view.player import Player
from mjx_assist.policy.bundle import Bundle
from mjx_assist.policy.trained import Trained, trained

Loader = Callable[[], tuple[Bundle, str]]  # a policy, and the kind of model that it walks
AS_ASKED = "as asked"
_SLOPES = {"uphill, 4°": 0.07, "downhill, 4°": -0.07}
_ROUGH = {f"random, {cm} cm": ("random", f"{cm / 100:g}") for cm in (2, 4, 6)}
_ROUGH["sinusoidal, 5 cm"] = ("harmonic_sinusoidal", "0.01 1 0.015 2")


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


def most_push(bundle: Bundle, beyond: float) -> float:
    """The largest push to choose, N: trained impulses over `PUSH_S`, at least ``beyond`` if that is more than 0."""
    return max(trained_for(bundle).push / PUSH_S, beyond)


def _grounds(conditions: Conditions) -> dict[str, Conditions]:
    """Name -> the conditions on another ground."""
    level = replace(conditions, randomization=fixed(), terrain_type="flat", terrain_params="")
    slopes = {name: replace(level, randomization=fixed(slope=slope)) for name, slope in _SLOPES.items()}
    rough = {
        name: replace(level, terrain_type=kind, terrain_params=numbers) for name, (kind, numbers) in _ROUGH.items()
    }
    return {"level": level, **slopes, **rough}
