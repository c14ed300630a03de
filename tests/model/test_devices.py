"""What the list tells of devices: complete, and what the model says."""

import numpy as np
import pytest

from mjx_assist.model import devices
from mjx_assist.model.assembly import device_mass
from mjx_assist.sim.device.motors import make_motors, torque_limits


def test_every_device_has_its_line():
    assert [row["device"] for row in devices.shipped()] == sorted(devices.first_wearers())


def test_a_line_says_what_the_motors_of_the_model_can_give(reduced):
    """Against the moment arms that the controller uses, at the reference pose."""
    (row,) = (row for row in devices.shipped() if row["device"] == reduced.device)
    motors = make_motors(reduced.model)
    assert tuple(drive["joint"] for drive in row["drives"]) == motors.joint_names
    low, high = torque_limits(motors, reduced.model.qpos0[motors.joint])
    told = np.array([drive["torque_nm"] for drive in row["drives"]])
    np.testing.assert_allclose(told, np.stack([low, high], 1), atol=0.5)
    assert row["mass_kg"] == pytest.approx(device_mass(reduced.human, reduced.device), abs=0.01)
    assert row["kind"] == devices.EXOSKELETON
