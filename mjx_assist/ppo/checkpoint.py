"""Checkpoints of a whole training state with Orbax: atomic, the newest readable one is used."""

import logging
from pathlib import Path

import orbax.checkpoint as ocp

from mjx_assist.errors import UserError
from mjx_assist.ppo.learner import TrainState

log = logging.getLogger(__name__)


class Checkpoints:
    """The ``checkpoints/`` folder of a run, one entry per saved update."""

    def __init__(self, directory: Path, keep: int):
        options = ocp.CheckpointManagerOptions(max_to_keep=keep, enable_async_checkpointing=False)
        self._manager = ocp.CheckpointManager(directory.resolve(), options=options)
        self._directory = directory
        self._unreadable: list[int] = []

    def save(self, update: int, train: TrainState) -> None:
        """Write atomically; an error leaves earlier checkpoints as they were.

        Checkpoints that `restore` found damaged are removed first: Orbax writes none older than the newest it has.

        Raises:
            UserError: no space left, or the folder cannot be written.
        """
        try:
            while self._unreadable:
                self._manager.delete(self._unreadable.pop())
            if update in self._manager.all_steps():
                return
            self._manager.save(update, args=ocp.args.StandardSave(train))
            self._manager.wait_until_finished()
        except (OSError, ValueError) as error:
            raise UserError(
                f"checkpoint {self._directory / str(update)} could not be written ({error}); "
                "earlier checkpoints are intact. Free some space and go on with --resume."
            ) from error

    def restore(self, template: TrainState) -> TrainState | None:
        """The newest checkpoint that can be read, or None; a damaged one is skipped with a warning."""
        for update in sorted(self._manager.all_steps(), reverse=True):
            try:
                return self._manager.restore(update, args=ocp.args.StandardRestore(template))
            except (OSError, ValueError, KeyError, TypeError) as error:
                reason = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
                log.warning("checkpoint %s cannot be read (%s); trying the one before", update, reason)
                if update not in self._unreadable:
                    self._unreadable.append(update)
        return None

    def close(self) -> None:
        self._manager.close()
