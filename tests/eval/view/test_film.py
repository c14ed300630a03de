"""Films: frames in real time, drawn from the record, readable by another decoder; plain answers where none can be."""

import os
import subprocess
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from mjx_assist.cli.main import main
from mjx_assist.errors import UserError
from mjx_assist.eval.replay.replay import replay
from mjx_assist.eval.view import film, strip, video


@pytest.fixture(scope="module")
def record(untrained_bundle):
    return replay(untrained_bundle, steps=12, seed=0)


def test_frames_are_the_samples_nearest_to_real_time():
    time = np.arange(240) / 240 + 0.3
    for fps in (30.0, 25.0, 60.0):
        frames = video.frame_samples(time, fps)
        shown = time[frames] - time[0]
        np.testing.assert_allclose(shown, np.arange(len(frames)) / fps, atol=0.5 / 240 + 1e-9)
        assert len(frames) == pytest.approx((time[-1] - time[0]) * fps, abs=1)
    assert video.frame_samples(np.array([0.1]), 30.0).tolist() == [0]
    gap = np.array([0.0, 0.01, 0.5, 0.51])  # samples that are missing
    assert video.frame_samples(gap, 10.0).tolist() == [0, 1, 1, 2, 2, 2]


def test_what_a_film_tells_is_what_the_record_holds(record):
    frames = video.frame_samples(record.time, 30.0)
    readings = film.readings(record, frames)
    for frame, reading in zip(frames, readings, strict=True):
        assert reading.time == record.time[frame]
        np.testing.assert_array_equal(reading.force, record.ground_reaction[frame])
    way = record.com_position[frames[-1], 0] - record.com_position[frames[0], 0]
    assert readings[-1].speed == pytest.approx(way / (record.time[frames[-1]] - record.time[frames[0]]))


def test_plots_draw_the_past_and_nothing_of_the_future(record):
    plots = film.Plots(record, film.readings(record, np.arange(record.time.size)))
    early, late = (plots.draw(record.time[i]).astype(int).copy() for i in (record.time.size // 4, -1))
    assert early.shape == (film.SIZE, film.SIZE, 3)
    blue = [((p[..., 2] - p[..., 0]) > 60).sum() for p in (early, late)]  # the right leg's curves
    assert blue[1] > 1.5 * blue[0] > 0
    np.testing.assert_array_equal(plots.draw(record.time[record.time.size // 4]), early)  # nothing stays behind


@pytest.mark.parametrize(
    ("name", "answer"), [("film.avi", "'.avi'.*Allowed: .gif, .mp4"), ("film", "'film'.*Allowed"), ("mp4", "'mp4'")]
)
def test_other_file_types_are_refused_before_the_walk(name, answer):
    with pytest.raises(UserError, match=answer):
        video.check(name)


def test_a_missing_package_is_named_with_the_extra_that_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio", None)
    with pytest.raises(UserError, match=r"pip install 'mjx-assist\[video\]'"):
        video.check("film.mp4")


def test_without_opengl_it_says_what_to_install(untrained_bundle, record, monkeypatch, tmp_path):
    monkeypatch.setattr(strip, "_gl_backends", lambda: ["no-such-backend"])
    with pytest.raises(UserError, match=r"EGL.*OSMesa.*no-such-backend.*apt install libosmesa6"):
        video.write_video(untrained_bundle, record, tmp_path / "film.mp4")
    assert not list(tmp_path.iterdir())


def test_flags_that_do_not_go_together_are_named(bundle_path, capsys):
    for arguments, answer in {
        ("--web", "--headless"): "--headless and --web: choose one",
        ("--plots",): "--plots goes with --video only",
        ("--port", "8000"): "--port goes with --web only",
        ("--video", "x.avi"): "'.avi'",
        ("--video", str(bundle_path)): "Allowed: .gif, .mp4",
    }.items():
        assert main(["replay", str(bundle_path), *arguments]) == 2
        assert answer in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["mp4", pytest.param("gif", marks=pytest.mark.slow)])
def test_a_film_holds_the_walk(untrained_bundle, tmp_path, kind, capsys):
    path = tmp_path / f"film.{kind}"
    record = replay(untrained_bundle, steps=4, seed=0)
    try:
        frames = video.write_video(untrained_bundle, record, path, plots=kind == "gif")
    except UserError as error:
        assert "no film" in str(error)
        pytest.skip("no OpenGL here")
    shown = iio.imread(path)
    assert len(shown) == frames
    assert shown.shape[1:3] == (film.SIZE, 2 * film.SIZE if kind == "gif" else film.SIZE)
    pictures_only = shown[:, 160:, : film.SIZE].astype(int)  # below the numbers
    bone = (np.ptp(pictures_only, axis=3) < 25) & (pictures_only.min(3) > 150)
    assert bone.mean() > 0.01
    assert (np.abs(np.diff(pictures_only, axis=0)).max(3) > 60).any(axis=(1, 2)).all()  # the walker moves
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_an_arrow_is_drawn_as_long_as_it_says(tmp_path):
    """Beside a box of one metre; run elsewhere, since OpenGL is chosen once per process."""
    script = Path(__file__).with_name("draw_arrow.py")
    drawn = tmp_path / "drawn.npy"
    for backend in strip._gl_backends():
        done = subprocess.run([sys.executable, script, drawn], env={**os.environ, "MUJOCO_GL": backend or "glfw"})
        if done.returncode == 0:
            break
    else:
        pytest.skip("no OpenGL here")
    picture = np.load(drawn).astype(int)
    blue = np.flatnonzero((picture[..., 2] - picture[..., 0] > 60).any(1))
    box = np.flatnonzero((picture[..., 1] - picture[..., 0] > 60).any(1))
    assert np.ptp(blue) == pytest.approx(np.ptp(box), rel=0.12)  # the thin tip is dark
