"""What noise and delay do to an observation before a policy sees it; the same for training (jax) and replay (numpy)."""

from typing import Any, NamedTuple

import numpy as np

from mjx_assist.sim.disturbances import delay_line

# Standard deviation of each measured kind at observation_noise 1: rad and m, rad/s and m/s, body weights. Muscle
# activations, gait phase and command are the walker's own and are seen as they are.
NOISE = {"qpos": 0.02, "qvel": 0.2, "load": 0.05}


class Sensing(NamedTuple):
    """Of one walker: ``noise`` as a share of `NOISE`, ``delay`` in control steps, ``line [H, n]`` of observations."""

    noise: Any
    delay: Any
    line: Any


def deviation(names: tuple[str, ...]) -> np.ndarray:
    """``[n]`` standard deviation of each observation at noise 1, 0 for what is not measured."""
    return np.array([NOISE.get(name.partition(".")[0], 0.0) for name in names], np.float32)


def start(noise: Any, delay: Any, longest: float, dt: float, obs: Any, xp: Any = np) -> Sensing:
    """At an episode's start: delays in s, ``obs [n]`` the first observation, which was there before too."""
    return Sensing(noise, delay / dt, xp.broadcast_to(obs, (delay_line.length(longest, dt), obs.shape[-1])))


def sense(sensing: Sensing, obs: Any, normal: Any, sd: np.ndarray, xp: Any = np) -> tuple[Sensing, Any]:
    """What is seen of ``obs [n]`` with standard normal numbers ``[n]``: measured parts late and noisy."""
    line = delay_line.push(sensing.line, obs, xp)
    late = xp.where(sd > 0, delay_line.read(line, sensing.delay, xp), obs)
    return sensing._replace(line=line), late + sensing.noise * sd * normal
