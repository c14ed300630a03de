"""The reference gait of a person in another size is the standard body's in dimensionless speed and time."""

import mujoco
import numpy as np

from mjx_assist.config.subject import Subject
from mjx_assist.model.assembly import NO_DEVICE, compose
from mjx_assist.model.names import joint_names
from mjx_assist.model.subjects.scale import put_on
from mjx_assist.model.subjects.standard import standard
from mjx_assist.model.subjects.told import leg_scale
from mjx_assist.reference import healthy
from mjx_assist.reference.feet import leg_length

HUMAN = "myolegs22"
LENGTH = 1.44  # the root of it is 1.2: 1.25 m/s becomes 1.5 m/s


def test_the_gait_of_a_long_person_is_the_same_at_the_same_froude_number(monkeypatch):
    spec, body = compose(HUMAN, NO_DEVICE), standard(HUMAN, compose)
    plain = spec.copy().compile()
    put_on(spec, Subject(height=LENGTH * body.height, mass=110.0), body, HUMAN)
    large = spec.compile()
    assert leg_scale(plain) == 1.0 and np.isclose(leg_scale(large), LENGTH)
    assert np.isclose(leg_length(large), LENGTH * leg_length(plain))
    walks = []
    for model, speed in ((plain, 1.25), (large, 1.5)):
        monkeypatch.setattr(healthy, "SPEEDS", np.array([speed]))
        walks.append(healthy.healthy_gait(model))
    ours, theirs = walks
    np.testing.assert_allclose(theirs.stride_frequency, ours.stride_frequency / np.sqrt(LENGTH))
    hinge = plain.jnt_type == mujoco.mjtJoint.mjJNT_HINGE
    np.testing.assert_allclose(theirs.qpos[..., hinge], ours.qpos[..., hinge], atol=1e-3)
    height = joint_names(plain).index("pelvis_ty")
    np.testing.assert_allclose(theirs.qpos[..., height], LENGTH * ours.qpos[..., height], atol=1e-3)
