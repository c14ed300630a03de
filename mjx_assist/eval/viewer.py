"""The walker in MuJoCo's window, in real time: whichever model the policy walks, the full skeleton is drawn."""

import os
import subprocess
import sys
import time
from functools import partial
from itertools import count

from mjx_assist.errors import UserError
from mjx_assist.eval.bundle import Bundle, reduced_model
from mjx_assist.eval.replay import replay
from mjx_assist.eval.scene import Scene
from mjx_assist.eval.walker import Walker
from mjx_assist.sim import observation

LAG_S = 0.25  # further behind real time than this, the clock starts anew instead of hurrying after
_CAN_OPEN = """
import sys, glfw
opened = glfw.init()
if opened:
    glfw.window_hint(glfw.VISIBLE, False)
    opened = glfw.create_window(8, 8, "", None, None)
sys.exit(0 if opened else 1)
"""
_HEADLESS = "Use --headless to walk without a window."


class Pace:
    """Holds simulated time to the wall clock."""

    def __init__(self):
        self._start: float | None = None
        self.lost = 0.0

    def hold(self, now: float) -> None:
        """Wait until ``now`` s of simulated time have passed on the wall clock; a large lag is forgiven.

        The clock starts at the first call.
        """
        if self._start is None:
            self._start = time.perf_counter() - now
        ahead = self._start + now - time.perf_counter()
        if ahead > 0:
            time.sleep(ahead)
        elif ahead < -LAG_S:
            self._start -= ahead
            self.lost -= ahead


def watch(bundle: Bundle, kind: str, steps: int, seed: int) -> None:
    """Show episodes of at most ``steps`` control steps, one seed after the other, until the window is closed.

    Raises:
        UserError: no window can be opened here.
    """
    check_display()
    scene = Scene(bundle.human, bundle.device, _muscle_names(bundle))
    with open_window(scene) as window:
        for episode in count(seed):
            pace = Pace()
            record = replay(bundle, kind, steps, episode, partial(_on_step, scene, window, pace))
            if not window.is_running():
                return
            told = "fell after" if record.fell else "walked"
            slow = f", {pace.lost:.1f} s behind real time" if pace.lost else ""
            print(f"seed {episode}: {told} {record.time[-1]:.1f} s{slow}; close the window to end", flush=True)


def _on_step(scene: Scene, window, pace: Pace, walker: Walker, now: float) -> bool:
    show(scene, window, walker)
    pace.hold(now)
    return window.is_running()


def show(scene: Scene, window, walker: Walker) -> None:
    """Draw the walker's present state as the full skeleton, and follow it."""
    state = walker.state()
    with window.lock():
        scene.pose(walker.coupling.lift(state.qpos), walker.muscle_activation())
        window.cam.lookat[0] = scene.place
    window.sync()


def open_window(scene: Scene):
    """MuJoCo's window, looking at the walker from its right side."""
    import mujoco.viewer

    try:
        window = mujoco.viewer.launch_passive(scene.model, scene.data, show_left_ui=False, show_right_ui=False)
    except (RuntimeError, mujoco.FatalError) as error:
        raise UserError(f"the viewer cannot start ({error}). {_HEADLESS}") from None
    with window.lock():
        window.cam.distance, window.cam.azimuth, window.cam.elevation = 3.2, 90.0, -6.0
        window.cam.lookat[:] = (0.0, 0.0, 0.9)
    return window


def check_display() -> None:
    """Raise `UserError` where no window can be opened; a process of its own tries, since MuJoCo's viewer would hang."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise UserError(f"there is no display for the viewer (DISPLAY is not set). {_HEADLESS}")
    if sys.platform == "darwin":
        return  # a window needs mjpython there, which launch_passive says
    try:
        opened = subprocess.run([sys.executable, "-c", _CAN_OPEN], capture_output=True, timeout=30).returncode == 0
    except subprocess.TimeoutExpired:
        opened = False
    if not opened:
        raise UserError(f"the viewer cannot open a window with OpenGL on this display. {_HEADLESS}")


def _muscle_names(bundle: Bundle) -> list[str]:
    model = reduced_model(bundle)
    names = zip(observation.actuator_names(model), observation.is_muscle(model), strict=True)
    return [name for name, muscle in names if muscle]
