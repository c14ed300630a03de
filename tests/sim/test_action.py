"""Actions to controls: what -1, 0 and +1 mean for muscles and for devices of every range."""

import jax.numpy as jnp
import mujoco
import numpy as np
import pytest

from mjx_assist.model.names import activation_names
from mjx_assist.sim import action

RANGES = {"pull": (-1, 0), "push": (0, 400), "both": (-1, 1), "uneven": (-2, 1)}


@pytest.fixture(scope="module")
def devices():
    """A muscle and a motor of every kind of range on one hinge."""
    motors = "".join(f'<motor name="{n}" joint="j" ctrlrange="{a} {b}" gear="10"/>' for n, (a, b) in RANGES.items())
    xml = f"""<mujoco><worldbody><site name="a" pos="0 0 1"/><body><joint name="j"/><geom size="0.1"/>
    <site name="b" pos="0.2 0 0"/></body></worldbody>
    <tendon><spatial name="t"><site site="a"/><site site="b"/></spatial></tendon>
    <actuator><muscle name="m" tendon="t" ctrlrange="0 1" lengthrange="0.5 1.5"/>{motors}</actuator></mujoco>"""
    return mujoco.MjModel.from_xml_string(xml)


def controls(model, value):
    spec = action.make_action_spec(model)
    names = [model.actuator(i).name for i in range(model.nu)]
    return dict(zip(names, action.to_control(spec, np.full(model.nu, value)), strict=True))


def test_zero_is_zero_torque_whatever_the_range(devices):
    at_zero = controls(devices, 0.0)
    assert at_zero.pop("m") == 0.5
    assert set(at_zero.values()) == {0.0}


def test_the_ends_reach_the_whole_range_and_no_further(devices):
    for size in (1.0, 7.0):
        assert controls(devices, size) == {"m": 1.0, "pull": -1.0, "push": 400.0, "both": 1.0, "uneven": 1.0}
        assert controls(devices, -size) == {"m": 0.0, "pull": 0.0, "push": 0.0, "both": -1.0, "uneven": -2.0}


def test_the_neutral_action_is_what_an_idle_actuator_gets(devices):
    spec = action.make_action_spec(devices)
    np.testing.assert_array_equal(action.to_control(spec, spec.neutral), 0.0)
    data = mujoco.MjData(devices)
    data.ctrl[:] = action.to_control(spec, np.zeros(devices.nu))
    mujoco.mj_forward(devices, data)
    np.testing.assert_array_equal(data.actuator_force[1:], 0.0)  # all but the muscle


def test_effort_is_relative_to_each_devices_range(devices):
    spec = action.make_action_spec(devices)
    control = np.array([0.3, -1.0, 200.0, 0.0, -1.0])
    assert action.device_effort(spec, control) == pytest.approx((1.0 + 0.25 + 0.0 + 0.25) / 4)
    assert action.device_effort(spec, np.stack([control] * 3)).shape == (3,)


def test_no_device_is_no_effort():
    muscles = action.ActionSpec(np.ones(2, bool), np.ones(2), np.zeros(2))
    np.testing.assert_array_equal(action.device_effort(muscles, np.ones((4, 2))), np.zeros(4))


def test_jax_and_numpy_agree(devices):
    spec = action.make_action_spec(devices)
    some = np.random.default_rng(0).normal(size=(20, devices.nu)).astype(np.float32)
    control = action.to_control(spec, some)
    np.testing.assert_allclose(action.to_control(spec, jnp.asarray(some), jnp), control, rtol=1e-6)
    np.testing.assert_allclose(
        action.device_effort(spec, jnp.asarray(control), jnp), action.device_effort(spec, control), rtol=1e-5
    )


def test_only_muscles_start_active_and_a_filtered_motor_starts_at_rest():
    """The motor's filter is an activation too, and here it comes first."""
    xml = """<mujoco><worldbody><site name="a" pos="0 0 1"/><body><joint name="j"/><geom size="0.1"/>
    <site name="b" pos="0.2 0 0"/></body></worldbody>
    <tendon><spatial name="t"><site site="a"/><site site="b"/></spatial></tendon>
    <actuator><general name="f" joint="j" dyntype="filter" dynprm="0.07" gainprm="600" ctrllimited="true"
    ctrlrange="-1 0"/><motor name="free" joint="j"/>
    <muscle name="m" tendon="t" ctrlrange="0 1" lengthrange="0.5 1.5"/></actuator></mujoco>"""
    model = mujoco.MjModel.from_xml_string(xml)
    assert activation_names(model) == ("f", "m")
    np.testing.assert_array_equal(action.muscle_activations(model), [1])
    np.testing.assert_array_equal(action.initial_activation(model), [0.0, action.INITIAL_ACTIVATION])
    spec = action.make_action_spec(model)
    np.testing.assert_array_equal(action.to_control(spec, spec.neutral), 0.0)
    np.testing.assert_allclose(action.to_control(spec, np.ones(3)), [-1.0, 1.0, 1.0])


def test_over_the_whole_range_minus_one_and_one_are_its_ends(devices):
    spec = action.make_action_spec(devices, "whole_range")
    low, high = devices.actuator_ctrlrange[1:].T
    for value in (-3.0, -1.0, -0.25, 0.0, 0.5, 1.0):
        expected = 0.5 * (low + high) + 0.5 * (high - low) * np.clip(value, -1, 1)
        np.testing.assert_allclose(action.to_control(spec, np.full(devices.nu, value))[1:], expected, atol=1e-6)
    np.testing.assert_allclose(action.to_control(spec, spec.neutral), 0.0, atol=1e-6)
