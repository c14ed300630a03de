"""Start poses stand on sloping ground: C MuJoCo's own distances between soles and a tilted plane."""

import mujoco
import numpy as np
import pytest

from mjx_assist.model import variation
from mjx_assist.model.feet import sole
from mjx_assist.reference.cycle import sample
from mjx_assist.sim import start_pose


@pytest.mark.parametrize("slope", [-0.12, 0.0, 0.06, 0.12])
def test_lowest_sphere_is_as_near_to_a_slope_as_to_level_ground(reduced, gait, slope):
    table = start_pose.sole_table(reduced.model, gait)
    level = mujoco.MjModel.from_xml_string(reduced.xml)
    tilted = mujoco.MjModel.from_xml_string(reduced.xml)
    variation.write(level, tilted, variation.Variation(slope=np.float64(slope)))
    up = gait.joint_names.index("pelvis_ty")
    for phase, speed in [(0.0, 1.25), (0.13, 0.8), (0.5, 1.6), (0.77, 1.25)]:
        qpos, _, _ = sample(gait, phase, speed)
        gaps = []
        for model, rise in ((level, 0.0), (tilted, start_pose.lift(table, gait, phase, speed, slope))):
            data = mujoco.MjData(model)
            data.qpos[:] = qpos
            data.qpos[up] += rise
            mujoco.mj_kinematics(model, data)
            floor = model.geom("floor").id
            normal = data.geom_xmat[floor].reshape(3, 3)[:, 2]
            distances = [
                (mujoco.mj_geomDistance(model, data, floor, int(geom), 5.0, None), normal[2])
                for geom in sole.ground_geoms(model)
            ]
            gaps.append(min(distance for distance, _ in distances) / distances[0][1])  # measured vertically
        assert gaps[1] == pytest.approx(gaps[0], abs=1.5e-3)  # between the table's phases and speeds: linear
