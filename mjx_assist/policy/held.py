"""Observations that never varied in training: a policy is fed their constant, and whoever gives another value is told.

What feeds it is `sim.observation.normalise`; here is what that means for a walk.
"""

from dataclasses import dataclass

import numpy as np

from mjx_assist.policy.bundle import Bundle
from mjx_assist.policy.policy import Policy
from mjx_assist.sim.observation import CONSTANT, varied

SPEED = "target_velocity"


@dataclass(frozen=True)
class Held:
    """The observations that a policy is fed as their ``constant [k]`` (SI units): ``names``, at ``index [k]``."""

    names: tuple[str, ...]
    index: np.ndarray
    constant: np.ndarray

    def unheard(self, seen: np.ndarray) -> dict[str, str]:
        """Name -> sentence of each value of an observation ``[n]`` that the policy does not hear."""
        others = np.flatnonzero(np.abs(seen[self.index] - self.constant) > CONSTANT).tolist()
        return {self.names[k]: self._sentence(k, float(seen[self.index[k]])) for k in others}

    def speed(self, asked: float) -> str | None:
        """The sentence for a speed (m/s) that the policy does not hear; None where it does, or knows no other."""
        at = self.names.index(SPEED) if SPEED in self.names else -1
        return self._sentence(at, asked) if at >= 0 and abs(asked - self.constant[at]) > CONSTANT else None

    def _sentence(self, k: int, value: float) -> str:
        name, constant = self.names[k], self.constant[k]
        return (
            f"{name} is {value:g}, but was {constant:g} throughout this policy's training: it is fed {constant:g} and "
            "does not answer to any other. Train with a range of it for a policy that does."
        )


def held(bundle: Bundle) -> Held:
    """What of what the policy's heads see never varied in its training."""
    policy, names = bundle.policy, bundle.observation.names
    index = np.array([i for i in sorted(_seen(policy)) if not varied(policy.std[i])], int)
    return Held(tuple(names[i] for i in index), index, policy.mean[index])


def _seen(policy: Policy) -> set[int]:
    """Indices of the observations that a head that acts sees, of either side."""
    found: set[int] = set()
    for head in policy.heads:
        if head.enabled:
            found |= set(head.observation.tolist())
            if policy.mirror is not None and head.mirrored:
                found |= set(policy.mirror.index[head.observation].tolist())
    return found
