"""What a walk costs and asks of the device: a synthetic gait's closed forms, and a device held at its limit."""

import dataclasses

import numpy as np
import pytest
from synthetic_gait import synthetic_gait

from mjx_assist.eval.gait.metabolics import metabolic_summary
from mjx_assist.eval.replay.replay import replay
from mjx_assist.eval.studies.effort import effort
from mjx_assist.model.assembly import device_mass


def test_a_synthetic_gait_costs_and_goes_what_its_closed_forms_say(untrained_bundle):
    record = synthetic_gait()
    told = effort(record, untrained_bundle)
    assert told["speed_m_s"] == pytest.approx(1.25, rel=5e-3) and not told["fell"]
    for model, power in told["muscle_power_w"].items():
        per_kg = metabolic_summary([record])[model]["power_w_per_kg"]
        assert power == pytest.approx(per_kg * record.body_mass, rel=0.01)
    right = told["device"][0]
    assert right["joint"] == "ankle_angle_r"
    assert right["torque_peak_nm"] == pytest.approx(np.abs(record.device_torque[:, 0]).max())
    assert right["power_peak_w"] == pytest.approx(record.device_power[:, 0].max())
    assert right["torque_limit_nm"] == pytest.approx(100.0)  # Tutorial_L1's motors
    # It plantarflexes only: what pulls the other way would be over any limit, and is not taken for a share of one.
    share = np.maximum(-record.device_torque[:, 0], 0).max() / 100
    assert right["torque_limit_share_peak"] == pytest.approx(share)


def test_a_motor_at_its_limit_is_seen(untrained_bundle):
    record = synthetic_gait()
    torque = np.where(record.time % 1.0 < 0.25, -100.0, -40.0)
    moment = record.device_moment.copy()
    moment[:, record.joint_names.index("ankle_angle_r")] = torque
    told = effort(dataclasses.replace(record, device_moment=moment), untrained_bundle)["device"][0]
    assert told["torque_limit_share_peak"] == pytest.approx(1.0)
    assert told["time_at_limit_share"] == pytest.approx((torque < -99).mean())


def test_a_walk_without_a_stride_tells_no_cost(untrained_bundle):
    told = effort(replay(untrained_bundle, steps=5), untrained_bundle)
    assert told["strides"] == 0 and told["speed_m_s"] is None and told["muscle_power_w"]["umberger2010"] is None


def test_a_devices_mass_is_what_it_adds_to_the_human():
    assert device_mass("myolegs22", "Tutorial_L1") == pytest.approx(2.33, abs=1e-3)  # of its parts in assist_sim's file
    assert device_mass("myolegs22", "none") == 0.0
