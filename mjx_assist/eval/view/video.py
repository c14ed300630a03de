"""A film of a gait record: the full skeleton drawn offscreen, live plots beside it when asked; mp4 or gif.

Drawing (film.py) runs in a process of its own, with the first OpenGL that works.
"""

import shutil
import tempfile
from pathlib import Path

import numpy as np

from mjx_assist.errors import UserError, unknown
from mjx_assist.eval.replay.record import GaitRecord
from mjx_assist.eval.replay.straight import in_world
from mjx_assist.eval.view.scene import packed
from mjx_assist.eval.view.strip import trouble_elsewhere
from mjx_assist.files.atomic import replacing
from mjx_assist.policy.bundle import Bundle
from mjx_assist.terrain.heightfield import LEVEL_GROUND, Ground

FORMATS = (".mp4", ".gif")
_MOST_FPS = {".mp4": 60.0, ".gif": 25.0}  # what players show; a gif counts in hundredths of a second
_NO_GL = (
    "no film: OpenGL draws here neither through EGL nor through OSMesa ({}). Install one: a graphics driver with EGL, "
    "or OSMesa (Debian, Ubuntu: apt install libosmesa6; Fedora: dnf install mesa-libOSMesa)."
)


def check(path: str | Path) -> Path:
    """The path of a film that can be made here.

    Raises:
        UserError: not .mp4 or .gif, or a package for it is missing.
    """
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise unknown("--video: file type", path.suffix or str(path), FORMATS)
    try:
        import imageio  # noqa: F401
        import imageio_ffmpeg  # noqa: F401
    except ImportError as error:
        raise UserError(f"--video needs {error.name}: pip install 'mjx-assist[video]'.") from None
    return path


def write_video(
    bundle: Bundle, record: GaitRecord, path: str | Path, plots: bool = False, ground: Ground = LEVEL_GROUND
) -> int:
    """Write the film of a record in real time, on the ``ground`` that was walked on; returns the number of frames.

    Raises:
        UserError: nothing here can render, or the file cannot be written.
    """
    path = check(path)
    kind = path.suffix.lower()
    fps = min(1.0 / record.control_dt, _MOST_FPS[kind])
    record = record.finite_part()
    frames = frame_samples(record.time, fps)
    with tempfile.TemporaryDirectory() as folder:
        request, film = Path(folder) / "request.npz", Path(folder) / f"film{kind}"
        saved = record.save(Path(folder) / "record.npz")
        full_qpos = bundle.coupling.lift(in_world(record).qpos[frames])
        np.savez(request, record=str(saved), frames=frames, qpos=full_qpos, fps=fps, plots=plots, **packed(ground))
        trouble = trouble_elsewhere("mjx_assist.eval.view.film", request, film, timeout=None)
        if trouble is not None:
            raise UserError(_NO_GL.format(trouble))
        with replacing(path) as stream, film.open("rb") as drawn:
            shutil.copyfileobj(drawn, stream)
    return len(frames)


def frame_samples(time: np.ndarray, fps: float) -> np.ndarray:
    """Indexes of the record's samples ``time [T]`` s that are nearest to the frames of a film in real time."""
    wanted = np.arange(time[0], time[-1] + 1e-9, 1.0 / fps)
    after = np.clip(np.searchsorted(time, wanted), 1, max(time.size - 1, 1))
    before = after - 1
    nearest = np.where(wanted - time[before] < time[np.minimum(after, time.size - 1)] - wanted, before, after)
    return np.minimum(nearest, time.size - 1)
