"""Walks in a batch are the walks that CPU replay makes of the same design: as far, at the same cost."""

import dataclasses

import numpy as np
import pytest

from mjx_assist.config.design_study import FIGURES
from mjx_assist.config.family import DeviceFamily
from mjx_assist.eval.replay.conditions import Conditions, constant
from mjx_assist.eval.replay.design import wearing
from mjx_assist.eval.replay.replay import replay
from mjx_assist.eval.studies.effort import effort
from mjx_assist.lab.walks import Walks
from mjx_assist.policy import bundle as bundles
from mjx_assist.policy import shipped


@pytest.fixture
def walker():
    """A shipped policy as one for a family that it does not see: its device gives what each design says."""
    bundle = bundles.load(shipped.find("walk22_zero_torque"))
    family = DeviceFamily(peak_torque=(-0.2, 0.0), waist_mass_kg=(0.0, 4.0), observed=False)
    env = dataclasses.replace(bundle.config.env_params, device_controller=None, device_family=family, backend="mujoco")
    return dataclasses.replace(bundle, config=dataclasses.replace(bundle.config, env_params=env))


@pytest.mark.slow
def test_a_batch_walks_as_replay_does(walker):
    walks = Walks(walker, 1.25, 10.0, 8)
    unit = np.array([[1.0, 0.0], [0.5, 1.0]])
    figures = walks(unit, range(4))
    assert figures.shape == (2, 4, len(FIGURES))
    assert (walks(unit, range(4)) == figures).all()
    by = dict(zip(FIGURES, figures.mean(axis=1).T, strict=True))
    assert not by["fell"].any() and by["device_power_w_per_kg"][0] == 0.0
    for i, design in enumerate(
        ({"peak_torque": 0.0, "waist_mass_kg": 0.0}, {"peak_torque": -0.1, "waist_mass_kg": 4.0})
    ):
        under = Conditions(command=constant(1.25))
        records = [replay(wearing(walker, design), steps=300, seed=seed, conditions=under) for seed in range(3)]
        found = [effort(record, walker) for record in records]
        person = records[0].body_mass - records[0].device_mass
        power = np.mean([f["muscle_power_w"]["umberger2010"] for f in found]) / person
        assert by["metabolic_power_w_per_kg"][i] == pytest.approx(power, rel=0.06)
        assert by["speed"][i] == pytest.approx(np.mean([f["speed_m_s"] for f in found]), abs=0.04)
        work = np.mean([sum(d["positive_power_w"] for d in f["device"]) for f in found]) / person
        assert by["device_power_w_per_kg"][i] == pytest.approx(work, rel=0.12, abs=1e-9)
    assert by["net_cost_of_transport"][0] == pytest.approx(
        np.mean(
            figures[0, :, list(FIGURES).index("metabolic_power_w_per_kg")] / figures[0, :, list(FIGURES).index("speed")]
        )
    )
