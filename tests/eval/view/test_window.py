"""The live view: real time, the skeleton drawn where the policy walks, a plain answer where no window opens."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import glfw
import mujoco.viewer
import numpy as np
import pytest

from mjx_assist.errors import UserError
from mjx_assist.eval.replay.gauge import Reading
from mjx_assist.eval.view import overlay, player
from mjx_assist.eval.view import window as viewer
from mjx_assist.eval.view.choices import Choices, only
from mjx_assist.eval.view.scene import Scene
from mjx_assist.paths import data_path


class Window:
    """Stands in for MuJoCo's window; is closed after ``frames`` frames and keeps what it was shown."""

    def __init__(self, model, data, frames: int, options: dict):
        self.model, self.data, self.frames = model, data, frames
        self.press = options.get("key_callback")
        self.user_scn = mujoco.MjvScene(model, maxgeom=10)
        self.texts: list = []
        self.cam = SimpleNamespace(distance=0.0, azimuth=0.0, elevation=0.0, lookat=np.zeros(3))
        self.shown: list[np.ndarray] = []

    def lock(self):
        return contextlib.nullcontext()

    def set_texts(self, texts: list) -> None:
        self.texts = texts

    def is_running(self) -> bool:
        return len(self.shown) < self.frames

    def sync(self) -> None:
        self.shown.append(self.data.qpos.copy())

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def windows(monkeypatch):
    """The windows that were opened, each closed after nine frames."""
    opened = []

    def launch(model, data, **options: object) -> Window:
        opened.append(Window(model, data, 9, options))
        return opened[-1]

    monkeypatch.setattr(mujoco.viewer, "launch_passive", launch)
    monkeypatch.setattr(viewer, "check_display", lambda: None)
    monkeypatch.setattr(player.time, "sleep", lambda seconds: None)
    return opened


def test_watch_draws_the_lifted_walk_and_tells_how_it_held_the_rate(untrained_bundle, windows, monkeypatch, capsys):
    walked = []
    show = viewer.show
    monkeypatch.setattr(
        viewer, "show", lambda s, w, *p: (walked.append(p[0].session.walker.state().qpos), show(s, w, *p))
    )
    viewer.watch(only(untrained_bundle, "reduced", steps=6, seed=0))  # two episodes: six frames and three
    (window,) = windows
    np.testing.assert_allclose(window.shown, untrained_bundle.coupling.lift(np.array(walked)), atol=1e-12)
    told = capsys.readouterr().out
    assert "seed 0: walked 0.2 s" in told
    assert "real-time factor" in told and "99th percentile" in told and "deadlines missed" in told


def test_another_policy_or_ground_opens_another_window(untrained_bundle, windows, capsys):
    load = lambda: (untrained_bundle, "reduced")  # noqa: E731
    choices = Choices({"first": load, "second": load}, steps=6, seed=0)
    shown = []
    watch_one = viewer._watch_one

    def press(key):
        windows[-1].press(key)

    for key in (glfw.KEY_PAGE_DOWN, glfw.KEY_PAGE_UP):
        frame = player.Player.tick

        def tick(self, draw, key=key, frame=frame):
            frame(self, draw)
            press(key)

        player.Player.tick, ticked = tick, frame
        try:
            assert watch_one(choices)
        finally:
            player.Player.tick = ticked
        shown.append((choices.policy, choices.ground))
    assert shown == [("second", "as asked"), ("second", "-6°")]
    assert "second, ground -6°" in capsys.readouterr().out
    assert "next policy" in str(viewer.texts(choices.player, choices))


def test_every_key_acts_and_is_explained(untrained_bundle, windows):
    """The callback gets GLFW's numbers; what they do is the player's, tested in test_session.py."""
    expected = {
        glfw.KEY_SPACE: lambda p: p.paused,
        glfw.KEY_RIGHT: lambda p: p.paused and p.session.steps == 1,
        glfw.KEY_UP: lambda p: p.reading.target == pytest.approx(1.30),
        glfw.KEY_DOWN: lambda p: p.reading.target == pytest.approx(1.20),
        glfw.KEY_ENTER: lambda p: not p.session.device_on,
        glfw.KEY_7: lambda p: p.session.walker.data.qfrc_applied.sum() == -player.PUSH_N,
        glfw.KEY_8: lambda p: p.session.walker.data.qfrc_applied.sum() == player.PUSH_N,
        glfw.KEY_9: lambda p: not p.follow,
        glfw.KEY_BACKSPACE: lambda p: p.session.steps == 1,
    }
    assert set(expected) == set(viewer.KEYS)
    shortcuts = {letter for table in (mujoco.mjVISSTRING, mujoco.mjRNDSTRING) for *_, letter in table if letter}
    assert not shortcuts & {chr(key) for key in viewer.KEYS if key < 128}  # MuJoCo's window would act too
    for key, acted in expected.items():
        played = player.Player(untrained_bundle, "reduced", 10, 0)
        played.ask(viewer.KEYS[key][2])
        played.tick(lambda _: None)
        assert acted(played), viewer.KEYS[key][:2]
        helped = "\n".join(str(column) for _, _, *columns in viewer.texts(played) for column in columns)
        assert all(name in helped and text in helped for name, text, _ in viewer.KEYS.values())


def test_the_camera_follows_only_when_it_is_told_to(untrained_bundle):
    scene = Scene(untrained_bundle.human, untrained_bundle.device, viewer.muscle_names(untrained_bundle))
    window = Window(scene.model, scene.data, 9, {})
    played = player.Player(untrained_bundle, "reduced", 100, 0)
    places = []
    for ask in (None, player.Player.switch_follow, player.Player.switch_follow):
        if ask:
            played.ask(ask)
        for _ in range(4):
            played.tick(lambda p: viewer.show(scene, window, p))
        places.append((float(window.cam.lookat[0]), float(scene.place[0])))
    (first, place), (second, later), (third, last) = places
    assert first == place and third == last
    assert second == first != later


def test_arrows_stand_on_the_centre_of_pressure_and_point_along_the_force():
    force = np.array([[100.0, -20.0, 700.0], [0.0, 0.0, 5.0]])
    center = np.array([[1.0, 0.1, 0.0], [np.nan] * 3])
    ends = overlay.arrows(force, center)
    np.testing.assert_allclose(ends[0], [[1.0, 0.1, 0.0], [1.1, 0.08, 0.7]])
    assert np.isnan(ends[1]).all()
    model = mujoco.MjModel.from_xml_string("<mujoco/>")
    scene = mujoco.MjvScene(model, maxgeom=5)
    overlay.add_arrows(scene, ends)
    assert scene.ngeom == 1  # none for the foot that bears nothing
    geom = scene.geoms[0]
    along = geom.mat.reshape(3, 3)[:, 2]
    np.testing.assert_allclose(geom.pos, center[0], atol=1e-6)
    np.testing.assert_allclose(along, force[0] / np.linalg.norm(force[0]), atol=1e-6)


def test_status_shows_torque_that_helps_as_positive():
    reading = Reading(1.0, 1.25, 1.2, np.nan, np.array([-20.04, 0.0]), np.zeros((2, 3)), np.zeros((2, 3)))
    rows = dict(overlay.status(reading, ("ankle_angle_r", "ankle_angle_l"), device_on=True))
    assert rows["device torque"] == "ankle r 20.0, ankle l 0.0 N m"  # plantarflexion, which the model counts negative
    assert rows["cadence"] == "- steps/min"
    assert "device (off)" in dict(overlay.status(reading, ("ankle_angle_r", "ankle_angle_l"), device_on=False))
    assert len(overlay.status(reading, (), device_on=True)) == 3


def test_a_display_that_opens_no_window_is_a_plain_answer(monkeypatch):
    monkeypatch.setattr(viewer.sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", ":987")
    with pytest.raises(UserError, match="--headless"):
        viewer.check_display()


@pytest.mark.slow
def test_a_real_window_shows_the_skeleton_and_takes_keys(tmp_path):
    """In a virtual display: red of the muscles and bone white in the picture; a key changes the target speed."""
    tools = [shutil.which(tool) for tool in ("xvfb-run", "xdotool")]
    if not all(tools):
        pytest.skip("needs xvfb-run and xdotool")
    script = Path(__file__).with_name("press_keys.sh")
    policy = data_path("models", "policies", "walk22_exo")
    picture = tmp_path / "window.png"
    command = ["xvfb-run", "-a", "-s", "-screen 0 800x600x24", "bash", str(script), sys.executable, policy, picture]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=600, env=dict(os.environ, LP_NUM_THREADS="1")
    )
    assert "real-time factor" in done.stdout, done.stdout + done.stderr
    from PIL import Image

    pixels = np.asarray(Image.open(picture).convert("RGB")).astype(int)
    assert (pixels.min(2) > 150).mean() > 0.05  # sky, bones
    assert ((pixels[..., 0] > 120) & (pixels[..., 1] < 90)).sum() > 30  # an active muscle
