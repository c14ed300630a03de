"""How closely a physics backend has to follow C MuJoCo: the bounds that every composition is held to."""

import jax
import mujoco
import numpy as np

ENVS = 16
SUBSTEPS = 8  # 30 Hz control, 240 Hz physics
CONTROL_STEPS = 15  # 0.5 s


def random_controls(model, seeds, envs):
    """Random controls, new at every control step: ``[seed, T, B, nu]``.

    Excitations up to 0.5 in every muscle and half the device's range: harder than walking. Over the whole range
    (antagonists fully on, 100 N*m on a swinging foot) 0.2 to 1.2 % of the angles miss 0.005 rad in 32 bits.
    """
    low, high = 0.5 * model.actuator_ctrlrange.T
    return np.float32(
        low + (high - low) * np.random.default_rng(0).uniform(size=(seeds, CONTROL_STEPS, envs, model.nu))
    )


def rollout(step, start, controls):
    """States after every control step, ``[T, B, ...]``; ``step`` is batched."""
    state, states = start, []
    for control in controls:
        state = step(state, control)
        states.append(jax.device_get(state))
    return jax.tree.map(lambda *x: np.stack(x), *states)


def determined(model, start, controls):
    """``[seed, B]`` True where C's own half second hardly changes with 32-bit noise after every control step.

    Elsewhere a foot grazes the ground: whether it touches one step earlier or later is not for a backend to decide.
    """
    rng = np.random.default_rng(1)

    def path(seed, env, noise):
        data, path = mujoco.MjData(model), []
        data.qpos[:], data.qvel[:], data.act[:] = start.qpos[env], start.qvel[env], start.act[env]
        for control in controls[seed, :, env]:
            data.ctrl[:] = control
            mujoco.mj_step(model, data, SUBSTEPS)
            path.append(data.qpos.copy())
            data.qpos[:] += noise * rng.uniform(-1, 1, model.nq)
            data.qvel[:] *= 1 + noise * rng.uniform(-1, 1, model.nv)
        return np.array(path)

    same = np.ones((controls.shape[0], controls.shape[2]), bool)
    for seed, env in np.ndindex(same.shape):
        exact = path(seed, env, 0.0)
        same[seed, env] = all(np.abs(path(seed, env, 3e-6) - exact).max() < 0.0025 for _ in range(3))
    return same


def assert_control_steps_match(model, step, start, controls, c_rollouts, grazes=0.0):
    """From every state of C's rollouts one control step further: joints, activations, sensors, joint-limit loads.

    Up to ``grazes`` of the steps may miss, if C's own result is decided by rounding there (`grazing`). Returns the
    highest load on a foot and the highest force of a joint limit: how much was proved.
    """
    of_touch = np.flatnonzero(model.sensor_type == mujoco.mjtSensor.mjSENS_TOUCH)
    touch = model.sensor_adr[of_touch]
    frame = np.setdiff1d(np.arange(model.nsensordata), touch)
    most_load = most_limit = excused = 0.0
    for seed, (episode, expected) in enumerate(zip(controls, c_rollouts, strict=True)):
        before = start
        for t, control in enumerate(episode):
            after = jax.device_get(step(before, control))
            right = jax.tree.map(lambda x, t=t: x[t], expected)
            assert not np.any(after.overflow)
            wrong = {
                "qpos": off(after.qpos, right.qpos, 5e-4),
                "qvel": off(after.qvel, right.qvel, 0.02, 1e-3),
                "act": off(after.act, right.act, 1e-5),
                "time": off(after.time[:, None], right.time[:, None], 1e-5),
                "touch": off(after.sensordata[:, touch], right.sensordata[:, touch], 3.0, 0.02),
                "touch peak": off(after.sensor_peak[:, touch], right.sensor_peak[:, touch], 3.0, 0.02),
                "position": off(after.sensordata[:, frame], right.sensordata[:, frame], 1e-4),
                "position peak": off(after.sensor_peak[:, frame], right.sensor_peak[:, frame], 1e-4),
                "limit load": off(after.limit_load, right.limit_load, 1.0, 0.01),
                "actuator length": off(after.actuator_length, right.actuator_length, 5e-4),
                "actuator velocity": off(after.actuator_velocity, right.actuator_velocity, 0.01, 1e-3),
                "last activation": off(after.last_act, right.last_act, 1e-5),
            }
            for env in np.flatnonzero(sum(wrong.values())):
                fields = [name for name, walkers in wrong.items() if walkers[env]]
                walker = jax.tree.map(lambda x, env=env: x[env], before)
                assert grazes and grazing(model, walker, control[env]), (seed, t, env, fields)
                excused += 1
            before = start.replace(qpos=right.qpos, qvel=right.qvel, act=right.act, time=right.time)
            most_load = max(most_load, right.sensordata[:, touch].max())
            most_limit = max(most_limit, right.limit_load.max())
    assert excused <= grazes * np.prod(controls.shape[:3])
    return most_load, most_limit


def off(found, right, atol, rtol=0.0):
    """``[B]`` walkers with a value further from C's than allowed (or not a number)."""
    return ~(np.abs(found - right) <= atol + rtol * np.abs(right)).all(axis=1)


def grazing(model, walker, control):
    """Is C's control step from this state decided by rounding: a foot that may or may not touch one step earlier?

    32-bit errors of eight steps: 1e-5 rad and 1e-5 of the speeds; C's own joint speeds then scatter by more than 0.01.
    """
    rng, data, ends = np.random.default_rng(2), mujoco.MjData(model), []
    for noise in [0.0] + [1e-5] * 20:
        data.qpos[:] = walker.qpos + noise * rng.uniform(-1, 1, model.nq)
        data.qvel[:] = walker.qvel * (1 + noise * rng.uniform(-1, 1, model.nv))
        data.act[:], data.ctrl[:] = walker.act, control
        mujoco.mj_step(model, data, SUBSTEPS)
        ends.append(data.qvel.copy())
    return np.ptp(ends, axis=0).max() > 0.01


def assert_loaded_steps_match(model, step, start, controls, c_rollouts):
    """`assert_control_steps_match`, where feet and a joint's limits bear load."""
    load, limit = assert_control_steps_match(model, step, start, controls, c_rollouts)
    assert load > 500.0 and limit > 50.0, "no load on the feet or on a joint's limit: little is proved"


def assert_follows(model, step, start, controls, c_rollouts, determined):
    """Half a second on its own: joint angles within 0.005 rad of C's at every control step.

    In at least 95 % of the determined episodes (one may miss where there are fewer than twenty).
    """
    hinge = model.jnt_type == mujoco.mjtJoint.mjJNT_HINGE
    follows = np.zeros_like(determined)
    for seed, (episode, expected) in enumerate(zip(controls, c_rollouts, strict=True)):
        error = np.abs(rollout(step, start, episode).qpos - expected.qpos)[..., hinge]
        follows[seed] = error.max(axis=(0, 2)) < 0.005
    missed = np.argwhere(determined & ~follows)
    assert len(missed) <= max(1, 0.05 * determined.sum()), missed
