"""TensorBoard events, written in the caller's thread: a full disk is an error, not a queue that nobody empties."""

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.proto.summary_pb2 import Summary

FLUSH_INTERVAL = 10.0  # s; flushing waits for the disk


class Scalars:
    """An event file in ``folder``. Earlier files' events from ``purge_step`` on no longer count."""

    def __init__(self, folder: Path, purge_step: int):
        self._file = EventsWriter(str(folder / "events"))
        self._flushed = 0.0
        self._write(Event(step=purge_step, session_log=SessionLog(status=SessionLog.START)))

    def add(self, values: Mapping[str, float], step: int) -> None:
        """Add named numbers. Raises ``OSError`` if they, or earlier ones, cannot be written."""
        named = [Summary.Value(tag=name, simple_value=x) for name, x in values.items()]
        self._write(Event(step=step, summary=Summary(value=named)))

    def close(self) -> None:
        """Close the file. A run that ends for want of space has said so already."""
        with contextlib.suppress(OSError):
            self._file.close()

    def _write(self, event: Event) -> None:
        event.wall_time = time.time()
        self._file.write_event(event)
        if event.wall_time > self._flushed + FLUSH_INTERVAL:
            self._file.flush()
            self._flushed = event.wall_time
