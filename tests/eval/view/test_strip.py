"""The picture strip: right moments, the skeleton where the reduced model stands, a fallback that needs no OpenGL."""

from pathlib import Path

import mujoco
import numpy as np
import pytest
from matplotlib.image import imread

from mjx_assist.eval.gait import events
from mjx_assist.eval.replay import replay as replays
from mjx_assist.eval.view import strip
from mjx_assist.eval.view.scene import Scene
from mjx_assist.model.names import sensor_slice


@pytest.fixture(scope="module")
def record(untrained_bundle):
    return replays.replay(untrained_bundle, steps=8)


@pytest.fixture(scope="module")
def scene(untrained_bundle, record) -> Scene:
    return Scene(untrained_bundle.human, untrained_bundle.device, record.muscle_names)


def test_lifted_skeleton_stands_where_the_reduced_model_does(scene: Scene, reduced):
    qpos = np.array([0.7, 0.95, 0.1, 0.4, -0.6, 0.2, 0.0, -0.3, -0.2, -0.1, 0.0])
    data = mujoco.MjData(reduced.model)
    data.qpos[:] = qpos
    mujoco.mj_forward(reduced.model, data)
    scene.pose(reduced.coupling.lift(qpos), np.zeros(22))
    for side in "rl":
        expected = data.sensordata[sensor_slice(reduced.model, f"{side}_foot_position")]
        heel = scene.data.body(f"calcn_{side}").xpos
        np.testing.assert_allclose(heel, expected, atol=2e-3)  # the fixed knee is off by 1.1 mm at most
    assert scene.place[0] == pytest.approx(data.subtree_com[0][0], abs=2e-3)


def test_active_muscles_are_red(scene: Scene, reduced, record):
    activation = np.zeros(22)
    soleus = record.muscle_names.index("soleus_l")
    activation[soleus] = 1.0
    scene.pose(reduced.coupling.lift(reduced.model.qpos0), activation)
    rgba = scene.model.tendon_rgba[scene.model.actuator("soleus_l").trnid[0]]
    assert rgba[0] > 0.8 > 0.2 > rgba[1]
    other = scene.model.tendon_rgba[scene.model.actuator("soleus_r").trnid[0]]
    assert other[0] < other[2]


def test_frames_spread_evenly_over_a_right_stride(record, monkeypatch):
    strides = [events.Stride("left", 0, 10, 20, None), events.Stride("right", 8, 30, 48, 20)]
    monkeypatch.setattr(events, "strides", lambda _: strides)
    frames, labels, what = strip.cycle_frames(record, 4)
    assert frames.tolist() == [8, 18, 28, 38]
    assert labels == ["0 %", "25 %", "50 %", "75 %"]
    assert "gait cycle" in what


def test_an_episode_without_a_stride_is_shown_whole(record):
    frames, _, what = strip.cycle_frames(record, 3)
    assert frames[0] == 0
    assert frames[-1] == record.time.size - 1
    assert "whole episode" in what


def test_without_opengl_there_are_stick_figures(untrained_bundle, record, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(strip, "_gl_backends", lambda: ["no-such-backend"])
    path = tmp_path / "strip.png"
    caption = strip.walker_strip(untrained_bundle, record, path, phases=3)
    assert caption.startswith("Stick figure")
    dark = imread(path)[..., :3].max(axis=2) < 0.3
    thirds = np.array_split(dark, 3, axis=1)
    assert all(part.any() for part in thirds)  # a figure in every cell


def test_rendered_pictures_show_a_walker_on_the_ground(untrained_bundle, record):
    images = strip.render(untrained_bundle, record, np.array([0]))
    if images is None:
        pytest.skip("neither EGL nor OSMesa renders on this machine")
    assert images.shape == (1, strip.HEIGHT, strip.WIDTH, 3)
    sky, ground = images[0, 20, 5].astype(int), images[0, -20, 5].astype(int)
    assert sky.sum() > ground.sum()
    middle = images[0, :, strip.WIDTH // 4 : -strip.WIDTH // 4].astype(float)
    assert middle.std() > 20  # something stands there
