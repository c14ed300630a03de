"""How a reference is played: at the commanded speed, as recorded, or with its cadence following the command."""

import jax.numpy as jnp
import numpy as np
import pytest

from mjx_assist.config import from_dict
from mjx_assist.errors import UserError
from mjx_assist.reference import cycle


def test_one_speed_of_a_gait_is_what_the_gait_has_there(gait):
    speed, phase = 1.281, np.array([0.0, 0.37, 0.9])
    alone = cycle.at_speed(gait, speed)
    for own, whole in zip(cycle.sample(alone, phase, 0.8), cycle.sample(gait, phase, speed), strict=True):
        np.testing.assert_allclose(own, whole, atol=1e-6)  # and whatever is commanded
    with pytest.raises(UserError, match="reference_speed': 9 m/s is beyond"):
        cycle.at_speed(gait, 9.0)


def test_scaled_keeps_the_stride_length_and_recorded_the_cadence(gait):
    alone = cycle.at_speed(gait, 1.25)
    speeds = np.array([0.5, 1.25, 2.0])
    stride = speeds / cycle.cadence(alone, speeds, "scaled")
    np.testing.assert_allclose(stride, 1.25 / alone.stride_frequency[0], rtol=1e-6)
    np.testing.assert_allclose(cycle.cadence(alone, speeds, "recorded"), alone.stride_frequency[0])
    np.testing.assert_array_equal(cycle.cadence(gait, speeds, "matched"), cycle.stride_frequency(gait, speeds))


@pytest.mark.parametrize("playback", ["recorded", "scaled"])
def test_a_walker_starts_at_the_commanded_speed(gait, playback):
    alone, forward = cycle.at_speed(gait, 1.25), gait.joint_names.index("pelvis_tx")
    qpos, qvel = cycle.start(alone, np.float32(0.2), np.float32(0.7), playback)
    assert qvel[forward] == pytest.approx(0.7, rel=1e-5)
    np.testing.assert_allclose(qvel, cycle.sample(alone, 0.2, 1.25)[1] * 0.7 / 1.25, rtol=1e-5, atol=1e-6)
    both = cycle.start(alone, jnp.float32(0.2), jnp.float32(0.7), playback, jnp)
    np.testing.assert_allclose(both[1], qvel, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(both[0], qpos, rtol=1e-5, atol=1e-6)


def test_a_speed_of_the_reference_without_a_playback_is_refused():
    with pytest.raises(UserError, match="has no effect while reference_playback is 'matched'"):
        from_dict({"env_params": {"reference_speed": 1.2}})
