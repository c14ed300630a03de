"""The reference gait of a person in another size is the standard body's in dimensionless speed and time."""

import mujoco
import numpy as np

from mjx_assist.config.subject import Subject
from mjx_assist.model.assembly import NO_DEVICE, compose
from mjx_assist.model.names import joint_names
from mjx_assist.model.subjects.scale import put_on
from mjx_assist.model.subjects.standard import standard
from mjx_assist.model.subjects.told import leg_scale
from mjx_assist.reference.feet import leg_length
from mjx_assist.reference.healthy import healthy_gait

HUMAN = "myolegs22"
LENGTH = 1.44  # so that 1.25 m/s of the standard body is 1.5 m/s: both are fitted, none is interpolated


def test_the_gait_of_a_long_person_is_the_same_at_the_same_froude_number(monkeypatch):
    monkeypatch.setattr("mjx_assist.reference.healthy.SPEEDS", np.array([1.25, 1.5]))
    spec, body = compose(HUMAN, NO_DEVICE), standard(HUMAN, compose)
    plain = spec.copy().compile()
    put_on(spec, Subject(height=LENGTH * body.height, mass=110.0), body, HUMAN)
    large = spec.compile()
    assert leg_scale(plain) == 1.0 and np.isclose(leg_scale(large), LENGTH)
    assert np.isclose(leg_length(large), LENGTH * leg_length(plain))
    ours, theirs = healthy_gait(plain), healthy_gait(large)
    np.testing.assert_allclose(theirs.stride_frequency[1], ours.stride_frequency[0] / np.sqrt(LENGTH))
    hinge = plain.jnt_type == mujoco.mjtJoint.mjJNT_HINGE
    np.testing.assert_allclose(theirs.qpos[1][:, hinge], ours.qpos[0][:, hinge], atol=np.radians(0.5))
    height = joint_names(plain).index("pelvis_ty")
    np.testing.assert_allclose(theirs.qpos[1][:, height], LENGTH * ours.qpos[0][:, height], atol=5e-3)
