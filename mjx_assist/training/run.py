"""A whole training run in its folder: start or go on, train, export the policy, draw its curves.

Everything that the config alone can tell is checked before JAX is imported.
"""

import contextlib
import dataclasses
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mjx_assist.config.schema import EnvParams, RunConfig
from mjx_assist.errors import UserError
from mjx_assist.files.lock import locked
from mjx_assist.paths import LOCK, POLICY_FOLDER, cache_folder
from mjx_assist.policy import shipped
from mjx_assist.training import origin

if TYPE_CHECKING:
    from mjx_assist.training.callbacks import Callback, Run


def train(
    config: RunConfig, out: str | Path = "results", callbacks: Sequence["Callback"] = (), name: str | None = None
) -> "Run":
    """Train in a fresh folder of ``out`` (``name``, else one of the time): log, checkpoints, curves, the exported
    policy, reports that the config asks.

    ``callbacks`` (`training.callbacks.Callback`) see the run after every update; one that sets ``run.stop`` ends it
    early, as a run ends. Returns the finished run; ``run.path`` is its folder, the policy in it (`load_policy`). Ctrl-C
    and SIGTERM finish the update in progress and save a checkpoint first.

    Raises:
        UserError: something that the config names does not exist, training diverged, or it was stopped.
    """
    check_sources(config)
    start_jax(config)
    return train_in(new_folder(out, name), config, False, callbacks)


def resume(path: str | Path, config: RunConfig | None = None, callbacks: Sequence["Callback"] = ()) -> "Run":
    """Go on with the run in ``path`` from its newest checkpoint; with ``config`` in the place of its own.

    Raises:
        UserError: ``path`` is no run, or ``config`` differs from the run's where its checkpoints cannot follow.
    """
    config = config or origin.config_of(Path(path))
    start_jax(origin.checked(Path(path), config))
    return train_in(Path(path), config, True, callbacks)


def start_jax(config: RunConfig, join_hosts: Callable[[], None] | None = None) -> None:
    """What remains to be checked, then JAX with its compilation cache, and the other hosts."""
    _check_model(config.env_params)
    _use_compilation_cache()
    if join_hosts:
        join_hosts()
    import_mjx_quietly()


def new_folder(out: str | Path, name: str | None = None) -> Path:
    """A fresh folder for one run, the same on all hosts; the first makes it."""
    from mjx_assist.ppo import sharding
    from mjx_assist.training.loop import new_run_directory

    return Path(sharding.same_on_all(str(new_run_directory(Path(out), name=name)) if sharding.is_primary() else ""))


def train_in(path: Path, config: RunConfig, resume: bool, callbacks: Sequence["Callback"] = ()) -> "Run":
    """One run in its folder, with its policy and curves at the end."""
    from mjx_assist.ppo import sharding

    first = sharding.is_primary()
    with contextlib.ExitStack() as held:
        if first:
            held.enter_context(only_here(path))
        return _train_in(path, config, resume, callbacks, first)


def only_here(path: Path) -> contextlib.AbstractContextManager[None]:
    """For the block: no other process trains in this folder.

    Raises:
        UserError: one does.
    """

    def refusal(process: str) -> str:
        return f"{str(path)!r} is being trained by process {process}; wait until it ends, or stop it (Ctrl-C saves)."

    return locked(path / LOCK, refusal)


def _train_in(path: Path, config: RunConfig, resume: bool, callbacks: Sequence["Callback"], first: bool) -> "Run":
    from mjx_assist.files.logs import read_rows
    from mjx_assist.paths import TRAIN_LOG
    from mjx_assist.policy import bundle as bundles
    from mjx_assist.training import failures, loop, seeds
    from mjx_assist.training.evaluation import Evaluation
    from mjx_assist.training.export import policy_bundle
    from mjx_assist.training.transfer.start import initial_state

    if resume and first:
        origin.go_on(path, config)
        if seeds.finished(path, config):
            print(
                f"run {path} is finished: it has its {config.total_timesteps:,} control steps, and is only exported "
                "again. To train on: --total_timesteps with more.",
                flush=True,
            )
    try:
        with failures.in_words(path, config):
            if first:
                print(f"run {path}: log, TensorBoard events and checkpoints go there", flush=True)
            callbacks = [Evaluation(), *callbacks]
            run = loop.train(config, path, resume=resume, callbacks=callbacks, prepare=initial_state)
    except KeyboardInterrupt as end:
        taken_back = first and not resume and origin.forget(path)
        raise UserError(failures.interrupted(path, str(end) or "SIGINT", taken_back)) from end
    except UserError:
        if first and (resume or not origin.forget(path)):
            _draw(path)
        raise
    if first:
        bundle = policy_bundle(run.config, run.env, run.spec, run.state, read_rows(path / TRAIN_LOG))
        bundles.save(bundle, path / POLICY_FOLDER)
        _draw(path)
        if config.evaluate_param_list:
            from mjx_assist.eval.report.evaluations import analyze

            # Whoever trains with a controller of their own has asked for it.
            for folder in analyze(dataclasses.replace(bundle, may_import=True), path, run.control_steps):
                print(f"report {folder}", flush=True)
    return run


def check_sources(config: RunConfig) -> None:
    """Raises `UserError` for a policy to start from that is not there."""
    sources = [config.init_from.source] if config.init_from else []
    for source in [*sources, *(options.init_from for options in config.head_options.values() if options.init_from)]:
        shipped.find(source)


def import_mjx_quietly() -> None:
    """MJX prints a line where Warp is not installed; only the ``warp`` backend needs it, and says so itself."""
    with contextlib.redirect_stdout(io.StringIO()):
        import mujoco.mjx  # noqa: F401


def _draw(path: Path) -> None:
    """The run's curves; a disk that is full does not hide why the run ended."""
    from mjx_assist.eval.plots import training as training_plots

    try:
        training_plots.draw([path], path / training_plots.PLOTS)
    except UserError as error:
        print(f"no plots: {error}", file=sys.stderr)


def _check_model(env: EnvParams) -> None:
    """Raises `UserError` for a human or device that assist_sim does not have, or a model file that is not there."""
    from mjx_assist.model.assembly import NO_DEVICE, check_keys

    if env.model_path is None:
        check_keys(env.human, env.device_key or NO_DEVICE)
    elif not Path(env.model_path).is_file():
        raise UserError(f"config key 'env_params.model_path': there is no file {env.model_path!r}.")


def _use_compilation_cache() -> None:
    """Keep compiled programs between runs, in JAX_COMPILATION_CACHE_DIR or the user's cache folder."""
    import jax

    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:  # else JAX reads it itself
        jax.config.update("jax_compilation_cache_dir", str(cache_folder() / "jax"))
