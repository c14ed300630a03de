"""The walker in MuJoCo's window, in real time: whichever model the policy walks, the full skeleton is drawn."""

import os
import subprocess
import sys
from collections.abc import Callable

import mujoco

from mjx_assist.errors import UserError
from mjx_assist.eval.view.choices import Choices, trained_for
from mjx_assist.eval.view.overlay import add_arrows, arrows, status
from mjx_assist.eval.view.player import PUSH_N, SPEED_STEP, Player, notes, rate, rate_line
from mjx_assist.eval.view.scene import EYE, Scene
from mjx_assist.model.names import actuator_names, is_muscle
from mjx_assist.policy.bundle import Bundle, reduced_model
from mjx_assist.processes import environment, python

# MuJoCo's window takes every letter; these are the keys it leaves (GLFW's numbers).
KEYS: dict[int, tuple[str, str, Callable[[Player], None]]] = {
    32: ("Space", "pause, go on", Player.toggle_pause),
    262: ("Right", "one control step", Player.step_once),
    259: ("Backspace", "from the start", Player.reset),
    265: ("Up", f"target {SPEED_STEP:+.2f} m/s", lambda player: player.faster(SPEED_STEP)),
    264: ("Down", f"target {-SPEED_STEP:+.2f} m/s", lambda player: player.faster(-SPEED_STEP)),
    257: ("Enter", "device on, off", Player.switch_device),
    55: ("7", f"push back, {PUSH_N:.0f} N", lambda player: player.push(-PUSH_N)),
    56: ("8", f"push on, {PUSH_N:.0f} N", lambda player: player.push(PUSH_N)),
    57: ("9", "camera follows, stays", Player.switch_follow),
}
CHOICES = {267: ("Page down", "policy"), 266: ("Page up", "ground")}
_CAN_OPEN = """
import sys, glfw
opened = glfw.init()
if opened:
    glfw.window_hint(glfw.VISIBLE, False)
    opened = glfw.create_window(8, 8, "", None, None)
sys.exit(0 if opened else 1)
"""
_OTHERWISE = "Use --web to watch in a browser, --video FILE for a film, or --headless to walk without a picture."


def watch(choices: Choices) -> None:
    """Show episodes, one seed after the other, until the window is closed; another policy opens another window.

    Raises:
        UserError: no window can be opened here.
    """
    check_display()
    while _watch_one(choices):
        pass
    print(rate_line(choices.player.pace, choices.player.session.dt))


def _watch_one(choices: Choices) -> bool:
    """One window, until it is closed or something else was chosen; whether it was the latter."""
    player = choices.player
    bundle = player.session.bundle
    scene = Scene(bundle.human, bundle.device, muscle_names(bundle), player.session.walker.stands_on)

    def on_key(key: int) -> None:
        if key in CHOICES:
            choices.next(CHOICES[key][1])
        elif key in KEYS:
            player.ask(KEYS[key][2])

    with open_window(scene, on_key) as window:
        while window.is_running():
            player.tick(lambda player: show(scene, window, player, choices))
            if player.message:
                print(f"{player.message}; close the window to end", flush=True)
                player.message = None
            if choices.taken():
                print(f"{choices.policy}, ground {choices.ground}", flush=True)
                return True
    return False


def show(scene: Scene, window, player: Player, choices: Choices | None = None) -> None:
    """Draw the player's present state: the full skeleton, ground reaction, numbers; and follow it."""
    walker, reading = player.session.walker, player.reading
    with window.lock():
        scene.stand_on(walker.stands_on)
        scene.pose(walker.full_pose(), walker.muscle_activation())
        window.user_scn.ngeom = 0
        add_arrows(window.user_scn, arrows(reading.force, reading.center))
        if player.follow:
            window.cam.lookat[[0, 2]] = scene.place[[0, 2]] + [0.0, EYE]
    window.set_texts(texts(player, choices))
    window.sync()


def texts(player: Player, choices: Choices | None = None) -> list[tuple]:
    """MuJoCo's overlay: numbers, what is walked and real-time figures above, the keys below."""
    session = player.session
    rows = status(player.reading, session.walker.device_joints, session.device_on) + rate(player.pace, session.dt)
    rows += [("trained for", str(trained_for(session.bundle))), *notes(player)]
    if choices is not None:
        rows += [("policy, ground", f"{choices.policy}, {choices.ground}")]
        rows += [("not chosen", choices.trouble)] if choices.trouble else []
    font = mujoco.mjtFontScale.mjFONTSCALE_100
    keys = [(name, text) for name, text, _ in KEYS.values()]
    keys += [(name, f"next {what}") for name, what in CHOICES.values()] if choices is not None else []
    return [
        (font, place, *("\n".join(column) for column in zip(*table, strict=True)))
        for place, table in ((mujoco.mjtGridPos.mjGRID_TOPLEFT, rows), (mujoco.mjtGridPos.mjGRID_BOTTOMLEFT, keys))
    ]


def open_window(scene: Scene, on_key: Callable[[int], object]):
    """MuJoCo's window, looking at the walker from its right side."""
    import mujoco.viewer

    try:
        window = mujoco.viewer.launch_passive(
            scene.model, scene.data, key_callback=on_key, show_left_ui=False, show_right_ui=False
        )
    except (RuntimeError, mujoco.FatalError) as error:
        raise UserError(f"the viewer cannot start ({error}). {_OTHERWISE}") from None
    with window.lock():
        window.cam.distance, window.cam.azimuth, window.cam.elevation = 3.2, 90.0, -6.0
        window.cam.lookat[:] = (0.0, 0.0, EYE)
    return window


def has_display() -> bool:
    """Whether somebody may be looking at a screen of this machine."""
    screens = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return not sys.platform.startswith("linux") or bool(screens)


def check_display() -> None:
    """Raise `UserError` where no window can be opened; a process of its own tries, since MuJoCo's viewer would hang."""
    if not has_display():
        raise UserError(f"there is no display for the viewer (DISPLAY is not set). {_OTHERWISE}")
    if sys.platform == "darwin":
        return  # a window needs mjpython there, which launch_passive says
    try:
        opened = (
            subprocess.run(python("-c", _CAN_OPEN), env=environment(), capture_output=True, timeout=30).returncode == 0
        )
    except subprocess.TimeoutExpired:
        opened = False
    if not opened:
        raise UserError(f"the viewer cannot open a window with OpenGL on this display. {_OTHERWISE}")


def muscle_names(bundle: Bundle) -> list[str]:
    """The muscles, in the order of the walker's activations."""
    model = reduced_model(bundle)
    names = zip(actuator_names(model), is_muscle(model), strict=True)
    return [name for name, muscle in names if muscle]
