"""A user's model is tried on the backend that trains it: what MJX computes in another way is refused by name."""

import mujoco
import pytest

from mjx_assist.config.words import COMPILED, MJX, MUJOCO
from mjx_assist.errors import UserError
from mjx_assist.sim.physics import checked

XML = """
<mujoco><compiler angle="radian"/><option integrator="implicitfast" timestep="0.004"/><worldbody>
<geom name="floor" type="plane" size="0 0 1" contype="0" conaffinity="0"/>
<body name="thigh" pos="0 0 1"><joint name="pelvis_tx" type="slide" axis="1 0 0"/>
  <joint name="pelvis_ty" type="slide" axis="0 0 1"/><joint name="pelvis_tilt" axis="0 -1 0"/>
  <inertial pos="0 0 -0.2" mass="8" diaginertia="0.1 0.1 0.02"/><site name="a" pos="0.06 0 -0.05"/>
  <body name="shank" pos="0 0 -0.42"><joint name="knee" axis="0 -1 0" limited="true" range="-2.2 0.03"/>
    <inertial pos="0 0 -0.2" mass="3.4" diaginertia="0.05 0.05 0.01"/><site name="b" pos="0.04 0 -0.07"/>
    <geom name="wrap" type="cylinder" size="0.03 0.05" quat="0.7071 0.7071 0 0" contype="0" conaffinity="0" mass="0"/>
    <site name="side" pos="{side} 0 0"/><geom name="sole" size="0.05" pos="0 0 -0.4"/>
  </body></body></worldbody>
<contact><pair geom1="floor" geom2="sole"/></contact>
<tendon><spatial name="rf"><site site="a"/><geom geom="wrap" sidesite="side"/><site site="b"/></spatial></tendon>
<actuator><muscle name="rf" tendon="rf" force="3000" lengthrange="0.1 0.9"/></actuator></mujoco>"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return str(tmp_path_factory.mktemp("own") / "leg.xml")


@pytest.mark.slow
def test_mjx_is_refused_a_tendon_inside_its_wrap(path):
    with pytest.raises(UserError) as error:
        checked.checked_physics(path, MJX, XML.format(side=0.01), 1, 2, 1)
    said = str(error.value)
    assert "backend 'mjx'" in said and "'rf'" in said and "'compiled'" in said


@pytest.mark.slow
def test_mjx_takes_the_same_leg_with_its_site_outside(path):
    worst, _ = checked.disagreement(MJX, XML.format(side=0.06))
    assert worst < 1e-3
    assert checked._suspects(mujoco.MjModel.from_xml_string(XML.format(side=0.06))) == ""


@pytest.mark.parametrize("backend", [MUJOCO, COMPILED])
def test_others_move_the_inside_wrap_as_mujoco_does(backend):
    worst, _ = checked.disagreement(backend, XML.format(side=0.01))
    assert worst < 1e-4


def test_only_files_are_tried(monkeypatch):
    monkeypatch.setattr(checked, "disagreement", lambda *_: pytest.fail("tried"))
    assert checked.checked_physics("myolegs22", MJX, XML.format(side=0.01), 1, 2, 1).backend == MJX
