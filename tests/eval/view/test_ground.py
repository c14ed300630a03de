"""Viewers draw the ground that is walked on: against MuJoCo's own rays and the walker's own contacts."""

import mujoco
import numpy as np
import pytest

from mjx_assist.eval.replay.conditions import Conditions, fixed
from mjx_assist.eval.replay.walk import Walk, ground_of
from mjx_assist.eval.view import meshes
from mjx_assist.eval.view.scene import Scene, packed, side_camera, unpacked
from mjx_assist.model.feet.sole import lowest
from mjx_assist.terrain.heightfield import FLOOR

ROUGH = {"terrain_type": "random", "terrain_params": "0.06"}
GROUNDS = {
    "slope": Conditions(randomization=fixed(slope=0.07)),
    "rough": Conditions(**ROUGH),
    "both": Conditions(randomization=fixed(slope=-0.07), **ROUGH),
}
PLACES = [(x, y) for x in (3.3, 7.81, 20.05) for y in (-0.13, 0.0, 0.11)]  # m, over the lane


def seen(model: mujoco.MjModel, x: float, y: float) -> float:
    """Height of the floor by a ray from above, m."""
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    floor = np.zeros(6, np.uint8)
    floor[model.geom_group[model.geom(FLOOR).id]] = 1
    hit = np.zeros(1, np.int32)
    far = mujoco.mj_ray(model, data, np.array([x, y, 9.0]), np.array([0.0, 0.0, -1.0]), floor, 1, -1, hit)
    assert hit[0] == model.geom(FLOOR).id
    return 9.0 - far


@pytest.mark.parametrize("name", GROUNDS)
def test_the_drawn_ground_is_the_simulated_one_and_feet_stand_on_it(untrained_bundle, name):
    walk = Walk(untrained_bundle, seed=3, conditions=GROUNDS[name])
    ground = ground_of(untrained_bundle, 3, GROUNDS[name])
    assert ground[1:] == walk.walker.stands_on[1:]
    scene = Scene(untrained_bundle.human, untrained_bundle.device, [], unpacked(packed(ground)))
    drawn = [seen(scene.model, *place) for place in PLACES]
    np.testing.assert_allclose(drawn, [seen(walk.walker.model, *place) for place in PLACES], atol=1e-5)
    assert max(np.abs(drawn)) > 0.02
    for _ in range(6):
        walk.step()
    scene.pose(walk.walker.full_pose(), np.zeros(0))
    under = (
        scene.ground.height(*scene.data.body("calcn_r").xpos[:2]),
        scene.ground.height(*scene.data.body("calcn_l").xpos[:2]),
    )
    assert lowest(scene.model, scene.data) - min(under) == pytest.approx(0.0, abs=0.05)
    assert side_camera(scene.place).lookat[2] - scene.place[2] == pytest.approx(0.9)


@pytest.mark.parametrize("name", ["rough", "both"])
def test_the_browsers_triangles_are_that_ground(untrained_bundle, name):
    walker = Walk(untrained_bundle, seed=5, conditions=GROUNDS[name]).walker
    vertices, faces = meshes.ground_mesh(walker.stands_on)
    corners = vertices[faces[::97]]  # of some triangles
    middles = corners.mean(1)
    inside = (np.abs(middles[:, 0]) < 60) & (middles[:, 0] > -2)
    np.testing.assert_allclose(middles[inside, 2], [seen(walker.model, x, y) for x, y, _ in middles[inside]], atol=1e-5)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (normals[:, 2] > 0).all()  # seen from above
