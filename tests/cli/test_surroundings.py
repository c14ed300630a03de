"""Commands where others put them: locales that know no arrows, closed streams, no home, names in other alphabets."""

import os
import subprocess
import sys

import pytest

LIST = [sys.executable, "-m", "mjx_assist", "models", "list"]


def run(words, **environment):
    left = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHONUTF8"))}
    return subprocess.run(words, env={**left, **environment}, capture_output=True, text=True, timeout=300)


def test_a_locale_that_knows_only_ascii_gets_question_marks():
    done = run(LIST, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert (done.returncode, done.stderr) == (0, "")
    assert "full ? reduced" in done.stdout and done.stdout.isascii()


@pytest.mark.skipif(sys.platform == "win32", reason="shells of POSIX")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_are_no_error(closed):
    done = run(["sh", "-c", f"exec '{sys.executable}' -m mjx_assist models list {closed}"])
    assert (done.returncode, done.stderr) == (0, "")


def test_without_a_home_the_cache_lasts_as_long_as_the_program():
    script = (
        "import os, platformdirs; platformdirs.user_cache_dir = lambda *_, **__: '~/.cache/mjx-assist'\n"
        "from mjx_assist.paths import cache_folder\n"
        "print(cache_folder()); assert cache_folder() == cache_folder() and cache_folder().is_dir()"
    )
    done = run([sys.executable, "-c", script])
    assert done.returncode == 0, done.stderr
    assert os.path.isabs(done.stdout.strip()) and not os.path.exists(done.stdout.strip())


def test_a_renderer_that_is_none_is_one_sentence():
    """MuJoCo ends in a traceback when it is imported."""
    done = run([sys.executable, "-m", "mjx_assist", "policies"], MUJOCO_GL="opengl")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "MUJOCO_GL=opengl" in done.stderr and "osmesa" in done.stderr
