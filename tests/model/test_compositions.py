"""Every composition of assist_sim, reduced: bodies, masses, couplings, device actuators, and stepping in C MuJoCo.

The quick ones skip the fit of muscle paths, which moves no body; `make test-all` runs all of them, fitted.
"""

import mujoco
import numpy as np
import pytest

from mjx_assist.model.assembly import available, full_model
from mjx_assist.model.reduction import ReducedModel, build, recipe, reduce_model, walking_ranges
from mjx_assist.model.skeleton.coupling import read_coupling, reduced_joints
from mjx_assist.model.skeleton.loops import Loops

QUICK = [
    ("myolegs22", "OpenSourceLeg_KA_L1"),
    ("myolegs26", "KFoot_L1"),
    ("myolegs26", "UTAnkleExo_L2"),
    ("myolegs", "none"),
]
ALL = [(human, device) for human in ("myolegs22", "myolegs26", "myolegs") for device in available()[human]]
ALL += [("myofullbody", "none"), ("myofullbody", "Tutorial_L1")]
WHOLE = {"myolegs": pytest.mark.slow}  # eighty muscles
COMPOSITIONS = [
    *(pytest.param((*pair, False), id="-".join(pair), marks=WHOLE.get(pair[0], ())) for pair in QUICK),
    *(pytest.param((*pair, True), id="-".join((*pair, "fitted")), marks=pytest.mark.slow) for pair in ALL),
]
KNEE = 2e-3, np.radians(1.0)  # m and rad that a folded knee may be off
CARRIED_BY_A_LOOP = 30e-3, np.radians(15.0)  # the same for the part of 0.2 kg that hangs on a linkage of two drivers
CLOSED = {"UTAnkleExo_L2": 0.15}  # m: as composed, this linkage's left side cannot close in walking (docs/models.md)


@pytest.fixture(params=COMPOSITIONS, scope="module")
def reduced(request) -> ReducedModel:
    human, device, fitted = request.param
    return reduce_model(human, device) if fitted else build(human, device, fit_paths=False)


@pytest.fixture(scope="module")
def full(reduced) -> mujoco.MjModel:
    return full_model(reduced.human, reduced.device, "composed")


@pytest.fixture(scope="module")
def poses(reduced, full) -> np.ndarray:
    """Random walking poses [30, nq] of the reduced model; kept couplings hold."""
    model, random = reduced.model, np.random.default_rng(4)
    own, ranges = read_coupling(model), walking_ranges(full, read_coupling(full), recipe(reduced.human))
    free = [model.joint(j).name for j in reduced_joints(model, own)]
    low, high = np.array([ranges.get(name, (-0.3, 0.3)) for name in free]).T
    return own.lift(random.uniform(low, high, (30, len(free))))


def test_mass_is_kept(reduced, full):
    assert reduced.model.body_mass.sum() == pytest.approx(full.body_mass.sum(), abs=1e-6)


def test_each_body_weighs_what_moves_with_it(reduced, full):
    """A tree's mass below every joint that both models have, but for folded parts that moved over to a neighbour."""
    moved = sum(full.body_mass[b] for b in range(full.nbody) if _is_folded(reduced, full, b))
    for j in range(reduced.model.njnt):
        name = reduced.model.joint(j).name
        own = reduced.model.body_subtreemass[reduced.model.jnt_bodyid[j]]
        theirs = full.body_subtreemass[full.jnt_bodyid[full.joint(name).id]]
        assert abs(own - theirs) < moved + 1e-6, name


def _is_folded(reduced: ReducedModel, full: mujoco.MjModel, body: int) -> bool:
    names = {reduced.model.joint(j).name for j in range(reduced.model.njnt)}
    own = [full.joint(j).name for j in range(full.njnt) if full.jnt_bodyid[j] == body]
    return bool(own) and not set(own) & names


def test_joints_are_the_full_models_in_its_order(reduced, full):
    names = [reduced.model.joint(j).name for j in range(reduced.model.njnt)]
    assert names == [n for n in (full.joint(j).name for j in range(full.njnt)) if n in set(names)]
    for name in names:
        mine, theirs = reduced.model.joint(name), full.joint(name)
        for key in ("type", "axis", "range", "stiffness", "frictionloss"):
            np.testing.assert_allclose(getattr(mine, key), getattr(theirs, key), atol=1e-9, err_msg=f"{name} {key}")


def test_bodies_are_where_the_full_model_has_them(reduced, full, poses):
    distance, angle = CARRIED_BY_A_LOOP if Loops(full).rows else KNEE
    own, whole = mujoco.MjData(reduced.model), mujoco.MjData(full)
    ids = [full.body(reduced.model.body(b).name).id for b in range(reduced.model.nbody)]
    for qpos in poses:
        own.qpos[:], whole.qpos[:] = qpos, reduced.coupling.lift(qpos)
        mujoco.mj_kinematics(reduced.model, own)
        mujoco.mj_kinematics(full, whole)
        assert np.linalg.norm(own.xpos - whole.xpos[ids], axis=1).max() < distance
        off = np.einsum("bij,bkj->bik", own.xmat.reshape(-1, 3, 3), whole.xmat[ids].reshape(-1, 3, 3))
        assert np.arccos(np.clip((np.trace(off, axis1=1, axis2=2) - 1) / 2, -1, 1)).max() < max(angle, 1e-6)


def test_lifted_states_satisfy_every_coupling(reduced, full, poses):
    """Joint equalities exactly, their velocities too; loops as well as their geometry allows."""
    loops, random = Loops(full), np.random.default_rng(0)
    data = mujoco.MjData(full)
    own = read_coupling(reduced.model)
    for qpos in poses[:10]:
        free = reduced_joints(reduced.model, own)
        qvel = own.lift_velocity(qpos[free], random.normal(size=len(free)))
        data.qpos[:], data.qvel[:] = reduced.coupling.lift(qpos), reduced.coupling.lift_velocity(qpos, qvel)
        for stage in (mujoco.mj_kinematics, mujoco.mj_comPos, mujoco.mj_tendon, mujoco.mj_makeConstraint):
            stage(full, data)
        mujoco.mj_projectConstraint(full, data)
        mujoco.mj_referenceConstraint(full, data)
        coupled = (data.efc_type == mujoco.mjtConstraint.mjCNSTR_EQUALITY) & ~np.isin(data.efc_id, list(loops.rows))
        assert np.abs(data.efc_pos[coupled]).max(initial=0) < 1e-9
        assert np.abs(data.efc_vel[coupled]).max(initial=0) < 1e-7
        assert np.abs(loops.gap(data.qpos)).max(initial=0) < CLOSED.get(reduced.device, 1e-9)


def test_device_without_control_gives_no_force(reduced, poses):
    model, data = reduced.model, mujoco.MjData(reduced.model)
    device = model.actuator_dyntype != mujoco.mjtDyn.mjDYN_MUSCLE
    data.qpos[:], data.qvel[:] = poses[0], 1.0
    mujoco.mj_forward(model, data)
    assert (data.actuator_force[device] == 0).all()
    assert [model.actuator(a).name for a in range(model.nu)] == [
        full.actuator(a).name
        for full in [full_model(reduced.human, reduced.device, "composed")]
        for a in range(full.nu)
    ]


def test_feet_are_felt_on_both_sides(reduced):
    """A touch sensor for each of the full model's, and a position of each foot and of the pelvis."""
    model = reduced.model
    touch = [
        model.sensor(s).name for s in range(model.nsensor) if model.sensor_type[s] == mujoco.mjtSensor.mjSENS_TOUCH
    ]
    assert set(touch) == {"r_foot", "r_toes", "l_foot", "l_toes"}
    positions = [model.sensor(s).name for s in range(model.nsensor) if model.sensor(s).name not in touch]
    assert set(positions) == {"r_foot_position", "l_foot_position", "pelvis_position"}


def test_one_second_of_random_excitation_does_not_diverge(reduced, poses):
    """At the model's own time step, dropped onto the floor, every actuator anywhere in its range, 30 times a second."""
    model, random = reduced.model, np.random.default_rng(0)
    data = mujoco.MjData(model)
    data.qpos[:] = read_coupling(model).lift(np.zeros(len(reduced_joints(model, read_coupling(model)))))
    data.joint("pelvis_ty").qpos[0] = 0.95
    low, high = np.where(model.actuator_ctrllimited[:, None], model.actuator_ctrlrange, (0.0, 1.0)).T
    hold = round(1 / 30 / model.opt.timestep)
    for step in range(round(1 / model.opt.timestep)):
        if step % hold == 0:
            data.ctrl[:] = random.uniform(low, high)
        mujoco.mj_step(model, data)
        assert np.isfinite(data.qacc).all() and not data.warning.number.any()
    assert np.abs(data.qpos).max() < 20  # m or rad: nothing flew off; motors at full torque do spin an unloaded foot


def test_folded_joints_leave_their_armature_and_damping(reduced, full):
    """What d(lift)/dq, by finite differences, says that they add; the full model's value where that is under 1 %."""
    model, ranges = reduced.model, walking_ranges(full, read_coupling(full), recipe(reduced.human))
    own = {full.joint(model.joint(j).name).id for j in range(model.njnt)}
    folded = sorted(set(range(full.njnt)) - own)
    for j in range(model.njnt):
        name = model.joint(j).name
        angles = np.linspace(*ranges.get(name, (-0.1, 0.1)), 2001)
        qpos = np.tile(model.qpos0, (len(angles), 1))
        qpos[:, j] = angles
        slope = np.gradient(reduced.coupling.lift(qpos)[:, folded], angles, axis=0)
        for key in ("dof_armature", "dof_damping"):
            alone = getattr(full, key)[full.joint(name).id]
            share = (slope**2).mean(0) @ getattr(full, key)[folded]
            expected = alone + share if share > 0.01 * alone else alone
            assert getattr(model, key)[j] == pytest.approx(expected, rel=0.02, abs=1e-12), (name, key)
