"""The three backends take the same physics step: C MuJoCo directly is the judge."""

import sys

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest
from mujoco import mjx

from mjx_assist.errors import UserError
from mjx_assist.sim import implicit, physics, reference

N_ENVS = 16
SUBSTEPS = 8  # 30 Hz control, 240 Hz physics
CONTROL_STEPS = 15  # 0.5 s
SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def start(reduced, gait):
    """Walkers spread over the gait cycle, feet near the ground: a batched PhysicsState."""
    phase = np.arange(N_ENVS) / N_ENVS
    qpos, qvel, _ = reference.sample(gait, phase, 1.25)
    act = jnp.full((N_ENVS, reduced.model.na), 0.01)
    reset = jax.vmap(lambda q, v, a: physics.reset_state(reduced.model, q, v, a))
    return reset(jnp.float32(qpos), jnp.float32(qvel), act)


@pytest.fixture(scope="module")
def controls(reduced):
    """Random controls, new at every control step: ``[seed, T, B, nu]``.

    Excitations up to 0.5 in every muscle and 50 N*m from the device: harder than walking. Over the whole range
    (antagonists fully on, 100 N*m on a swinging foot) 0.2 to 1.2 % of the angles miss 0.005 rad in 32 bits.
    """
    low, high = 0.5 * reduced.model.actuator_ctrlrange.T
    shape = (len(SEEDS), CONTROL_STEPS, N_ENVS, reduced.model.nu)
    return np.float32(low + (high - low) * np.random.default_rng(0).uniform(size=shape))


@pytest.fixture(scope="module")
def c_backend(reduced):
    return physics.make_physics("mujoco", reduced.xml, SUBSTEPS, N_ENVS, num_threads=2)


@pytest.fixture(scope="module")
def c_rollouts(c_backend, start, controls):
    return [rollout(c_backend, start, episode) for episode in controls]


@pytest.fixture(scope="module")
def determined(c_backend, start, controls):
    """``[seed, B]`` True where C's own half second hardly changes with 32-bit noise after every control step.

    Elsewhere a foot grazes the ground: whether it touches one step earlier or later is not for a backend to decide.
    """
    model, rng = c_backend.model, np.random.default_rng(1)

    def final_path(seed, env, noise):
        data, path = mujoco.MjData(model), []
        data.qpos[:], data.qvel[:], data.act[:] = start.qpos[env], start.qvel[env], start.act[env]
        for control in controls[seed, :, env]:
            data.ctrl[:] = control
            mujoco.mj_step(model, data, SUBSTEPS)
            path.append(data.qpos.copy())
            data.qpos[:] += noise * rng.uniform(-1, 1, model.nq)
            data.qvel[:] *= 1 + noise * rng.uniform(-1, 1, model.nv)
        return np.array(path)

    same = np.ones((len(SEEDS), N_ENVS), bool)
    for seed, env in np.ndindex(same.shape):
        exact = final_path(seed, env, 0.0)
        same[seed, env] = all(np.abs(final_path(seed, env, 3e-6) - exact).max() < 0.0025 for _ in range(3))
    assert same.mean() > 0.8
    return same


def rollout(backend, start, controls):
    """States after every control step, ``[T, B, ...]``."""
    step = jax.jit(jax.vmap(backend.step))
    state, states = start, []
    for control in controls:
        state = step(state, control)
        states.append(jax.device_get(state))
    return jax.tree.map(lambda *x: np.stack(x), *states)


def direct(model, state, control):
    """One control step by ``mujoco.mj_step`` from a 32-bit state; returns what a PhysicsState holds, in 32 bits."""
    data = mujoco.MjData(model)
    data.time = state.time
    data.qpos[:], data.qvel[:], data.act[:] = state.qpos, state.qvel, state.act
    data.ctrl[:] = control
    peak = np.full(model.nsensordata, -np.inf)
    for _ in range(SUBSTEPS):
        mujoco.mj_step(model, data)
        peak = np.maximum(peak, data.sensordata)
    limited = np.flatnonzero(model.jnt_limited)
    limit_load = np.zeros(limited.size)
    for row in np.flatnonzero(data.efc_type == mujoco.mjtConstraint.mjCNSTR_LIMIT_JOINT):
        limit_load[np.flatnonzero(limited == data.efc_id[row])[0]] += data.efc_force[row]
    found = {
        "qpos": data.qpos,
        "qvel": data.qvel,
        "act": data.act,
        "time": data.time,
        "sensordata": data.sensordata,
        "sensor_peak": peak,
        "limit_load": limit_load,
    }
    return {name: np.float32(value) for name, value in found.items()}


def each(state):
    """The walkers of a batch, one by one."""
    return [jax.tree.map(lambda x, i=i: np.asarray(x[i]), state) for i in range(state.time.shape[0])]


def assert_equal(state, expected):
    for name, value in expected.items():
        np.testing.assert_array_equal(np.asarray(getattr(state, name)), value, err_msg=name)


def test_callback_is_mj_step_alone_batched_and_in_a_scan(c_backend, start, controls):
    model = c_backend.model
    episode = controls[0][:3]
    alone = [direct(model, walker, control) for walker, control in zip(each(start), episode[0], strict=True)]
    for walker, control, expected in zip(each(start)[:3], episode[0][:3], alone[:3], strict=True):
        assert_equal(c_backend.step(walker, control), expected)
        assert_equal(jax.jit(c_backend.step)(walker, control), expected)
    for walker, expected in zip(each(jax.jit(jax.vmap(c_backend.step))(start, episode[0])), alone, strict=True):
        assert_equal(walker, expected)

    scanned, _ = jax.jit(lambda s, c: jax.lax.scan(lambda s, c: (jax.vmap(c_backend.step)(s, c), None), s, c))(
        start, episode
    )
    for i, walker in enumerate(each(start)):
        for control in episode:
            expected = direct(model, walker, control[i])
            walker = walker.replace(**expected)
        assert_equal(each(scanned)[i], expected)


def test_callback_takes_one_control_for_all_and_batches_of_batches(c_backend, start, controls):
    control = controls[0][0]
    shared = jax.vmap(c_backend.step, in_axes=(0, None))(start, control[0])
    for walker, before in zip(each(shared), each(start), strict=True):
        assert_equal(walker, direct(c_backend.model, before, control[0]))

    fold = jax.tree.map(lambda x: x.reshape(4, 4, *x.shape[1:]), start)
    folded = jax.vmap(jax.vmap(c_backend.step))(fold, control.reshape(4, 4, -1))
    flat = jax.vmap(c_backend.step)(start, control)
    np.testing.assert_array_equal(folded.qpos.reshape(N_ENVS, -1), flat.qpos)


def test_independent_steps_of_one_program_do_not_disturb_each_other(c_backend, start, controls):
    step = jax.vmap(c_backend.step)

    @jax.jit
    def several(state, controls):
        return [step(state, control) for control in controls]

    for _ in range(10):
        for after, control in zip(several(start, controls[0][:4]), controls[0][:4], strict=True):
            np.testing.assert_array_equal(after.qpos, step(start, control).qpos)


def assert_control_steps_match(backend, start, controls, c_rollouts):
    """From every state of C's rollouts one control step further: joints, activations, sensors, joint-limit loads."""
    model = backend.model
    names = [model.sensor(i).name for i in range(model.nsensor)]
    touch = [model.sensor_adr[names.index(n)] for n in ("r_foot", "l_foot", "r_toes", "l_toes")]
    frame = np.setdiff1d(np.arange(model.nsensordata), touch)
    step = jax.jit(jax.vmap(backend.step))
    most_load = most_limit = 0.0
    for episode, expected in zip(controls, c_rollouts, strict=True):
        before = start
        for t, control in enumerate(episode):
            after = jax.device_get(step(before, control))
            right = jax.tree.map(lambda x, t=t: x[t], expected)
            np.testing.assert_allclose(after.qpos, right.qpos, atol=5e-4, rtol=0)
            np.testing.assert_allclose(after.qvel, right.qvel, atol=0.02, rtol=1e-3)
            np.testing.assert_allclose(after.act, right.act, atol=1e-5, rtol=0)
            np.testing.assert_allclose(after.time, right.time, atol=1e-5, rtol=0)
            for sensed, c_sensed in ((after.sensordata, right.sensordata), (after.sensor_peak, right.sensor_peak)):
                np.testing.assert_allclose(sensed[:, touch], c_sensed[:, touch], atol=3.0, rtol=0.02)
                np.testing.assert_allclose(sensed[:, frame], c_sensed[:, frame], atol=1e-4, rtol=0)
            np.testing.assert_allclose(after.limit_load, right.limit_load, atol=1.0, rtol=0.01)
            before = start.replace(qpos=right.qpos, qvel=right.qvel, act=right.act, time=right.time)
            most_load, most_limit = (
                max(most_load, right.sensordata[:, touch].max()),
                max(most_limit, right.limit_load.max()),
            )
    assert most_load > 500.0 and most_limit > 50.0, "no load on the feet or on a joint's limit: little is proved"


def assert_follows(backend, start, controls, c_rollouts, determined):
    """Half a second on its own: joint angles within 0.005 rad of C's at every control step."""
    follows = np.zeros_like(determined)
    for seed, (episode, expected) in enumerate(zip(controls, c_rollouts, strict=True)):
        error = np.abs(rollout(backend, start, episode).qpos - expected.qpos)[..., 3:]
        follows[seed] = error.max(axis=(0, 2)) < 0.005
    assert follows[determined].mean() > 0.95, np.argwhere(determined & ~follows)


@pytest.fixture(scope="module")
def mjx_backend(reduced):
    return physics.make_physics("mjx", reduced.xml, SUBSTEPS, N_ENVS)


def test_mjx_takes_c_mujocos_control_step(mjx_backend, start, controls, c_rollouts):
    assert_control_steps_match(mjx_backend, start, controls, c_rollouts)


def test_mjx_follows_c_mujoco_for_half_a_second(mjx_backend, start, controls, c_rollouts, determined):
    assert_follows(mjx_backend, start, controls, c_rollouts, determined)


@pytest.mark.slow  # compiles Warp's kernels: minutes the first time
def test_warp_does_too(reduced, start, controls, c_rollouts, determined):
    pytest.importorskip("warp")
    backend = physics.make_physics("warp", reduced.xml, SUBSTEPS, N_ENVS)
    assert_control_steps_match(backend, start, controls, c_rollouts)
    assert_follows(backend, start, controls, c_rollouts, determined)


def test_mjx_step_compiles_for_nvidia_and_tpu(reduced, start, controls):
    backend = physics.make_physics("mjx", reduced.xml, SUBSTEPS, 2)
    few = jax.tree.map(lambda x: x[:2], start)
    exported = jax.export.export(jax.jit(jax.vmap(backend.step)), platforms=("cuda", "tpu"))(few, controls[0][0][:2])
    assert set(exported.platforms) == {"cuda", "tpu"}
    assert [a.shape for a in exported.out_avals] == [x.shape for x in jax.tree.leaves(few)]


def test_active_muscle_damps_the_step_implicitly():
    """What MJX's own implicitfast lacks: here a light segment pulled by one strong muscle at 240 Hz."""
    xml = """<mujoco><option timestep="0.004166667" integrator="implicitfast" gravity="0 0 0"/>
    <worldbody><site name="a" pos="0 0.05 0"/><body><joint name="j" axis="0 0 1"/>
    <geom size="0.05" pos="0.1 0 0" mass="1" contype="0" conaffinity="0"/><site name="b" pos="0.1 0 0"/></body>
    </worldbody>
    <tendon><spatial name="t"><site site="a"/><site site="b"/></spatial></tendon>
    <actuator><muscle tendon="t" lengthrange="0.05 0.2" force="2000"/></actuator></mujoco>"""
    model = mujoco.MjModel.from_xml_string(xml)
    data = mujoco.MjData(model)
    data.qvel[:], data.act[:], data.ctrl[:] = 5.0, 1.0, 1.0
    device_model, device_data = mjx.put_model(model, impl="jax"), mjx.put_data(model, data, impl="jax")
    stepped = jax.jit(implicit.make_step(model))(device_model, device_data)
    plain = jax.jit(mjx.step)(device_model, device_data)
    mujoco.mj_step(model, data)
    np.testing.assert_allclose(stepped.qvel, data.qvel, rtol=1e-4)
    assert abs(plain.qvel[0] - data.qvel[0]) > 1.0


@pytest.mark.parametrize(("platform", "backend"), [("gpu", "warp"), ("tpu", "mjx"), ("cpu", "mujoco")])
def test_auto_picks_the_platforms_backend(monkeypatch, platform, backend):
    monkeypatch.setattr(jax, "default_backend", lambda: platform)
    assert physics.resolve_backend("auto") == backend
    assert physics.resolve_backend("mjx") == "mjx"


def test_warp_without_warp_lang_says_what_to_install(monkeypatch, reduced):
    monkeypatch.setitem(sys.modules, "warp", None)
    with pytest.raises(UserError, match=r"pip install 'mjx-assist\[cuda\]'"):
        physics.make_physics("warp", reduced.xml, SUBSTEPS, 2)


def test_state_that_is_not_carried_is_refused():
    """An actuator with a delay has a history, which a PhysicsState lacks: better no simulation than a wrong one."""
    xml = """<mujoco><worldbody><body><joint name="j" type="slide"/><geom size="0.1" mass="1"/></body></worldbody>
    <actuator><motor joint="j" delay="0.1" nsample="3"/></actuator></mujoco>"""
    with pytest.raises(UserError, match="state beyond qpos, qvel and act"):
        physics.make_physics("mujoco", xml, 1, 1)


def test_reset_state_is_32_bit_and_has_no_history(reduced):
    model = reduced.model
    state = physics.reset_state(model, np.ones(model.nq), np.ones(model.nv), np.ones(model.na))
    assert {x.dtype for x in jax.tree.leaves(state)} == {jnp.dtype("float32")}
    for name in ("time", "sensordata", "sensor_peak", "limit_load", "warmstart"):
        assert not np.any(getattr(state, name)), name
