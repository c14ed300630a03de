"""A device that goes off in an episode and stays off: a flat battery, a broken wire; for jax and numpy."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

N_UNIFORM = 3


class Failing(NamedTuple):
    """A device that goes off ``off_from`` s into the episode (infinite: never), with its ``path``, if it has one."""

    path: Any
    off_from: Any


def sample(chance: Sequence[Any], span: Sequence[Any], uniform: Any, xp: Any = np) -> Any:
    """When it goes off, s into the episode (infinite: never), from ``N_UNIFORM`` numbers uniform in 0..1.

    The episode's chance of it lies in ``chance``, the time in ``span``; before 0 it is off from the start.
    """
    goes_off = uniform[1] < chance[0] + (chance[1] - chance[0]) * uniform[0]
    return xp.where(goes_off, span[0] + (span[1] - span[0]) * uniform[2], xp.inf)


def drive(off_from: Any, time: Any, command: Any, xp: Any = np) -> Any:
    """The device's controls ``[D]`` of a control step that begins at ``time`` (s): zero torque once it is off."""
    return xp.where(time < off_from - 1e-6, command, 0.0)
