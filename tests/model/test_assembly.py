"""The composed full model, and errors for what cannot be composed."""

import mujoco
import numpy as np
import pytest
from assist_sim import DeviceConfig, ModelCombiner, resolve_model_path

from mjx_assist.errors import UserError
from mjx_assist.model import assembly
from mjx_assist.model.roots import scalar_roots
from mjx_assist.terrain.heightfield import FLOOR


def test_every_human_can_go_without_a_device():
    combinations = assembly.available()
    assert combinations["myolegs22"][0] == "none"
    assert "Tutorial_L1" in combinations["myolegs22"]
    assert all("none" in devices for devices in combinations.values())


def test_device_adds_its_mass_and_actuators_to_the_same_human():
    bare, worn = (assembly.compose("myolegs22", device).compile() for device in ("none", "Tutorial_L1"))
    assert [bare.actuator(a).name for a in range(bare.nu)] == [worn.actuator(a).name for a in range(22)]
    assert [worn.actuator(a).name for a in range(22, worn.nu)] == ["Exo_R", "Exo_L"]
    assert worn.body_mass.sum() - bare.body_mass.sum() == pytest.approx(2.33, abs=0.01)
    assert assembly.device_mass("myolegs22", "Tutorial_L1") == pytest.approx(2.33, abs=0.01)
    assert assembly.device_mass("myolegs22", "none") == 0


def test_composed_human_stands_on_the_floor():
    model = assembly.full_model("myolegs22", "none", "composed")
    data = mujoco.MjData(model)
    mujoco.mj_resetDataKeyframe(model, data, model.key("stand").id)
    data.qpos[model.joint("pelvis_ty").qposadr[0]] -= 0.002
    mujoco.mj_forward(model, data)
    floor = model.geom(FLOOR).id
    assert data.ncon > 0 and all(floor in contact.geom for contact in data.contact)


def test_rigid_couplings_change_nothing_but_equality_stiffness_and_time_step():
    rigid, composed = (assembly.full_model("myolegs22", "none", kind) for kind in ("rigid", "composed"))
    assert (rigid.eq_solref == [0.002, 1.0]).all() and rigid.opt.timestep == 0.0005
    assert (composed.eq_solref == [0.02, 1.0]).all() and composed.opt.timestep == 0.002
    for model in (rigid, composed):
        assert model.opt.disableflags & mujoco.mjtDisableBit.mjDSBL_AUTORESET
    for name in ("body_mass", "body_inertia", "geom_size", "site_pos", "dof_armature", "jnt_range", "actuator_gainprm"):
        np.testing.assert_array_equal(getattr(rigid, name), getattr(composed, name))


@pytest.mark.parametrize(
    ("human", "device", "said"),
    [
        ("myolegs_22", "none", "Did you mean 'myolegs22'?"),
        ("myolegs22", "Tutorial_L2", "Did you mean 'Tutorial_L1'?"),
    ],
)
def test_unknown_keys_are_answered_with_the_nearest_match(human, device, said):
    with pytest.raises(UserError, match="is unknown") as error:
        assembly.compose(human, device)
    assert said in str(error.value)


def assist_sims_own(human: str, device: str) -> mujoco.MjModel:
    spec, config = resolve_model_path(human, device)
    ModelCombiner().combine(spec, DeviceConfig.from_yaml(str(config)), msk_key=human)
    return spec.compile()


def turned_to_x(vectors: np.ndarray) -> np.ndarray:
    """Vectors [..., 3] of a world in which the human faces -y, in one in which it faces x."""
    return np.stack([-vectors[..., 1], vectors[..., 0], vectors[..., 2]], axis=-1)


def copy_state(own: mujoco.MjModel, ours: mujoco.MjModel, state: mujoco.MjData) -> mujoco.MjData:
    """A state of our model in assist_sim's: free joints from the poses and velocities of their bodies."""
    data = mujoco.MjData(own)
    back = np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])
    mujoco.mj_forward(ours, state)
    for j in range(own.njnt):
        joint = own.joint(j)
        if own.jnt_type[j] != mujoco.mjtJoint.mjJNT_FREE:
            data.qpos[joint.qposadr], data.qvel[joint.dofadr] = (
                state.joint(joint.name).qpos,
                state.joint(joint.name).qvel,
            )
            continue
        # a body without joints below the free one tells the pose of the free one, whose own frame may be another
        root = own.jnt_bodyid[j]
        probe = next(b for b in range(root, own.nbody) if own.body_rootid[b] == root and own.body_mass[b] > 0)
        assert probe == root or (own.body_parentid[probe] == root and own.body_jntnum[probe] == 0)
        body = state.body(own.body(probe).name)
        relative = np.eye(3)
        if probe != root:
            quat = np.zeros(9)
            mujoco.mju_quat2Mat(quat, own.body_quat[probe])
            relative = quat.reshape(3, 3)
            assert not own.body_pos[probe].any()
        turn = back @ body.xmat.reshape(3, 3) @ relative.T
        quat = np.zeros(4)
        mujoco.mju_mat2Quat(quat, turn.ravel())
        velocity = np.zeros(6)
        mujoco.mj_objectVelocity(
            ours, state, mujoco.mjtObj.mjOBJ_XBODY, ours.body(own.body(probe).name).id, velocity, 0
        )
        at, to = joint.qposadr[0], joint.dofadr[0]
        data.qpos[at : at + 7] = [*(back @ body.xpos), *quat]
        data.qvel[to : to + 6] = [*(back @ velocity[3:]), *(turn.T @ back @ velocity[:3])]
    data.act[:] = state.act
    mujoco.mj_forward(own, data)
    return data


@pytest.mark.parametrize("device", ["Tutorial_L1", "UTAnkleExo_L2"])
def test_scalar_joints_move_as_the_free_joints_do(device):
    """Poses and accelerations of every body against assist_sim's own model, in random states, forces and loops on."""
    own, ours = assist_sims_own("myolegs26", device), assembly.full_model("myolegs26", device, "composed")
    assert ours.nq == ours.nv == own.nv and not np.isin(ours.jnt_type, (0, 1)).any()
    own.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_CONTACT  # assist_sim's has no floor
    ours.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_CONTACT
    random = np.random.default_rng(1)
    for _ in range(4):
        state = mujoco.MjData(ours)
        state.qpos[:], state.qvel[:] = random.normal(0, 0.1, ours.nq), random.normal(0, 0.5, ours.nv)
        state.act[:] = random.uniform(0, 0.5, ours.na)
        theirs = copy_state(own, ours, state)
        mujoco.mj_rnePostConstraint(own, theirs)
        mujoco.mj_rnePostConstraint(ours, state)
        worst = 0.0
        for body in range(1, own.nbody):
            name = own.body(body).name
            np.testing.assert_allclose(turned_to_x(theirs.body(name).xpos), state.body(name).xpos, atol=1e-9)
            acceleration = np.zeros((2, 6))
            for row, (model, data) in zip(acceleration, ((own, theirs), (ours, state)), strict=True):
                mujoco.mj_objectAcceleration(model, data, mujoco.mjtObj.mjOBJ_XBODY, model.body(name).id, row, 0)
            expected = np.concatenate([turned_to_x(acceleration[0, :3]), turned_to_x(acceleration[0, 3:])])
            worst = max(worst, np.abs(acceleration[1] - expected).max() / (1 + np.abs(expected).max()))
        assert worst < 1e-5


def test_keyframes_are_converted():
    """A free root's pose and velocity in a keyframe: the same pose and velocity of the pelvis, turned to face x."""
    own, ours = assist_sims_own("myolegs26", "Tutorial_L1"), assembly.full_model("myolegs26", "Tutorial_L1", "composed")
    assert [own.key(k).name for k in range(own.nkey)] == [ours.key(k).name for k in range(ours.nkey)]
    for k in range(own.nkey):
        theirs, mine = mujoco.MjData(own), mujoco.MjData(ours)
        mujoco.mj_resetDataKeyframe(own, theirs, k)
        mujoco.mj_resetDataKeyframe(ours, mine, k)
        mujoco.mj_kinematics(own, theirs)
        mujoco.mj_kinematics(ours, mine)
        for name in ("pelvis", "calcn_r", "toes_l"):
            np.testing.assert_allclose(turned_to_x(theirs.body(name).xpos), mine.body(name).xpos, atol=1e-9)


def test_free_roots_of_any_pose_are_converted():
    """A tilted free root with a keyframe that moves and turns."""
    quat = np.array([0.8, 0.3, -0.4, 0.33])
    quat /= np.linalg.norm(quat)
    key = np.array([0.3, -0.2, 0.9, *quat])
    spec = mujoco.MjSpec.from_string(f"""
        <mujoco><worldbody><body name="b" pos="0 0 1" euler="20 10 5"><freejoint name="root"/>
          <geom size="0.1 0.2 0.3" type="box"/><body pos="0.2 0 0" euler="90 0 0"><joint/><geom size="0.1"/></body>
        </body></worldbody>
        <keyframe><key qpos="{" ".join(map(str, key))} 0.4" qvel="1 2 3 0.4 0.5 -0.6 0.7"/></keyframe></mujoco>""")
    free = spec.copy().compile()
    scalar_roots(spec)
    scalar = spec.compile()
    assert [scalar.joint(j).name for j in range(6)] == [
        f"pelvis_{name}" for name in ("tx", "ty", "tz", "tilt", "list", "rotation")
    ]
    for data, model in ((a := mujoco.MjData(free), free), (b := mujoco.MjData(scalar), scalar)):
        mujoco.mj_resetDataKeyframe(model, data, 0)
        mujoco.mj_forward(model, data)
    np.testing.assert_allclose(b.geom_xpos, a.geom_xpos, atol=1e-12)
    np.testing.assert_allclose(b.geom_xmat, a.geom_xmat, atol=1e-12)
    for geom in range(2):
        velocity = np.zeros((2, 6))
        mujoco.mj_objectVelocity(free, a, mujoco.mjtObj.mjOBJ_GEOM, geom, velocity[0], 0)
        mujoco.mj_objectVelocity(scalar, b, mujoco.mjtObj.mjOBJ_GEOM, geom, velocity[1], 0)
        np.testing.assert_allclose(velocity[1], velocity[0], atol=1e-12)
