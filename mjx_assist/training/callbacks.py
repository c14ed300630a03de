"""What happens around the updates of a run: its log, TensorBoard events, checkpoints, dumps of what blew up.

A callback sees the run after every update: it may read everything and set ``run.stop``, nothing else.
"""

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path

import jax
import numpy as np
from jax.sharding import Mesh

from mjx_assist.config.schema import RunConfig
from mjx_assist.files.atomic import write_text
from mjx_assist.files.logs import append_row, read_rows
from mjx_assist.paths import TRAIN_LOG
from mjx_assist.ppo.learner import TrainState
from mjx_assist.ppo.networks import PolicySpec
from mjx_assist.ppo.rollout import BlowUp
from mjx_assist.sim.env import AssistEnv
from mjx_assist.training.checkpoint import Checkpoints
from mjx_assist.training.tensorboard import Scalars

DUMPS, KEEP_DUMPS = "nan_dumps", 20
log = logging.getLogger(__name__)


@dataclass
class Run:
    """A run in progress. ``update`` counts finished updates, ``row`` is the last one's line of the log.

    ``evaluation`` is the last line of the evaluations' log.
    """

    config: RunConfig
    path: Path
    env: AssistEnv
    spec: PolicySpec
    mesh: Mesh
    state: TrainState
    update: int
    total_updates: int
    row: dict = field(default_factory=dict)
    evaluation: dict = field(default_factory=dict)
    blow_up: BlowUp | None = None
    stop: str = ""

    @property
    def control_steps(self) -> int:
        return self.update * self.config.env_params.num_envs * self.config.ppo_params.n_steps

    @property
    def last(self) -> bool:
        return self.update >= self.total_updates or bool(self.stop)


class Callback:
    """Override what you need. ``on_end`` is called however the run ends."""

    def on_start(self, run: Run) -> None:
        """Before the first update."""

    def on_update(self, run: Run) -> None:
        """After every update."""

    def on_end(self, run: Run) -> None:
        """After the last update, or when an error ends the run."""


class LogFile(Callback):
    """``train_log.jsonl``, a line per logged update; lines after the checkpoint that a run goes on from are dropped."""

    def on_start(self, run: Run) -> None:
        self._path = run.path / TRAIN_LOG
        write_text(self._path, "".join(json.dumps(r) + "\n" for r in read_rows(run.path / TRAIN_LOG, run.update)))

    def on_update(self, run: Run) -> None:
        if is_due(run, run.config.logger_params.logging_frequency):
            append_row(self._path, run.row)


class TensorBoard(Callback):
    """Every number of the log as TensorBoard events in the run's folder."""

    def on_start(self, run: Run) -> None:
        self._board = Scalars(run.path, purge_step=run.control_steps + 1)

    def on_update(self, run: Run) -> None:
        if is_due(run, run.config.logger_params.logging_frequency):
            self._board.add(run.row, run.control_steps)

    def on_end(self, run: Run) -> None:
        self._board.close()


class SaveCheckpoints(Callback):
    """A checkpoint every so many updates, at the end, and when the run is told to stop."""

    def __init__(self, checkpoints: Checkpoints):
        self._checkpoints = checkpoints

    def on_update(self, run: Run) -> None:
        if is_due(run, run.config.logger_params.checkpoint_frequency):
            self._checkpoints.save(run.update, run.state.items())

    def on_end(self, run: Run) -> None:
        self._checkpoints.close()


class DumpBlowUps(Callback):
    """``nan_dumps/``: the state before, and the action, of the first walker of an update whose simulation blew up."""

    def on_update(self, run: Run) -> None:
        blow_up = jax.tree.map(local_part, run.blow_up)
        if not blow_up.found.any():
            return
        folder = run.path / DUMPS
        folder.mkdir(exist_ok=True)
        count = run.row["env/not_finite"] * run.config.env_params.num_envs * run.config.ppo_params.n_steps
        path = folder / f"update_{run.update:06d}.npz"
        log.warning("update %d: %d simulations blew up and were reset; %s has one", run.update, round(count), path)
        if len(list(folder.glob("*.npz"))) >= KEEP_DUMPS:
            return
        first = int(np.argmax(blow_up.found))
        physics = blow_up.before.physics
        state = {name: np.asarray(getattr(physics, name))[first] for name in ("qpos", "qvel", "act", "time")}
        with open(path, "wb") as file:
            np.savez(file, **state, action=blow_up.action[first])
        (folder / "model.xml").write_text(run.env.xml, encoding="utf-8")


def is_due(run: Run, frequency: int) -> bool:
    """Whether what happens every ``frequency`` updates, and at the end, happens now."""
    return run.update % frequency == 0 or run.last


def local_part(x: jax.Array) -> np.ndarray:
    """This process's part of an array that is shared out along its first axis."""
    return np.concatenate([np.asarray(shard.data) for shard in x.addressable_shards])
