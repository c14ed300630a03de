"""Checkpoints with Orbax: atomic, made of items that can be read one by one; the newest readable one is used."""

import contextlib
import hashlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import orbax.checkpoint as ocp

from mjx_assist.errors import UserError
from mjx_assist.files.atomic import write_text
from mjx_assist.ppo import sharding

SUMS = "sha256.json"  # of every file of a checkpoint: Orbax does not notice a flipped bit in an array
log = logging.getLogger(__name__)


class Checkpoints:
    """The ``checkpoints/`` folder of a run, one entry per saved update."""

    def __init__(self, directory: Path, keep: int):
        options = ocp.CheckpointManagerOptions(max_to_keep=keep, enable_async_checkpointing=False)
        self._manager = ocp.CheckpointManager(directory.resolve(), options=options)
        self._directory = directory
        self._unreadable: list[int] = []

    def save(self, update: int, items: dict) -> None:
        """Write the ``items`` (name -> tree of arrays) atomically; an error leaves earlier checkpoints as they were.

        Checkpoints that `restore` found damaged are removed first: Orbax writes none older than the newest it has.

        Raises:
            UserError: no space left, or the folder cannot be written.
        """
        try:
            while self._unreadable:
                self._manager.delete(self._unreadable.pop())
            if update in self._manager.all_steps():
                return
            saved = {name: ocp.args.StandardSave(item) for name, item in items.items()}
            with _orbax_quiet():
                self._manager.save(update, args=ocp.args.Composite(**saved))
                self._manager.wait_until_finished()
            if sharding.is_primary():
                _write_sums(self._directory / str(update))
        except (OSError, ValueError, UserError) as error:
            reason = error.__cause__ if isinstance(error, UserError) else error
            raise UserError(
                f"checkpoint {self._directory / str(update)} could not be written ({reason}); "
                "earlier checkpoints are intact. Free some space and go on with --resume."
            ) from error

    def restore(self, templates: dict, partial: bool = False, only: int | None = None) -> dict | None:
        """The newest state that can be read, None if there is none yet; a damaged one is skipped with a warning.
        ``only``: that of this update.

        It holds the items that ``templates`` has, laid out over devices as they are, on however many it was written;
        ``partial``: of each item only what its template has.

        Raises:
            UserError: there are checkpoints, and none can be read.
        """
        how = _some_of if partial else ocp.args.StandardRestore
        items = ocp.args.Composite(**{name: how(item) for name, item in templates.items()})
        updates = sorted(self._manager.all_steps(), reverse=True) if only is None else [only]
        for update in updates:
            try:
                _check_sums(self._directory / str(update))
                return dict(self._manager.restore(update, args=items))
            except Exception as error:  # nothing narrower: Orbax raises that too
                reason = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
                log.warning("checkpoint %s cannot be read (%s); trying the one before", update, reason)
                if update not in self._unreadable:
                    self._unreadable.append(update)
        if updates:
            raise UserError(f"{str(self._directory)!r}: no checkpoint there can be read.")
        return None

    def close(self) -> None:
        self._manager.close()


@contextlib.contextmanager
def _orbax_quiet() -> Iterator[None]:
    """For the block Orbax does not log the traceback of what it raises as well."""
    logger = logging.getLogger("absl")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _some_of(item: dict) -> ocp.args.PyTreeRestore:
    restore_args = ocp.checkpoint_utils.construct_restore_args(item)
    return ocp.args.PyTreeRestore(item=item, restore_args=restore_args, partial_restore=True)


def _sums(folder: Path) -> dict[str, str]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path != folder / SUMS]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _write_sums(folder: Path) -> None:
    write_text(folder / SUMS, json.dumps(_sums(folder)))


def _check_sums(folder: Path) -> None:
    """Raises ``ValueError`` unless the files are as written; a run may have been killed before that was noted."""
    if (folder / SUMS).exists() and json.loads((folder / SUMS).read_text(encoding="utf-8")) != _sums(folder):
        raise ValueError(f"its files are not those that were written, see {SUMS}")
