"""What surrounds a command: streams that take any text, signals that end it, and what the system refuses, in words."""

import contextlib
import errno
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType

from mjx_assist.errors import UserError

# What the system may refuse through no fault of this program; of other refusals its own words are told.
REFUSALS = {
    errno.ENOSPC: "no space left on the device",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file would be larger than allowed here",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "not permitted",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EIO: "input/output error: a terminal that was closed, or a disk that fails",
}
ENDING = ("SIGTERM", "SIGHUP")  # Windows has no SIGHUP
LONGEST_NAME = 80  # characters of a name in a sentence


def refusal(error: OSError) -> str | None:
    """The sentence for what the system refused; None where nothing tells what that was."""
    if error.errno not in REFUSALS and not (error.filename and error.strerror):
        return None
    where = f"{_short(str(error.filename))!r}: " if error.filename else ""
    return where + (REFUSALS.get(error.errno or 0) or str(error.strerror).lower())


def speak_any_locale() -> None:
    """What standard output and error cannot encode is replaced; a closed one takes everything."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (for the process' life)
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def check_words(argv: Sequence[str]) -> None:
    """Raises `UserError` for an argument that this locale cannot decode, such as a file's name in ASCII."""
    for word in argv:
        try:
            word.encode()
        except UnicodeEncodeError:
            encoding = sys.getfilesystemencoding()
            raise UserError(
                f"argument {_short(word)!a} is not text in this locale ({encoding}); set LC_ALL=C.UTF-8."
            ) from None


def check_drawing() -> None:
    """Raises `UserError` where ``MUJOCO_GL`` asks for what MuJoCo does not know or this machine does not have.

    MuJoCo reads it when it is imported, whether anything is drawn or not.
    """
    if not (asked := os.environ.get("MUJOCO_GL")):
        return
    try:
        import mujoco  # noqa: F401
    except (ImportError, AttributeError, RuntimeError, OSError) as error:
        raise UserError(
            f"environment variable MUJOCO_GL={asked}: MuJoCo does not start with it ({error}). Unset it, or set egl "
            "(a graphics driver), osmesa (apt install libosmesa6), glfw (a window) or off."
        ) from None


@contextlib.contextmanager
def ending_signals() -> Iterator[None]:
    """For the block SIGTERM and SIGHUP raise ``KeyboardInterrupt`` with their name; where they are ignored (nohup) not.

    Training notes them instead (`training.loop.StopSignals`).
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in ENDING if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    for number, handler in before.items():
        if handler == signal.SIG_DFL:
            signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}..."
