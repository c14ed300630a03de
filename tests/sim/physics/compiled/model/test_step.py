"""The graph's formulas, in 64 bits, against C MuJoCo with its solver run to the end."""

import mujoco
import numpy as np
import pytest

from mjx_assist.model.reduction import reduce_model
from mjx_assist.model.stances import stances
from mjx_assist.sim.physics.compiled import build
from mjx_assist.sim.physics.compiled.physics import make_kernel, walk

pytestmark = pytest.mark.skipif(build.compiler() is None, reason="no C++ compiler")
SUBSTEPS, WALKERS, CONTROL_STEPS = 8, 24, 6
CI = (
    ("myolegs22", "STRIDE_L2"),
    ("myolegs22", "HMEDI_L1"),
    pytest.param("myolegs26", "OpenSourceLeg_A_L1", marks=pytest.mark.slow),
)
WRAPPED = (("myolegs", "Tutorial_L1"), ("myolegs", "OpenSourceLeg_KA_L1"))


def _states(model, walkers, control_steps):
    """States and controls of C's rollouts from random stances, and C's states one control step later."""
    rng, data = np.random.default_rng(0), mujoco.MjData(model)
    low, high = 0.5 * model.actuator_ctrlrange.T
    before, after = [], []
    for qpos, qvel, act in zip(*stances(model, walkers, rng), strict=True):
        mujoco.mj_resetData(model, data)
        data.qpos[:], data.qvel[:], data.act[:] = qpos, qvel, act
        for _ in range(control_steps):
            data.ctrl[:] = rng.uniform(low, high)
            before.append([x.copy() for x in (data.qpos, data.qvel, data.act, data.qacc_warmstart, data.ctrl)])
            peak = np.full(model.nsensordata, -np.inf)
            for _ in range(SUBSTEPS):
                mujoco.mj_step(model, data)
                peak = np.maximum(peak, data.sensordata)
            after.append([x.copy() for x in (data.qpos, data.qvel, data.act, data.sensordata, peak)])
    names = ("qpos", "qvel", "act", "warmstart", "ctrl"), ("qpos", "qvel", "act", "sensordata", "sensor_peak")
    return tuple(
        {name: np.array(x) for name, x in zip(which, zip(*rows, strict=True), strict=True)}
        for which, rows in zip(names, (before, after), strict=True)
    )


def assert_same_formulas(human, device, angle=1e-9):
    """Nine in ten at least as near as rounding; 99 % of the states within ``angle`` rad."""
    model = mujoco.MjModel.from_xml_string(reduce_model(human, device).xml)
    model.opt.tolerance, model.opt.iterations, model.opt.ls_tolerance, model.opt.ls_iterations = 0.0, 200, 1e-6, 200
    before, right = _states(model, WALKERS, CONTROL_STEPS)
    found = walk(make_kernel(model, bits=64), before, SUBSTEPS)
    error = {name: np.abs(found[name] - right[name]).max(axis=1) for name in right}
    assert np.quantile(error["qpos"], 0.9) < 1e-11
    assert np.quantile(error["qpos"], 0.99) < angle
    assert np.quantile(error["sensordata"], 0.9) < 1e-6
    assert np.quantile(error["sensor_peak"], 0.9) < 1e-6
    assert error["act"].max() < 1e-12
    assert right["sensordata"].max() > 200, "no load on the feet: little is proved"


@pytest.mark.parametrize(("human", "device"), CI)
def test_the_formulas_are_mujocos(human, device):
    """A filtered motor with a force limit and springs; tendon limits; an amputated walker in 3-D."""
    assert_same_formulas(human, device)


@pytest.mark.slow
@pytest.mark.parametrize(("human", "device"), WRAPPED)
def test_wrapping_is_mujocos_too(human, device):
    """MuJoCo ends its own iteration for a path inside a geom at 1e-6, so it is followed as far."""
    assert_same_formulas(human, device, angle=1e-7)
