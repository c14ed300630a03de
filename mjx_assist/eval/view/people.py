"""Several people standing beside one another, each from the front and from the side, all in one scale of metres.

Rendering runs in a process of its own, as in models.py.
"""

import sys
import tempfile
from pathlib import Path

import matplotlib
import mujoco
import numpy as np
from matplotlib.figure import Figure

from mjx_assist.errors import UserError
from mjx_assist.eval.plots.style import STYLE, png
from mjx_assist.eval.view import strip
from mjx_assist.eval.view.models import HEIGHT, draw
from mjx_assist.files.atomic import write_bytes
from mjx_assist.model import anatomy
from mjx_assist.model.assembly import compose
from mjx_assist.model.feet.sole import lowest
from mjx_assist.model.names import is_muscle

SHOWN = 2.3  # m from top to bottom
_BELOW = 0.08  # m under the soles
_VIEW_WIDTH = 0.62  # m of a picture that is kept
_INCHES_PER_M = 2.2


def side_by_side(humans: list[str], device: str, labels: list[str], path: str | Path) -> None:
    """Write a PNG of people (human keys, with who they are) who stand, ``labels`` under them.

    Raises:
        UserError: nothing here can render, or the file cannot be written.
    """
    with tempfile.TemporaryDirectory() as folder:
        request, result = Path(folder) / "request.npz", Path(folder) / "result.npy"
        np.savez(request, humans=np.array(humans, dtype=str), device=device)
        if not strip.render_elsewhere("mjx_assist.eval.view.people", request, result):
            raise UserError("nothing here can render: MuJoCo needs OpenGL by EGL (a GPU) or OSMesa (libosmesa6).")
        pictures = np.load(result, allow_pickle=False)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(_INCHES_PER_M * _VIEW_WIDTH * 2 * len(humans) + 0.8, _INCHES_PER_M * SHOWN + 0.6))
        axes = figure.subplots()
        for number, views in enumerate(pictures):
            for k, picture in enumerate(views):
                left = (2 * number + k) * _VIEW_WIDTH
                axes.imshow(picture, extent=(left, left + _VIEW_WIDTH, -_BELOW, SHOWN - _BELOW))
        axes.set(xlim=(0, 2 * len(humans) * _VIEW_WIDTH), ylim=(-_BELOW, SHOWN - _BELOW), ylabel="height (m)")
        axes.set_xticks([(2 * n + 1) * _VIEW_WIDTH for n in range(len(humans))], labels)
        axes.set_yticks(np.arange(0.0, SHOWN - _BELOW, 0.25))
        axes.tick_params(axis="x", length=0)
        axes.grid(axis="y", alpha=0.4)
        figure.tight_layout()
    write_bytes(path, png(figure, dpi=150))


def _render_request(request: Path, result: Path) -> None:
    """Draw a request's people; run in a process of its own."""
    strip.check_gl()
    with np.load(request, allow_pickle=False) as requested:
        pictures = [_drawn(str(human), str(requested["device"])) for human in requested["humans"]]
    np.save(result, np.stack(pictures))


def _drawn(human: str, device: str) -> np.ndarray:
    """Pictures ``[2 (front, side), HEIGHT, width, 3]`` of one person, the soles at the same height."""
    from mjx_assist.eval.view.scene import ACTIVE

    model = compose(human, device).compile()
    model.tendon_rgba[:], model.tendon_width[:] = ACTIVE, 0.004
    data = mujoco.MjData(model)
    data.qpos[:], data.act[: int(is_muscle(model).sum())] = anatomy.upright(model), 1.0
    mujoco.mj_forward(model, data)
    pelvis = data.xpos[model.body("pelvis").id]
    middle = np.array([*pelvis[:2], lowest(model, data) + SHOWN / 2 - _BELOW])
    images, _ = draw(model, data, middle, muscles=True, shown=SHOWN)
    width = round(_VIEW_WIDTH / SHOWN * HEIGHT)
    left = (images.shape[2] - width) // 2
    return images[::-1, :, left : left + width]


if __name__ == "__main__":
    _render_request(Path(sys.argv[1]), Path(sys.argv[2]))
