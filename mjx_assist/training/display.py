"""What a person sees while training runs: how far it is, how fast, and what is being learned."""

import contextlib
import sys
import time
from collections.abc import Iterator

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from mjx_assist.training.callbacks import Callback, Run

PLAIN_INTERVAL = 15.0  # s between lines where the output is not a terminal
REFRESH = 2.0  # Hz, on a terminal
TERMS = 4  # of the reward, the largest
LEVEL = "env/level"  # of the curriculum, mean of the walkers


class Display(Callback):
    """A live bar and table on a terminal, a line now and then in a log file, nothing with ``show=False``.

    Where nobody is left to read it, as with a closed terminal or pipe, the run is saved and stops.
    """

    def __init__(self, show: bool):
        self._show = show
        self._last = -PLAIN_INTERVAL
        self._live: Live | None = None

    def on_start(self, run: Run) -> None:
        self._start, self._first = time.perf_counter(), run.control_steps
        self._total = run.total_updates * run.config.env_params.num_envs * run.config.ppo_params.n_steps
        if self._show and sys.stderr.isatty():
            self._bar = Bar(
                TextColumn("{task.completed:,.0f} of {task.total:,.0f} control steps"),
                BarColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeElapsedColumn(),
                TextColumn("gone,"),
                TimeRemainingColumn(),
                TextColumn("left"),
                auto_refresh=False,
            )
            self._task = self._bar.add_task("", total=self._total, completed=self._first, rate="compiling")
            self._live = Live(self._bar, console=Console(stderr=True), refresh_per_second=REFRESH)
            self._live.start()

    def on_update(self, run: Run) -> None:
        """Show one row of the training log."""
        if not self._show:
            return
        try:
            self._tell(run)
        except OSError:
            self._show, self._live, run.stop = False, None, run.stop or "a closed terminal or pipe"

    def _tell(self, run: Run) -> None:
        row = run.row
        if self._live:
            self._bar.update(self._task, completed=row["control_steps"], rate=f"{row['steps_per_s']:,.0f} steps/s")
            self._live.update(Group(self._bar, table(run)))
            return
        now = time.perf_counter()
        if now - self._last < PLAIN_INTERVAL and row["control_steps"] < self._total:
            return
        self._last = now
        rate = (row["control_steps"] - self._first) / max(now - self._start, 1e-9)
        left = (self._total - row["control_steps"]) / max(rate, 1e-9)
        share = 100.0 * row["control_steps"] / self._total
        news = (
            f"{row['steps_per_s']:,.0f} steps/s  episode {row['episode_length']:.0f} steps  "
            f"reward {row['reward']:.4f}  kl {row['kl']:.4f}"
        )
        if LEVEL in row:
            news += f"  level {row[LEVEL]:.2f}"
        print(f"{share:5.1f} %  {left / 60:5.1f} min left  {news}", file=sys.stderr, flush=True)

    def on_end(self, run: Run) -> None:
        if self._live:
            with contextlib.suppress(OSError):
                self._live.stop()


def table(run: Run) -> Table:
    """What is being learned, in three pairs of columns: episodes, reward and its largest terms, the policy's update."""
    made = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    columns = [list(part(run)) for part in (_walking, _reward, _update)]
    for _ in columns:
        made.add_column(style="dim")
        made.add_column(justify="right", min_width=8)
    for i in range(max(map(len, columns))):
        made.add_row(*(cell for column in columns for cell in (column[i] if i < len(column) else ("", ""))))
    return made


def _walking(run: Run) -> Iterator[tuple[str, str]]:
    row, evaluation = run.row, run.evaluation
    yield "episode length", f"{row['episode_length']:.0f} steps"
    yield "speed error", f"{row['env/velocity_error']:.3f} m/s"
    curriculum = run.config.env_params.curriculum
    if LEVEL in row and curriculum:
        yield "level", f"{row[LEVEL]:.2f} of {curriculum.levels - 1}"
    if evaluation:
        yield "evaluated at", f"{evaluation['control_steps']:,.0f}"
        yield "walking time", f"{evaluation['walking_time_s']:.1f} s"
        quality = evaluation["gait_quality"]
        yield "gait quality", "-" if quality is None else f"{quality:.3f}"
    if row["env/not_finite"] > 0:
        yield "non-finite resets", f"{row['env/not_finite'] * 1e6:.0f} per M"


def _reward(run: Run) -> Iterator[tuple[str, str]]:
    row, weights = run.row, run.config.env_params.reward_keys_and_weights.terms
    terms = {name: row[f"env/{name}"] for name in weights if f"env/{name}" in row}
    yield "reward", f"{row['reward']:.4f}"
    for name in sorted(terms, key=lambda name: -abs(terms[name]))[:TERMS]:
        yield f"  {name}", f"{terms[name]:+.4f}"


def _update(run: Run) -> Iterator[tuple[str, str]]:
    row = run.row
    for name, x in row.items():
        if name.startswith("kl/"):
            yield f"KL {name.removeprefix('kl/')}", f"{x:.4f}"
    yield "explained variance", f"{row['explained_variance']:.3f}"
    yield "learning rate", f"{row['learning_rate']:.2g}"
    yield "entropy", f"{row['entropy']:.2f}"
