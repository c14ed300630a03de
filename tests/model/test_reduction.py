"""The reduced model as a whole against the full one: couplings, bodies, contact, and what each backend loads."""

import json

import mujoco
import numpy as np
import pytest

from mjx_assist.errors import UserError
from mjx_assist.model import assembly
from mjx_assist.model.fidelity.report import fidelity
from mjx_assist.model.reduction import reduce_model
from mjx_assist.model.skeleton.coupling import read_coupling

JOINTS = ["pelvis_tx", "pelvis_ty", "pelvis_tilt"] + [
    f"{joint}_{side}" for side in "rl" for joint in ("hip_flexion", "knee_angle", "ankle_angle", "mtp_angle")
]
LOW = np.array([-0.5, -1.25, -0.5, -0.5] * 2)
HIGH = np.array([0.7, 0.0, 0.35, 0.5] * 2)


@pytest.fixture(scope="module")
def full() -> mujoco.MjModel:
    return assembly.full_model("myolegs22", "Tutorial_L1", "composed")


@pytest.fixture(scope="module")
def poses() -> np.ndarray:
    """Walking poses [60, 11], anywhere, tilted."""
    random = np.random.default_rng(3)
    root = random.uniform([-1.0, 0.8, -0.3], [1.0, 1.0, 0.3], (60, 3))
    return np.hstack([root, random.uniform(LOW, HIGH, (60, 8))])


def at(model: mujoco.MjModel, qpos: np.ndarray, qvel: np.ndarray | None = None) -> mujoco.MjData:
    data = mujoco.MjData(model)
    data.qpos[:] = qpos
    if qvel is not None:
        data.qvel[:] = qvel
    mujoco.mj_forward(model, data)
    return data


def test_names_and_order_are_what_everything_else_relies_on(reduced):
    model = reduced.model
    assert [model.joint(j).name for j in range(model.njnt)] == JOINTS
    assert (model.nq, model.nv, model.neq) == (11, 11, 0)
    assert [model.actuator(a).name for a in (0, 10, 11, 21, 22, 23)] == [
        *("hamstrings_r", "tibant_r", "hamstrings_l", "tibant_l", "Exo_R", "Exo_L")
    ]
    sensors = {model.sensor(s).name: int(model.sensor_dim[s]) for s in range(model.nsensor)}
    touch = dict.fromkeys(("r_foot", "l_foot", "r_toes", "l_toes"), 1)
    assert sensors == touch | dict.fromkeys(("r_foot_position", "l_foot_position", "pelvis_position"), 3)
    assert model.opt.timestep == pytest.approx(1 / 240)


def test_file_alone_makes_the_model(reduced, tmp_path):
    path = tmp_path / "model.xml"
    path.write_text(reduced.xml)
    model = mujoco.MjModel.from_xml_path(str(path))
    for name in ("body_mass", "body_inertia", "site_pos", "geom_size", "actuator_gainprm", "key_qpos"):
        np.testing.assert_array_equal(getattr(model, name), getattr(reduced.model, name))


def test_lifted_states_satisfy_every_coupling(reduced, full, poses):
    random = np.random.default_rng(0)
    for qpos in poses[:10]:
        qvel = random.normal(size=11)
        lifted = reduced.coupling.lift(qpos)
        data = at(full, lifted, reduced.coupling.lift_velocity(qpos, qvel))
        equality = data.efc_type == mujoco.mjtConstraint.mjCNSTR_EQUALITY
        assert equality.sum() == full.neq == 28
        assert np.abs(data.efc_pos[equality]).max() < 1e-12
        assert np.abs(data.efc_vel[equality]).max() < 1e-9
        for name, q in zip(JOINTS, qpos, strict=True):
            assert lifted[full.joint(name).qposadr[0]] == q
    np.testing.assert_array_equal(reduced.coupling.lift(poses)[7], reduced.coupling.lift(poses[7]))


def test_coupling_polynomials_are_about_the_joints_reference_positions():
    """A coupling is stated relative to qpos0; this one has both away from zero."""
    model = mujoco.MjModel.from_xml_string("""
        <mujoco><worldbody><body><joint name="a" ref="0.3"/><geom size="0.1"/>
          <body><joint name="b" type="slide" ref="-0.2"/><geom size="0.1"/></body></body></worldbody>
        <equality><joint joint1="b" joint2="a" polycoef="0.01 0.5 -0.3 0.2 0.1"/></equality></mujoco>""")
    coupling = read_coupling(model)
    assert coupling.full_joint_names == ("a", "b")
    for angle in (-0.7, 0.3, 1.1):
        data = at(model, coupling.lift(np.array([angle])))
        assert data.nefc == 1 and abs(data.efc_pos[0]) < 1e-12


def test_bodies_are_where_the_full_model_has_them(reduced, full, poses):
    """Orientation exact, position within 1.2 mm (the knee), position sensors at the full bodies' origins."""
    for qpos in poses:
        own, whole = at(reduced.model, qpos), at(full, reduced.coupling.lift(qpos))
        for name in ("femur_r", "tibia_r", "talus_r", "toes_r", "femur_l", "tibia_l", "talus_l", "toes_l"):
            np.testing.assert_allclose(own.body(name).xmat, whole.body(name).xmat, atol=1e-9)
            assert np.linalg.norm(own.body(name).xpos - whole.body(name).xpos) < 1.2e-3
        np.testing.assert_allclose(own.sensor("pelvis_position").data, whole.body("pelvis").xpos, atol=1e-9)
        for side in "rl":
            off = own.sensor(f"{side}_foot_position").data - whole.body(f"calcn_{side}").xpos
            assert np.linalg.norm(off) < 1.2e-3


@pytest.mark.parametrize("device", ["none", "Tutorial_L1"])
def test_merged_bodies_keep_mass_centre_and_inertia(device):
    """Each reduced body against the sum, in world axes at qpos0, over the full bodies it carries."""
    reduced, full = reduce_model("myolegs22", device), assembly.full_model("myolegs22", device, "composed")
    model = reduced.model
    assert model.body_mass.sum() == pytest.approx(full.body_mass.sum(), abs=1e-6)
    own, whole = at(model, model.qpos0), at(full, full.qpos0)
    names = [model.body(b).name for b in range(1, model.nbody)]
    carrier = np.zeros(full.nbody, dtype=int)
    for body in range(1, full.nbody):
        name = full.body(body).name
        carrier[body] = names.index(name) if name in names else carrier[full.body_parentid[body]]
    for index, name in enumerate(names):
        shift = own.body(name).xpos - whole.body(name).xpos  # the fixed knee hinge moves the leg by under 1.2 mm
        members = [b for b in range(1, full.nbody) if carrier[b] == index]
        mass = full.body_mass[members].sum()
        centre = full.body_mass[members] @ whole.xipos[members] / mass
        inertia = np.zeros((3, 3))
        for b in members:
            axes, arm = whole.ximat[b].reshape(3, 3), whole.xipos[b] - centre
            inertia += axes @ np.diag(full.body_inertia[b]) @ axes.T
            inertia += full.body_mass[b] * (arm @ arm * np.eye(3) - np.outer(arm, arm))
        body = model.body(name).id
        axes = own.ximat[body].reshape(3, 3)
        assert model.body_mass[body] == pytest.approx(mass, abs=1e-6)
        np.testing.assert_allclose(own.xipos[body] - shift, centre, atol=1e-6)
        np.testing.assert_allclose(axes @ np.diag(model.body_inertia[body]) @ axes.T, inertia, atol=1e-6)


def test_mass_matrix_is_the_full_models_seen_through_its_couplings(reduced, full, poses):
    """J' M J with J = d qpos_full / d qpos: exact but for the knees, whose fixed hinge costs up to 4 %."""
    knees = [JOINTS.index("knee_angle_r"), JOINTS.index("knee_angle_l")]
    for qpos in poses[:20]:
        data = at(full, reduced.coupling.lift(qpos))
        whole = np.zeros((full.nv, full.nv))
        mujoco.mj_fullM(full, data, whole)
        follow = reduced.coupling.lift_velocity(qpos, np.eye(11)).T
        projected = follow.T @ whole @ follow
        own = np.zeros((11, 11))
        mujoco.mj_fullM(reduced.model, at(reduced.model, qpos), own)
        scale = np.sqrt(np.outer(projected.diagonal(), projected.diagonal()))
        error = np.abs((own - projected) / scale)
        assert error.max() < 0.04
        assert np.delete(np.delete(error, knees, 0), knees, 1).max() < 0.003


def test_joint_and_muscle_parameters_are_the_full_models(reduced, full):
    model = reduced.model
    for name in JOINTS:
        mine, theirs = model.joint(name), full.joint(name)
        for key in ("armature", "damping", "frictionloss", "range", "stiffness", "axis"):
            np.testing.assert_array_equal(getattr(mine, key), getattr(theirs, key))
        assert model.jnt_limited[mine.id] == full.jnt_limited[theirs.id]
    for key in ("gainprm", "biasprm", "dynprm", "gear", "ctrlrange", "ctrllimited", "dyntype"):
        np.testing.assert_allclose(getattr(model, f"actuator_{key}"), getattr(full, f"actuator_{key}"), rtol=1e-9)
    for a in range(22):  # a path without what is constant of it is shorter by that, and so is its range
        constant = model.tendon_user[model.actuator_trnid[a, 0], 0]
        own = model.actuator_lengthrange[a] + constant
        np.testing.assert_allclose(own, full.actuator_lengthrange[full.actuator(model.actuator(a).name).id], rtol=1e-7)


def test_keyframes_are_the_full_models(reduced, full):
    keep = [full.joint(name).qposadr[0] for name in JOINTS]
    assert [reduced.model.key(k).name for k in range(reduced.model.nkey)] == [
        full.key(k).name for k in range(full.nkey)
    ]
    np.testing.assert_allclose(reduced.model.key_qpos, full.key_qpos[:, keep], atol=1e-9)


def test_standing_height_is_the_full_models(reduced):
    height = fidelity(reduced, dynamics=False)["sole_height_m"]
    assert height["full"] == pytest.approx(0.915, abs=1e-3)  # where the full model's own `stand` puts the pelvis
    assert height["reduced"] == pytest.approx(height["full"], abs=3e-3)


@pytest.mark.parametrize("key", ["stand", "walk_left"])
def test_touch_sensors_carry_body_weight(reduced, key):
    """With every joint but pelvis_ty locked, after 2 s; whatever part of the feet is down."""
    model = mujoco.MjModel.from_xml_string(reduced.xml)
    model.dof_armature[:] += 1e9  # nothing can turn these
    model.dof_armature[model.joint("pelvis_ty").dofadr[0]] = 0.0
    start = model.key(key).qpos
    data = at(model, start)
    data.qpos[1] -= lowest(model, data)
    for _ in range(480):
        mujoco.mj_step(model, data)
    np.testing.assert_allclose(np.delete(data.qpos, 1), np.delete(start, 1), atol=1e-4)
    touch = sum(data.sensor(name).data[0] for name in ("r_foot", "l_foot", "r_toes", "l_toes"))
    assert touch == pytest.approx(9.81 * model.body_mass.sum(), rel=0.02)


def lowest(model: mujoco.MjModel, data: mujoco.MjData) -> float:
    """Height of the lowest sphere's bottom, m."""
    floor = model.geom("floor").id
    return min(data.geom_xpos[g, 2] - model.geom_size[g, 0] for g in range(model.ngeom) if g != floor)


def test_each_touch_sensor_feels_its_own_spheres_only(reduced):
    """The body tilted so that heels or toe tips are down: the load is where the contact is."""
    model = reduced.model
    for tilt, loaded, free in ((0.3, "foot", "toes"), (-0.3, "toes", "foot")):
        qpos = np.zeros(11)
        qpos[2] = tilt
        data = at(model, qpos)
        qpos[1] = -lowest(model, data) - 0.004
        data = at(model, qpos)
        assert data.ncon == 2
        for side in "rl":
            assert data.sensor(f"{side}_{loaded}").data[0] > 1.0
            assert data.sensor(f"{side}_{free}").data[0] == 0.0


def test_only_feet_and_floor_collide(reduced):
    model = reduced.model
    assert not model.geom_contype.any() and not model.geom_conaffinity.any()
    floor = model.geom("floor").id
    assert model.npair == model.ngeom - 1 <= 8
    assert all(floor in pair for pair in zip(model.pair_geom1, model.pair_geom2, strict=True))
    assert (model.pair_dim == 3).all()


def test_device_without_control_gives_no_torque(reduced, poses):
    for qpos in poses[:5]:
        data = mujoco.MjData(reduced.model)
        data.qpos[:], data.qvel[:] = qpos, 1.0
        mujoco.mj_forward(reduced.model, data)
        assert (data.actuator_force[22:] == 0).all()


def test_mjx_loads_the_file(reduced):
    mjx = pytest.importorskip("mujoco.mjx")
    loaded = mjx.put_model(mujoco.MjModel.from_xml_string(reduced.xml))
    assert loaded.nv == 11


def test_warp_loads_the_file(reduced):
    pytest.importorskip("warp")
    from mujoco import mjx

    assert mjx.put_model(mujoco.MjModel.from_xml_string(reduced.xml), impl="warp").nv == 11


def test_reduction_is_deterministic(reduced):
    assert reduce_model.__wrapped__("myolegs22", "Tutorial_L1").xml == reduced.xml


@pytest.mark.parametrize("device", ["none", "Tutorial_L1"])
def test_report_is_json_and_within_the_bounds(device):
    report = fidelity(reduce_model("myolegs22", device), dynamics=False)
    assert json.loads(json.dumps(report))["device"] == device
    assert report["size"]["reduced"]["nv"] == 11 and report["size"]["full"]["nv"] == 39
    muscles = report["muscles"]
    assert len(muscles) == 22
    assert max(m["length_rmse_mm"] for m in muscles) <= 0.6
    assert max(m["moment_arm_rmse_mm"] for m in muscles) <= 2.5
    assert sum(not m["path_changed"] for m in muscles) == 10
    assert max(h["rms_mm"] for h in report["hinges"]) <= 0.6
    assert max(b["mass_error_kg"] for b in report["bodies"]) <= 1e-6


@pytest.mark.parametrize(
    ("human", "device", "said"),
    [
        ("myolegs_22", "none", "Did you mean 'myolegs22'?"),
        ("myolegs22", "Tutorial", "Did you mean 'Tutorial_L1'?"),
    ],
)
def test_what_cannot_be_reduced_is_said(human, device, said):
    with pytest.raises(UserError) as error:
        reduce_model(human, device)
    assert said in str(error.value)


def test_free_joints_are_refused_by_name():
    model = mujoco.MjModel.from_xml_string(
        '<mujoco><worldbody><body><freejoint name="root"/><geom size="0.1"/></body></worldbody></mujoco>'
    )
    with pytest.raises(UserError, match="'root'"):
        read_coupling(model)
