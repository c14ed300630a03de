"""The spheres under a reduced model's feet against the meshes of the full model, computed here vertex by vertex."""

import dataclasses
import json

import mujoco
import numpy as np
import pytest
from scipy.optimize import linprog

from mjx_assist.model import assembly, reduction
from mjx_assist.model.feet import balance
from mjx_assist.model.feet.contact import fit_soles
from mjx_assist.model.feet.linear_program import minimise
from mjx_assist.model.feet.sole import lowest, supporting_points
from mjx_assist.model.feet.spheres import Target, fit_spheres
from mjx_assist.model.fidelity.feet import measure_feet
from mjx_assist.model.reduction import reduce_model

PLANAR, WIDE = ("myolegs22", "Tutorial_L1"), ("myolegs26", "none")
FEET = [f"{side}_{part}" for side in "rl" for part in ("foot", "toes")]


def measured(human: str, device: str) -> dict:
    reduced = reduce_model(human, device)
    full, coupling, walking_range, skeleton = reduction.read(human, device, reduction.recipe(human))[:4]
    return measure_feet(full, coupling, skeleton, reduced.model, walking_range)


def built_and_measured(human: str, device: str) -> dict:
    """The same without the fit of muscle paths, which takes most of a build."""
    reduced = reduction.build(human, device, fit_paths=False)
    full, coupling, walking_range, skeleton = reduction.read(human, device, reduction.recipe(human))[:4]
    return measure_feet(full, coupling, skeleton, reduced.model, walking_range)


def mesh_lowest(model: mujoco.MjModel, data: mujoco.MjData, side: str) -> float:
    """Height of the lowest vertex of any mesh of one leg that collides with the floor."""
    heights = []
    for geom in range(model.ngeom):
        mesh, body = model.geom_dataid[geom], model.body(model.geom_bodyid[geom]).name
        if mesh < 0 or not model.geom_contype[geom] or not body.endswith(f"_{side}"):
            continue
        vertices = model.mesh_vert[model.mesh_vertadr[mesh] :][: model.mesh_vertnum[mesh]]
        heights.append((data.geom_xpos[geom] + vertices @ data.geom_xmat[geom].reshape(3, 3).T)[:, 2].min())
    return min(heights)


def sphere_lowest(model: mujoco.MjModel, data: mujoco.MjData, side: str) -> float:
    spheres = [g for g in range(model.ngeom) if model.geom(g).name.startswith(f"{side}_")]
    return min(data.geom_xpos[g, 2] - model.geom_size[g, 0] for g in spheres)


def turned(human: str, device: str, roll_deg: float):
    """Full and reduced poses, the whole body pitched, rolled where it can be, toes bent, all else at zero."""
    reduced, full = reduce_model(human, device), assembly.full_model(human, device, "composed")
    own, whole = mujoco.MjData(reduced.model), mujoco.MjData(full)
    random = np.random.default_rng(0)
    for _ in range(60):
        qpos = reduced.model.qpos0.copy()
        qpos[reduced.model.joint("pelvis_tilt").qposadr[0]] = np.radians(random.uniform(-30, 30))
        if roll_deg:
            qpos[reduced.model.joint("pelvis_list").qposadr[0]] = np.radians(random.uniform(-roll_deg, roll_deg))
        for side in "rl":
            qpos[reduced.model.joint(f"mtp_angle_{side}").qposadr[0]] = random.uniform(-0.5, 0.5)
        own.qpos[:], whole.qpos[:] = qpos, reduced.coupling.lift(qpos)
        mujoco.mj_kinematics(reduced.model, own)
        mujoco.mj_kinematics(full, whole)
        yield full, whole, reduced.model, own


@pytest.mark.parametrize(("keys", "roll_deg"), [(PLANAR, 0.0), (WIDE, 10.0)])
def test_feet_reach_down_as_far_as_the_meshes(keys, roll_deg):
    """Pitched by up to 30 degrees, toes bent by up to half a radian, rolled where the human can roll: within 3 mm."""
    for full, whole, model, own in turned(*keys, roll_deg):
        for side in "rl":
            assert sphere_lowest(model, own, side) == pytest.approx(mesh_lowest(full, whole, side), abs=3e-3)


def test_few_spheres_do():
    """On the midline where the human cannot roll: heel, ball and tip of the toes; in pairs where it can."""
    planar, wide = reduce_model(*PLANAR).model, reduce_model(*WIDE).model
    assert planar.npair == 6 and wide.npair <= 12
    toes = [wide.geom(g) for g in range(wide.ngeom) if wide.geom(g).name.startswith("r_")]
    assert np.ptp([geom.pos[2] for geom in toes]) > 0.02


@pytest.mark.parametrize("keys", [PLANAR, WIDE])
def test_soles_standing_height_and_load_are_the_full_models(keys):
    report = measured(*keys)
    assert json.loads(json.dumps(report)) == report
    height = report["standing_height_m"]
    assert height["reduced"] == pytest.approx(height["full"], abs=3e-3)
    for foot in report["feet"].values():
        assert foot["sole_height_error_mm"]["worst"] <= 3.0
        assert foot["reach_error_mm"]["worst"] <= 3.0
        share = foot["heel_load_percent"]
        assert share["reduced"] == pytest.approx(share["full"], abs=5.0)


@pytest.mark.parametrize(
    ("device", "prosthetic"), [("OpenSourceLeg_A_L1", "r"), pytest.param("KFoot_L1", "r", marks=pytest.mark.slow)]
)
def test_a_prosthetic_foot_feels_heel_and_forefoot_apart(device, prosthetic):
    """Both touch sensors are on one rigid segment; each counts its own sphere only."""
    model = reduce_model("myolegs22", device).model
    tilt = model.joint("pelvis_tilt").qposadr[0]
    for angle, loaded, free in ((0.25, "foot", "toes"), (-0.25, "toes", "foot")):
        data = mujoco.MjData(model)
        data.qpos[tilt] = angle
        mujoco.mj_kinematics(model, data)
        data.qpos[model.joint("pelvis_ty").qposadr[0]] -= sphere_lowest(model, data, prosthetic) + 0.002
        mujoco.mj_forward(model, data)
        assert data.sensor(f"{prosthetic}_{loaded}").data[0] > 1.0
        assert data.sensor(f"{prosthetic}_{free}").data[0] == 0.0


@pytest.mark.parametrize("keys", [PLANAR, WIDE])
def test_touch_sites_enclose_their_spheres(keys):
    model = reduce_model(*keys).model
    for sensor in FEET:
        site = model.site(sensor)
        mine = [model.geom(g) for g in range(model.ngeom) if model.geom(g).name.startswith(f"{sensor}_")]
        assert mine
        for sphere in mine:
            assert sphere.bodyid[0] == site.bodyid[0]
            assert (np.abs(sphere.pos - site.pos) + sphere.size[0] <= site.size).all()


SHAPES = {
    "sphere": ("0.03", lambda d: 0.03),
    "capsule": ("0.02 0.05", lambda d: 0.02 + 0.05 * abs(d[2])),
    "box": ("0.02 0.03 0.04", lambda d: np.abs(d) @ [0.02, 0.03, 0.04]),
    "ellipsoid": ("0.02 0.03 0.04", lambda d: np.linalg.norm(d * [0.02, 0.03, 0.04])),
    "cylinder": ("0.02 0.05", lambda d: 0.02 * np.hypot(d[0], d[1]) + 0.05 * abs(d[2])),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_reach_of_a_shape_is_its_support_function(shape):
    size, support = SHAPES[shape]
    model = mujoco.MjModel.from_xml_string(f"""<mujoco><worldbody><geom name="floor" type="plane" size="0 0 1"/>
        <body><freejoint/><geom type="{shape}" size="{size}"/></body></worldbody></mujoco>""")
    directions = np.random.default_rng(1).normal(size=(50, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    reach = np.einsum("ni,ni->n", supporting_points(model, 1, directions), directions)
    np.testing.assert_allclose(reach, [support(d) for d in directions], atol=1e-9)


def test_lowest_point_is_where_mujoco_begins_contact():
    model = mujoco.MjModel.from_xml_string("""<mujoco><worldbody><geom name="floor" type="plane" size="0 0 1"/>
        <body pos="0 0 1" euler="20 30 40"><freejoint/><geom type="ellipsoid" size="0.1 0.2 0.3"/></body>
        </worldbody></mujoco>""")
    data = mujoco.MjData(model)
    for gap, contacts in ((1e-5, 0), (-1e-5, 1)):
        data.qpos[2] = 1.0
        mujoco.mj_kinematics(model, data)
        data.qpos[2] -= lowest(model, data) - gap
        mujoco.mj_forward(model, data)
        assert data.ncon == contacts


def test_spheres_are_found_again():
    """Two spheres' own reach: two are enough, and they are those."""
    pitch = np.radians(np.arange(-30.0, 31.0, 2.0))
    directions = np.column_stack([np.sin(pitch), np.zeros_like(pitch), -np.cos(pitch)])
    centres, radii = np.array([[-0.1, 0.0, 0.02], [0.12, 0.0, 0.03]]), np.array([0.02, 0.035])
    reach = (directions @ centres.T + radii).max(axis=1)
    needed = np.ones(len(pitch), dtype=bool)
    target = Target(directions, reach, reach, needed, np.array([-0.2, 0.0, 0.0]), np.array([0.2, 0.0, 0.01]), False)
    balls = sorted(fit_spheres(target, 0.002), key=lambda ball: ball.centre[0])
    assert len(balls) == 2
    np.testing.assert_allclose([ball.centre for ball in balls], centres, atol=2e-3)
    np.testing.assert_allclose([ball.radius for ball in balls], radii, atol=2e-3)


@pytest.mark.parametrize("device", [pytest.param("NEUankle_L1", marks=pytest.mark.slow), "DephyExoBoot_L1"])
def test_heels_bear_what_the_full_models_do(device):
    """A prosthesis that the fewest spheres would load 13 % too much at its heel, and a boot, 10 % too little."""
    for foot in built_and_measured("myolegs22", device)["feet"].values():
        share = foot["heel_load_percent"]
        assert share["reduced"] == pytest.approx(share["full"], abs=5.0)
        assert foot["sole_height_error_mm"]["worst"] <= 3.0
        assert foot["spheres"] <= 3


def test_a_foot_at_rest_is_foreseen_without_simulation():
    """Springs that push, and the share's derivatives, against MuJoCo and against finite differences."""
    full, coupling, walking_range, skeleton = reduction.read(*WIDE, reduction.recipe(WIDE[0]))[:4]
    model, feet = reduce_model(*WIDE).model, []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(balance._Foot, "balanced", lambda foot, soles, *_: feet.append((foot, soles)) or soles)
        balance.balance(full, coupling, skeleton, model, fit_soles(full, skeleton, walking_range))
    foot, soles = feet[0]
    rest = foot.rest(soles)
    settled = measured(*WIDE)["feet"]["r_foot"]["heel_load_percent"]["reduced"]
    assert 100 * rest.share == pytest.approx(settled, abs=1.0)
    tiny, slopes = 1e-5, []
    balls = [ball for sole in soles for ball in sole.balls]
    for ball in balls:
        for centre, radius in (([tiny, 0, 0], 0.0), ([0, 0, tiny], 0.0), ([0, 0, tiny], tiny)):
            other = dataclasses.replace(ball, centre=ball.centre + np.array(centre), radius=ball.radius + radius)
            changed = [
                dataclasses.replace(sole, balls=[other if b is ball else b for b in sole.balls]) for sole in soles
            ]
            slopes.append((foot.rest(changed).share - rest.share) / tiny)
    error = np.array(slopes).reshape(-1, 3) - rest.slope
    assert np.abs(error).max() <= 0.1 * np.abs(rest.slope).max()


@pytest.mark.parametrize("seed", range(5))
def test_linear_programs_are_those_of_scipy(seed):
    random = np.random.default_rng(seed)
    matrix, inside = random.normal(size=(300, 6)), random.uniform(0.2, 0.8, 6)
    cost, limit = random.uniform(0.1, 1.0, 6), matrix @ inside + random.uniform(0.0, 0.5, 300)
    found = minimise(cost, matrix, limit, np.zeros(6), np.ones(6))
    theirs = linprog(cost, A_ub=matrix, b_ub=limit, bounds=(0.0, 1.0))
    assert cost @ found == pytest.approx(theirs.fun, abs=1e-9)
    assert (matrix @ found <= limit + 1e-9).all()


def test_a_linear_program_without_a_solution_is_an_error():
    with pytest.raises(ValueError, match="no point"):
        minimise(np.array([1.0]), np.array([[1.0], [-1.0]]), np.array([0.2, -0.4]), np.zeros(1), np.ones(1))


@pytest.mark.slow
@pytest.mark.parametrize("human", ["myolegs22", "myolegs26"])
def test_every_device_stands_as_the_full_model(human):
    """Sole, reach and standing height of all compositions within 3 mm, the heel's load within 5 %."""
    for device in assembly.available()[human]:
        report = measured(human, device)
        height = report["standing_height_m"]
        assert height["reduced"] == pytest.approx(height["full"], abs=3e-3), device
        for foot in report["feet"].values():
            assert foot["sole_height_error_mm"]["worst"] <= 3.0, device
            assert foot["reach_error_mm"]["worst"] <= 3.0, device
            share = foot["heel_load_percent"]
            assert device == "UTAnkleExo_L2" or abs(share["reduced"] - share["full"]) <= 5.0, device
