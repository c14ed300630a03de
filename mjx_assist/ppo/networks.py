"""Actor heads and the critic as Flax modules over resolved indices; knows observations and actions by number only."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from mjx_assist.config.words import ELU, LINEAR, RELU, TANH

ACTIVATIONS = {ELU: nn.elu, RELU: nn.relu, TANH: nn.tanh}
OUTPUT_ACTIVATIONS = {LINEAR: lambda x: x, TANH: nn.tanh}


@dataclass(frozen=True)
class Mirror:
    """The left-right mirror of observations and actions: ``mirrored = sign * vector[index]``."""

    observation: tuple[int, ...]
    observation_sign: tuple[float, ...]
    action: tuple[int, ...]


@dataclass(frozen=True)
class Head:
    """One actor head. ``action[i]`` is the actuator that output ``i`` drives.

    Under a mirror a ``mirrored`` head outputs one side only and the same network, fed the mirrored observation, drives
    the other.
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
    mirrored: bool = True


@dataclass(frozen=True)
class PolicySpec:
    """All heads, the critic and their wiring. ``neutral`` ``[nu]`` is what actuators of disabled heads receive.

    Under a ``mirror`` networks that are mirrored are symmetric by construction; a ``reflection`` is what a mirror loss
    measures with. ``normalized``: networks see observations by their running statistics.
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
    critic_mirrored: bool = True
    output_activation: str = LINEAR
    normalized: bool = True
    gains: tuple[float, float] = (math.sqrt(2), 0.01)

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


class Layer(nn.Module):
    """`nn.Dense` over columns, ``[inputs, N]`` to ``[width, N]``.

    With samples along the last axis XLA's CPU has the kernels' gradients in two thirds of the time.
    """

    width: int
    kernel_init: nn.initializers.Initializer
    bias_init: nn.initializers.Initializer = nn.initializers.zeros

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        kernel = self.param("kernel", self.kernel_init, (x.shape[0], self.width))
        bias = self.param("bias", self.bias_init, (self.width,))
        return _of_columns(kernel, x) + bias[:, None]


class FirstLayer(nn.Module):
    """A `Layer` over the observations that a network ``sees``, once for each side that it serves (``both`` or one).

    Its kernel meets the observations' `parts` ``[n, N]``: what is selected and mirrored are weights, once, and not
    samples. One product with the even and one with the odd parts give both sides, for the price of one side's.
    """

    width: int
    sees: tuple[int, ...]
    mirror: Mirror | None
    both: bool
    kernel_init: nn.initializers.Initializer
    bias_init: nn.initializers.Initializer = nn.initializers.zeros

    @nn.compact
    def __call__(self, x: jax.Array) -> list[jax.Array]:
        kernel = self.param("kernel", self.kernel_init, (len(self.sees), self.width))
        bias = self.param("bias", self.bias_init, (self.width,))[:, None]
        if self.mirror is None:
            return [_of_columns(_pick(_selection(self.sees, len(x)).T, kernel), x) + bias]
        basis, count = _parity(self.mirror)
        weights = _pick(basis[:, self.sees], kernel)
        if not self.both:
            return [_of_columns(weights, x) + bias]
        even = _of_columns(weights[:count], x[:count]) + bias
        odd = _of_columns(weights[count:], x[count:])
        return [even + odd, even - odd]


class MLP(nn.Module):
    """Dense layers with an activation between, from observations' `parts`; the last is small, with a constant bias.

    Gives columns ``[sides, outputs, N]``; ``pooled``, the first layer's mean over the sides goes on, so that the output
    ``[1, outputs, N]`` does not depend on which side is which.
    """

    hidden: tuple[int, ...]
    outputs: int
    sees: tuple[int, ...]
    mirror: Mirror | None
    activation: str
    wide_scale: float
    last_scale: float
    both: bool = True
    bias: float = 0.0
    last_activation: str = LINEAR
    pooled: bool = False

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        between = ACTIVATIONS[self.activation]
        wide = nn.initializers.orthogonal(self.wide_scale)
        last = (nn.initializers.orthogonal(self.last_scale), nn.initializers.constant(self.bias))
        if self.hidden:
            sides = FirstLayer(self.hidden[0], self.sees, self.mirror, self.both, wide, name="dense_0")(x)
            sides = [between(side) for side in sides]
        else:
            sides = FirstLayer(self.outputs, self.sees, self.mirror, self.both, *last, name="out")(x)
        sides = [sum(sides) / len(sides)] if self.pooled else sides
        for i, width in enumerate(self.hidden[1:], start=1):
            layer = Layer(width, wide, name=f"dense_{i}")
            sides = [between(layer(side)) for side in sides]
        if self.hidden:
            out = Layer(self.outputs, *last, name="out")
            sides = [out(side) for side in sides]
        return OUTPUT_ACTIVATIONS[self.last_activation](jnp.stack(sides))


class ActorCritic(nn.Module):
    """``actor(obs) -> (mean [..., nu], log_std [nu])``, ``critic(obs) -> value [...]``; observations normalised.

    ``of_parts`` and ``value_of_parts`` take the observations' `parts`, for who has use for them more than once.
    """

    spec: PolicySpec

    def setup(self) -> None:
        spec = self.spec
        wide, last = spec.gains
        common = {"mirror": spec.mirror, "activation": spec.activation, "wide_scale": wide}
        acts = {"last_scale": last, "last_activation": spec.output_activation, **common}
        self.heads = [
            MLP(h.hidden, len(h.action), h.observation, both=h.mirrored, bias=h.initial_action, name=h.name, **acts)
            for h in spec.heads
        ]
        self.log_std = [
            self.param(f"{head.name}_log_std", nn.initializers.constant(head.log_std_init), (len(head.action),))
            for head in spec.heads
        ]
        values = {"last_scale": 1.0, "pooled": True, **common}
        self.value = MLP(
            spec.critic_hidden, 1, spec.critic_observation, both=spec.critic_mirrored, name="critic", **values
        )

    def __call__(self, obs: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        return self.of_parts(parts(self.spec.mirror, obs))

    def actor(self, obs: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Mean action ``[..., nu]`` and log standard deviation ``[nu]``."""
        return self._actions(parts(self.spec.mirror, obs))

    def critic(self, obs: jax.Array) -> jax.Array:
        """Value ``[...]``; under a mirror that of a walker and of its mirror image are equal."""
        return self.value_of_parts(parts(self.spec.mirror, obs))

    def of_parts(self, x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Mean action, log standard deviation, value."""
        return *self._actions(x), self.value_of_parts(x)

    def value_of_parts(self, x: jax.Array) -> jax.Array:
        """Value ``[...]``."""
        return self.value(_columns(x)).reshape(x.shape[:-1])

    def _actions(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        mirror, n, columns = self.spec.mirror, len(self.spec.neutral), _columns(x)
        means, stds, actuators = [jnp.zeros((0, columns.shape[1]))], [jnp.zeros(0)], []
        for head, net, std in zip(self.spec.heads, self.heads, self.log_std, strict=True):
            out = net(columns)
            if not head.enabled:
                continue
            std = std if head.log_std_min is None else jnp.maximum(std, head.log_std_min)
            for side, driven in zip(out, _drives(head, mirror), strict=True):
                means.append(side)
                stds.append(std)
                actuators += driven.tolist()
        place = _selection(np.array(actuators, int), n)
        neutral = np.where(self.spec.active, 0.0, np.array(self.spec.neutral)).astype(np.float32)
        mean = _pick(jnp.concatenate(means).T, place) + neutral
        return mean.reshape(*x.shape[:-1], n), _pick(jnp.concatenate(stds), place)


def _drives(head: Head, mirror: Mirror | None) -> list[np.ndarray]:
    """Actuators of the head's outputs, for each side that its network serves."""
    own = np.array(head.action)
    return [own, np.array(mirror.action)[own]] if mirror is not None and head.mirrored else [own]


def _selection(index: Sequence[int] | np.ndarray, size: int) -> np.ndarray:
    """The matrix ``[len(index), size]`` that picks entries: on a CPU faster than gather and scatter."""
    return np.eye(size, dtype=np.float32)[np.asarray(index)]


def _pick(x: jax.Array | np.ndarray, matrix: jax.Array | np.ndarray) -> jax.Array:
    """``x @ matrix``, one of which is a selection matrix, exact also where matrix units round by default (GPU, TPU)."""
    return jnp.matmul(x, matrix, precision=jax.lax.Precision.HIGHEST)


def _columns(x: jax.Array) -> jax.Array:
    """``[..., n]`` as ``[n, N]``."""
    return x.reshape(-1, x.shape[-1]).T


def _of_columns(kernel: jax.Array, x: jax.Array) -> jax.Array:
    """``kernel.T @ x``, without a transposed kernel in memory."""
    return jax.lax.dot_general(kernel, x, (((0,), (0,)), ((), ())))


def parts(mirror: Mirror | None, obs: jax.Array) -> jax.Array:
    """The observation ``[..., n]`` in coordinates that the mirror keeps (even parts, first) and that it negates.

    Half of sum and difference of each pair that the mirror exchanges. Without a mirror the observation itself.
    """
    if mirror is None:
        return obs
    basis, _ = _parity(mirror)
    return _pick(obs, (basis / (basis**2).sum(-1, keepdims=True)).T)


def whole(mirror: Mirror | None, parts: jax.Array) -> jax.Array:
    """The observation ``[..., n]`` of its `parts`."""
    return parts if mirror is None else _pick(parts, _parity(mirror)[0])


def _parity(mirror: Mirror) -> tuple[np.ndarray, int]:
    """Orthogonal ``[n, n]`` with ``obs = parts @ it``, even parts first, and how many are even."""
    index, sign = np.array(mirror.observation), np.array(mirror.observation_sign, np.float32)
    assert (index[index] == np.arange(index.size)).all() and (sign == sign[index]).all()  # twice is not at all
    one = np.eye(index.size, dtype=np.float32)
    image = one[index] * sign[:, None]
    first = np.arange(index.size) <= index  # of each pair
    even, odd = (rows[first & rows.any(-1)] for rows in (one + image, one - image))
    return np.concatenate([even, odd]), len(even)


def mirrored(mirror: Mirror, obs: jax.Array) -> jax.Array:
    """The observation ``[..., n]`` with left and right exchanged."""
    matrix = _selection(mirror.observation, len(mirror.observation)).T * np.array(mirror.observation_sign, np.float32)
    return _pick(obs, matrix)
