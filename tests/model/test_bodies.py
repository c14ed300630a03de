"""Bodies: elastic moments against the published formula, tendons in series against statics, full against reduced."""

import mujoco
import numpy as np
import pytest

from mjx_assist.errors import UserError
from mjx_assist.model import bodies
from mjx_assist.model.assembly import full_model
from mjx_assist.model.muscles import elastic
from mjx_assist.model.reduction import reduce_model

# Riener & Edrich (1999), moments that flex hip and knee and that plantarflex the ankle, in N*m; angles in degrees,
# flexion and dorsiflexion positive.
HIP = (lambda hip, knee, ankle: np.exp(1.4655 - 0.0750 * hip), "hip_flexion_r", 1)
KNEE = (lambda hip, knee, ankle: np.exp(2.22 - 0.150 * knee), "knee_angle_r", -1)
ANKLE = (lambda hip, knee, ankle: np.exp(2.1016 + 0.0843 * ankle - 0.0176 * knee), "ankle_angle_r", -1)


@pytest.fixture(scope="module")
def passive():
    return {"reduced": reduce_model("myolegs22+passive", "none").model, "full": full_model("myolegs22+passive", "none")}


def passive_moment(model, joint, hip, knee, ankle):
    """Of springs alone, about a joint, in a pose in degrees."""
    data = mujoco.MjData(model)
    for name, degrees in (("hip_flexion_r", hip), ("knee_angle_r", -knee), ("ankle_angle_r", ankle)):
        data.qpos[model.joint(name).qposadr[0]] = np.radians(degrees)
    mujoco.mj_fwdPosition(model, data)
    mujoco.mj_fwdVelocity(model, data)
    return data.qfrc_spring[model.joint(joint).dofadr[0]]


@pytest.mark.parametrize("kind", ["reduced", "full"])
@pytest.mark.parametrize(
    ("formula", "pose"),
    [
        (HIP, (-20, 10, 0)),
        (HIP, (-30, 20, 5)),
        (HIP, (0, 40, 0)),
        (KNEE, (0, 5, -30)),
        (KNEE, (20, 0, -30)),
        (ANKLE, (0, 0, 10)),
        (ANKLE, (10, 20, 15)),
        (ANKLE, (0, 40, 20)),
    ],
)
def test_moments_of_people(passive, kind, formula, pose):
    moment, joint, sign = formula
    found = sign * passive_moment(passive[kind], joint, *pose)
    if joint == "knee_angle_r":  # the calf's share of the knee is its reaction, 0.209 of the ankle's
        found -= 0.209 * np.exp(2.1016 + 0.0843 * pose[2] - 0.0176 * pose[1])
    assert found == pytest.approx(moment(*pose), rel=0.06, abs=0.6)


def test_no_walking_pose_reaches_a_stop(passive):
    for name, low, high in (("hip_flexion_r", -35, 60), ("knee_angle_r", -75, 3), ("ankle_angle_r", -30, 30)):
        lowest, highest = np.degrees(passive["reduced"].joint(name).range)
        assert lowest < low
        assert high < highest


def test_assist_sims_own_body_has_none_of_it():
    model = full_model("myolegs22", "none")
    assert np.degrees(model.joint("hip_flexion_r").range[0]) == pytest.approx(-20, abs=0.1)
    assert passive_moment(model, "hip_flexion_r", -15, 10, 0) == 0


def test_a_prosthetic_side_has_the_moments_of_the_joints_it_kept():
    model = full_model("myolegs22+passive", "OpenSourceLeg_A_L1")
    names = {model.tendon(t).name for t in range(model.ntendon)}
    assert {"hip_extension_0_r", "ankle_dorsiflexion_0_l"} <= names
    assert "ankle_dorsiflexion_0_r" not in names


def test_unknown_body():
    with pytest.raises(UserError, match=r"'pasive' is unknown. Did you mean 'passive'"):
        reduce_model("myolegs22+pasive", "none")


@pytest.mark.parametrize("exponent", [(1.5, -0.075), (2.0, 0.08)])
def test_springs_are_the_chords(exponent):
    knots = [-30.0, -10.0, 0.0, 15.0]
    springs = bodies.springs(exponent, knots)
    towards = np.sign(exponent[1])

    def total(degrees):
        return sum(k * max(0.0, towards * (np.radians(degrees) - start)) for start, k in springs)

    slack = np.exp(exponent[0] + exponent[1] * (knots[0] if towards > 0 else knots[-1]))
    for knot in knots:
        assert total(knot) == pytest.approx(np.exp(exponent[0] + exponent[1] * knot) - slack)


def test_a_held_calf_stretches_its_tendon_as_far_as_its_force_asks():
    """Statics: with the joints held, fibre force and tendon tension are equal, and lengths add up."""
    model = reduce_model("myolegs22+elastic", "none").model
    model.opt.timestep = 1 / 960
    data = mujoco.MjData(model)
    data.qpos[:] = elastic.slack(model, model.qpos0)
    slides = [model.joint(f"{muscle}_fibre_{side}").id for muscle in ("soleus", "gastroc") for side in "rl"]
    held = np.setdiff1d(np.arange(model.nv), slides)
    muscle, tendon = model.actuator("soleus_r").id, model.tendon("soleus_r_tendon").id
    data.ctrl[muscle] = 0.5
    for _ in range(960):
        mujoco.mj_step(model, data)
        data.qpos[held], data.qvel[held] = elastic.slack(model, model.qpos0)[held], 0.0
    mujoco.mj_forward(model, data)
    force = -data.actuator_force[muscle]
    stretch = data.ten_length[tendon] - model.tendon_lengthspring[tendon, 1]
    assert force > 1000
    assert model.tendon_stiffness[tendon] * stretch == pytest.approx(force, rel=0.01)
    optimal = 0.044
    fibre = 0.82 * optimal - data.qpos[model.joint("soleus_fibre_r").id]  # what the tendon gained the fibre lost
    assert 0.82 * optimal - fibre == pytest.approx(stretch, abs=1e-6)
    strain = force / model.actuator_gainprm[muscle, 2] * 0.049
    assert stretch / 0.277 == pytest.approx(strain, rel=0.01)


def test_fibres_of_the_reference_hang_on_slack_tendons():
    model = reduce_model("myolegs22+elastic", "none").model
    qpos = model.qpos0.copy()
    qpos[model.joint("ankle_angle_r").id], qpos[model.joint("knee_angle_r").id] = 0.2, -0.3
    data = mujoco.MjData(model)
    data.qpos[:] = elastic.slack(model, qpos)
    mujoco.mj_forward(model, data)
    for name in ("soleus_r", "gastroc_r", "soleus_l"):
        tendon = model.tendon(f"{name}_tendon").id
        assert data.ten_length[tendon] == pytest.approx(model.tendon_lengthspring[tendon, 1], abs=1e-9)
