"""The state that every backend carries."""

import jax
import jax.numpy as jnp
import numpy as np

from mjx_assist.sim.physics.base import reset_state


def test_reset_state_is_32_bit_and_has_no_history(reduced):
    model = reduced.model
    state = reset_state(model, np.ones(model.nq), np.ones(model.nv), np.ones(model.na))
    assert {x.dtype for x in jax.tree.leaves(state)} == {jnp.dtype("float32")}
    for name in ("time", "sensordata", "sensor_peak", "limit_load", "actuator_length", "last_act", "warmstart"):
        assert not np.any(getattr(state, name)), name
