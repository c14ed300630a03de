"""A trunk that leans: about the axis it should, by as much as asked, and nothing else moves."""

import mujoco
import numpy as np
import pytest

from mjx_assist.errors import UserError
from mjx_assist.model import lean
from mjx_assist.model.own.file import is_path

XML = """<mujoco><worldbody><body name="pelvis" euler="90 0 0"><freejoint/><geom size="0.1" mass="10"/>
<body name="torso" pos="0 0.1 0" euler="0 0 10"><geom size="0.1" pos="0 0.3 0" mass="30"/>
<body name="head" pos="0 .6 0"><geom size="0.1" mass="5"/></body></body></body></worldbody></mujoco>"""


def posed(forward: float) -> mujoco.MjData:
    spec = mujoco.MjSpec.from_string(XML)
    lean.put_on(spec, forward)
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    return data


@pytest.mark.parametrize("forward", [0.2585, -0.1, 0.9])
def test_the_trunk_turns_forward_about_the_axis_through_its_joint(forward):
    straight, leaning = posed(0.0), posed(forward)
    c, s = np.cos(forward), np.sin(forward)
    turn = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])  # about y, which is to the left: z goes to x, forward
    joint = straight.body("torso").xpos
    np.testing.assert_allclose(leaning.body("torso").xpos, joint)
    above = straight.body("head").xpos - joint
    np.testing.assert_allclose(leaning.body("head").xpos - joint, turn @ above, atol=1e-9)
    np.testing.assert_allclose(leaning.body("pelvis").xmat, straight.body("pelvis").xmat)


def test_the_quaternion_of_the_other_pipeline_is_the_same_lean():
    """(1, 0, 0, -0.13) on a trunk whose z axis is to the right: 2 atan(0.13) forward."""
    spec = mujoco.MjSpec.from_string(XML.replace('euler="0 0 10"', 'quat="1 0 0 -0.13"'))
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    spec = mujoco.MjSpec.from_string(XML.replace(' euler="0 0 10"', ""))
    lean.put_on(spec, 2 * np.arctan(0.13))
    ours = mujoco.MjData(spec.compile())
    mujoco.mj_kinematics(ours.model, ours)
    np.testing.assert_allclose(ours.body("torso").xmat, data.body("torso").xmat, atol=1e-9)


def test_keys_and_paths_carry_it():
    assert lean.split("myolegs22+passive@lean=0.25") == ("myolegs22+passive", 0.25)
    assert lean.split("myolegs22") == ("myolegs22", 0.0)
    assert is_path("own.xml@lean=0.25") and not is_path("myolegs22@lean=0.25")
    with pytest.raises(UserError, match="'much' after '@lean='"):
        lean.split("myolegs22@lean=much")


def test_a_model_without_a_trunk_is_named():
    spec = mujoco.MjSpec.from_string(XML.replace('name="torso"', 'name="trunk"'))
    with pytest.raises(UserError, match="'torso' is unknown"):
        lean.put_on(spec, 0.1)
