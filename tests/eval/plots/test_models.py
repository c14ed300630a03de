"""What the plots of a reduction show."""

import mujoco
import numpy as np

from mjx_assist.eval.plots import models
from mjx_assist.model.assembly import full_model


def test_plotted_moment_arms_are_how_tendon_length_changes(reduced, report):
    """Against differences of the full model's own tendon lengths, by MuJoCo at lifted poses."""
    ranges = report["walking_range_rad"]
    curves = {(c.muscle, c.joint): c for c in models.arm_curves(reduced, ranges)}
    full = full_model("myolegs22", "Tutorial_L1", "composed")
    data, model = mujoco.MjData(full), reduced.model
    for muscle, joint in (("soleus_r", "ankle_angle_r"), ("rectfem_l", "hip_flexion_l"), ("vasti_r", "knee_angle_r")):
        curve, lengths = curves[muscle, joint], []
        qpos = model.qpos0.copy()
        for name, (low, high) in ranges.items():
            qpos[model.joint(name).qposadr[0]] = low + 0.5 * (high - low)
        for angle in np.radians(curve.angle):
            qpos[model.joint(joint).qposadr[0]] = angle
            data.qpos[:] = reduced.coupling.lift(qpos)
            mujoco.mj_kinematics(full, data)
            mujoco.mj_comPos(full, data)
            mujoco.mj_tendon(full, data)
            lengths.append(data.ten_length[full.actuator(muscle).trnid[0]])
        arms = -1e3 * np.gradient(lengths, np.radians(curve.angle))
        np.testing.assert_allclose(curve.full[1][1:-1], arms[1:-1], atol=0.1)
        np.testing.assert_allclose(curve.reduced[1], curve.full[1], atol=3.0)
    shown = models.distinct(list(curves.values()))
    assert {c.muscle for c in shown} >= {m["muscle"] for m in report["muscles"] if m["muscle"].endswith("_r")}
    assert len(shown) < len(curves)
