"""A trained policy in NumPy: normaliser, actor heads, mirror. No JAX."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mjx_assist.config.words import ELU, LINEAR, RELU, TANH
from mjx_assist.sim.observation import CLIP, normalise

ACTIVATIONS = {
    ELU: lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0.0))),
    RELU: lambda x: np.maximum(x, 0.0),
    TANH: np.tanh,
}
OUTPUT_ACTIVATIONS = {LINEAR: lambda x: x, TANH: np.tanh}


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

    def act(self, observation: np.ndarray) -> np.ndarray:
        """Action ``[..., nu]`` in [-1, 1] for raw observations ``[..., n]``; disabled heads give the neutral action."""
        normal = normalise(observation, self.mean, self.std, clip=self.clip)
        action = np.broadcast_to(self.neutral, (*normal.shape[:-1], len(self.neutral))).astype(float)
        between, last = ACTIVATIONS[self.activation], OUTPUT_ACTIVATIONS[self.output_activation]
        for head in self.heads:
            if not head.enabled:
                continue
            action[..., head.action] = last(_mlp(head.layers, between, normal[..., head.observation]))
            if self.mirror is not None and head.mirrored:
                other = normal[..., self.mirror.index] * self.mirror.sign
                there = _mlp(head.layers, between, other[..., head.observation])
                action[..., self.mirror.action[head.action]] = last(there)
        return np.clip(action, -1.0, 1.0)


def _mlp(layers: tuple[tuple[np.ndarray, np.ndarray], ...], activation: Callable, x: np.ndarray) -> np.ndarray:
    """Dense layers with an activation between them."""
    for kernel, bias in layers[:-1]:
        x = activation(x @ kernel + bias)
    kernel, bias = layers[-1]
    return x @ kernel + bias
