"""The model whose reference gait most tests look at."""

import mujoco
import pytest

from mjx_assist.model.reduction import ReducedModel


@pytest.fixture(scope="session")
def model(reduced: ReducedModel) -> mujoco.MjModel:
    """myolegs22 with Tutorial_L1, reduced."""
    return reduced.model
