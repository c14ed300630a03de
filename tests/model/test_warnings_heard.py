"""MuJoCo's warnings leave no file in the current folder."""

import mujoco
import numpy as np

from mjx_assist.model import mjcf

FALLING = "<mujoco><worldbody><body><joint/><geom size='0.1'/></body></worldbody></mujoco>"


def test_an_unstable_simulation_leaves_no_log(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = mjcf.load(FALLING)
    data = mujoco.MjData(model)
    data.qvel[:] = np.nan
    mujoco.mj_step(model, data)
    assert data.warning[mujoco.mjtWarning.mjWARN_BADQVEL].number > 0
    assert not list(tmp_path.iterdir())
