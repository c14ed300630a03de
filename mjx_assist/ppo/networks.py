"""Actor heads and the critic as Flax modules over resolved indices; knows observations and actions by number only."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from mjx_assist.config.words import ELU, RELU, TANH

ACTIVATIONS = {ELU: nn.elu, RELU: nn.relu, TANH: nn.tanh}


@dataclass(frozen=True)
class Mirror:
    """The left-right mirror of observations and actions: ``mirrored = sign * vector[index]``."""

    observation: tuple[int, ...]
    observation_sign: tuple[float, ...]
    action: tuple[int, ...]


@dataclass(frozen=True)
class Head:
    """One actor head. ``action[i]`` is the actuator that output ``i`` drives.

    Under a mirror a head outputs one side only and the same network, fed the mirrored observation, drives the other.
    """

    name: str
    observation: tuple[int, ...]
    action: tuple[int, ...]
    hidden: tuple[int, ...]
    initial_action: float
    log_std_init: float
    learning_rate: float | None = None
    log_std_min: float | None = None
    enabled: bool = True
    frozen: bool = False


@dataclass(frozen=True)
class PolicySpec:
    """All heads, the critic and their wiring. ``neutral`` ``[nu]`` is what actuators of disabled heads receive.

    Under a ``mirror`` networks are symmetric by construction; a ``reflection`` is what a mirror loss measures with.
    ``keep_normaliser``: the statistics of observations stay as they are loaded.
    """

    heads: tuple[Head, ...]
    critic_observation: tuple[int, ...]
    critic_hidden: tuple[int, ...]
    neutral: tuple[float, ...]
    mirror: Mirror | None = None
    activation: str = ELU
    keep_normaliser: bool = False
    reflection: Mirror | None = None

    @property
    def active(self) -> np.ndarray:
        """``[nu]`` True where an enabled head drives the actuator."""
        enabled = np.array([head.enabled for head in self.heads], bool)
        return np.any(self.driven & enabled[:, None], axis=0)

    @property
    def driven(self) -> np.ndarray:
        """``[heads, nu]`` True where the head, enabled or not, drives the actuator."""
        mask = np.zeros((len(self.heads), len(self.neutral)), bool)
        for row, head in zip(mask, self.heads, strict=True):
            for actuators in _drives(head, self.mirror):
                row[actuators] = True
        return mask


class MLP(nn.Module):
    """Dense layers with an activation between; the last layer is small, with a constant bias.

    Given the ``other`` side's view of the same thing as well, the first layer's mean over both views goes on, so that
    the output does not depend on which side is which.
    """

    hidden: Sequence[int]
    outputs: int
    activation: str
    bias: float = 0.0
    last_scale: float = 0.01

    @nn.compact
    def __call__(self, x: jax.Array, other: jax.Array | None = None) -> jax.Array:
        between = ACTIVATIONS[self.activation]
        if other is not None and not self.hidden:
            x = 0.5 * (x + other)
        for i, width in enumerate(self.hidden):
            layer = nn.Dense(width, kernel_init=nn.initializers.orthogonal(np.sqrt(2)), name=f"dense_{i}")
            x = between(layer(x)) if i or other is None else 0.5 * (between(layer(x)) + between(layer(other)))
        return nn.Dense(
            self.outputs,
            kernel_init=nn.initializers.orthogonal(self.last_scale),
            bias_init=nn.initializers.constant(self.bias),
            name="out",
        )(x)


class ActorCritic(nn.Module):
    """``actor(obs) -> (mean [..., nu], log_std [nu])``, ``critic(obs) -> value [...]``; observations normalised."""

    spec: PolicySpec

    def setup(self) -> None:
        self.heads = [
            MLP(head.hidden, len(head.action), self.spec.activation, head.initial_action, name=head.name)
            for head in self.spec.heads
        ]
        self.log_std = [
            self.param(f"{head.name}_log_std", nn.initializers.constant(head.log_std_init), (len(head.action),))
            for head in self.spec.heads
        ]
        self.value = MLP(self.spec.critic_hidden, 1, self.spec.activation, 0.0, 1.0, name="critic")

    def __call__(self, obs: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        mean, log_std = self.actor(obs)
        return mean, log_std, self.critic(obs)

    def actor(self, obs: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Mean action ``[..., nu]`` and log standard deviation ``[nu]``."""
        mirror = self.spec.mirror
        n = len(self.spec.neutral)
        mean = jnp.where(self.spec.active, 0.0, jnp.array(self.spec.neutral))
        log_std = jnp.zeros(n)
        sides = [obs] if mirror is None else [obs, mirrored(mirror, obs)]
        both = jnp.stack(sides).reshape(-1, obs.shape[-1])
        for head, net, std in zip(self.spec.heads, self.heads, self.log_std, strict=True):
            out = net(_pick(both, _selection(head.observation, obs.shape[-1]).T))
            if not head.enabled:
                continue
            out = out.reshape(len(sides), *obs.shape[:-1], -1)
            std = std if head.log_std_min is None else jnp.maximum(std, head.log_std_min)
            for side, actuators in zip(out, _drives(head, mirror), strict=True):
                place = _selection(actuators, n)
                mean = mean + _pick(side, place)
                log_std = log_std + _pick(std, place)
        return mean, log_std

    def critic(self, obs: jax.Array) -> jax.Array:
        """Value ``[...]``; under a mirror that of a walker and of its mirror image are equal."""
        select = _selection(self.spec.critic_observation, obs.shape[-1]).T
        other = None if self.spec.mirror is None else _pick(mirrored(self.spec.mirror, obs), select)
        return self.value(_pick(obs, select), other)[..., 0]


def _drives(head: Head, mirror: Mirror | None) -> list[np.ndarray]:
    """Actuators of the head's outputs, for each side that its network serves."""
    own = np.array(head.action)
    return [own] if mirror is None else [own, np.array(mirror.action)[own]]


def _selection(index: Sequence[int] | np.ndarray, size: int) -> np.ndarray:
    """The matrix ``[len(index), size]`` that picks entries: on a CPU faster than gather and scatter."""
    return np.eye(size, dtype=np.float32)[np.asarray(index)]


def _pick(x: jax.Array, matrix: np.ndarray) -> jax.Array:
    """``x @ matrix`` for a selection matrix, exact also where matrix units round by default (GPU, TPU)."""
    return jnp.matmul(x, matrix, precision=jax.lax.Precision.HIGHEST)


def mirrored(mirror: Mirror, obs: jax.Array) -> jax.Array:
    """The observation ``[..., n]`` with left and right exchanged."""
    matrix = _selection(mirror.observation, len(mirror.observation)).T * np.array(mirror.observation_sign, np.float32)
    return _pick(obs, matrix)


def log_prob(mean: jax.Array, log_std: jax.Array, action: jax.Array, active: np.ndarray) -> jax.Array:
    """Log density ``[...]`` of a diagonal Gaussian over the actuators that an enabled head drives."""
    z = (action - mean) * jnp.exp(-log_std)
    each = -0.5 * z**2 - log_std - 0.5 * np.log(2 * np.pi)
    return jnp.where(active, each, 0.0).sum(-1)


def entropy(log_std: jax.Array, active: np.ndarray) -> jax.Array:
    """Entropy of the same Gaussian."""
    return jnp.where(active, log_std + 0.5 * np.log(2 * np.pi * np.e), 0.0).sum(-1)


def kl_divergence(
    mean: jax.Array, log_std: jax.Array, new_mean: jax.Array, new_log_std: jax.Array, active: np.ndarray
) -> jax.Array:
    """KL(old || new) ``[..., nu]`` of each actuator's Gaussian, in closed form; their sum is that of the whole."""
    ratio = jnp.exp(2 * (log_std - new_log_std))
    shift = (new_mean - mean) ** 2 * jnp.exp(-2 * new_log_std)
    return jnp.where(active, new_log_std - log_std + 0.5 * (ratio + shift - 1.0), 0.0)
