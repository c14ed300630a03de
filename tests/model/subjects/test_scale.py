"""A person on assist_sim's model: what was asked is there, and mechanics scale as mechanics do."""

from functools import cache

import mujoco
import numpy as np
import pytest

from mjx_assist.config.subject import Subject, to_text
from mjx_assist.errors import UserError
from mjx_assist.model import bodies
from mjx_assist.model.assembly import NO_DEVICE, compose, device_mass
from mjx_assist.model.fidelity.report import fidelity
from mjx_assist.model.muscles.fibres import fibres
from mjx_assist.model.names import is_muscle
from mjx_assist.model.reduction import reduce_model
from mjx_assist.model.subjects.proportions import proportions
from mjx_assist.model.subjects.scale import put_on
from mjx_assist.model.subjects.standard import measured, standard

HUMAN, HIP = "myolegs22", "hip_flexion_r"
MIXED = Subject(height=1.7, mass=70.0, sex="female", segment_lengths={"thigh": 0.45, "shank_l": 0.39, "pelvis": 0.16})


@pytest.fixture(scope="module")
def body():
    return standard(HUMAN, compose)


@cache
def composed(device: str = NO_DEVICE) -> mujoco.MjSpec:
    return compose(HUMAN, device)


@pytest.fixture(scope="module")
def plain() -> mujoco.MjModel:
    return composed().copy().compile()


def person(subject: Subject, device: str = NO_DEVICE) -> mujoco.MjModel:
    spec = composed(device).copy()
    put_on(spec, subject, standard(HUMAN, compose), HUMAN)
    return spec.compile()


@pytest.fixture(scope="module")
def mixed() -> mujoco.MjModel:
    return person(MIXED)


@pytest.fixture(scope="module")
def tall(body) -> mujoco.MjModel:
    """1.2 times as long in everything, and twice as heavy."""
    return person(Subject(height=1.2 * body.height, mass=2.0 * body.total_mass))


def posed(model: mujoco.MjModel, seed: int, slides: float = 1.0) -> mujoco.MjData:
    """At rest at a pose of this seed; slides times a factor."""
    rng, data = np.random.default_rng(seed), mujoco.MjData(model)
    hinge = model.jnt_type == mujoco.mjtJoint.mjJNT_HINGE
    data.qpos[:] = np.where(hinge, rng.uniform(-0.6, 0.3, model.nq), slides * rng.uniform(-0.01, 0.01, model.nq))
    mujoco.mj_forward(model, data)
    return data


def arms(model: mujoco.MjModel, data: mujoco.MjData) -> np.ndarray:
    dense = np.zeros((model.nu, model.nv))
    mujoco.mju_sparse2dense(dense, data.actuator_moment, data.moment_rownnz, data.moment_rowadr, data.moment_colind)
    return dense


def normalised_fibres(model: mujoco.MjModel) -> np.ndarray:
    ids = np.flatnonzero(is_muscle(model))
    data, muscle = mujoco.MjData(model), fibres(model, ids)
    mujoco.mj_forward(model, data)
    return (data.actuator_length[ids] - muscle.tendon_length) / muscle.optimal_length


def test_mass_height_and_lengths_are_those_asked(mixed):
    found = measured(mixed)
    assert found.total_mass == pytest.approx(70.0, abs=1e-6)
    assert found.height == pytest.approx(1.7, abs=1e-6)
    asked = {"thigh_r": 0.45, "thigh_l": 0.45, "shank_l": 0.39, "pelvis": 0.16}
    assert {name: found.lengths[name] for name in asked} == pytest.approx(asked, abs=1e-6)
    assert found.lengths["shank_r"] > 0.39  # the right leg is the longer one, and makes the height


def test_a_womans_mass_is_shared_as_published(body):
    """De Leva 1996: thighs 14.78 against 14.16 %, shanks 4.81 against 4.33 %, heads 6.68 against 6.94 %."""
    man, woman = (
        proportions(Subject(sex=sex, height=body.height, mass=body.total_mass), body, HUMAN)
        for sex in ("male", "female")
    )
    assert set(man.mass.values()) == {1.0}
    ratio = {name: woman.mass[name] / woman.mass["head"] for name in ("thigh_r", "shank_l")}
    assert ratio["thigh_r"] == pytest.approx((14.78 / 14.16) / (6.68 / 6.94), rel=1e-6)
    assert ratio["shank_l"] == pytest.approx((4.81 / 4.33) / (6.68 / 6.94), rel=1e-6)


def test_the_standard_bodys_own_figures_change_no_bit(body, plain):
    own = Subject(height=body.height, mass=body.total_mass, sex="male", age=25.0)
    same = compose(HUMAN + to_text(own), NO_DEVICE).compile()
    for name in dir(plain):
        value = getattr(plain, name)
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(getattr(same, name), value, err_msg=name)


def test_moment_arms_grow_with_length(plain, tall):
    hinge = plain.jnt_type == mujoco.mjtJoint.mjJNT_HINGE
    for seed in range(3):
        before, after = arms(plain, posed(plain, seed)), arms(tall, posed(tall, seed, slides=1.2))
        np.testing.assert_allclose(after[:, hinge], 1.2 * before[:, hinge], atol=1e-7)
        np.testing.assert_allclose(after[:, ~hinge], before[:, ~hinge], atol=1e-6)


def test_fibres_are_as_long_as_they_were_in_optimal_lengths(plain, mixed):
    np.testing.assert_allclose(normalised_fibres(mixed), normalised_fibres(plain), atol=1e-9)


def test_inertia_grows_with_mass_and_length_squared(plain, tall):
    matrices = []
    for model, slides in ((plain, 1.0), (tall, 1.2)):
        full, data = np.zeros((model.nv, model.nv)), posed(model, 0, slides)
        mujoco.mj_fullM(model, data, full)
        matrices.append(full)
    legs = np.ix_(*[[plain.joint(f"{name}_{side}").id for name in ("hip_flexion", "ankle_angle") for side in "rl"]] * 2)
    np.testing.assert_allclose(matrices[1][legs], 2.0 * 1.2**2 * matrices[0][legs], rtol=1e-6, atol=1e-8)


def test_falling_takes_the_root_of_the_length(plain, tall):
    """A leg let go swings at 1 / 1.2 of the acceleration, so a pendulum's time is sqrt(1.2) times as long."""
    swing = []
    for model, slides in ((plain, 1.0), (tall, 1.2)):
        model = model.__copy__()
        model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_ACTUATION | mujoco.mjtDisableBit.mjDSBL_CONSTRAINT
        swing.append(posed(model, 1, slides).qacc[model.joint(HIP).dofadr[0]])
    assert swing[1] == pytest.approx(swing[0] / 1.2, rel=1e-6)


def test_a_person_in_another_size_is_the_standard_body_in_another_gravity(body, plain):
    """In units of its own length and mass a person k times as long and m times as heavy falls at g / k, and its muscles
    are F / (m k) as strong; what dampers take is 1 / sqrt(k). All else is the same, so both move alike."""
    k, m = 1.2, 2.0
    large = person(Subject(height=k * body.height, mass=m * body.total_mass))
    force = large.actuator("vasti_r").gainprm[2] / plain.actuator("vasti_r").gainprm[2]
    same = plain.__copy__()
    same.opt.gravity[:] /= k
    same.actuator_gainprm[:, 2] *= force / (m * k)
    same.actuator_biasprm[:, 2] *= force / (m * k)
    same.dof_damping[:] /= np.sqrt(k)
    same.jnt_stiffness[:] /= k
    moved = []
    for model in (same, large):
        model.opt.timestep, model.opt.tolerance = 0.0005, 0.0
        model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_CONTACT
        model.eq_solimp[:, :2] = model.jnt_solimp[:, :2] = 0.9999  # MuJoCo's softness mixes metres and radians
        model.eq_solref[:] = [0.002, 1.0]
        data = mujoco.MjData(model)
        data.ctrl[:] = 0.3
        mujoco.mj_step(model, data, nstep=300)
        moved.append(data.qpos.copy())
    hinge = plain.jnt_type == mujoco.mjtJoint.mjJNT_HINGE
    assert np.ptp(moved[0][hinge]) > 0.3  # rad: they do move
    np.testing.assert_allclose(moved[1][hinge], moved[0][hinge], atol=1e-4)
    np.testing.assert_allclose(moved[1][~hinge], k * moved[0][~hinge], atol=1e-4)


def test_strength_by_volume_over_fibre_length_age_and_weakness(body, plain):
    """Handsfield 2014: 47 h m + 1285 cm3 of muscle; Thelen 2003: 30 % less at 70; both over 1.1 times longer fibres."""
    height, mass = 1.1 * body.height, 90.0
    weak = {"plantarflexors_l": 0.5, "soleus_l": 0.5, "all": 0.9}
    old = person(Subject(height=height, mass=mass, age=70.0, strength=weak))
    volume = (47 * height * mass + 1285) / (47 * body.height * body.total_mass + 1285)
    for name, own in (("vasti_r", 0.9), ("gastroc_l", 0.45), ("soleus_l", 0.225), ("soleus_r", 0.9)):
        ratio = old.actuator(name).gainprm[2] / plain.actuator(name).gainprm[2]
        assert ratio == pytest.approx(0.7 * own * volume / 1.1, rel=1e-6), name
        assert old.actuator(name).biasprm[2] == old.actuator(name).gainprm[2]


def test_elastic_tendons_are_as_stretchable_as_they_were(body):
    """4.9 % longer at peak force in anybody: stiffness goes with force over length, and slack with the path."""
    plain, large = composed().copy(), composed().copy()
    for spec in (plain, large):
        bodies.put_on(spec, "elastic")
    put_on(large, Subject(height=1.2 * body.height, mass=100.0), body, HUMAN)
    before, after = plain.compile(), large.compile()
    force = after.actuator("soleus_r").gainprm[2] / before.actuator("soleus_r").gainprm[2]
    tendon = before.tendon("soleus_r_tendon").id
    assert after.tendon_stiffness[tendon] == pytest.approx(before.tendon_stiffness[tendon] * force / 1.2)
    assert after.tendon_lengthspring[tendon, 1] == pytest.approx(after.tendon_length0[tendon])


def test_contracture_load_and_nothing_else(plain):
    stiff = person(Subject(contracture={"knee_angle_r": (-1.2, -0.3)}, added_mass={"foot": 2.0, "pelvis": 1.0}))
    np.testing.assert_allclose(stiff.joint("knee_angle_r").range, [-1.2, -0.3])
    np.testing.assert_array_equal(stiff.joint("knee_angle_l").range, plain.joint("knee_angle_l").range)
    assert stiff.body_mass.sum() == pytest.approx(plain.body_mass.sum() + 5.0)
    assert stiff.body("calcn_l").mass[0] == pytest.approx(plain.body("calcn_l").mass[0] + 2.0)
    np.testing.assert_array_equal(stiff.geom_pos, plain.geom_pos)
    assert device_mass(f"{HUMAN}@subject=added_mass.foot:2,added_mass.pelvis:1", NO_DEVICE) == 5.0  # not the person's


def test_a_device_is_worn_where_the_segment_is_and_keeps_its_mass(body):
    small = Subject(height=0.9 * body.height, mass=50.0)
    worn, standard_worn = person(small, "Tutorial_L1"), composed("Tutorial_L1").copy().compile()
    device = [b for b in range(worn.nbody) if worn.body(b).name.startswith("Tutorial_L1")]
    np.testing.assert_allclose(worn.body_mass[device], standard_worn.body_mass[device], rtol=1e-9)
    np.testing.assert_allclose(worn.body_pos[device], 0.9 * standard_worn.body_pos[device], atol=1e-8)


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        (Subject(segment_lengths={"thig": 0.4}), "segment_lengths: 'thig' is unknown. Did you mean 'thigh'"),
        (Subject(segment_lengths={"thigh": 0.05}), "'thigh_r' would be 0.13 times as long"),
        (Subject(height=1.3, segment_lengths={"thigh": 0.55, "shank": 0.55}), "Do height and segment_lengths belong"),
        (
            Subject(strength={"plantarflexor": 0.5}),
            "strength: 'plantarflexor' is unknown. Did you mean 'plantarflexors'",
        ),
        (Subject(contracture={"knee_r": (-1.0, 0.0)}), "contracture: 'knee_r' is unknown. Did you mean 'knee_angle_r'"),
        (Subject(contracture={"knee_angle_r": (-1.0, 0.5)}), "must lie within the joint's own range, -2.53 to 0 rad"),
        (Subject(added_mass={"feet": 2.0}), "added_mass: 'feet' is unknown. Did you mean 'foot'"),
    ],
)
def test_what_the_body_cannot_be_is_said(subject: Subject, said: str):
    with pytest.raises(UserError) as error:
        person(subject)
    assert said in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize("asked", ["height:1.5,mass:50", "height:2,mass:110"])
def test_short_and_tall_people_are_reduced_within_the_bounds(asked: str):
    verdicts = fidelity(reduce_model(f"{HUMAN}@subject={asked}", NO_DEVICE))["verdicts"]
    assert len(verdicts) == 13 and all(verdict["ok"] for verdict in verdicts)
