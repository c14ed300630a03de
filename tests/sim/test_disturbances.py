"""Delay, noise, device path and pushes against closed forms, in NumPy and in JAX alike."""

import jax.numpy as jnp
import numpy as np
import pytest

from mjx_assist.sim.disturbances import delay_line, device_path, dropout, pushes, sensing

DT = 1 / 30
NAMES = ("qpos.knee_angle_r", "qvel.knee_angle_r", "act.soleus_r", "load.r_foot", "target_velocity", "phase.sin")


@pytest.mark.parametrize("xp", [np, jnp])
@pytest.mark.parametrize("delay", [0.0, 1.0, 1.5, 3.0])
def test_delayed_ramp_is_the_ramp_shifted(xp, delay):
    line = xp.zeros((delay_line.length(3 * DT, DT), 1))
    for step in range(10):
        line = delay_line.push(line, xp.asarray([2.0 * step]), xp)
        if step >= 4:
            np.testing.assert_allclose(delay_line.read(line, delay, xp), [2.0 * (step - delay)], rtol=1e-6)


@pytest.mark.parametrize("xp", [np, jnp])
def test_only_what_is_measured_comes_late_and_noisy(xp):
    sd, rng = sensing.deviation(NAMES), np.random.default_rng(0)
    state = sensing.start(0.5, 2 * DT, 3 * DT, DT, xp.zeros(6), xp)
    seen = []
    for step in range(400):
        state, now = sensing.sense(state, xp.full(6, 0.1 * step), xp.asarray(rng.normal(size=6)), sd, xp)
        seen.append(np.asarray(now) - 0.1 * step)
    off = np.array(seen)[10:]
    own = [2, 4, 5]
    np.testing.assert_allclose(off[:, own], 0.0, atol=1e-5)
    measured = [0, 1, 3]
    np.testing.assert_allclose(off[:, measured].mean(axis=0), -0.2, atol=0.02)
    np.testing.assert_allclose(off[:, measured].std(axis=0), 0.5 * np.array([0.02, 0.2, 0.05]), rtol=0.15)


@pytest.mark.parametrize("xp", [np, jnp])
def test_device_path_answers_a_step_like_a_delayed_first_order_low_pass(xp):
    gain, delay, bandwidth = 0.9, 2 * DT, 1.5
    path = device_path.start(gain, delay, xp.asarray(bandwidth), 0.1, DT, 1, xp)
    answer = []
    for _ in range(30):
        path, torque = device_path.drive(path, xp.ones(1), xp)
        answer.append(float(torque[0]))
    since = np.maximum(0.0, (np.arange(30) + 1) * DT - delay)  # at the end of each control step
    np.testing.assert_allclose(answer, gain * (1 - np.exp(-2 * np.pi * bandwidth * since)), atol=1e-6)


@pytest.mark.parametrize("xp", [np, jnp])
def test_neutral_device_path_changes_nothing(xp):
    path = device_path.start(1.0, 0.0, xp.asarray(np.inf), 0.0, DT, 2, xp)
    for command in np.random.default_rng(0).uniform(-1, 1, (5, 2)):
        path, torque = device_path.drive(path, xp.asarray(command), xp)
        np.testing.assert_allclose(torque, command, rtol=1e-6)


@pytest.mark.parametrize("xp", [np, jnp])
def test_a_device_goes_off_as_often_and_when_it_should_and_stays_off(xp):
    """A chance of 0.2 to 0.4, between 5 s before the start and 10 s after it: a third of them from the start."""
    uniform = np.random.default_rng(0).uniform(size=(20000, dropout.N_UNIFORM))
    when = np.array(dropout.sample((0.2, 0.4), (-5.0, 10.0), xp.asarray(uniform.T), xp))
    goes_off = np.isfinite(when)
    assert goes_off.mean() == pytest.approx(0.3, abs=0.01)
    assert (when[goes_off] < 0).mean() == pytest.approx(1 / 3, abs=0.02)
    assert when[goes_off].min() > -5.001 and when[goes_off].max() < 10.001
    on = [bool(dropout.drive(0.2, step / 30, xp.ones(1), xp)[0]) for step in range(12)]
    assert on == [True] * 6 + [False] * 6  # 0.2 s are six control steps
    assert dropout.drive(np.inf, 1e6, xp.ones(1), xp) == 1


@pytest.mark.parametrize("xp", [np, jnp])
@pytest.mark.parametrize("dt", [1 / 30, 1 / 50, 1 / 100])
def test_every_push_gives_its_impulse(xp, dt):
    drawn = pushes.sample((10.0, 20.0), (1.0, 1.0), xp.asarray(np.random.default_rng(3).uniform(size=9)), xp)
    force = np.array([float(pushes.force(drawn, step * dt, dt, xp)) for step in range(round(5 / dt))])
    assert not force[: round(1 / dt)].any()
    impulse = [force[round(k / dt) : round((k + 1) / dt)].sum() * dt for k in range(1, 5)]
    np.testing.assert_allclose(impulse, np.asarray(drawn.impulse)[:4], rtol=1e-5)
    assert (np.abs(impulse) >= 10.0).all() and (np.abs(impulse) <= 20.0).all()


def test_pushes_go_either_way():
    rng = np.random.default_rng(0)
    signs = np.sign([pushes.sample((5.0, 9.0), (1.0, 2.0), rng.uniform(size=9)).impulse for _ in range(200)])
    assert abs(signs.mean()) < 0.1


@pytest.mark.parametrize("xp", [np, jnp])
def test_pushes_are_turned_by_their_angle_and_the_heading(xp):
    drawn = pushes.sample((20.0, 20.0), (1.0, 1.0), xp.asarray([1.0] * 9), xp)
    aside = pushes.directed(drawn, (np.pi / 2, np.pi / 2), xp.zeros(pushes.N_IMPULSES))
    for pushing, heading, expected in (
        (drawn, None, (100.0, None)),
        (drawn, np.pi, (-100.0, 0.0)),
        (aside, None, (0.0, 100.0)),  # 20 N*s in 0.2 s, to the left
        (aside, np.pi / 2, (-100.0, 0.0)),  # left of a walker who faces left is where it came from
    ):
        forward, left = pushes.horizontal(pushing, 1.1, 1 / 30, xp, heading)
        assert float(forward) == pytest.approx(expected[0], abs=1e-4)
        assert left is None if expected[1] is None else float(left) == pytest.approx(expected[1], abs=1e-4)
    drawn = pushes.directed(drawn, (-1.0, 2.0), xp.asarray(np.linspace(0, 1, pushes.N_IMPULSES)))
    assert float(drawn.angle.min()) == -1.0 and float(drawn.angle.max()) == 2.0
