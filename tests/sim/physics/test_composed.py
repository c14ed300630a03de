"""Training on the composed model: the same steps as C MuJoCo takes by itself, read in the reduced model's names."""

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest

from mjx_assist import config as configs
from mjx_assist.errors import UserError
from mjx_assist.eval.replay.replay import replay
from mjx_assist.eval.replay.walker import Walker
from mjx_assist.model.assembly import full_model
from mjx_assist.model.mjcf import with_physics_rate
from mjx_assist.model.names import is_muscle, joint_names, sensor_slice
from mjx_assist.model.reduction import reduce_model
from mjx_assist.model.variation import Variation
from mjx_assist.paths import data_path
from mjx_assist.policy import bundle as bundles
from mjx_assist.reference.cycle import sample
from mjx_assist.sim.physics.composed import ComposedPhysics

RATE, SUBSTEPS = 240, 8


@pytest.fixture(scope="module")
def physics(reduced):
    return ComposedPhysics(reduced, with_physics_rate(reduced.xml, RATE), None, SUBSTEPS, num_threads=1)


@pytest.fixture(scope="module")
def bundle():
    return bundles.load(data_path("models", "policies", "walk22_exo"))


@pytest.fixture
def walker(bundle):
    walker = Walker(bundle, "composed")
    walker.model.opt.timestep = 1 / RATE
    return walker


def start(physics, qpos, qvel, activation=0.01):
    return physics.start(qpos, qvel, jnp.full(physics.model.na, activation))


def test_steps_are_those_of_the_composed_model_that_replay_walks(physics, bundle, walker):
    qpos, qvel, _ = sample(bundle.gait, 0.2, 1.25)
    walker.reset(qpos, qvel, 0.01)
    state, step = start(physics, qpos, qvel), jax.jit(physics.step)
    loads = [sensor_slice(physics.model, name).start for name in ("r_foot", "r_toes", "l_foot", "l_toes")]
    heels = [sensor_slice(physics.model, f"{side}_foot_position") for side in "rl"]
    device = ~is_muscle(physics.model)
    for control in np.random.default_rng(0).uniform(0, 0.5, (6, physics.model.nu)).astype(np.float32):
        control[device] *= -1
        state = step(state, control)
        for _ in range(SUBSTEPS):
            walker.step(control)
        seen = walker.state()
        assert state.qpos == pytest.approx(seen.qpos, abs=1e-5)
        assert state.qvel == pytest.approx(seen.qvel, abs=1e-3)
        assert state.act == pytest.approx(seen.act, abs=1e-6)
        assert state.actuator_length == pytest.approx(walker.data.actuator_length[walker.view.ctrl], abs=1e-5)
        assert state.actuator_velocity == pytest.approx(walker.data.actuator_velocity[walker.view.ctrl], abs=1e-3)
        assert state.last_act[: walker.muscle.sum()] == pytest.approx(walker.begun.activation, abs=1e-6)
        assert np.array(state.sensordata[np.array(loads)]) == pytest.approx(seen.sensordata[loads], rel=1e-3, abs=0.5)
        assert [np.array(state.sensordata[heel]) for heel in heels] == pytest.approx(walker.foot_positions(), abs=1e-5)
    assert seen.sensordata[loads].sum() > 200  # N: something stood on the ground


def test_joint_limit_loads_are_mujocos_own(physics, bundle, walker):
    qpos, qvel, _ = sample(bundle.gait, 0.2, 1.25)
    names = joint_names(physics.model)
    knee = names.index("knee_angle_l")
    qpos[knee] = 0.05  # rad beyond straight
    walker.reset(qpos, 0 * qvel, 0.01)
    control = np.zeros(physics.model.nu, np.float32)
    state = physics.step(start(physics, qpos, 0 * qvel), control)
    data = walker.data
    limited = [names[j] for j in np.flatnonzero(physics.model.jnt_limited)]
    most = dict.fromkeys(limited, 0.0)
    for _ in range(SUBSTEPS):
        walker.step(control)
        for name in limited:
            row = data.efc_type == mujoco.mjtConstraint.mjCNSTR_LIMIT_JOINT
            row &= data.efc_id == walker.model.joint(name).id
            most[name] = max(most[name], data.efc_force[row].sum())
    assert state.limit_load == pytest.approx(list(most.values()), rel=1e-3, abs=1e-2)
    assert state.limit_load[limited.index("knee_angle_l")] > 1.0


def test_a_push_moves_the_composed_mass_as_newton_says(physics, bundle):
    qpos, qvel, _ = sample(bundle.gait, 0.2, 1.25)
    names = joint_names(physics.model)
    qpos[names.index("pelvis_ty")] += 1.0  # nothing touches the ground
    push = np.zeros(physics.model.nv)
    push[names.index("pelvis_tx")] = 150.0
    factor = np.linspace(0.6, 1.0, physics.model.nbody)
    variation = Variation(mass=jnp.array(factor), push=jnp.array(push))
    control = np.zeros(physics.model.nu, np.float32)
    state = jax.jit(physics.step)(start(physics, qpos, 0 * qvel), control, variation)
    full = full_model("myolegs22", "Tutorial_L1", "composed")
    weight, mass = full.body_mass.sum(), full.body_mass.copy()
    for body in range(1, full.nbody):  # of the reduced model's body that it is part of
        up = body
        while mujoco.mj_name2id(physics.model, mujoco.mjtObj.mjOBJ_BODY, full.body(up).name) < 0:
            up = full.body_parentid[up]
        mass[body] *= factor[physics.model.body(full.body(up).name).id]
    full.body_mass[:] = mass
    assert mass.sum() < 0.95 * weight
    data = mujoco.MjData(full)
    data.qpos[:], data.qvel[:] = state.body.qpos, state.body.qvel
    mujoco.mj_forward(full, data)
    momentum = mass @ [_velocity(full, data, body) for body in range(full.nbody)]
    assert momentum[0] == pytest.approx(150.0 * SUBSTEPS / RATE, rel=0.01)
    assert momentum[2] == pytest.approx(full.opt.gravity[2] * mass.sum() * SUBSTEPS / RATE, rel=0.01)


def test_strength_reaches_the_muscle_of_that_name(physics, bundle, walker):
    qpos, qvel, _ = sample(bundle.gait, 0.2, 1.25)
    muscles = [a for a, m in zip(walker.actuator_names, walker.muscle, strict=True) if m]
    strength = np.linspace(0.2, 1.0, len(muscles))
    control = np.where(walker.muscle, 0.5, 0.0).astype(np.float32)
    state = physics.step(start(physics, qpos, qvel, 0.5), control, Variation(strength=jnp.array(strength)))
    for muscle, factor in zip(muscles, strength, strict=True):
        actuator = walker.model.actuator(muscle).id
        walker.model.actuator_gainprm[actuator, 2] *= factor
        walker.model.actuator_biasprm[actuator, 2] *= factor
    walker.reset(qpos, qvel, 0.5)
    for _ in range(SUBSTEPS):
        walker.step(control)
    assert state.qpos == pytest.approx(walker.state().qpos, abs=1e-5)


@pytest.mark.parametrize(
    "changes, told", [({"model_kind": "compose"}, "composed"), ({"model_kind": "composed", "backend": "mjx"}, "mujoco")]
)
def test_a_config_that_asks_for_what_there_is_not_is_refused(changes, told):
    tree = configs.to_dict(configs.RunConfig())
    tree["env_params"] |= changes
    with pytest.raises(UserError, match=told):
        configs.from_dict(tree)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_the_shipped_policy_walks_ten_seconds_in_the_composed_model(seed):
    policy = bundles.load(data_path("models", "policies", "walk22_composed"))
    assert not replay(policy, "composed", 300, seed).fell


def _velocity(model, data, body):
    velocity = np.zeros(6)
    mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_BODY, body, velocity, 0)
    return velocity[3:]


def test_a_foot_that_is_heel_and_toes_in_one_is_refused():
    prosthetic = reduce_model("myolegs22", "OpenSourceLeg_A_L1")
    with pytest.raises(UserError, match=r"model_kind.*'r_foot' and 'r_toes' feel one rigid foot.*'reduced'"):
        ComposedPhysics(prosthetic, prosthetic.xml, None, SUBSTEPS, num_threads=1)
