"""The walker in a browser (viser), in real time: the full skeleton, switches and sliders, live plots.

The browser shows a treadmill: the walker stays in the middle and the ground moves.
"""

import socket
from collections import deque
from collections.abc import Callable

import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.eval.plots.style import COLORS, FAINT, INK
from mjx_assist.eval.replay.conditions import AS_TRAINED, Conditions
from mjx_assist.eval.replay.record import SIDES
from mjx_assist.eval.view.meshes import body_meshes, cylinder_between, muscle_segments, unit_cylinder
from mjx_assist.eval.view.overlay import SIDE_COLORS, arrows, shown_torque, status, torque_lines
from mjx_assist.eval.view.player import PUSH_N, Player, notes, rate, rate_line
from mjx_assist.eval.view.scene import MUSCLE_WIDTH, Scene
from mjx_assist.eval.view.web_guard import guarded, number
from mjx_assist.eval.view.window import muscle_names
from mjx_assist.model.names import GRAVITY
from mjx_assist.policy.bundle import Bundle

HOST, PORT = "127.0.0.1", 8080
PUSH_MAX_N = 300.0
_CELL = 0.5  # m between the lines of the ground
_PLOT_S = 5.0  # of the past that the plots show
_PLOT_EVERY = 4  # control steps from one drawing of the plots to the next
_PLOT_PX = 150  # a plot's height
_GROUND = {"section_thickness": 0.0, "plane_color": (226, 229, 233), "plane_opacity": 1.0}
_WALK = {"pause": Player.toggle_pause, "one step": Player.step_once, "reset": Player.reset}


def serve(
    bundle: Bundle,
    kind: str,
    steps: int,
    seed: int,
    host: str = HOST,
    port: int = PORT,
    conditions: Conditions = AS_TRAINED,
) -> None:
    """Show episodes of at most ``steps`` control steps at http://host:port until interrupted.

    Raises:
        UserError: viser is missing, or the address cannot be listened at.
    """
    player = Player(bundle, kind, steps, seed, conditions=conditions)
    page = Page(player, host, port)
    print(f"http://{host}:{page.port} (Ctrl+C ends)", flush=True)
    try:
        while True:
            player.tick(page.draw)
    except KeyboardInterrupt:
        print(f"\n{rate_line(player.pace, player.session.dt)}")
    finally:
        page.stop()


class Page:
    """What a browser at http://host:port sees of a player; `draw` shows its present state."""

    def __init__(self, player: Player, host: str = HOST, port: int = PORT):
        viser = _viser()
        _check_address(host, port)
        bundle, session = player.session.bundle, player.session
        self._joints = session.walker.device_joints
        self._scene = Scene(bundle.human, bundle.device, muscle_names(bundle))
        with guarded(host):
            label = f"{bundle.human}, {bundle.device}"
            self._server = viser.ViserServer(host=host, port=port, label=label, verbose=False)
        self.port = self._server.get_port()
        self._history: deque = deque(maxlen=round(_PLOT_S / session.dt))
        self._frame = 0
        self._add_view(self._server)
        self._add_controls(self._server.gui, player)
        self._add_plots(self._server.gui, viser)

    def stop(self) -> None:
        """Close the address."""
        self._server.stop()

    def draw(self, player: Player) -> None:
        """Show the player's present state."""
        walker, reading = player.session.walker, player.reading
        self._scene.pose(walker.coupling.lift(walker.state().qpos), walker.muscle_activation())
        with self._server.atomic():
            self._place(player)
        if self._history and reading.time < self._history[-1].time:
            self._history.clear()  # another episode
        if not self._history or reading.time > self._history[-1].time:
            self._history.append(reading)
        self._frame += 1
        if self._frame % _PLOT_EVERY == 0:
            self._update_panel(player)

    def _add_view(self, server) -> None:
        """Bodies, muscles, ground-reaction arrows, ground and light; seen from the walker's right side."""
        view = server.scene
        view.set_up_direction("+z")
        server.initial_camera.position = (0.3, -2.2, 1.0)
        server.initial_camera.look_at = (0.0, 0.0, 0.85)
        self._meshes = body_meshes(self._scene.model)
        self._bodies = [
            view.add_mesh_simple(
                f"/walker/{i}", m.vertices, m.faces, color=m.rgba[:3], opacity=m.rgba[3] if m.rgba[3] < 1 else None
            )
            for i, m in enumerate(self._meshes)
        ]
        nothing = np.zeros((1, 2, 3), np.float32)
        n = self._scene.data.wrap_xpos.size // 3  # pieces of muscles, as many as there may be
        turns, places = np.tile([1.0, 0.0, 0.0, 0.0], (n, 1)), np.zeros((n, 3))
        self._muscles = view.add_batched_meshes_simple(
            "/muscles", *unit_cylinder(), turns, places, batched_scales=places, batched_colors=places, lod="off"
        )
        self._arrows = [
            view.add_arrows(f"/ground_reaction/{side}", nothing, color[:3], shaft_radius=0.012, head_radius=0.03)
            for side, color in zip(SIDES, SIDE_COLORS, strict=True)
        ]
        self._ground = view.add_grid("/ground", 12.0, 6.0, cell_size=_CELL, section_size=2 * _CELL, **_GROUND)

    def _place(self, player: Player) -> None:
        """Put everything where the scene is, the walker's centre of mass at x = 0 if the camera follows."""
        data, model = self._scene.data, self._scene.model
        shift = np.array([self._scene.place if player.follow else 0.0, 0.0, 0.0])
        for handle, mesh in zip(self._bodies, self._meshes, strict=True):
            handle.position, handle.wxyz = data.xpos[mesh.body] - shift, data.xquat[mesh.body].copy()
        pieces, tendon = muscle_segments(model, data)
        muscles = self._muscles
        places = cylinder_between(pieces - shift, MUSCLE_WIDTH)
        muscles.batched_positions, muscles.batched_wxyzs, muscles.batched_scales = places
        muscles.batched_colors = (255 * model.tendon_rgba[tendon, :3]).astype(np.uint8)
        for handle, ends in zip(self._arrows, arrows(player.reading.force, player.reading.center), strict=True):
            handle.visible = bool(np.isfinite(ends).all())
            if handle.visible:
                handle.points = (ends - shift)[None].astype(np.float32)
        self._ground.position = (-(shift[0] % (2 * _CELL)), 0.0, 0.0)

    def _add_controls(self, gui, player: Player) -> None:
        """Numbers, sliders, switches and buttons; each asks the player."""
        gui.configure_theme(show_logo=False, show_share_button=False, control_width="large")
        gui.main_panel.dock_right()
        self._status = gui.add_markdown("")
        low, high = player.session.speed_range
        speed = gui.add_slider("target (m/s)", low, high, 0.05, round(player.reading.target, 2))
        device = gui.add_checkbox("device", True, disabled=not self._joints)
        force = gui.add_slider("push (N)", -PUSH_MAX_N, PUSH_MAX_N, 10.0, PUSH_N)
        push = gui.add_button("push the pelvis")
        walk = gui.add_button_group("walk", tuple(_WALK))
        follow = gui.add_checkbox("camera follows", True)

        def ask(what: Callable[[Player, float], None], value: object, limits: tuple[float, float]) -> None:
            if (sent := number(value, *limits)) is not None:
                player.ask(lambda p: what(p, sent))

        speed.on_update(lambda _: ask(lambda p, v: p.session.ask_speed(v), speed.value, (low, high)))
        device.on_update(lambda _: player.ask(lambda p: p.switch_device(device.value is True)))
        push.on_click(lambda _: ask(Player.push, force.value, (-PUSH_MAX_N, PUSH_MAX_N)))
        walk.on_click(lambda _: player.ask(_WALK.get(walk.value, lambda p: None)))
        follow.on_update(lambda _: player.ask(Player.switch_follow))

    def _add_plots(self, gui, viser) -> None:
        """Speed, vertical ground reaction and device torque of the last seconds."""
        shown = {"speed, m/s": [("target", FAINT), ("walked", INK)], "vertical ground reaction, BW": [*COLORS.items()]}
        if self._joints:
            shown["device torque, N m"] = torque_lines(self._joints)
        scales = {"x": viser.uplot.Scale(time=False, range=(-_PLOT_S, 0.0))}
        empty = np.zeros(2)
        self._plots = []
        for title, lines in shown.items():
            series = [viser.uplot.Series(label=label, stroke=color, width=2) for label, color in lines]
            data = (empty, *[empty] * len(series))
            time = viser.uplot.Series(label="s")
            self._plots.append(gui.add_uplot(data, (time, *series), title=title, scales=scales, height=_PLOT_PX))

    def _update_panel(self, player: Player) -> None:
        """Numbers and plots."""
        rows = status(player.reading, self._joints, player.session.device_on) + rate(player.pace, player.session.dt)
        rows += notes(player)
        self._status.content = "  \n".join(f"**{label}** {value}" for label, value in rows)
        seen = list(self._history)
        time = np.array([reading.time for reading in seen]) - seen[-1].time
        weight = player.session.walker.body_mass * GRAVITY
        curves = [
            np.array([(reading.target, reading.speed) for reading in seen]),
            np.array([reading.force[:, 2] / weight for reading in seen]),
        ]
        if self._joints:
            curves.append(shown_torque(np.array([reading.torque for reading in seen]), self._joints))
        for plot, values in zip(self._plots, curves, strict=True):
            plot.data = (time, *np.ascontiguousarray(values.T))


def _viser():
    try:
        import viser
        import viser.uplot
    except ImportError as error:
        raise UserError(f"--web needs {error.name}: pip install 'mjx-assist[web]'.") from None
    return viser


def _check_address(host: str, port: int) -> None:
    """Raise `UserError` where nothing can listen."""
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        raise UserError(
            f"--web cannot listen at {host}:{port} ({error.strerror or error}); see --host, --port."
        ) from None
