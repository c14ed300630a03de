"""A trained policy in NumPy: normaliser, actor heads, mirror. No JAX."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mjx_assist.config.words import ELU, LINEAR, RELU, TANH
from mjx_assist.model.arrays import put
from mjx_assist.sim.observation import CLIP, normalise

ACTIVATIONS = {
    ELU: lambda x, xp: xp.where(x > 0, x, xp.expm1(xp.minimum(x, 0.0))),
    RELU: lambda x, xp: xp.maximum(x, 0.0),
    TANH: lambda x, xp: xp.tanh(x),
}
OUTPUT_ACTIVATIONS = {LINEAR: lambda x, xp: x, TANH: lambda x, xp: xp.tanh(x)}


@dataclass(frozen=True)
class HeadWeights:
    """One head: ``observation`` and ``action`` are indices; ``layers`` are (kernel ``[in, out]``, bias ``[out]``).

    ``log_std`` ``[out]`` is the exploration that it was trained with, None where that is not known. ``mirrored``: under
    the policy's mirror it serves the other side too.
    """

    name: str
    observation: np.ndarray
    action: np.ndarray
    enabled: bool
    layers: tuple[tuple[np.ndarray, np.ndarray], ...]
    log_std: np.ndarray | None = None
    mirrored: bool = True


@dataclass(frozen=True)
class MirrorWeights:
    """Left-right mirror: ``mirrored = sign * observation[index]``, ``action`` permutes actuators."""

    index: np.ndarray
    sign: np.ndarray
    action: np.ndarray


@dataclass(frozen=True)
class Policy:
    """Deterministic: the mean action. ``mean`` and ``std`` ``[n]`` normalise observations, held to +-``clip``.

    ``critic`` is only for training that starts from this policy: a head that drives nothing, or None.
    """

    heads: tuple[HeadWeights, ...]
    mean: np.ndarray
    std: np.ndarray
    neutral: np.ndarray
    mirror: MirrorWeights | None
    activation: str = ELU
    critic: HeadWeights | None = None
    output_activation: str = LINEAR
    clip: float = CLIP

    def act(self, observation: Any, xp: Any = np) -> Any:
        """Action ``[..., nu]`` in [-1, 1] for raw observations ``[..., n]``; disabled heads give the neutral action.

        ``xp``: NumPy, or JAX's for a batch of walks on its backends.
        """
        normal = normalise(observation, self.mean, self.std, xp, self.clip)
        action = xp.broadcast_to(self.neutral, (*normal.shape[:-1], len(self.neutral))).astype(float)
        between, last = ACTIVATIONS[self.activation], OUTPUT_ACTIVATIONS[self.output_activation]
        for head in self.heads:
            if not head.enabled:
                continue
            here = _mlp(head.layers, between, normal[..., head.observation], xp)
            action = put(action, (..., head.action), last(here, xp), xp)
            if self.mirror is not None and head.mirrored:
                other = normal[..., self.mirror.index] * self.mirror.sign
                there = _mlp(head.layers, between, other[..., head.observation], xp)
                action = put(action, (..., self.mirror.action[head.action]), last(there, xp), xp)
        return xp.clip(action, -1.0, 1.0)


def _mlp(layers: tuple[tuple[np.ndarray, np.ndarray], ...], activation: Callable, x: Any, xp: Any) -> Any:
    """Dense layers with an activation between them."""
    for kernel, bias in layers[:-1]:
        x = activation(x @ kernel + bias, xp)
    kernel, bias = layers[-1]
    return x @ kernel + bias
