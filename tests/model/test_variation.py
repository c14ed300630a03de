"""Every field of a variation has its physical effect, on every backend: the judge is a model compiled with it."""

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest

from mjx_assist.curriculum.settings import Randomization
from mjx_assist.model import variation
from mjx_assist.model.variation import Variation
from mjx_assist.reference.cycle import sample
from mjx_assist.sim.physics.base import reset_state
from mjx_assist.sim.physics.make import make_physics

SUBSTEPS = 8
FACTOR = {"strength": 0.6, "friction": 0.3, "ground_stiffness": 3.0, "ground_damping": 0.6, "joint_damping": 4.0}
SLOPE, PUSH, SEGMENT = 0.12, 150.0, 1.3
CASES = ("none", *FACTOR, "slope", "push", "mass", "heavier")


@pytest.fixture(scope="module")
def model(reduced):
    return mujoco.MjModel.from_xml_string(reduced.xml)


@pytest.fixture(scope="module")
def start(reduced, gait):
    """A walker for each case: just after heel strike with both feet loaded; the last two in the air, off all limits."""
    phase = np.full(len(CASES), 0.04)
    phase[-2:] = 0.2
    qpos, qvel, _ = sample(gait, phase, 1.25)
    qpos[:, gait.joint_names.index("pelvis_ty")] -= 0.004
    qpos[-2:, gait.joint_names.index("pelvis_ty")] += 1.0
    reset = jax.vmap(lambda q, v, a: reset_state(reduced.model, q, v, a))
    return reset(jnp.float32(qpos), jnp.float32(qvel), jnp.full((len(CASES), reduced.model.na), 0.2))


@pytest.fixture(scope="module")
def varied(model):
    """All fields for each case's walker, neutral but for the case's own."""
    row = {name: np.ones(len(CASES)) for name in FACTOR if name != "strength"}
    row |= {"strength": np.ones((len(CASES), 22)), "mass": np.ones((len(CASES), model.nbody))}
    row |= {"slope": np.zeros(len(CASES)), "lane": np.zeros(len(CASES)), "push": np.zeros((len(CASES), model.nv))}
    for name, factor in FACTOR.items():
        row[name][CASES.index(name)] = factor
    row["slope"][CASES.index("slope")] = SLOPE
    row["push"][[CASES.index("push"), CASES.index("mass"), CASES.index("heavier")], 0] = PUSH
    row["mass"][CASES.index("mass"), model.body("tibia_r").id] = SEGMENT
    row["mass"][CASES.index("heavier")] = 2.0
    return Variation(**{name: jnp.float32(x) for name, x in row.items()})


@pytest.fixture(scope="module")
def control(model):
    return np.full((len(CASES), model.nu), 0.2, np.float32) * (np.arange(model.nu) < 22)


def compiled_with(reduced, case):
    """The model, with the case written into its MJCF: MuJoCo's compiler takes it from there."""
    spec = mujoco.MjSpec.from_string(reduced.xml)
    if case == "strength":
        for actuator in spec.actuators[:22]:
            actuator.gainprm[2] *= FACTOR[case]
            actuator.biasprm[2] *= FACTOR[case]
    for pair in spec.pairs if case in ("friction", "ground_stiffness", "ground_damping") else ():
        if case == "friction":
            pair.friction = pair.friction * FACTOR[case]
        else:  # what a spring and a damper with these factors are called in MuJoCo
            time, ratio = pair.solref
            spring, damper = 1 / (time * ratio) ** 2, 2 / time
            spring *= FACTOR[case] if case == "ground_stiffness" else 1.0
            damper *= FACTOR[case] if case == "ground_damping" else 1.0
            pair.solref = [2 / damper, damper / (2 * np.sqrt(spring))]
    for joint in spec.joints if case == "joint_damping" else ():
        joint.damping = joint.damping * FACTOR[case]
    if case == "slope":
        mujoco.mju_axisAngle2Quat(turn := np.zeros(4), np.array([0.0, -1.0, 0.0]), np.arctan(SLOPE))
        spec.geom("floor").quat = turn
    if case in ("mass", "heavier"):
        for body in spec.bodies[1:]:
            factor = 2.0 if case == "heavier" else SEGMENT if body.name == "tibia_r" else 1.0
            body.mass, body.fullinertia, body.inertia = (
                body.mass * factor,
                body.fullinertia * factor,
                body.inertia * factor,
            )
    return spec.compile()


@pytest.fixture(scope="module")
def expected(reduced, start, control):
    """Each case by ``mujoco.mj_step`` on its own compiled model: qpos, qvel ``[cases, nv]``."""
    after = []
    for i, case in enumerate(CASES):
        own = compiled_with(reduced, case)
        data = mujoco.MjData(own)
        data.qpos[:], data.qvel[:], data.act[:] = start.qpos[i], start.qvel[i], start.act[i]
        data.ctrl[:] = control[i]
        data.qfrc_applied[0] = PUSH if case in ("push", "mass", "heavier") else 0.0
        mujoco.mj_step(own, data, SUBSTEPS)
        after.append((data.qpos.copy(), data.qvel.copy()))
    return [np.array(x) for x in zip(*after, strict=True)]


@pytest.mark.parametrize(
    "backend", ["mujoco", *(pytest.param(name, marks=pytest.mark.slow) for name in ("mjx", "warp"))]
)
def test_every_field_acts_as_in_a_model_compiled_with_it(reduced, start, varied, control, expected, backend):
    step = jax.jit(jax.vmap(make_physics(backend, reduced.xml, SUBSTEPS, len(CASES)).step))
    after = step(start, control, varied)
    qpos, qvel = expected
    np.testing.assert_allclose(after.qpos, qpos, atol=2e-6 if backend == "mujoco" else 5e-4)
    np.testing.assert_allclose(after.qvel, qvel, atol=2e-4 if backend == "mujoco" else 2e-2)
    # Each case differs from the unchanged walker by far more than that.
    grounded = [i for i, case in enumerate(CASES) if case not in ("none", "mass", "heavier")]
    change = np.abs(qvel[grounded] - qvel[0]).max(axis=1)
    assert change.min() > 0.05, dict(zip(np.array(CASES)[grounded], change, strict=True))
    momentum = (np.asarray(after.qvel)[:, 0] - start.qvel[:, 0]) / (PUSH * SUBSTEPS * reduced.model.opt.timestep)
    assert 0 < momentum[CASES.index("heavier")] < momentum[CASES.index("mass")]


def test_pool_writes_to_a_model_only_what_changed_and_back(reduced, start, varied, control):
    backend = make_physics("mujoco", reduced.xml, SUBSTEPS, len(CASES))
    step = jax.vmap(backend.step)
    first = step(start, control, varied)
    turned = jax.tree.map(lambda x: x[::-1], varied)
    step(start, control, turned)
    for again, before in zip(jax.tree.leaves(step(start, control, varied)), jax.tree.leaves(first), strict=True):
        np.testing.assert_array_equal(again, before)
    plain = make_physics("mujoco", reduced.xml, SUBSTEPS, len(CASES))
    np.testing.assert_array_equal(jax.vmap(plain.step)(start, control).qpos[0], first.qpos[0])


def test_draws_fill_their_ranges_and_a_share_shrinks_them_towards_neutral(model):
    settings = Randomization(body_mass=(0.8, 1.2), side_strength=(0.5, 0.9), friction=(0.4, 1.4), slope=(-0.1, 0.1))
    rng = np.random.default_rng(0)
    sizes = variation.sizes(settings, model)

    def drawn(share):
        spans = variation.spans(settings, share)
        return [variation.sample(spans, model, {k: rng.uniform(size=n) for k, n in sizes.items()}) for _ in range(400)]

    whole = drawn({})
    friction = np.array([v.friction for v in whole])
    assert 0.4 <= friction.min() < 0.42 and 1.38 < friction.max() <= 1.4
    left = np.array([model.actuator(a).name.endswith("_l") for a in range(22)])
    for v in whole[:20]:
        assert np.ptp(v.strength[left]) == np.ptp(v.strength[~left]) == 0.0 and np.ptp(v.mass) == 0.0
    assert np.mean([v.strength[0] != v.strength[-1] for v in whole]) > 0.99
    half = drawn({"friction": 0.5, "slope": 0.0})
    friction = np.array([v.friction for v in half])
    assert 0.7 <= friction.min() < 0.72 and 1.18 < friction.max() <= 1.2
    assert {float(v.slope) for v in half} == {0.0}


def test_loads_add_their_mass_where_they_sit(model):
    """kg on each foot, each shank and the pelvis, drawn with a factor of the whole body's mass."""
    settings = Randomization(body_mass=(1.1, 1.1), foot_mass=(0.0, 2.0), shank_mass=(1.0, 1.0), waist_mass=(0.0, 8.0))
    sizes = variation.sizes(settings, model)
    assert {"foot_mass", "shank_mass", "waist_mass"} <= sizes.keys()
    uniform = {name: np.full(n, 0.5) for name, n in sizes.items()}
    drawn = variation.sample(variation.spans(settings, {}), model, uniform)
    added = (drawn.mass - 1.1) * model.body_mass
    loaded = {"ankle_angle_r": 1.0, "ankle_angle_l": 1.0, "knee_angle_r": 1.0, "knee_angle_l": 1.0, "pelvis_tilt": 4.0}
    expected = np.zeros(model.nbody)
    for joint, mass in loaded.items():
        expected[model.joint(joint).bodyid[0]] = mass
    np.testing.assert_allclose(added, expected, atol=1e-9)
