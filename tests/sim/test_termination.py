"""When a simulation counts as blown up, which joints end an episode and which limits cost."""

from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest

from mjx_assist.errors import UserError
from mjx_assist.model.names import joint_names
from mjx_assist.sim import termination
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


def test_named_joints_end_an_episode_in_the_place_of_the_imitated(reduced):
    joints, imitated = joint_names(reduced.model), np.array([2, 3])
    assert termination.ending_joints(None, joints, imitated) is imitated
    named = termination.ending_joints(["knee_angle_?"], joints, imitated)
    assert [joints[i] for i in named] == ["knee_angle_l", "knee_angle_r"]
    assert termination.ending_joints([], joints, imitated).size == 0
    off = np.zeros((2, len(joints)))
    off[1, joints.index("knee_angle_r")] = 0.3
    np.testing.assert_array_equal(termination.off_reference(off, np.zeros_like(off), named, 0.2), [False, True])


def test_limits_are_counted_among_the_limited_joints(reduced):
    model = reduced.model
    limited = [name for name, is_limited in zip(joint_names(model), model.jnt_limited, strict=True) if is_limited]
    assert termination.limit_joints(None, model) is None
    chosen = termination.limit_joints(["*ankle_angle_r", "hip_flexion_?"], model)
    assert [limited[i] for i in chosen] == ["ankle_angle_r", "hip_flexion_l", "hip_flexion_r"]
    with pytest.raises(UserError, match="joint_limit_keys': joint: 'knee_r' is unknown"):
        termination.limit_joints(["knee_r"], model)
