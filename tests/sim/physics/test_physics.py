"""The three backends take the same physics step: C MuJoCo directly is the judge."""

import re
import sys
from pathlib import Path

import agreement
import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest
from mujoco import mjx

from mjx_assist.errors import UserError
from mjx_assist.reference.cycle import sample
from mjx_assist.sim.physics import implicit, warp
from mjx_assist.sim.physics.base import reset_state
from mjx_assist.sim.physics.make import make_physics, resolve_backend

N_ENVS = 16
SUBSTEPS = agreement.SUBSTEPS
SEEDS = 3


@pytest.fixture(scope="module")
def start(reduced, gait):
    """Walkers spread over the gait cycle, feet near the ground: a batched PhysicsState."""
    phase = np.arange(N_ENVS) / N_ENVS
    qpos, qvel, _ = sample(gait, phase, 1.25)
    act = jnp.full((N_ENVS, reduced.model.na), 0.01)
    reset = jax.vmap(lambda q, v, a: reset_state(reduced.model, q, v, a))
    return reset(jnp.float32(qpos), jnp.float32(qvel), act)


@pytest.fixture(scope="module")
def controls(reduced):
    return agreement.random_controls(reduced.model, SEEDS, N_ENVS)


@pytest.fixture(scope="module")
def c_backend(reduced):
    return make_physics("mujoco", reduced.xml, SUBSTEPS, N_ENVS, num_threads=2)


@pytest.fixture(scope="module")
def c_rollouts(c_backend, start, controls):
    step = jax.jit(jax.vmap(c_backend.step))
    return [agreement.rollout(step, start, episode) for episode in controls]


@pytest.fixture(scope="module")
def determined(c_backend, start, controls):
    same = agreement.determined(c_backend.model, start, controls)
    assert same.mean() > 0.8
    return same


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


@pytest.fixture(scope="module")
def mjx_step(reduced):
    return jax.jit(jax.vmap(make_physics("mjx", reduced.xml, SUBSTEPS, N_ENVS).step))


def assert_control_steps_match(model, step, start, controls, c_rollouts):
    load, limit = agreement.assert_control_steps_match(model, step, start, controls, c_rollouts)
    assert load > 500.0 and limit > 50.0, "no load on the feet or on a joint's limit: little is proved"


def test_mjx_takes_c_mujocos_control_step(c_backend, mjx_step, start, controls, c_rollouts):
    assert_control_steps_match(c_backend.model, mjx_step, start, controls, c_rollouts)


def test_mjx_follows_c_mujoco_for_half_a_second(c_backend, mjx_step, start, controls, c_rollouts, determined):
    agreement.assert_follows(c_backend.model, mjx_step, start, controls, c_rollouts, determined)


@pytest.mark.slow  # compiles Warp's kernels: minutes the first time
def test_warp_does_too(reduced, c_backend, start, controls, c_rollouts, determined):
    pytest.importorskip("warp")
    step = jax.jit(jax.vmap(make_physics("warp", reduced.xml, SUBSTEPS, N_ENVS).step))
    assert_control_steps_match(c_backend.model, step, start, controls, c_rollouts)
    agreement.assert_follows(c_backend.model, step, start, controls, c_rollouts, determined)


def test_mjx_step_compiles_for_nvidia_and_tpu(reduced, start, controls):
    backend = make_physics("mjx", reduced.xml, SUBSTEPS, 2)
    few = jax.tree.map(lambda x: x[:2], start)
    exported = jax.export.export(jax.jit(jax.vmap(backend.step)), platforms=("cuda", "tpu"))(few, controls[0][0][:2])
    assert set(exported.platforms) == {"cuda", "tpu"}
    assert [a.shape for a in exported.out_avals] == [x.shape for x in jax.tree.leaves(few)]


@pytest.fixture(scope="module")
def everything():
    """MJCF with one of each kind of constraint, actuator and tendon that a model may have."""
    return Path(__file__).with_name("everything.xml").read_text()


def random_states(model, count):
    """qpos, qvel, act, ctrl in 32 bits, for the model ``everything``: each of its constraints acts in some of them."""
    rng = np.random.default_rng(0)
    qpos = rng.uniform(-0.6, 0.6, (count, model.nq))
    qpos[:, 1] = rng.uniform(-1.2, 0.15, count)
    qpos[:, 2] = 0.002 + 0.03 * qpos[:, 1] + rng.normal(0, 0.003, count)
    qvel = rng.normal(0, 1, (count, model.nv)) * np.where(np.arange(model.nv) == 2, 0.05, 1.0)
    act = np.column_stack([rng.uniform(0, 1, count), rng.uniform(-0.9, 0.25, (count, model.na - 1))])
    return tuple(np.float32(x) for x in (qpos, qvel, act, rng.uniform(-1.2, 1.2, (count, model.nu))))


@pytest.mark.parametrize("backend", ["mjx", pytest.param("warp", marks=pytest.mark.slow)])
def test_mjx_takes_c_mujocos_step_with_everything_a_model_may_have(everything, backend):
    """Joint-limit loads too: in MJX's rows equalities and friction come first, tendon limits and contacts after."""
    if backend == "warp":  # which does not solve dry friction as C does, and is not asked to
        everything = re.sub(r' frictionloss="[0-9.]+"', "", everything)
    model = mujoco.MjModel.from_xml_string(everything)
    qpos, qvel, act, ctrl = random_states(model, 128)
    start = jax.vmap(lambda q, v, a: reset_state(model, q, v, a))(qpos, qvel, act)
    found = jax.jit(jax.vmap(make_physics(backend, everything, 1, len(qpos)).step))(start, ctrl)
    right = jax.vmap(make_physics("mujoco", everything, 1, len(qpos)).step)(start, ctrl)
    speed = np.abs(right.qvel).max(axis=1, keepdims=True)
    assert (np.abs(found.qvel - right.qvel) < 2e-4 * np.maximum(1.0, speed)).all()
    np.testing.assert_allclose(found.act, right.act, atol=1e-6)
    np.testing.assert_allclose(found.limit_load, right.limit_load, atol=0.05, rtol=1e-3)
    assert (right.limit_load > 1.0).any(axis=0).all()

    data, met, clamped = mujoco.MjData(model), set(), 0
    for data.qpos[:], data.qvel[:], data.act[:], data.ctrl[:] in zip(qpos, qvel, act, ctrl, strict=True):
        mujoco.mj_forward(model, data)
        met |= {int(kind) for kind in data.efc_type[np.abs(data.efc_force) > 1e-3]}
        clamped += abs(data.actuator_force[3]) > 5.999
    kinds = mujoco.mjtConstraint
    absent = {kinds.mjCNSTR_CONTACT_ELLIPTIC}
    if backend == "warp":
        absent |= {kinds.mjCNSTR_FRICTION_DOF, kinds.mjCNSTR_FRICTION_TENDON}
    assert met == {int(kind) for kind in set(kinds.__members__.values()) - absent} and clamped > 10


@pytest.mark.slow
def test_warp_reports_what_it_has_no_room_for(reduced, start, controls):
    pytest.importorskip("warp")
    for headroom, overflow in ((1.25, 0.0), (0.1, 1.0)):
        backend = warp.WarpPhysics(reduced.xml, SUBSTEPS, N_ENVS, headroom=headroom)
        after = jax.jit(jax.vmap(backend.step))(start, controls[0][0])
        np.testing.assert_array_equal(after.overflow, overflow)


def test_warp_refuses_dry_friction(everything):
    pytest.importorskip("warp")
    with pytest.raises(UserError, match=r"joint 'ankle' has frictionloss 0\.8"):
        make_physics("warp", everything, 1, 1)


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
    assert resolve_backend("auto") == backend
    assert resolve_backend("mjx") == "mjx"


def test_warp_without_warp_lang_says_what_to_install(monkeypatch, reduced):
    monkeypatch.setitem(sys.modules, "warp", None)
    with pytest.raises(UserError, match=r"pip install 'mjx-assist\[cuda\]'"):
        make_physics("warp", reduced.xml, SUBSTEPS, 2)


def test_state_that_is_not_carried_is_refused():
    """An actuator with a delay has a history, which a PhysicsState lacks: better no simulation than a wrong one."""
    xml = """<mujoco><worldbody><body><joint name="j" type="slide"/><geom size="0.1" mass="1"/></body></worldbody>
    <actuator><motor joint="j" delay="0.1" nsample="3"/></actuator></mujoco>"""
    with pytest.raises(UserError, match="state beyond qpos, qvel and act"):
        make_physics("mujoco", xml, 1, 1)


def test_reset_state_is_32_bit_and_has_no_history(reduced):
    model = reduced.model
    state = reset_state(model, np.ones(model.nq), np.ones(model.nv), np.ones(model.na))
    assert {x.dtype for x in jax.tree.leaves(state)} == {jnp.dtype("float32")}
    for name in ("time", "sensordata", "sensor_peak", "limit_load", "warmstart"):
        assert not np.any(getattr(state, name)), name
