"""The composed full model, and errors for what cannot be composed."""

import mujoco
import numpy as np
import pytest

from mjx_assist.errors import UserError
from mjx_assist.sim import assembly


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


def test_composed_human_stands_on_the_floor():
    model = assembly.full_model("myolegs22", "none", "composed")
    data = mujoco.MjData(model)
    mujoco.mj_resetDataKeyframe(model, data, model.key("stand").id)
    data.qpos[model.joint("pelvis_ty").qposadr[0]] -= 0.002
    mujoco.mj_forward(model, data)
    floor = model.geom(assembly.FLOOR).id
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
