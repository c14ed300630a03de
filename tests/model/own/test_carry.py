"""What a user's file states is in the reduction as C MuJoCo has it in the file, or is refused by name."""

import mujoco
import numpy as np
import pytest

from mjx_assist.errors import UserError, note
from mjx_assist.model import assembly
from mjx_assist.model.mjcf import load
from mjx_assist.model.own.needs import check, lacking
from mjx_assist.model.reduction import build
from mjx_assist.model.view import foot_loads
from mjx_assist.sim.observation import make_spec

LEG = """
  <body name="femur_{s}" pos="0 {y} 0" gravcomp="{g}"><joint name="hip_flexion_{s}" axis="0 -1 0" range="-40 120"/>
    <geom type="capsule" fromto="0 0 0 0 0 -0.4" size="0.05" contype="0" conaffinity="0"/>
    <site name="a_{s}" pos="0.05 0 -0.2"/>
    <body name="tibia_{s}" pos="0 0 -0.42" gravcomp="{g}"><joint name="knee_angle_{s}" axis="0 -1 0" range="-120 0"/>
      <geom type="capsule" fromto="0 0 0 0 0 -0.4" size="0.04" contype="0" conaffinity="0"/>
      <site name="b_{s}" pos="0.04 0 -0.1"/>
      <body name="foot_{s}" pos="0 0 -0.42" gravcomp="{g}"><joint name="ankle_angle_{s}" axis="0 -1 0" range="-40 20"/>
        <geom name="sole_{s}" type="capsule" fromto="-0.05 0 -0.02 0.15 0 -0.02" size="0.03" mass="1" {foot}/>
        <site name="{s}_foot" type="box" pos="0.05 0 -0.03" size="0.15 0.05 0.03"/>
      </body></body></body>"""
WALKER = """
<mujoco><compiler angle="degree"/>{option}<asset>{asset}</asset><worldbody>{ground}
<body name="trunk" pos="0 0 {height}" {turned} gravcomp="{g}">{root}
  <geom type="box" size="0.1 0.15 0.2" mass="40" contype="0" conaffinity="0"/>{legs}</body></worldbody>
<tendon><spatial name="t_r"><site site="a_r"/><site site="b_r"/></spatial>
<spatial name="t_l"><site site="a_l"/><site site="b_l"/></spatial></tendon>
<actuator><muscle tendon="t_r" lengthrange="0.2 0.5"/><muscle tendon="t_l" lengthrange="0.2 0.5"/></actuator>
<sensor><touch name="r_foot" site="r_foot"/><touch name="l_foot" site="l_foot"/></sensor></mujoco>"""
PLANE = '<geom name="floor" type="plane" size="5 5 1"/>'
FLAT = '<hfield name="h" nrow="4" ncol="4" size="5 5 1 1"/>'
ROUGH = '<hfield name="h" nrow="2" ncol="2" size="5 5 0.1 1" elevation="0 1 0 0"/>'
FIELD = '<geom name="terr" type="hfield" hfield="h"/>'


@pytest.fixture(autouse=True)
def untold():
    note.cache_clear()


def write(
    path, ground=PLANE, option="", asset="", foot="", turned="", root="<freejoint/>", g=0.0, height=0.88, edit=()
):
    legs = "".join(LEG.format(s=s, y=y, g=g, foot=foot) for s, y in (("r", -0.1), ("l", 0.1)))
    text = WALKER.format(
        ground=ground, option=option, asset=asset, turned=turned, root=root, g=g, height=height, legs=legs
    )
    for old, new in edit:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    return str(path)


def reduced(path):
    return load(build(path, "none", fit_paths=False).xml)


def falling(model, forward="pelvis_tx", up="pelvis_ty"):
    """Acceleration (forward, up) of the root a metre over the ground, at rest."""
    data = mujoco.MjData(model)
    named = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, up) >= 0
    places = [model.joint(name).dofadr[0] for name in (forward, up)] if named else [0, 2]
    data.qpos[places[1]] += 1.0
    mujoco.mj_forward(model, data)
    return data.qacc[places]


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"option": '<option gravity="0 0 -1.62"/>'},
        {"option": '<option gravity="0 0 0"/>'},
        {"option": '<option gravity="-1.7 0 -9.66"/>'},
        {"option": '<option><flag gravity="disable"/></option>'},
        {"g": 0.6},
        {"g": 1.0, "option": '<option gravity="0 0 -3.7"/>'},
        {"option": '<option wind="-5 0 0"/>'},  # blows through nothing
    ],
)
def test_a_walker_falls_as_its_file_says(tmp_path, parts):
    path = write(tmp_path / "own.xml", **parts)
    expected = falling(mujoco.MjModel.from_xml_path(path))
    np.testing.assert_allclose(falling(assembly.full_model(path, "none")), expected, atol=1e-9)
    np.testing.assert_allclose(falling(reduced(path)), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("ground", "foot"),
    [
        ('friction="0.1"', 'friction="0.1"'),
        ('friction="0.1 0.01 0.001" priority="1"', ""),
        ('friction="0.1"', ""),  # MuJoCo takes the feet's
        ('friction="1.7"', 'friction="0.4"'),
        ('condim="1"', 'condim="1"'),
        ('condim="4"', ""),
        ('solref="0.05 0.7" priority="2"', ""),
        ('solref="0.05 1" solmix="3"', 'solref="0.01 1" solmix="1"'),
        ('solimp="0.8 0.9 0.01" priority="1"', ""),
        ('solref="-20000 -300" priority="1"', ""),
    ],
)
def test_feet_touch_the_floor_as_in_the_file(tmp_path, ground, foot, capsys):
    path = write(tmp_path / "own.xml", ground=f'<geom name="g" type="plane" size="5 5 1" {ground}/>', foot=foot)
    own, ours = mujoco.MjModel.from_xml_path(path), reduced(path)
    data = mujoco.MjData(own)
    data.qpos[2] -= 0.05
    mujoco.mj_forward(own, data)
    touch = data.contact[0]
    for pair in range(ours.npair):
        assert ours.pair_dim[pair] == touch.dim
        np.testing.assert_allclose(ours.pair_friction[pair], touch.friction)
        np.testing.assert_allclose(ours.pair_solref[pair], touch.solref)
        np.testing.assert_allclose(ours.pair_solimp[pair], touch.solimp)
    assert ("does not count" in capsys.readouterr().err) == (ground == 'friction="0.1"' and not foot)


def test_an_explicit_pair_holds_and_so_does_the_recipe(tmp_path):
    pairs = '<contact><pair geom1="floor" geom2="sole_r" friction="0.3 0.3 0.005 0.0001 0.0001"/>{}</contact>'
    both = pairs.format('<pair geom1="floor" geom2="sole_l" friction="0.3 0.3 0.005 0.0001 0.0001"/>')
    path = write(tmp_path / "own.xml", edit=[("<tendon>", both + "<tendon>")])
    assert set(reduced(path).pair_friction[:, 0]) == {0.3}
    path = write(tmp_path / "own.xml", edit=[("<tendon>", pairs.format("") + "<tendon>")])
    with pytest.raises(UserError, match=r"'sole_r' with friction 0.3 .* and geom 'sole_l' with friction 1"):
        reduced(path)
    (tmp_path / "own.reduction.json").write_text('{"contact": {"friction": [0.7, 0.7, 0.005, 0.0001, 0.0001]}}')
    assert set(reduced(path).pair_friction[:, 0]) == {0.7}


def test_cone_and_ranges_are_carried(tmp_path):
    edit = [('axis="0 -1 0" range="-120 0"', 'axis="0 -1 0" range="-120 0" actuatorfrcrange="-30 40"')]
    option = '<option cone="elliptic" impratio="5"/>'
    model = reduced(write(tmp_path / "own.xml", option=option, edit=edit))
    assert (model.opt.cone, model.opt.impratio) == (mujoco.mjtCone.mjCONE_ELLIPTIC, 5.0)
    np.testing.assert_array_equal(model.jnt_actfrcrange[model.joint("knee_angle_l").id], [-30, 40])


GROUNDS = {
    "plane in a body": {"ground": '<body name="ground" pos="5 0 0"><geom name="g" type="plane" size="5 5 1"/></body>'},
    "tilted twice": {
        "ground": '<body euler="90 0 0"><geom name="g" type="plane" euler="-90 0 0" size="5 5 1"/></body>',
    },
    "flat field": {"ground": FIELD, "asset": FLAT},
    "box": {"ground": '<geom name="slab" type="box" size="5 5 0.1" pos="0 0 -0.1"/>'},
    "box called floor": {"ground": '<geom name="floor" type="box" size="5 5 0.1" pos="0 0 -0.1"/>'},
    "field under a plane": {"ground": PLANE + FIELD, "asset": FLAT},
    "box under a plane": {"ground": PLANE + '<geom name="slab" type="box" size="5 5 0.1" pos="0 0 -0.1"/>'},
    "picture": {"ground": PLANE + '<geom type="box" size="1 1 1" pos="3 0 1" contype="0" conaffinity="0"/>'},
    "picture called floor": {"ground": '<geom name="floor" type="plane" size="1 1 1" contype="0" conaffinity="0"/>'},
    "pairs of both": {
        "ground": PLANE + FIELD,
        "asset": FLAT,
        "edit": [("<tendon>", '<contact><pair geom1="terr" geom2="sole_r"/></contact><tendon>')],
    },
}


@pytest.mark.parametrize("kind", GROUNDS)
def test_one_ground_bears_the_walker(tmp_path, kind):
    """The load on each foot while it lands, in the full and the reduced model, is that over a plain floor."""

    def landing(model):
        data, loads = mujoco.MjData(model), []
        for _ in range(round(0.1 / model.opt.timestep)):
            mujoco.mj_step(model, data)
            loads.append(sum(data.sensordata[model.sensor(f"{s}_foot").adr[0]] for s in "rl"))
        return max(loads)

    plain = write(tmp_path / "plain.xml", height=0.885)
    other = write(tmp_path / "other.xml", height=0.885, **GROUNDS[kind])
    for make in (lambda path: assembly.full_model(path, "none", assembly.AS_COMPOSED), reduced):
        wanted = landing(make(plain))
        assert wanted > 100
        assert landing(make(other)) == pytest.approx(wanted, rel=1e-6)


STEP = '<geom name="stair" type="box" size="0.2 1 0.1" pos="2 0 0.05"/>'


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"option": '<option density="1.2" wind="-5 0 0"/>'}, ('density="1.2"', 'wind="-5 0 0"')),
        ({"option": '<option viscosity="0.002"/>'}, ('viscosity="0.002"',)),
        ({"option": '<option><flag limit="disable" damper="disable"/></option>'}, ("limit", "damper")),
        ({"option": '<option><flag override="enable"/></option>'}, ("override",)),
        ({"ground": PLANE + STEP}, ("box 'stair'", "0.15 m", "terrain_type")),
        ({"ground": FIELD, "asset": ROUGH}, ("'terr'", "level, at z = 0")),
        ({"ground": PLANE + FIELD, "asset": ROUGH}, ("heightfield 'terr'", "0.1 m")),
        ({"ground": PLANE + '<geom name="two" type="plane" size="1 1 1"/>'}, ("one plane", "'floor', 'two'")),
        ({"ground": '<geom name="g" type="plane" size="1 1 1" euler="5 0 0"/>'}, ("level", "'g'")),
        ({"ground": '<geom name="g" type="plane" size="1 1 1" pos="0 0 0.1"/>'}, ("at z = 0", "'g'")),
        ({"ground": '<geom name="slab" type="box" size="5 5 1" pos="0 0 -1.2"/>'}, ("at z = 0", "'slab'")),
        ({"ground": '<geom name="g" type="plane" size="1 1 1" margin="0.02"/>'}, ("20 mm",)),
        ({"edit": [('mass="1" />', 'mass="1" friction="1.5"/>', 1)]}, ("friction",)),
        ({}, ("no joints",)),
    ],
)
def test_what_is_not_carried_is_refused_by_name(tmp_path, parts, said):
    edits = parts.pop("edit", [])
    path = write(tmp_path / "own.xml", **parts)
    text = (tmp_path / "own.xml").read_text()
    if "no joints" in said:
        text = "<mujoco><worldbody><body><geom size='0.1'/></body></worldbody></mujoco>"
    elif edits:
        text = text.replace(*edits[0])
    (tmp_path / "own.xml").write_text(text)
    with pytest.raises(UserError) as error:
        reduced(path)
    assert all(part in str(error.value) for part in said), error.value


def test_bodies_that_move_as_one_must_float_as_one(tmp_path):
    pack = '<body name="pack" gravcomp="1"><geom size="0.05" mass="3"/></body>'
    with pytest.raises(UserError, match=r"differ in gravcomp: .*'pack' 1"):
        reduced(write(tmp_path / "own.xml", edit=[("</body></worldbody>", f"{pack}</body></worldbody>")]))


@pytest.mark.parametrize("turned", ["", 'euler="0 0 -90"', 'euler="0 0 90"', 'euler="0 0 180"', 'euler="0 0 -89.95"'])
def test_a_free_walker_is_turned_to_face_x(tmp_path, turned):
    model = reduced(write(tmp_path / "own.xml", turned=turned))
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    np.testing.assert_allclose(data.xaxis[model.joint("hip_flexion_r").id], [0, -1, 0], atol=1e-6)
    assert data.body("femur_l").xpos[1] > 0.09


def test_feet_without_toes_are_felt_and_seen(tmp_path):
    path = write(tmp_path / "own.xml")
    check(path)
    model = reduced(path)
    loads = foot_loads(model)
    np.testing.assert_array_equal(loads.felt, [[True, False], [True, False]])
    data = mujoco.MjData(model)
    data.qpos[model.joint("pelvis_ty").qposadr[0]] = 0.87
    mujoco.mj_forward(model, data)
    touch = [data.sensordata[model.sensor(f"{side}_foot").adr[0]] for side in "rl"]
    assert min(touch) > 1
    np.testing.assert_array_equal(loads.total(data.sensordata), touch)
    spec = make_spec(model, ("pelvis_tilt", "*mtp_angle_?"), (), ("r_foot", "l_foot", "r_toes", "l_toes"), False)
    assert [name for name in spec.names if name.startswith("load")] == ["load.r_foot", "load.l_foot"]


def test_one_sentence_says_all_that_is_missing(tmp_path):
    edit = [("hip_flexion_", "r_hip_"), ("knee_angle_", "shin_"), ('name="r_foot" site', 'name="touch" site')]
    path = write(tmp_path / "own.xml", edit=edit, root='<joint name="root_x" type="slide" axis="1 0 0"/>')
    with pytest.raises(UserError) as error:
        check(path)
    for word in ("'pelvis_tx'", "'pelvis_ty'", "'pelvis_tilt'", "hip_flexion_r' ", "knee_angle_l' ", "'r_foot'"):
        assert word in str(error.value)
    assert "ankle" not in str(error.value) and "'l_foot'" not in str(error.value)
    assert "(is it 'r_hip_r'?)" in str(error.value)


def test_a_joint_of_the_right_name_that_moves_otherwise_is_told(tmp_path):
    edit = [('name="knee_angle_l" axis="0 -1 0"', 'name="knee_angle_l" axis="1 0 0"')]
    (said,) = lacking(assembly.full_model(write(tmp_path / "own.xml", edit=edit), "none"))
    assert "'knee_angle_l' that turns about y" in said and "moves another way" in said


@pytest.mark.slow
def test_an_exported_model_is_read_back_as_it_is(request, tmp_path):
    """The reduction of a reduction: accelerations of C MuJoCo, contacts included, agree."""
    first = request.getfixturevalue("reduced")
    path = tmp_path / "model.xml"
    path.write_text(first.xml)
    check(str(path))
    again = load(build(str(path), "none").xml)
    rng, results = np.random.default_rng(0), []
    qpos, act = again.qpos0 + rng.normal(0, 0.1, again.nq), rng.uniform(0, 0.5, again.na)
    for model in (first.model, again):
        data = mujoco.MjData(model)
        data.qpos[:], data.act[:] = qpos, act
        data.qpos[model.joint("pelvis_ty").qposadr[0]] = 0.88
        mujoco.mj_forward(model, data)
        results.append(data.qacc.copy())
        assert data.ncon
    np.testing.assert_allclose(*results, rtol=1e-4, atol=1e-2)
