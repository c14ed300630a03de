"""Which joints end an episode and which limits cost, by the config's patterns."""

import numpy as np
import pytest

from mjx_assist.errors import UserError
from mjx_assist.model.names import joint_names
from mjx_assist.sim import termination


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
