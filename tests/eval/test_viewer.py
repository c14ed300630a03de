"""The live view: real time, the skeleton drawn where the policy walks, a plain answer where no window opens."""

import contextlib
import time
from types import SimpleNamespace

import mujoco.viewer
import numpy as np
import pytest

from mjx_assist.errors import UserError
from mjx_assist.eval import viewer


class Window:
    """Stands in for MuJoCo's window; is closed after ``frames`` frames and keeps what it was shown."""

    def __init__(self, model, data, frames: int):
        self.model, self.data, self.frames = model, data, frames
        self.cam = SimpleNamespace(distance=0.0, azimuth=0.0, elevation=0.0, lookat=np.zeros(3))
        self.shown: list[np.ndarray] = []

    def lock(self):
        return contextlib.nullcontext()

    def is_running(self) -> bool:
        return len(self.shown) < self.frames

    def sync(self) -> None:
        self.shown.append(self.data.qpos.copy())

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        pass


def test_watch_draws_the_lifted_walk_in_real_time(untrained_bundle, monkeypatch):
    windows = []

    def launch(model, data, **_: object) -> Window:
        windows.append(Window(model, data, frames=9))
        return windows[0]

    monkeypatch.setattr(mujoco.viewer, "launch_passive", launch)
    monkeypatch.setattr(viewer, "check_display", lambda: None)
    walked, held = [], []
    monkeypatch.setattr(viewer.Pace, "hold", lambda pace, now: held.append(now))
    show = viewer.show
    monkeypatch.setattr(viewer, "show", lambda s, w, walker: (walked.append(walker.state().qpos), show(s, w, walker)))
    viewer.watch(untrained_bundle, "reduced", steps=6, seed=0)  # two episodes: six frames and three
    (window,) = windows
    np.testing.assert_allclose(window.shown, untrained_bundle.coupling.lift(np.array(walked)), atol=1e-12)
    np.testing.assert_allclose(np.diff(held[:6]), 1 / 30)  # each frame waits for its time in the walk


def test_pace_forgives_a_large_lag_instead_of_hurrying():
    pace = viewer.Pace()
    pace.hold(0.0)
    time.sleep(viewer.LAG_S + 0.1)
    pace.hold(0.01)
    assert pace.lost == pytest.approx(viewer.LAG_S + 0.09, abs=0.05)
    start = time.perf_counter()
    pace.hold(0.06)
    assert time.perf_counter() - start > 0.04


def test_a_display_that_opens_no_window_is_a_plain_answer(monkeypatch):
    monkeypatch.setattr(viewer.sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", ":987")
    with pytest.raises(UserError, match="--headless"):
        viewer.check_display()
