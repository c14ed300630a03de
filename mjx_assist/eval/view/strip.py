"""A strip of pictures of one gait cycle: the full skeleton if MuJoCo can render here, else stick figures.

Rendering runs in a process of its own, since a missing or broken OpenGL can take the process down with it.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import mujoco
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mjx_assist.eval.gait import events
from mjx_assist.eval.replay.record import GaitRecord
from mjx_assist.eval.replay.straight import on_level_ground
from mjx_assist.eval.view.scene import Scene, packed, side_camera, unpacked
from mjx_assist.files.atomic import replacing
from mjx_assist.policy import bundle as bundles
from mjx_assist.policy.bundle import Bundle
from mjx_assist.processes import environment, python
from mjx_assist.terrain.heightfield import LEVEL_GROUND, Ground

PHASES = 6
WIDTH, HEIGHT = 420, 720  # pixels of one picture
RENDER_TIMEOUT_S = 120.0
TRUNK_PER_CENTRE = 2.3  # a stick figure's trunk and neck, in distances from the pelvis to the trunk's centre of mass
_GL_ENVIRONMENT = "MUJOCO_GL"


def walker_strip(
    bundle: Bundle, record: GaitRecord, path: str | Path, phases: int = PHASES, ground: Ground = LEVEL_GROUND
) -> str:
    """Write a PNG of the walker at evenly spaced phases of a gait cycle, side by side, on the ``ground`` that was
    walked on; returns its caption.

    Raises:
        UserError: the file cannot be written.
    """
    if np.any(record.heading):
        record, ground = on_level_ground(record), LEVEL_GROUND
    frames, labels, what = cycle_frames(record, phases)
    images = render(bundle, record, frames, ground)
    figure = Figure(figsize=(1.75 * phases, 3.25), dpi=200)
    cells = figure.subplots(1, phases, squeeze=False)[0]
    for i, (axes, label) in enumerate(zip(cells, labels, strict=True)):
        if images is None:
            _stick_figure(axes, bundle, record.qpos[frames[i]], ground)
        else:
            axes.imshow(images[i])
        axes.set_axis_off()
        axes.set_title(label, fontsize=9)
    figure.subplots_adjust(left=0.0, right=1.0, bottom=0.0, top=0.92, wspace=0.0)
    with replacing(path) as stream:
        figure.savefig(stream, format="png")
    model = "Stick figure of the reduced model" if images is None else "The full skeleton; red muscles are active"
    return f"{model}, {what} (seed {record.seed}, {record.model_kind} model)."


def cycle_frames(record: GaitRecord, phases: int) -> tuple[np.ndarray, list[str], str]:
    """Sample indexes at evenly spaced phases of the middle right stride, their labels, and what that is, in words.

    A record without a complete stride is shown as a whole.
    """
    strides = [stride for stride in events.strides(record) if stride.side == "right"]
    if not strides:
        frames = np.linspace(0, record.time.size - 1, phases).round().astype(int)
        return frames, [f"{record.time[frame]:.2f} s" for frame in frames], "over the whole episode"
    stride = strides[len(strides) // 2]
    share = np.arange(phases) / phases
    start, end = record.time[stride.start], record.time[stride.end]
    frames = np.searchsorted(record.time, start + share * (end - start))
    return frames, [f"{100 * s:.0f} %" for s in share], "over one gait cycle of the right leg"


def render(bundle: Bundle, record: GaitRecord, frames: np.ndarray, ground: Ground = LEVEL_GROUND) -> np.ndarray | None:
    """Pictures ``[N, HEIGHT, WIDTH, 3]`` of the full skeleton, or None where nothing here can render."""
    with tempfile.TemporaryDirectory() as folder:
        request, result = Path(folder) / "request.npz", Path(folder) / "result.npy"
        np.savez(
            request,
            human=bundle.human,
            device=bundle.device,
            muscles=np.array(record.muscle_names, dtype=str),
            qpos=bundle.coupling.lift(record.qpos[frames]),
            activation=record.activation[frames],
            **packed(ground),
        )
        if not render_elsewhere("mjx_assist.eval.view.strip", request, result):
            return None
        return np.load(result, allow_pickle=False)


def render_elsewhere(module: str, request: Path, result: Path) -> bool:
    """Run ``python -m module request result`` with one OpenGL after the other until there is a result."""
    return trouble_elsewhere(module, request, result, RENDER_TIMEOUT_S) is None


def trouble_elsewhere(module: str, request: Path, result: Path, timeout: float | None) -> str | None:
    """As `render_elsewhere`: None if there is a result, else the last that each OpenGL's process said."""
    command = python("-m", module, request, result)
    said = []
    for backend in _gl_backends():
        env = environment(**({_GL_ENVIRONMENT: backend} if backend else {}))
        try:
            done = subprocess.run(command, env=env, stderr=subprocess.PIPE, text=True, timeout=timeout)
        except subprocess.TimeoutExpired:
            said.append(f"{backend}: took longer than {timeout:.0f} s")
            continue
        if done.returncode == 0 and result.is_file():
            return None
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        said.append(f"{backend}: {last}")
    return "; ".join(said)


def _gl_backends() -> list[str]:
    """Values of MUJOCO_GL to try, the user's own first; "" leaves it to MuJoCo (which needs no choice off Linux)."""
    own = os.environ.get(_GL_ENVIRONMENT)
    if own:
        return [own]
    return ["egl", "osmesa"] if sys.platform.startswith("linux") else [""]


def drawing() -> tuple[str | None, str]:
    """(what draws here off the screen, or None; what those that do not have said)."""
    said = []
    for backend in _gl_backends():
        command = python("-c", f"from {__name__} import check_gl; check_gl()")
        env = environment(**({_GL_ENVIRONMENT: backend} if backend else {}))
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        if done.returncode == 0:
            return backend or "OpenGL", "; ".join(said)
        said.append(f"{backend}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
    return None, "; ".join(said)


def check_gl() -> None:
    """Fails at once, with MuJoCo's words, where there is no OpenGL."""
    context = mujoco.GLContext(WIDTH, HEIGHT)
    context.make_current()
    context.free()


def _render_request(request: Path, result: Path) -> None:
    """Draw a request's poses; run in a process of its own."""
    check_gl()

    with np.load(request, allow_pickle=False) as requested:
        muscles = [str(name) for name in requested["muscles"]]
        scene = Scene(str(requested["human"]), str(requested["device"]), muscles, unpacked(requested))
        images = []
        with mujoco.Renderer(scene.model, HEIGHT, WIDTH) as renderer:
            for qpos, activation in zip(requested["qpos"], requested["activation"], strict=True):
                scene.pose(qpos, activation)
                renderer.update_scene(scene.data, side_camera(scene.place))
                images.append(renderer.render())
    np.save(result, np.stack(images))


def _stick_figure(axes: Axes, bundle: Bundle, qpos: np.ndarray, ground: Ground) -> None:
    """Segments of the reduced model from the side, by its forward kinematics; right leg dark, left leg light."""
    model = bundles.reduced_model(bundle)
    data = mujoco.MjData(model)
    data.qpos[:] = qpos
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)
    place = data.subtree_com[0][0]
    under = float(ground.height(place, 0.0))
    beside = np.linspace(-0.6, 0.6, 25)
    axes.plot(beside, ground.height(place + beside, np.zeros(25)) - under, color="0.6", linewidth=1)
    for body in range(1, model.nbody):
        color = "0.65" if model.body(body).name.endswith("_l") else "0.15"
        points = [data.geom_xpos[g] for g in range(model.ngeom) if model.geom_bodyid[g] == body]
        if model.body_parentid[body] == 0:
            points.append(data.xpos[body] + TRUNK_PER_CENTRE * (data.xipos[body] - data.xpos[body]))
            axes.plot(points[-1][0] - place, points[-1][2] - under, "o", color=color, markersize=9)  # the head
        else:
            points.append(data.xpos[model.body_parentid[body]])
        for point in points:
            ends = np.array([data.xpos[body], point])
            axes.plot(ends[:, 0] - place, ends[:, 2] - under, color=color, linewidth=2.5, solid_capstyle="round")
    axes.set(xlim=(-0.6, 0.6), ylim=(-0.15, 1.75), aspect="equal")


if __name__ == "__main__":
    _render_request(Path(sys.argv[1]), Path(sys.argv[2]))
