"""What a person sees while training runs: rate, time left, and what is being learned."""

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from mjx_assist.ppo.callbacks import Callback, Session

PLAIN_INTERVAL = 15.0  # s between lines where the output is not a terminal


class Progress(Callback):
    """A live bar on a terminal, a line now and then in a log file, nothing with ``show=False``."""

    def __init__(self, show: bool):
        self._show = show
        self._last = -PLAIN_INTERVAL
        self._bar: Bar | None = None

    def on_start(self, session: Session) -> None:
        self._start, self._first = time.perf_counter(), session.control_steps
        self._total = session.total_updates * session.config.env_params.num_envs * session.config.ppo_params.n_steps
        if self._show and sys.stderr.isatty():
            columns = (
                TextColumn("{task.completed:,.0f} / {task.total:,.0f} control steps"),
                BarColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[news]}"),
            )
            self._bar = Bar(*columns, console=Console(stderr=True))
            self._task = self._bar.add_task("", total=self._total, completed=self._first, news="compiling")
            self._bar.start()

    def on_end(self, session: Session) -> None:
        if self._bar:
            self._bar.stop()

    def on_update(self, session: Session) -> None:
        """Show one row of the training log."""
        if not self._show:
            return
        row = session.row
        news = (
            f"{row['steps_per_s']:,.0f} steps/s  episode {row['episode_length']:.0f} steps  "
            f"reward {row['reward']:.4f}  kl {row['kl']:.4f}"
        )
        if self._bar:
            self._bar.update(self._task, completed=row["control_steps"], news=news)
            return
        now = time.perf_counter()
        if now - self._last < PLAIN_INTERVAL and row["control_steps"] < self._total:
            return
        self._last = now
        rate = (row["control_steps"] - self._first) / max(now - self._start, 1e-9)
        left = (self._total - row["control_steps"]) / max(rate, 1e-9)
        share = 100.0 * row["control_steps"] / self._total
        print(f"{share:5.1f} %  {left / 60:5.1f} min left  {news}", file=sys.stderr, flush=True)
