"""How far each walker's training has come, and what the numbers of env_params are there. Pure functions, no env.

`Progress` lives in the env's state and outlives episodes, so checkpoints and resuming need nothing more.
"""

from typing import Any, NamedTuple

import numpy as np

from mjx_assist.curriculum.settings import Curriculum


class Progress(NamedTuple):
    """One walker's: ``level`` in 0..levels - 1, ``steps`` control steps that it has done since training began."""

    level: Any
    steps: Any


def begin(settings: Curriculum, uniform: Any, xp: Any = np) -> Progress:
    """At a level up to ``start_level``, drawn by a number uniform in 0..1."""
    level = xp.floor(xp.asarray(uniform) * (settings.start_level + 1)).astype("int32")
    return Progress(xp.minimum(level, settings.start_level), xp.zeros_like(level))


def values(settings: Curriculum, progress: Progress, num_envs: int, xp: Any = np) -> dict[str, Any]:
    """Key of env_params -> its value now, for the keys of ``by_level`` and ``by_step``.

    All walkers step together, so that ``steps * num_envs`` control steps have been done in training.
    """
    return at(settings, progress.level / (settings.levels - 1), progress.steps.astype("float32") * num_envs, xp)


def at(settings: Curriculum, share: Any, control_steps: Any, xp: Any = np) -> dict[str, Any]:
    """The same at ``share`` (0..1) of the highest level and so many control steps of training."""
    levels = {key: low + (high - low) * share for key, (low, high) in settings.by_level.items()}
    return levels | {key: xp.interp(control_steps, *np.transpose(points)) for key, points in settings.by_step.items()}


def succeeded(settings: Curriculum, covered: Any, tracking_error: Any, survived: Any) -> Any:
    """Whether an episode lifts its walker, see `finish`."""
    near = tracking_error <= settings.promote_tracking if settings.promote_tracking else True
    return survived & (covered >= settings.promote) & near


def finish(
    settings: Curriculum,
    progress: Progress,
    covered: Any,
    tracking_error: Any,
    survived: Any,
    uniform: Any,
    xp: Any = np,
) -> Progress:
    """Progress at an episode's end, as in Rudin 2022 (arXiv 2109.11978): one level up, one down, or as it was.

    ``covered``: distance walked, as a share of what the command asks for in an episode of full length, so that an early
    fall counts; ``tracking_error``: its mean over the episode (rad); ``survived``: it lasted to its end; ``uniform``: a
    number in 0..1, which draws the next level of who masters the highest.
    """
    lifted = succeeded(settings, covered, tracking_error, survived)
    change = xp.where(lifted, 1, xp.where(covered < settings.demote, -1, 0))
    level = xp.maximum(progress.level + change, 0)
    anywhere = xp.minimum(xp.floor(uniform * settings.levels).astype("int32"), settings.levels - 1)
    return progress._replace(level=xp.where(level < settings.levels, level, anywhere))


def metrics(
    settings: Curriculum, progress: Progress, num_envs: int, ended: Any, lifted: Any, xp: Any = np
) -> dict[str, Any]:
    """What is logged of one walker's control step, to be averaged over walkers and steps.

    ``level``; for each level k ``level_share/k`` (1 at that level), ``level_ended/k`` (1 where an episode ends there)
    and ``level_promoted/k`` (1 where it also `succeeded`); ``curriculum/<key>``: the scheduled values. ``progress`` is
    that from before `finish`; ``ended`` and ``lifted`` are 0 or 1.
    """
    logged = {f"curriculum/{key}": value for key, value in values(settings, progress, num_envs, xp).items()}
    if not settings.by_level:
        return logged
    for k in range(settings.levels):
        here = (progress.level == k).astype("float32")
        done = here * ended
        logged |= {f"level_share/{k}": here, f"level_ended/{k}": done, f"level_promoted/{k}": done * lifted}
    return {"level": progress.level.astype("float32"), **logged}
