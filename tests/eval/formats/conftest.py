"""The walk that every format holds."""

import dataclasses

import numpy as np
import pytest
from synthetic_gait import synthetic_gait


@pytest.fixture(scope="module")
def record():
    """A walk with a left foot that differs from the right one, of a human that no package knows."""
    made = synthetic_gait(6.0, 100.0)
    rng = np.random.default_rng(1)
    noisy = {
        name: getattr(made, name) + 0.01 * rng.normal(size=getattr(made, name).shape)
        for name in ("free_moment", "passive_moment", "com_velocity", "sensors", "muscle_max_force")
    }
    ground = made.ground_reaction.copy()
    ground[:, :, 1] = 0.05 * ground[:, :, 2]
    center = made.center_of_pressure + np.array([0.0, 0.1, 0.0])
    unloaded = ~(ground[:, :, 2] > 0)
    noisy["free_moment"][unloaded] = 0.0
    return dataclasses.replace(made, ground_reaction=ground, center_of_pressure=center, **noisy)
