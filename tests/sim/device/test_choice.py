"""Which controllers a config, a flag and a device take, and in which words the others are refused."""

import dataclasses
import json

import mujoco
import numpy as np
import pytest
from controlled import SETTINGS, controlled

from mjx_assist import config as configs
from mjx_assist.config.device import Impedance, OwnController, Spline, TorqueProfile, ZeroTorque
from mjx_assist.config.schema import EnvParams, RunConfig
from mjx_assist.errors import UserError
from mjx_assist.eval.replay.controller import with_controller
from mjx_assist.model.reduction import reduce_model
from mjx_assist.sim.device.controller import make_controller
from mjx_assist.sim.device.motors import controls, make_motors

DT = 1 / 30


@pytest.mark.parametrize(
    ("device", "settings", "told"),
    [
        ("none", ZeroTorque(), "no device"),
        ("Hippo_L1", TorqueProfile(), "ankle_angle"),
        ("Tutorial_L1", Impedance(1.0, joint="*hip*"), "ankle_angle_l, ankle_angle_r"),
    ],
)
def test_a_controller_at_the_wrong_device_is_refused(device, settings, told):
    model = mujoco.MjModel.from_xml_string(reduce_model("myolegs22", device).xml)
    with pytest.raises(UserError, match=told):
        make_controller(settings, model, DT)


@pytest.mark.parametrize(
    ("actuator", "told"),
    [
        ("<position name='servo' joint='ankle_angle_r' kp='5'/>", "servo"),
        ("<motor name='on' joint='ankle_angle_r' ctrlrange='0.2 1' ctrllimited='true'/>", "never off"),
        ("<damper name='brake' joint='ankle_angle_r' kv='1' ctrlrange='0 1'/>", "not proportional"),
    ],
)
def test_what_is_no_motor_is_refused_by_name_and_reason(actuator, told):
    model = mujoco.MjModel.from_xml_string(
        "<mujoco><worldbody><body><joint name='ankle_angle_r'/><geom size='.1'/></body></worldbody>"
        f"<actuator>{actuator}</actuator></mujoco>"
    )
    with pytest.raises(UserError, match=told):
        make_motors(model)


def test_flag_takes_names_and_files_and_refuses_the_rest(untrained_bundle, tmp_path):
    assert with_controller(untrained_bundle, None) is untrained_bundle
    profile = with_controller(untrained_bundle, "profile").config.env_params.device_controller
    assert profile == TorqueProfile()
    file = tmp_path / "mine.json"
    file.write_text(
        json.dumps({"type": "torque_profile", "joint": "*ankle*", "peak_torque": -20, "torque_unit": "N*m"})
    )
    mine = with_controller(untrained_bundle, str(file)).config.env_params.device_controller
    assert (mine.peak_torque, mine.torque_unit) == (-20.0, "N*m")
    with pytest.raises(UserError, match="Did you mean 'profile'"):
        with_controller(untrained_bundle, "profil")
    with pytest.raises(UserError, match="trained with 'zero_torque'"):
        with_controller(controlled(untrained_bundle, ZeroTorque()), "learned")
    for text in (
        '{"type": "torque_profile", "fall_time_percent": 60}',
        '{"type": "spline"}',
        "[1]",
        '{"type": "spin"}',
    ):
        file.write_text(text)
        with pytest.raises(UserError):
            with_controller(untrained_bundle, str(file))


def test_a_file_of_torques_says_joint_and_unit_and_is_told_by_its_sign(untrained_bundle, tmp_path, capsys):
    file, whole = tmp_path / "mine.json", {"type": "torque_profile", "joint": "*ankle_angle*", "torque_unit": "N*m"}
    for missing in ("joint", "torque_unit"):
        file.write_text(json.dumps({key: value for key, value in whole.items() if key != missing}))
        with pytest.raises(UserError, match=f"'{missing}' must be given"):
            with_controller(untrained_bundle, str(file))
    file.write_text(json.dumps({**whole, "peak_torque": -20}))
    with_controller(untrained_bundle, str(file))
    told = "up to -20 N*m about *ankle_angle* (plantarflexion) at 52.9 % of the gait cycle"
    assert told in capsys.readouterr().err


def test_a_torque_that_the_motor_can_never_give_is_refused(reduced, capsys):
    """Tutorial_L1's cable pulls the foot down only; its limits are those that its motors are clipped at."""
    for settings in (TorqueProfile(peak_torque=0.5), Spline((0.0, 50.0), (0.0, 0.3), joint="*ankle_angle*")):
        with pytest.raises(UserError, match=r"can never push: it asks for \+.*\(dorsiflexion\).*turn the sign"):
            make_controller(settings, reduced.model, DT)
    make_controller(TorqueProfile(peak_torque=-0.5), reduced.model, DT)
    assert "asks for" not in capsys.readouterr().err
    make_controller(TorqueProfile(peak_torque=-350.0, torque_unit="N*m"), reduced.model, DT)
    told = capsys.readouterr().err
    motors = make_motors(reduced.model)
    least = min(torque_at(motors, angle) for angle in np.linspace(*motors.angle_range[:, 0], 21))
    assert f"its motor gives {least:+.1f} to +0.0 N*m" in told or f"its motor gives {least:+.1f} to -0.0 N*m" in told


def torque_at(motors, angle):
    """The strongest plantarflexing torque (N*m) of the first motor at an angle."""
    full = controls(motors, np.array([-1e4, -1e4]), np.array([angle, angle]))
    return float((motors.gain * full * [np.polyval(arm, angle) for arm in motors.arm.T])[0])


OWN = OwnController("a.b:c", parameters={"gain": 2, "names": ["x"]})


@pytest.mark.parametrize("settings", [None, *SETTINGS, OWN], ids=lambda s: s.type if s else "none")
def test_config_keeps_a_controller_through_json(settings):
    config = RunConfig(env_params=dataclasses.replace(EnvParams(), device_controller=settings))
    assert configs.from_dict(json.loads(json.dumps(configs.to_dict(config)))) == config


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        ({"type": "torque_profil"}, "Did you mean 'torque_profile'"),
        ({"type": "torque_profile", "peak_tim": 3}, "Did you mean 'peak_time_percent'"),
        ({"type": "torque_profile", "torque_unit": "Nm"}, "torque_unit"),
        ({"type": "torque_profile", "rise_time_percent": 60}, "begins? at -7.1"),
        ({"type": "spline", "percent": [0, 50, 40], "torque": [0, 1, 0]}, "increase"),
        ({"type": "spline", "percent": [0, 50], "torque": [0, 1, 0]}, "same length"),
        ({"type": "impedance", "stiffness_nm_per_rad": -1}, "0 or more"),
        ({"type": "impedance", "swing": {"stifness": 1}}, "stifness"),
        ({"type": "impedance", "stiffness_nm_per_rad": 0}, "can never push: stiffness and damping are 0"),
        ({"type": "torque_profile", "peak_torque": 0}, "can never push: its torque is 0"),
        ({"type": "torque_profile", "peak_torque": -25}, r"-25 N\*m/kg is more than any device.*mean N\*m\?"),
        ({"type": "torque_profile", "peak_torque": -900, "torque_unit": "N*m"}, "at most 400"),
        ({"type": "spline", "percent": [0, 50], "torque": [0, 25]}, r"25 N\*m/kg is more"),
        ({"type": "impedance_phases", "joints": {"*": {"late_swing": {"stiffness_nm_per_rad": -1}}}}, "0 or more"),
        ({"type": "impedance_phases", "joints": {}, "late_stance_percent": 80}, "late_stance_percent"),
        ({"type": "impedance_phases"}, "joints must be given"),
        ("zero_torque", "expected"),
        ({"type": "my_package.controllers.spring"}, "Allowed: .*, package.module:function, "),
        ({"type": "my package:spring"}, "type: 'my package:spring' names no function"),
        ({"type": "my_package:spring", "peak_torque": 3}, "Allowed: joint, parameters, torque_unit, type"),
        ({"type": "my_package:spring", "parameters": [3]}, r"parameters': expected dict, got \[3\]"),
        ({"type": "my_package:spring", "parameters": {"gain": float("inf")}}, "must be a finite number"),
    ],
)
def test_config_answers_a_wrong_controller_by_key_and_nearest_match(tree, told):
    with pytest.raises(UserError, match=told):
        configs.from_dict({"env_params": {"device_controller": tree}})
