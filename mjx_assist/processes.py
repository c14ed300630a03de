"""Processes that this package starts: what they import, how urgent they are, and that they end when it does.

None of them imports what lies in the current folder: a file there called ``random.py``, the user's own or one that came
with a policy, would run.
"""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ENDS_WITH_STDIN = "MJX_ASSIST_ENDS_WITH_STDIN"  # environment variable: the process ends when its stdin is closed
LOWEST_PRIORITY = 19  # nice
_SAFE_PATH = "PYTHONSAFEPATH"


def python(*words: object) -> list[str]:
    """The command of this Python that looks for modules where it did for us, except in the current folder."""
    return [sys.executable, "-P", *map(str, words)]


@contextlib.contextmanager
def current_folder_left_alone() -> Iterator[None]:
    """For the block so do the Pythons that libraries start: multiprocessing its workers, glfw the one that tries it."""
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_SAFE_PATH, None)
        else:
            os.environ[_SAFE_PATH] = before


def environment(**more: str) -> dict[str, str]:
    """Our environment for a process, which tells the Pythons that it starts in turn (glfw does) the same."""
    return {**os.environ, _SAFE_PATH: "1", **more}


def cpus() -> int:
    """How many CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def start(words: list[str], output: Path) -> subprocess.Popen:
    """Start a process at the lowest priority, out of reach of the terminal's Ctrl-C; see `end_with_stdin`."""
    calm = environment(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", **{ENDS_WITH_STDIN: "1"})
    if sys.platform == "win32":
        apart: dict[str, Any] = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.IDLE_PRIORITY_CLASS}
    else:  # a group, not a session: on Linux priorities count only within a session (its autogroup)
        apart = {"process_group": 0}
    with open(output, "wb") as file:
        process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=file, stderr=subprocess.STDOUT, env=calm, **apart
        )
    if hasattr(os, "setpriority"):
        with contextlib.suppress(OSError):  # it has ended already, or may not
            os.setpriority(os.PRIO_PROCESS, process.pid, LOWEST_PRIORITY)
    return process


def end_with_stdin() -> None:
    """In a process that `start` started: end, whatever is being done, when who started it is gone."""
    if os.environ.pop(ENDS_WITH_STDIN, None) is None:
        return

    def wait() -> None:
        while os.read(0, 1):  # not sys.stdin: Python aborts where its lock is held when the program ends
            pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def end_with_parent() -> None:
    """The same in a process of multiprocessing's."""
    import multiprocessing
    from multiprocessing.connection import wait

    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def end() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()
