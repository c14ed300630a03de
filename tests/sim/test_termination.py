"""When a simulation counts as blown up: by its state, and by what its sensors say of a state that is finite."""

from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest

from mjx_assist.sim.termination import not_finite

WALKING = {
    "qpos": [[0.9, -0.4]] * 3,
    "qvel": [[1.2, -9.0]] * 3,
    "act": [[0.5, 1.0]] * 3,
    "sensordata": [[800.0, 0.0]] * 3,
    "sensor_peak": [[3000.0, 0.0]] * 3,
    "limit_load": [[200.0]] * 3,
}


def state(xp, **changed):
    return SimpleNamespace(**{name: xp.asarray(values, float) for name, values in {**WALKING, **changed}.items()})


@pytest.mark.parametrize("xp", [np, jnp])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in WALKING for value in (np.nan, np.inf, -np.inf)),
        ("qvel", -1.1e3),
        ("sensordata", 1e30),
        ("sensor_peak", -1e30),
        ("limit_load", 1.1e6),
    ],
)
def test_one_number_marks_its_walker_alone(xp, name, value):
    assert not not_finite(state(xp), xp).any()
    changed = np.array(WALKING[name])
    changed[1, -1] = value
    assert not_finite(state(xp, **{name: changed}), xp).tolist() == [False, True, False]
