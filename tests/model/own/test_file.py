"""A user's own XML file: read, completed, reduced, and refused where it cannot be."""

import mujoco
import numpy as np
import pytest

from mjx_assist.errors import UserError
from mjx_assist.model import assembly
from mjx_assist.model.reduction import build, recipe
from mjx_assist.terrain.heightfield import FLOOR

SIDE = """
  <body name="femur_{s}" pos="0 {y} 0"><joint name="hip_{s}" axis="0 -1 0" range="-40 120"/>
    <geom type="capsule" fromto="0 0 0 0 0 -0.4" size="0.05" contype="0" conaffinity="0"/>
    <site name="a_{s}" pos="0.05 0 -0.2"/>
    <body name="tibia_{s}" pos="0 0 -0.42">
      <joint name="slip_{s}" type="slide" axis="0 0 1"/><joint name="knee_{s}" axis="0 1 0" range="0 120"/>
      <geom type="capsule" fromto="0 0 0 0 0 -0.4" size="0.04" contype="0" conaffinity="0"/>
      <site name="b_{s}" pos="0.04 0 -0.1"/>
      <body name="foot_{s}" pos="0 0 -0.42"><joint axis="0 -1 0" range="-40 20"/>
        <geom type="capsule" fromto="-0.05 0 -0.02 0.15 0 -0.02" size="0.03" mass="1"/>
        <site name="{s}_sole" type="box" pos="0.05 0 -0.03" size="0.15 0.05 0.03"/>
      </body></body></body>"""
LEGS = """
<mujoco><compiler angle="degree"/><worldbody>{floor}<body name="trunk" pos="0 0 0.95">{root}
  <geom type="box" size="0.1 0.15 0.2" mass="40" contype="0" conaffinity="0"/>{legs}</body></worldbody>
<equality>{couplings}{equality}</equality>
<tendon>{tendons}</tendon>
<actuator><muscle tendon="t_r" lengthrange="0.2 0.5"/><muscle tendon="t_l" lengthrange="0.2 0.5"/>{actuator}</actuator>
<sensor><touch site="r_sole"/><touch site="l_sole"/></sensor></mujoco>"""


def write(path, root="<freejoint/>", floor="", equality="", actuator="") -> str:
    sides = [("r", -0.1), ("l", 0.1)]
    legs = "".join(SIDE.format(s=s, y=y) for s, y in sides)
    couplings = "".join(f'<joint joint1="slip_{s}" joint2="knee_{s}" polycoef="0 0.004 -0.002 0 0"/>' for s, _ in sides)
    tendons = "".join(f'<spatial name="t_{s}"><site site="a_{s}"/><site site="b_{s}"/></spatial>' for s, _ in sides)
    text = LEGS.format(
        root=root, floor=floor, legs=legs, couplings=couplings, equality=equality, tendons=tendons, actuator=actuator
    )
    path.write_text(text)
    return str(path)


def test_a_file_is_a_human(tmp_path):
    """Free root, unnamed joints and no floor: reduced, with the field's names for its root."""
    path = write(tmp_path / "legs.xml")
    reduced, full = build(path, "none"), assembly.full_model(path, "none")
    own = mujoco.MjModel.from_xml_path(path)
    assert full.nv == own.nv and full.geom(FLOOR).id >= 0
    names = [reduced.model.joint(j).name for j in range(reduced.model.njnt)]
    assert names[:6] == [f"pelvis_{name}" for name in ("tx", "ty", "tz", "tilt", "list", "rotation")]
    assert names[6:8] == ["hip_r", "knee_r"] and len(names) == 12 and reduced.model.neq == 0
    assert reduced.model.body_mass.sum() == pytest.approx(own.body_mass.sum(), abs=1e-6)
    assert reduced.model.nu == 2 and reduced.model.ntendon == 2
    lifted = reduced.coupling.lift(np.zeros(12))
    assert lifted.shape == (full.nq,)


def test_a_floor_that_is_there_is_the_floor(tmp_path):
    path = write(tmp_path / "legs.xml", floor='<geom name="ground" type="plane" size="5 5 1" friction="0.7"/>')
    full = assembly.full_model(path, "none")
    assert (full.geom_type == mujoco.mjtGeom.mjGEOM_PLANE).sum() == 1
    assert full.geom(FLOOR).friction[0] == 0.7


def test_names_that_the_model_has_stay(tmp_path):
    """A free root beside a joint that already has one of the field's names is named after its body."""
    arm = '<body><joint name="pelvis_tilt"/><geom size="0.1"/></body>'
    model = assembly.full_model(write(tmp_path / "legs.xml", root="<freejoint/>" + arm), "none")
    assert model.joint("trunk_tx").id == 0 and model.joint("pelvis_tilt").id > 5


def test_a_recipe_beside_the_file_is_used(tmp_path):
    path = write(tmp_path / "legs.xml")
    assert "*hip_flexion*" in recipe(path)["walking_range_rad"]
    (tmp_path / "legs.reduction.json").write_text('{"walking_range_rad": {"hip_*": [-0.1, 0.2]}}')
    assert recipe(path)["walking_range_rad"] == {"hip_*": [-0.1, 0.2]}
    assert recipe(path)["option"]["timestep"] > 0
    (tmp_path / "legs.reduction.json").write_text('{"walking_range": {}}')
    with pytest.raises(UserError, match="'walking_range_rad'"):
        recipe(path)
    (tmp_path / "legs.reduction.json").write_text("{")
    with pytest.raises(UserError, match=r"legs\.reduction\.json"):
        recipe(path)


BALL = '<body><joint name="neck" type="ball"/><geom size="0.1"/></body>'
MOCAP = '<body name="hand" mocap="true"/>'


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"root": "<freejoint/>" + BALL}, "'neck' is a ball joint"),
        ({"floor": '<geom type="plane" size="1 1 1" pos="0 0 -1"/>'}, "level, at z = 0"),
        ({"floor": MOCAP}, "'hand' is a mocap body"),
        ({"floor": '<body name="ball" pos="1 0 1"><freejoint name="fly"/><geom size="0.1"/></body>'}, "'fly'"),
        ({"equality": '<tendon name="tie" tendon1="t_r" tendon2="t_l"/>'}, "tie couples neither joints nor bodies"),
        ({"actuator": '<general name="thrust" site="a_r"/>'}, "'thrust' drives neither a joint nor a tendon"),
        ({"actuator": '<motor name="push" joint="slip_r"/>'}, "'push' drives joint 'slip_r', which follows"),
    ],
)
def test_what_cannot_be_reduced_is_named(tmp_path, parts, said):
    with pytest.raises(UserError) as error:
        build(write(tmp_path / "legs.xml", **parts), "none")
    assert said in str(error.value)


def test_files_that_are_not_models_are_refused(tmp_path):
    with pytest.raises(UserError, match="is not there"):
        build(str(tmp_path / "missing.xml"), "none")
    broken = tmp_path / "broken.xml"
    broken.write_text("<mujoco><worldbody><body></worldbody></mujoco>")
    with pytest.raises(UserError, match=r"broken\.xml"):
        build(str(broken), "none")
    with pytest.raises(UserError, match="'Tutorial_L1' cannot be put on"):
        build(write(tmp_path / "legs.xml"), "Tutorial_L1")
