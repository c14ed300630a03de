"""Device figures that the metrics tests leave out, against closed forms."""

import dataclasses

import numpy as np
import pytest
from scipy.integrate import quad
from synthetic_gait import JOINT_WAVES, JOINTS, MASS, PULSE, synthetic_gait

from mjx_assist.eval.gait.device import device_summary

WIDTH = PULSE[1] - PULSE[0]


def ankle(**kwargs):
    return device_summary([synthetic_gait(rate=1000.0, **kwargs)])["ankle_angle"]


def half_sine_arc(width):
    """Spectral arc length of a half sine of a width in cycles, from its spectrum cos(pi f w) / (1 - (2 f w)^2)."""

    def magnitude(f):
        x = f * width
        return np.pi / 4 if abs(x - 0.5) < 1e-9 else np.cos(np.pi * x) / (1 - 4 * x * x)

    grid = np.linspace(0, 20, 200001)
    end = grid[np.abs([magnitude(f) for f in grid]) >= 0.05][-1]

    def arc(f):
        return np.hypot((abs(magnitude(f + 1e-6)) - abs(magnitude(f - 1e-6))) / 2e-6, 1 / end)

    return -quad(arc, 0, end, limit=400)[0]


@pytest.mark.parametrize("leg", ["right", "left", "both"])
def test_smoothness_of_a_half_sine_is_its_spectrums_arc(leg):
    assert ankle()[leg]["torque_spectral_arc_length"] == pytest.approx(half_sine_arc(WIDTH), rel=0.01)


def test_smoothness_ignores_size_and_speed_but_not_ripple():
    smooth = ankle()["both"]["torque_spectral_arc_length"]
    assert ankle(device_peak=(-5.0, -5.0), stride_time=1.4)["both"]["torque_spectral_arc_length"] == pytest.approx(
        smooth, rel=0.01
    )
    record = synthetic_gait(rate=1000.0)
    ripple = 1 + 0.3 * np.sin(2 * np.pi * 14 * record.time)[:, None]
    rough = device_summary([dataclasses.replace(record, device_torque=record.device_torque * ripple)])["ankle_angle"]
    assert rough["both"]["torque_spectral_arc_length"] < smooth - 0.1


def test_legs_that_are_helped_alike_agree():
    alike = ankle(left_delay=0.42)["left_right"]
    assert alike["correlation"] == pytest.approx(1.0, abs=1e-4)
    assert alike["nrmse"] == pytest.approx(0.0, abs=0.01)


def test_legs_with_half_the_torque_differ_by_its_rms():
    got = ankle(device_peak=(-30.0, -15.0))["left_right"]
    assert got["correlation"] == pytest.approx(1.0, abs=1e-4)
    assert got["nrmse"] == pytest.approx(15 * np.sqrt(WIDTH / 2) / 22.5, rel=0.01)


def test_peak_power_is_the_largest_product_of_torque_and_velocity():
    _, amplitude, shift = JOINT_WAVES["ankle_angle"]
    cycle = np.linspace(*PULSE, 20001)
    torque = -30 * np.sin(np.pi * (cycle - PULSE[0]) / WIDTH)
    velocity = amplitude * 2 * np.pi / 1.1 * np.cos(2 * np.pi * (cycle - shift))
    assert ankle()["both"]["power_peak_w_per_kg"] == pytest.approx((torque * velocity).max() / MASS, rel=0.01)


def test_share_of_the_joints_work():
    """One where the muscles are silent; one third where they do twice the device's moment."""
    record = synthetic_gait()
    columns = [JOINTS.index(joint) for joint in record.device_joints]
    for factor in (1.0, 3.0):
        moment = np.zeros_like(record.joint_moment)
        moment[:, columns] = factor * record.device_torque
        got = device_summary([dataclasses.replace(record, joint_moment=moment)])["ankle_angle"]
        assert got["both"]["joint_positive_work_fraction"] == pytest.approx(1 / factor)


def test_an_idle_device_has_no_smoothness_and_no_agreement():
    idle = ankle(device_peak=(0.0, 0.0))
    assert np.isnan(idle["both"]["torque_spectral_arc_length"])
    assert np.isnan(idle["left_right"]["correlation"]) and np.isnan(idle["left_right"]["nrmse"])
