"""draw_arrow.py FILE.npy: a picture of a green box one metre high and the right foot's arrow of 1000 N beside it."""

import sys

import mujoco
import numpy as np

from mjx_assist.eval.view.overlay import add_arrows, arrows

BOX = """<mujoco><worldbody><light pos="0 -2 3"/>
<geom type="box" size=".02 .02 .5" pos=".2 0 .5" rgba="0 1 0 1"/></worldbody></mujoco>"""

model = mujoco.MjModel.from_xml_string(BOX)
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
camera = mujoco.MjvCamera()
camera.lookat[:], camera.distance, camera.azimuth, camera.elevation = (0, 0, 0.5), 3, 90, 0
force, center = np.array([[0, 0, 1000.0], [0, 0, 0]]), np.zeros((2, 3))
with mujoco.Renderer(model, 400, 400) as renderer:
    renderer.update_scene(data, camera)
    add_arrows(renderer.scene, arrows(force, center))
    np.save(sys.argv[1], renderer.render())
