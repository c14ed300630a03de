"""What ends a training before its end, as a sentence: memory, a disk, a folder that is gone, walkers that blow up."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import jax
import mujoco

from mjx_assist.config.schema import RunConfig
from mjx_assist.errors import UserError
from mjx_assist.training.callbacks import DUMPS, Run

MOST_BLOWN, PATIENCE = 0.5, 5  # share of walkers in an update; updates one after another
_SIZE = re.compile(r"allocat\w* (?:a buffer of )?([\d.,]+ ?(?:[KMGT]i?B|bytes))")


@contextlib.contextmanager
def in_words(path: Path, config: RunConfig) -> Iterator[None]:
    """Training in ``path``: what the system refuses is a `UserError` that says what is lost and what is safe."""
    try:
        yield
    except UserError as error:
        if not path.is_dir():
            raise _gone(path) from error
        raise
    except OSError as error:
        if not path.is_dir():
            raise _gone(path) from error
        if error.errno is None:
            raise
        where = f"{str(error.filename)!r} " if error.filename else ""
        raise UserError(
            f"training in {str(path)!r} ends: {where}cannot be written ({error.strerror}). Its newest checkpoint is "
            f"intact: free some space, then go on with: mjx-assist train --resume {path}"
        ) from error
    except (jax.errors.JaxRuntimeError, mujoco.FatalError, MemoryError) as error:
        if not _is_for_memory(error):
            raise
        raise UserError(out_of_memory(str(error), config)) from error


def out_of_memory(message: str, config: RunConfig) -> str:
    """The sentence for an allocation that failed, from the library's message."""
    found = _SIZE.search(message)
    size = _readable(found[1]) if found else "more than there is"
    env, ppo = config.env_params, config.ppo_params
    return (
        f"out of memory: {size} could not be had. Memory grows with env_params.num_envs ({env.num_envs:,}) and "
        f"ppo_params.n_steps ({ppo.n_steps:,}): lower one of them, num_envs first, with a ppo_params.batch_size "
        f"({ppo.batch_size:,}) that divides their product."
    )


def interrupted(path: Path, signal: str, taken_back: bool) -> str:
    """The sentence for a signal that ends a training at once; ``taken_back``: before it had begun."""
    if taken_back:
        return f"stopped by {signal} before the first update: nothing was learned yet, {str(path)!r} is taken back."
    return (
        f"stopped at once by {signal}: what came after the newest checkpoint is lost; go on with: "
        f"mjx-assist train --resume {path}"
    )


def check_walkers(run: Run, blown: int, since: int) -> None:
    """Raises `UserError` where most walkers blew up in each of the last ``blown`` updates since update ``since``."""
    if blown < PATIENCE and not (run.last and blown and blown == run.update - since):
        return
    raise UserError(
        f"update {run.update}: the simulations of most walkers blew up in each of the last {blown} updates, so there "
        f"is nothing to learn from. {run.path / DUMPS} has some of them: look at the model's masses, stiffness and "
        "actuators, or raise env_params.physics_sim_framerate."
    )


def _gone(path: Path) -> UserError:
    return UserError(
        f"run folder {str(path)!r} is gone: it was removed or moved while it was being trained, and what was learned "
        "in it went with it. If it was moved, go on with: mjx-assist train --resume NEW_PLACE"
    )


def _is_for_memory(error: Exception) -> bool:
    words = str(error).lower()
    return isinstance(error, MemoryError) or "resource_exhausted" in words or "allocat" in words


def _readable(size: str) -> str:
    """``123 bytes`` with what that is in GiB."""
    if not size.endswith("bytes"):
        return size
    count = int(re.sub(r"\D", "", size.split(".")[0]))
    return f"{count:,} bytes ({count / 2**30:.1f} GiB)"
