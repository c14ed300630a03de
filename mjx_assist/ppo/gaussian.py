"""The diagonal Gaussian that actions are drawn from, over the actuators that an enabled head drives."""

import jax
import jax.numpy as jnp
import numpy as np


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
