"""Controllers on real models: torque in, torque out, the same in the training env and in replay, and who is refused."""

import dataclasses

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest
from controlled import SETTINGS, controlled

from mjx_assist.config.device import (
    PUBLISHED,
    Impedance,
    TorqueProfile,
    ZeroTorque,
)
from mjx_assist.config.schema import EnvParams, RunConfig
from mjx_assist.errors import UserError
from mjx_assist.eval.replay.replay import replay
from mjx_assist.eval.replay.walker import Walker
from mjx_assist.model.names import joint_names
from mjx_assist.model.reduction import reduce_model
from mjx_assist.reference.cycle import sample
from mjx_assist.sim import action
from mjx_assist.sim.device.controller import Felt, make_controller
from mjx_assist.sim.device.motors import controls, make_motors
from mjx_assist.sim.env import AssistEnv

DT = 1 / 30
KNEE_ANKLE = "OpenSourceLeg_KA_L1"


SLOW = [pytest.param(s, marks=pytest.mark.slow) for s in SETTINGS if not isinstance(s, TorqueProfile)]


@pytest.mark.parametrize("settings", [TorqueProfile(), *SLOW], ids=lambda s: s.type)
def test_env_and_replay_give_the_same_torque_for_the_same_states(settings, reduced, gait, untrained_bundle):
    """The env's own states, step by step, through the same controller in NumPy; envs are batched and jitted."""
    params = EnvParams(backend="mujoco", num_envs=4, out_of_trajectory_threshold=100.0, safe_height=-10.0)
    env = AssistEnv(dataclasses.replace(params, device_controller=settings), reduced, gait)
    step = jax.jit(jax.vmap(env.step))
    state = jax.jit(jax.vmap(env.reset))(jax.random.split(jax.random.PRNGKey(1), 4))
    numpy_controller = make_controller(settings, env.model, env.dt)
    device = np.flatnonzero(numpy_controller.motors.mask)
    clocks = [numpy_controller.start() for _ in range(4)]
    neutral = action.to_control(env.action_spec, env.action_spec.neutral)
    drive = jax.jit(jax.vmap(lambda c, b: env.controller.drive(c, b, jnp.asarray(neutral), jnp)))
    pushed = 0.0
    for _ in range(30):
        before = jax.device_get(state.pipeline_state)
        _, in_jax = drive(before.device, before.physics)
        for i in range(4):
            body = jax.tree.map(lambda x, i=i: np.asarray(x[i], float), before.physics)
            clocks[i], control = numpy_controller.drive(clocks[i], body, neutral)
            np.testing.assert_allclose(in_jax[i], control, atol=2e-3)
            pushed = max(pushed, np.abs(control[device]).max())
        state = step(state, jnp.tile(jnp.asarray(env.action_spec.neutral), (4, 1)))
    assert (pushed > 0.02) == (settings.type != "zero_torque")


@pytest.mark.slow
def test_env_with_a_controller_walks_as_replay_does(reduced, untrained_bundle):
    """Ten control steps from the same start: the torque that the env applies moves its joints as replay's does."""
    bundle = controlled(untrained_bundle, Impedance(60.0, 1.0, -0.3))
    params = dataclasses.replace(bundle.config.env_params, backend="mujoco")
    env = AssistEnv(params, reduced, bundle.gait)
    record, free = (replay(b, steps=11, seed=3) for b in (bundle, controlled(bundle, ZeroTorque())))
    phase = np.random.default_rng(3).uniform()
    state = env.reset(jax.random.PRNGKey(0))
    qpos, qvel, _ = sample(env.gait, phase, 1.25)
    walker = state.pipeline_state
    physics = walker.physics.replace(qpos=jnp.float32(qpos), qvel=jnp.float32(qvel))
    walker = walker.replace(physics=physics, phase=jnp.float32(phase))
    state, step = state.replace(pipeline_state=walker, obs=env.observe(walker, 1.25)), jax.jit(env.step)
    for i in range(10):
        state = step(state, jnp.asarray(bundle.policy.act(np.asarray(state.obs, float))))
        body = state.pipeline_state.physics
        np.testing.assert_allclose(record.qpos[8 * (i + 1), 1:], body.qpos[1:], atol=3e-4)
    assert np.abs(record.qpos - free.qpos).max() > 0.01


def test_zero_torque_is_exactly_zero_whatever_the_head_wants(untrained_bundle):
    loud = dataclasses.replace(untrained_bundle.policy, neutral=untrained_bundle.policy.neutral + 0.7, heads=())
    bundle = dataclasses.replace(untrained_bundle, policy=loud)
    assert np.abs(replay(bundle, steps=5).device_torque).max() > 1.0
    record = replay(controlled(bundle, ZeroTorque()), steps=5)
    assert (record.device_torque == 0).all()
    assert record.controller == "zero_torque"


@pytest.mark.parametrize(
    ("percent", "stance", "state"),
    [(10, True, 0), (40, True, 1), (62, False, 2), (80, False, 3), (15, False, 2), (90, True, 1)],
)
def test_an_impedance_changes_with_the_gait_phase(percent, stance, state):
    """-k (q - q0) - b dq/dt with the gains of the state: the published ones of knee and ankle, by hand."""
    controller = make_controller(PUBLISHED["impedance_phases"][0], reduce_model("myolegs22", KNEE_ANKLE).model, DT)
    angle, velocity = np.array([0.3, 0.1]), np.array([-2.0, 1.5])
    here = np.ones(2, bool)
    felt = Felt(np.full(2, float(percent)), here, here & stance, angle, velocity)
    gains = {  # N*m/rad, N*m*s/rad, degrees: knee, ankle
        0: ((99.372, 3.180, 5), (19.874, 0.0, -2)),
        1: ((99.372, 1.272, 8), (79.498, 0.063, -20)),
        2: ((39.749, 0.063, 60), (7.949, 0.0, 25)),
        3: ((15.899, 3.816, 5), (7.949, 0.0, 15)),
    }[state]
    expected = [-k * (q - np.radians(rest)) - b * v for (k, b, rest), q, v in zip(gains, angle, velocity, strict=True)]
    assert [name.split("_")[-3] for name in controller.motors.joint_names] == ["knee", "ankle"]
    np.testing.assert_allclose(controller.torque(felt, np), expected)
    resting = felt._replace(walks=~here)  # before the first heel strike nothing is late
    np.testing.assert_allclose(
        controller.torque(resting, np), controller.torque(felt._replace(percent=np.zeros(2)), np)
    )


def test_an_impedance_of_phases_leaves_other_joints_alone(reduced):
    with pytest.raises(UserError, match=r"driven joint.*osl_knee_angle.*ankle_angle_l"):
        make_controller(PUBLISHED["impedance_phases"][0], reduced.model, DT)


@pytest.mark.parametrize("device", ["Hippo_L1", "Tutorial_L1"])
def test_impedance_is_a_spring_and_damper_within_what_the_device_can_push(device):
    """Device torque about the joint, as C MuJoCo applies it, against -k (q - q0) - b dq/dt."""
    model = mujoco.MjModel.from_xml_string(reduce_model("myolegs22", device).xml)
    gains = Impedance(40.0, 3.0, 0.1)
    controller = make_controller(gains, model, DT)
    data, rng = mujoco.MjData(model), np.random.default_rng(0)
    names, motors = joint_names(model), np.flatnonzero(controller.motors.mask)
    for _ in range(20):
        data.qpos[:] = model.qpos0 + rng.uniform(-0.4, 0.4, model.nq)
        data.qvel[:] = rng.uniform(-3, 3, model.nv)
        _, data.ctrl[:] = controller.drive(controller.start(), data, np.zeros(model.nu))
        mujoco.mj_forward(model, data)
        for motor, joint in zip(motors, controller.motors.joint_names, strict=True):
            j = names.index(joint)
            wanted = -40.0 * (data.qpos[j] - 0.1) - 3.0 * data.qvel[j]
            can = np.clip(wanted, *(100.0 * model.actuator_ctrlrange[motor]))
            assert data.actuator_force[motor] == pytest.approx(can, abs=1e-9)


@pytest.mark.parametrize(
    ("device", "least", "most"),
    [
        ("HMEDI_L1", -0.25, 0.5),
        pytest.param("STRIDE_L2", -0.25, 0.25, marks=pytest.mark.slow),
        pytest.param("UTAnkleExo_L2", -0.6, -0.1, marks=pytest.mark.slow),
    ],
)
def test_a_cable_makes_the_wanted_torque_through_its_moment_arm(device, least, most):
    """Over a range of angles, within 2 %, by MuJoCo's own moment arms; UTAnkleExo's arm is near 0 beyond its range."""
    model = mujoco.MjModel.from_xml_string(reduce_model("myolegs22", device).xml)
    motors, data = make_motors(model), mujoco.MjData(model)
    ids = np.flatnonzero(motors.mask)
    assert motors.side.tolist() == [0, 1]
    for angle in np.linspace(least, most, 7):
        data.qpos[:] = model.qpos0
        data.qpos[motors.joint] = angle
        wanted = 6.0 * _pushes(motors, angle)
        data.ctrl[ids] = controls(motors, wanted, data.qpos[motors.joint])
        stateful = model.actuator_actadr[ids] >= 0
        data.act[model.actuator_actadr[ids[stateful]]] = data.ctrl[ids[stateful]]  # a filter that has settled
        mujoco.mj_forward(model, data)
        made = np.zeros(model.nv)
        for motor in ids:
            first, n = data.moment_rowadr[motor], data.moment_rownnz[motor]
            arms = data.actuator_moment[first : first + n]
            made[data.moment_colind[first : first + n]] += arms * data.actuator_force[motor]
        np.testing.assert_allclose(made[motors.joint], wanted, rtol=0.02)


def _pushes(motors, angle):
    """+1 or -1: the way each one-sided motor pushes its joint."""
    far = np.where(np.abs(motors.high) > np.abs(motors.low), motors.high, motors.low)
    arm = [np.polyval(motors.arm[:, d], angle) for d in range(len(far))]
    return np.sign(far * motors.gain * arm)


def test_a_one_sided_device_stays_off_when_the_other_way_is_wanted(reduced):
    motors = make_motors(reduced.model)
    torque = np.array([30.0, -30.0])  # dorsiflexion cannot be pushed
    np.testing.assert_allclose(controls(motors, torque, np.zeros(2)), [0.0, -0.3])
    np.testing.assert_allclose(controls(motors, np.array([-500.0, 500.0]), np.zeros(2)), [-1.0, 0.0])


def test_profile_in_replay_peaks_where_the_paper_says(reduced, gait, untrained_bundle):
    """A foot load with known heel strikes drives the controller; the torque is the profile at the true percent."""
    controller = make_controller(TorqueProfile(), reduced.model, DT)
    mass = controller.body_weight / 9.81
    body = {"qpos": np.zeros(reduced.model.nq), "qvel": np.zeros(reduced.model.nv)}
    clock, torque, percent = controller.start(), [], []
    for step in range(400):
        phase = (step * DT / 1.1 + np.array([0.0, 0.5])) % 1.0
        sensors = np.zeros(reduced.model.nsensordata)
        sensors[controller.loads.columns[:, 0]] = np.where(phase < 0.6, controller.body_weight, 0.0)
        state = type("Body", (), {**body, "sensordata": sensors})
        clock, control = controller.drive(clock, state, np.zeros(reduced.model.nu))
        torque.append(100.0 * control[controller.motors.mask][0] / mass)
        percent.append(100 * ((step + 0.5) * DT / 1.1 % 1.0))
    torque, percent = np.array(torque)[200:], np.array(percent)[200:]
    assert torque.min() == pytest.approx(-0.54, rel=0.02)
    assert percent[torque.argmin()] == pytest.approx(52.9, abs=100 * DT / 1.1)
    assert np.abs(torque[(percent < 23) | (percent > 66)]).max() == 0.0


def test_training_with_a_controller_leaves_the_device_head_out(reduced, gait):
    from mjx_assist.training.loop import make_policy_spec

    for settings, used in ((None, True), (TorqueProfile(), False)):
        params = EnvParams(backend="mujoco", num_envs=2, device_controller=settings)
        env = AssistEnv(params, reduced, gait)
        spec = make_policy_spec(RunConfig(env_params=params), env)
        assert {head.name: head.enabled for head in spec.heads} == {"human_actor": True, "exo_actor": used}
        assert spec.active[~env.action_spec.muscle].all() == used
        assert spec.active[env.action_spec.muscle].all()


def test_replay_on_the_full_model_feels_its_own_feet(untrained_bundle):
    """The controller reads the full model's contacts: its clock sees the foot that stands."""
    bundle = controlled(untrained_bundle, Impedance(50.0, joint="*ankle*"))
    walker = Walker(bundle, "full")
    qpos, qvel, _ = sample(bundle.gait, 0.1, 1.25)
    walker.reset(qpos, qvel, 0.01)
    for _ in range(30):
        walker.step(np.zeros(walker.reduced.nu))
    controller = make_controller(Impedance(50.0), walker.reduced, DT)
    load = controller.loads.total(walker.state().sensordata)
    np.testing.assert_allclose(load.sum(), walker.contact_forces()[1].sum(), rtol=1e-6)
    assert replay(bundle, "full", steps=3).controller == "impedance"
