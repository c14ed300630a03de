"""Draws a film's frames and writes them, in a process of its own: ``python -m mjx_assist.eval.film REQUEST FILM``.

The request is video.py's; the plots show the last seconds, so that they stand still while the curves move.
"""

import os
import sys
from pathlib import Path

import mujoco
import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

from mjx_assist.eval.plots.style import COLORS, FAINT, INK, STYLE
from mjx_assist.eval.replay.gauge import Gauge, Reading
from mjx_assist.eval.replay.record import SIDES, GaitRecord
from mjx_assist.eval.replay.straight import in_world
from mjx_assist.eval.view.overlay import add_arrows, arrows, shown_torque, status, torque_lines
from mjx_assist.terrain.heightfield import Ground

SIZE = 720  # pixels of the picture's side; the plots are as large again
WINDOW_S = 4.0  # of the past that the plots show
_DPI = 110
_FONT_PX = 17
_HEADROOM = 0.1  # m more above the head, for the numbers


class Plots:
    """Speed, vertical ground reaction and device torque of the last `WINDOW_S`, as a picture ``[SIZE, SIZE, 3]``."""

    def __init__(self, record: GaitRecord, readings: list[Reading]):
        import matplotlib

        self._curves = _curves(record, readings)
        with matplotlib.rc_context({**STYLE, "font.size": 10, "axes.titlesize": 11, "axes.labelsize": 10}):
            figure = Figure(figsize=(SIZE / _DPI, SIZE / _DPI), dpi=_DPI, layout="constrained")
            self._canvas = FigureCanvasAgg(figure)
            cells = figure.subplots(len(self._curves), 1, sharex=True, squeeze=False)[:, 0]
            self._lines = [self._panel(axes, *panel) for axes, panel in zip(cells, self._curves, strict=True)]
            cells[0].set_xlim(-WINDOW_S, 0.0)
            cells[-1].set_xlabel("time from now (s)")
            self._canvas.draw()
        self._empty = self._canvas.copy_from_bbox(figure.bbox)

    def draw(self, now: float) -> np.ndarray:
        """The plots at a time of the episode, s."""
        self._canvas.restore_region(self._empty)
        for lines, (_, _, curves) in zip(self._lines, self._curves, strict=True):
            for line, (_, _, time, values) in zip(lines, curves, strict=True):
                shown = (time <= now) & (time >= now - WINDOW_S)
                line.set_data(time[shown] - now, values[shown])
                line.axes.draw_artist(line)
        return np.asarray(self._canvas.buffer_rgba())[..., :3]

    def _panel(self, axes, title: str, unit: str, curves: list) -> list:
        """An empty panel whose limits hold the whole episode; its lines."""
        known = np.concatenate([values[np.isfinite(values)] for *_, values in curves])
        low, high = min(known.min(initial=0.0), 0.0), known.max(initial=0.1)
        axes.set(title=title, ylabel=unit, ylim=(low - 0.05 * (high - low), high + 0.08 * (high - low)))
        axes.grid(color=FAINT, linewidth=0.5)
        lines = [axes.plot([], [], color=color, label=label)[0] for label, color, *_ in curves]
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.1, ncols=len(lines))
        for line in lines:
            line.set_animated(True)
        return lines


def _curves(record: GaitRecord, readings: list[Reading]) -> list[tuple[str, str, list]]:
    """(title, unit, [(label, colour, time, values)]) of each panel."""
    shown = np.array([reading.time for reading in readings])
    speed = np.array([reading.speed for reading in readings])
    time, vertical = record.time, record.ground_reaction[:, :, 2] / record.body_weight
    panels = [
        ("Speed", "m/s", [("target", FAINT, time, record.target_velocity), ("walked", INK, shown, speed)]),
        (
            "Vertical ground reaction",
            "body weights",
            [(s, COLORS[s], time, vertical[:, i]) for i, s in enumerate(SIDES)],
        ),
    ]
    if record.device_joints:
        torque = shown_torque(record.device_torque, record.device_joints).T
        lines = zip(torque_lines(record.device_joints), torque, strict=True)
        panels.append(("Device torque", "N m", [(label, color, time, values) for (label, color), values in lines]))
    return panels


def readings(record: GaitRecord, frames: np.ndarray) -> list[Reading]:
    """What a viewer would have shown at the samples ``frames [N]`` of a record."""
    gauge, placed = Gauge(record.body_weight), in_world(record)
    return [
        gauge.read(
            float(record.time[i]),
            float(record.target_velocity[i]),
            float(record.com_position[i, 0]),
            record.device_torque[i],
            placed.ground_reaction[i],
            placed.center_of_pressure[i],
        )
        for i in frames
    ]


def pictures(record: GaitRecord, frames: np.ndarray, qpos: np.ndarray, plots: bool, ground: Ground):
    """Yield pictures ``[SIZE, SIZE or 2 SIZE, 3]``: the skeleton at full coordinates ``qpos [N, nq_full]``, plots."""
    from mjx_assist.eval.view.scene import Scene, side_camera

    shown = readings(record, frames)
    beside = Plots(record, shown) if plots else None
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), _FONT_PX)
    scene = Scene(record.human, record.device, record.muscle_names, ground)
    if os.environ.get("MUJOCO_GL") == "osmesa":  # a CPU draws three times as fast without antialiasing
        scene.model.vis.quality.offsamples, scene.model.vis.quality.shadowsize = 0, 1024
    with mujoco.Renderer(scene.model, SIZE, SIZE) as renderer:
        for sample, pose, reading in zip(frames, qpos, shown, strict=True):
            scene.pose(pose, record.activation[sample])
            camera = side_camera(scene.place)
            camera.lookat[2] += _HEADROOM
            renderer.update_scene(scene.data, camera)
            add_arrows(renderer.scene, arrows(reading.force, reading.center))
            picture = _labelled(renderer.render(), reading, record, font)
            yield picture if beside is None else np.hstack([picture, beside.draw(reading.time)])


def _labelled(picture: np.ndarray, reading: Reading, record: GaitRecord, font) -> np.ndarray:
    """The picture with its numbers in the upper left corner."""
    image = Image.fromarray(picture)
    rows = [("time", f"{reading.time:.1f} s"), *status(reading, record.device_joints, device_on=True)]
    draw = ImageDraw.Draw(image)
    for line, (label, value) in enumerate(rows):
        draw.text((16, 12 + 1.35 * _FONT_PX * line), f"{label}  {value}", font=font, fill=INK)
    return np.asarray(image)


def write(request: Path, film: Path) -> None:
    """Draw what a request asks for."""
    mujoco.GLContext(8, 8).make_current()  # fails at once where there is no OpenGL
    import imageio

    from mjx_assist.eval.view.scene import unpacked

    with np.load(request, allow_pickle=False) as requested:
        record = GaitRecord.load(str(requested["record"]))
        frames, qpos, fps, plots = (
            requested["frames"],
            requested["qpos"],
            float(requested["fps"]),
            bool(requested["plots"]),
        )
        ground = unpacked(requested)
    if film.suffix == ".gif":
        writer = imageio.get_writer(film, mode="I", duration=1e3 / fps, loop=0)
    else:
        writer = imageio.get_writer(film, fps=fps, codec="libx264", quality=7, macro_block_size=16)
    with writer:
        for number, picture in enumerate(pictures(record, frames, qpos, plots, ground), start=1):
            writer.append_data(picture)
            if sys.stdout.isatty():
                print(f"\rframe {number} of {len(frames)}", end="\n" if number == len(frames) else "", flush=True)


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]))
