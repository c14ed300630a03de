"""The walker in a browser (viser), in real time: the full skeleton, switches and sliders, live plots.

The browser shows a treadmill: the walker stays in the middle and the ground moves.
"""

import math
import socket
import webbrowser
from collections import deque
from typing import Any

import numpy as np

from mjx_assist.errors import UserError
from mjx_assist.eval.plots.style import COLORS, FAINT, INK
from mjx_assist.eval.replay.record import SIDES
from mjx_assist.eval.view.choices import Choices
from mjx_assist.eval.view.meshes import (
    BodyMesh,
    body_meshes,
    cylinder_between,
    ground_mesh,
    muscle_segments,
    unit_cylinder,
)
from mjx_assist.eval.view.overlay import SIDE_COLORS, arrows, shown_torque, status, torque_lines
from mjx_assist.eval.view.player import Player, notes, rate, rate_line
from mjx_assist.eval.view.scene import MUSCLE_WIDTH, Scene
from mjx_assist.eval.view.web_controls import Controls
from mjx_assist.eval.view.web_guard import guarded
from mjx_assist.eval.view.window import has_display, muscle_names
from mjx_assist.model.names import GRAVITY

HOST, PORT = "127.0.0.1", 8080
_CELL = 0.5  # m between the lines of the ground
_PLOT_S = 5.0  # of the past that the plots show
_PLOT_EVERY = 4  # control steps from one drawing of the plots to the next
_PLOT_PX = 150  # a plot's height
_GROUND = {"section_thickness": 0.0, "plane_color": (226, 229, 233), "plane_opacity": 1.0}
_ROUGH_COLOR = (200, 205, 212)


def serve(choices: Choices, host: str = HOST, port: int = PORT) -> None:
    """Show episodes at http://host:port until interrupted; opens it in a browser where there is one here.

    Raises:
        UserError: viser is missing, or the address cannot be listened at.
    """
    page = Page(choices, host, port)
    print(f"http://{host}:{page.port} (Ctrl+C ends)", flush=True)
    if has_display() and host in (HOST, "localhost"):
        webbrowser.open_new_tab(f"http://{host}:{page.port}")
    try:
        while True:
            choices.player.tick(page.draw)
            if choices.taken():
                page.show()
    except KeyboardInterrupt:
        print(f"\n{rate_line(choices.player.pace, choices.player.session.dt)}")
    finally:
        page.stop()


class Page:
    """What a browser at http://host:port sees of the player of the choices; `draw` shows its present state."""

    def __init__(self, choices: Choices, host: str = HOST, port: int = PORT):
        self._viser = installed()
        _check_address(host, port)
        self._choices = choices
        with guarded(host):
            self._server = self._viser.ViserServer(host=host, port=port, label="mjx-assist", verbose=False)
        self.port = self._server.get_port()
        self.show()

    def show(self) -> None:
        """Lay the page out for the player that there is now."""
        session = self._choices.player.session
        bundle = session.bundle
        self._joints = session.walker.device_joints
        self._scene = Scene(bundle.human, bundle.device, muscle_names(bundle), session.walker.stands_on)
        self._history: deque = deque(maxlen=round(_PLOT_S / session.dt))
        self._frame = 0
        with self._server.atomic():
            self._server.scene.reset()
            self._server.gui.reset()
            self._add_view(self._server)
            Controls(self._server.gui, self._choices)
            self._status = self._server.gui.add_markdown("")
            self._add_plots(self._server.gui, self._viser)

    def stop(self) -> None:
        """Close the address."""
        self._server.stop()

    def draw(self, player: Player) -> None:
        """Show the player's present state."""
        walker, reading = player.session.walker, player.reading
        self._scene.pose(walker.full_pose(), walker.muscle_activation())
        with self._server.atomic():
            if walker.stands_on[1:] != self._scene.ground[1:]:
                self._scene.stand_on(walker.stands_on)
                self._lay_ground()
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
            _moved_by_batch(view, f"/walker/{i}", mesh.vertices, mesh.faces, _bytes(mesh.rgba), opacity=_opacity(mesh))
            for i, mesh in enumerate(self._meshes)
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
        self._lay_ground()

    def _lay_ground(self) -> None:
        """The ground that is walked on: a plane with lines, or the heights of the walker's lane."""
        view, ground = self._server.scene, self._scene.ground
        self._ground: Any
        if ground.terrain is not None:
            self._ground = _moved_by_batch(view, "/ground", *ground_mesh(ground), _ROUGH_COLOR, flat_shading=True)
            return
        half = 0.5 * math.atan(ground.slope)
        self._ground = view.add_grid("/ground", 12.0, 6.0, cell_size=_CELL, section_size=2 * _CELL, **_GROUND)
        self._ground.wxyz = (math.cos(half), 0.0, -math.sin(half), 0.0)

    def _place(self, player: Player) -> None:
        """Put everything where the scene is, the ground under the walker at the origin if the camera follows."""
        data, model, ground = self._scene.data, self._scene.model, self._scene.ground
        shift = self._scene.place if player.follow else np.zeros(3)
        for handle, mesh in zip(self._bodies, self._meshes, strict=True):
            handle.batched_positions = data.xpos[mesh.body][None] - shift
            handle.batched_wxyzs = data.xquat[mesh.body][None]
        pieces, tendon = muscle_segments(model, data)
        muscles = self._muscles
        places = cylinder_between(pieces - shift, MUSCLE_WIDTH)
        muscles.batched_positions, muscles.batched_wxyzs, muscles.batched_scales = places
        muscles.batched_colors = (255 * model.tendon_rgba[tendon, :3]).astype(np.uint8)
        for handle, ends in zip(self._arrows, arrows(player.reading.force, player.reading.center), strict=True):
            handle.visible = bool(np.isfinite(ends).all())
            if handle.visible:
                handle.points = (ends - shift)[None].astype(np.float32)
        if ground.terrain is not None:
            self._ground.batched_positions = -shift[None]
        else:
            self._ground.position = _lines_at(shift[0], ground.slope)

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
        rows += notes(player) + ([("not chosen", self._choices.trouble)] if self._choices.trouble else [])
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


def _moved_by_batch(view, name: str, vertices: np.ndarray, faces: np.ndarray, color: tuple[int, ...], **look) -> Any:
    """A mesh as a batch of one. viser moves poses in one frame of the browser, and what is in a batch in another,
    as muscles and arrows are: so all of them move at once."""
    turn, place = np.array([[1.0, 0.0, 0.0, 0.0]]), np.zeros((1, 3))
    return view.add_batched_meshes_simple(name, vertices, faces, turn, place, batched_colors=color, lod="off", **look)


def _bytes(rgba: tuple[float, ...]) -> tuple[int, ...]:
    return tuple(round(255 * part) for part in rgba[:3])


def _opacity(mesh: BodyMesh) -> float | None:
    return mesh.rgba[3] if mesh.rgba[3] < 1 else None


def _lines_at(along: float, slope: float) -> tuple[float, float, float]:
    """Where the lines of a plane are when the walker has come ``along`` m: moved back along it, by less than two."""
    cos = 1.0 / math.hypot(1.0, slope)
    back = (along / cos) % (2 * _CELL)
    return -back * cos, 0.0, -back * cos * slope


def installed():
    """The package viser; `UserError` where it is not there."""
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
