"""Grounds, and a walker that is enough for them."""

import mujoco

from mjx_assist.config.schema import EnvParams
from mjx_assist.curriculum.settings import Curriculum

RADII = (0.02, 0.05, 0.03)
# Three feet without a body, each free to move: enough of a walker for the ground.
WALKER = f"""<mujoco><option timestep="0.004"/><worldbody><geom name="floor" type="plane" size="0 0 1"/>
{
    "".join(
        f'''<body name="b{i}"><joint name="{name}" type="slide" axis="1 0 0"/><joint type="slide" axis="0 1 0"/>
<joint type="slide" axis="0 0 1" damping="300"/>
<geom name="s{i}" size="{r}" contype="0" conaffinity="0" density="1e5"/></body>'''
        for i, (r, name) in enumerate(zip(RADII, ("pelvis_tx", "a", "b"), strict=True))
    )
}</worldbody>
<contact>{"".join(f'<pair geom1="floor" geom2="s{i}" condim="3"/>' for i in range(3))}</contact>
<actuator><motor joint="a" gear="0"/></actuator></mujoco>"""
ROUGH = EnvParams(terrain_type="random", terrain_params="0.06")
WAVY = EnvParams(terrain_type="harmonic_sinusoidal", terrain_params="0.02 1.5 0.05 2")
MIXED = EnvParams(
    terrain_type=("random", "harmonic_sinusoidal", "slope"),
    terrain_params=("0.06", "0 1 0.04 4", "0.1"),
    curriculum=Curriculum(by_level={"terrain_amplitude": (0.0, 1.0)}),
)
COURSE = {
    "terrain_name": "course",
    "grid": {"rows": 1, "cols": 2, "tile_size": [6.0, 6.0]},
    "tiles": [
        {"row": 0, "col": 0, "type": "stairs", "params": {"n_steps": 4, "step_height": 0.1, "axis": "x"}},
        {"row": 0, "col": 1, "type": "slope", "params": {"angle_deg": 8.0, "axis": "x"}},
    ],
}
PLAIN = mujoco.MjModel.from_xml_string(WALKER)
