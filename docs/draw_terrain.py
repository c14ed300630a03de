"""Draw docs/images/terrain.png: a walker on each kind of ground. Needs OpenGL, for example MUJOCO_GL=osmesa."""

from pathlib import Path

import mujoco
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from mjx_assist.config.schema import EnvParams
from mjx_assist.eval.plots.style import styled
from mjx_assist.eval.view.scene import Scene
from mjx_assist.model.feet.sole import lowest
from mjx_assist.paths import data_path
from mjx_assist.policy import bundle as bundles
from mjx_assist.reference.cycle import sample
from mjx_assist.terrain import heightfield

WIDTH, HEIGHT = 520, 420
PLACE = 6.0  # m from the start
COURSE = {
    "terrain_name": "course",
    "grid": {"rows": 1, "cols": 1, "tile_size": [8.0, 8.0]},
    "tiles": [{"row": 0, "col": 0, "type": "stairs", "params": {"n_steps": 5, "step_height": 0.12, "axis": "x"}}],
}
GROUNDS = (
    ("flat", EnvParams()),
    ("slope 0.1", EnvParams(terrain_type="slope", terrain_params="0.1")),
    ("random 0.06", EnvParams(terrain_type="random", terrain_params="0.06")),
    (
        "harmonic_sinusoidal 0.02 1.5 0.06 3",
        EnvParams(terrain_type="harmonic_sinusoidal", terrain_params="0.02 1.5 0.06 3"),
    ),
    ("random 0.06 on a slope of 0.1", EnvParams(terrain_type="random", terrain_params="0.06")),
    ("myoassist-terrains: stairs", EnvParams(terrain=COURSE)),
)


@styled
def draw(path: Path) -> None:
    figure = Figure(figsize=(9.2, 5.4), layout="constrained")
    bundle = bundles.load(data_path("models", "policies", "walk22_exo"))
    for axes, (name, params) in zip(figure.subplots(2, 3).flat, GROUNDS, strict=True):
        slope = 0.1 if "0.1" in name else 0.0
        axes.imshow(_picture(bundle, params, slope))
        axes.set_axis_off()
        axes.set_title(name, fontsize=9)
    figure.savefig(path, dpi=130, facecolor="white")
    Image.open(path).convert("RGB").quantize(200).save(path, optimize=True)


def _picture(bundle, params: EnvParams, slope: float) -> np.ndarray:
    """The skeleton in mid-stride, its lowest foot on the ground."""
    reduced = bundles.reduced_model(bundle)
    ground = heightfield.make_terrain(params, reduced)
    lane = 0.0 if ground is None else heightfield.lane_offset(ground, 1)
    scene = Scene(bundle.human, bundle.device, [], heightfield.Ground(ground, slope, lane))
    qpos, _, _ = sample(bundle.gait, 0.1, 1.25)
    joints = [reduced.joint(j).name for j in range(reduced.njnt)]
    forward, up = joints.index("pelvis_tx"), joints.index("pelvis_ty")
    qpos[forward] = PLACE
    level = float(heightfield.height(ground, lane, slope, PLACE, 0.0))
    scene.pose(bundle.coupling.lift(qpos), np.zeros(0))
    qpos[up] += max(_ground_under(scene, ground, lane, slope)) - lowest(scene.model, scene.data)
    scene.pose(bundle.coupling.lift(qpos), np.zeros(0))
    camera = mujoco.MjvCamera()
    camera.lookat[:] = (PLACE + 0.3, 0.0, level + 0.75)
    camera.distance, camera.azimuth, camera.elevation = 3.3, 120.0, -14.0
    scene.model.tendon_rgba[:, 3] = 0.0
    with mujoco.Renderer(scene.model, HEIGHT, WIDTH) as renderer:
        renderer.update_scene(scene.data, camera)
        return renderer.render()


def _ground_under(scene: Scene, ground: heightfield.Terrain | None, lane: float, slope: float) -> list[float]:
    feet = [scene.model.body(f"{name}_{side}").id for name in ("calcn", "toes") for side in "rl"]
    return [float(heightfield.height(ground, lane, slope, *scene.data.xpos[foot][:2])) for foot in feet]


if __name__ == "__main__":
    draw(Path(__file__).parent / "images" / "terrain.png")
