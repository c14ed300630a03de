"""A controller's settings from a file are checked like those of a config."""

import json

import pytest

from mjx_assist.config import device, device_file
from mjx_assist.errors import UserError


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"type": "spline", "percent": [0, 50], "torque": [1, float("nan")]}, "torque[1]"),
        ({"type": "spline", "percent": [0, float("inf")], "torque": [1, 2]}, "percent[1]"),
        ({"type": "torque_profile", "peak_torque": float("-inf")}, "peak_torque"),
        ({"type": "impedance", "swing": {"rest_angle_rad": float("nan")}}, "swing.rest_angle_rad"),
    ],
)
def test_every_number_in_a_controllers_file_must_be_finite(settings, key, tmp_path):
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(settings))
    with pytest.raises(UserError) as error:
        device_file.read(file)
    assert f"config key {key!r}: must be a finite number" in str(error.value)


def test_a_controllers_file_gives_its_settings(tmp_path):
    file = tmp_path / "mine.json"
    file.write_text(
        json.dumps(
            {"type": "spline", "percent": [0, 50], "torque": [0, -1.5], "joint": "*hip*", "torque_unit": "N*m/kg"}
        )
    )
    assert device_file.read(file) == device.Spline((0.0, 50.0), (0.0, -1.5), joint="*hip*")
