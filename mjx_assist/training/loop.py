"""A training run: env and learner from a config, and the loop; what is written is in callbacks.py."""

import dataclasses
import re
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import jax
import numpy as np

from mjx_assist.config.schema import RunConfig
from mjx_assist.errors import UserError
from mjx_assist.files.logs import read_rows
from mjx_assist.model import names as model_names
from mjx_assist.model.names import actuator_names, is_muscle, joint_mirror_signs
from mjx_assist.paths import CHECKPOINTS, TRAIN_LOG
from mjx_assist.ppo import learner, sharding, wiring
from mjx_assist.ppo.networks import Mirror, PolicySpec
from mjx_assist.sim import fit_to_body, sense
from mjx_assist.sim.env import AssistEnv, make_env
from mjx_assist.training import failures, origin
from mjx_assist.training.batch import batched
from mjx_assist.training.callbacks import Callback, DumpBlowUps, LogFile, Run, SaveCheckpoints, TensorBoard
from mjx_assist.training.checkpoint import Checkpoints
from mjx_assist.training.display import Display


def make_policy_spec(config: RunConfig, env: AssistEnv) -> PolicySpec:
    """The config's heads wired to the env's observations and actuators."""
    actuators = actuator_names(env.model)
    muscle = is_muscle(env.model)
    groups = {
        "muscles": [a for a, m in zip(actuators, muscle, strict=True) if m],
        "device": [a for a, m in zip(actuators, muscle, strict=True) if not m],
    }
    mirror, asymmetry = None, model_names.asymmetry(env.model)
    shared = wiring.mirrors(config.policy_params, asymmetry)
    if shared or config.ppo_params.mirror_loss_coef > 0:
        if asymmetry:
            raise UserError(
                f"config key 'ppo_params.mirror_loss_coef': the model is not left-right symmetric: {asymmetry}."
            )
        index, sign = model_names.mirror(env.observation_spec.names, joint_mirror_signs(env.model))
        action = model_names.mirror(actuators)[0]
        mirror = Mirror(tuple(map(int, index)), tuple(map(float, sign)), tuple(map(int, action)))
    names = env.observation_spec.names
    neutral = env.action_spec.neutral
    policy = dataclasses.replace(config.policy_params, head_options=config.head_options)
    if env.params.fit_to_body:
        policy = fit_to_body.fitted_policy(policy, env.model)
    spec = wiring.policy_spec(policy, names, actuators, groups, neutral, mirror if shared else None)
    if env.controller:
        spec = wiring.without_device_heads(spec, muscle)
    return dataclasses.replace(spec, reflection=mirror if config.ppo_params.mirror_loss_coef > 0 else None)


def new_run_directory(out: Path, kind: str = "train_session", name: str | None = None) -> Path:
    """``out/<name>``, or ``out/<kind>_<time>`` where there is none; a fresh one.

    Raises:
        UserError: it cannot be made, or ``name`` is there already or no name of a folder.
    """
    if name is not None:
        return _named_directory(out, name)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for suffix in ("", *(f"-{i}" for i in range(1, 100))):
        path = out / f"{kind}_{stamp}{suffix}"
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise UserError(f"--out {str(out)!r}: cannot make {path} ({error.strerror}).") from None
        return path
    raise UserError(f"--out {str(out)!r}: no free name for a run.")


def _named_directory(out: Path, name: str) -> Path:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
        raise UserError(f"--name {name!r}: it is to be a folder's: letters, digits, and _ . - after the first.")
    path = out / name
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        raise UserError(
            f"--name {name}: {str(path)!r} is there already; choose another, or go on with it: "
            f"mjx-assist train --resume {path}"
        ) from None
    except OSError as error:
        raise UserError(f"--out {str(out)!r}: cannot make {path} ({error.strerror}).") from None
    return path


class StopSignals:
    """Notes SIGINT, SIGTERM and SIGHUP instead of acting on them; a second SIGINT interrupts at once.

    Under nohup, SIGHUP stays ignored.
    """

    def __init__(self) -> None:
        self.requested = ""

    def __enter__(self) -> "StopSignals":
        self._before = {}
        if threading.current_thread() is threading.main_thread():
            noted = [signal.SIGINT, signal.SIGTERM]
            if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
                noted.append(signal.SIGHUP)
            self._before = {number: signal.signal(number, self._note) for number in noted}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: object) -> None:
        if self.requested and number == signal.SIGINT:
            raise KeyboardInterrupt("a second SIGINT")
        self.requested = signal.Signals(number).name


def open_run(config: RunConfig, path: Path, devices: list | None = None) -> tuple[Run, Callable]:
    """A run at update 0, and its jitted update; nothing is written."""
    env = make_env(config.env_params)
    sense.check_run(config, env.gait)
    fit_to_body.tell(env.params, env.model)
    spec = make_policy_spec(config, env)
    num_envs, ppo = config.env_params.num_envs, config.ppo_params
    mesh = sharding.device_mesh(num_envs, devices)
    made = learner.make_learner(batched(env), spec, ppo, mesh)
    init = jax.jit(partial(learner.init, made), out_shardings=sharding.shardings(mesh, learner.SPECS))
    state = init(jax.random.PRNGKey(config.env_params.seed))
    total = -(-config.total_timesteps // (num_envs * ppo.n_steps))
    return Run(config, path, env, spec, mesh, state, 0, total), learner.jitted(made, as_one=not env.physics.on_host)


def train(
    config: RunConfig,
    path: Path,
    resume: bool = False,
    show: bool = True,
    callbacks: Sequence[Callback] = (),
    prepare: Callable[[Run], learner.TrainState] | None = None,
) -> Run:
    """Train until ``total_timesteps`` control steps; ``path`` holds config, log, TensorBoard events and checkpoints.

    With ``resume`` go on from the newest checkpoint of ``path`` (from the start if none was written yet). Ctrl-C and
    SIGTERM finish the update in progress and save a checkpoint first. ``callbacks`` come before the display;
    ``prepare`` gives the state to start from (`transfer.initial_state`). Returns the run at its end, which is an early
    one where a callback has set ``run.stop``.

    Raises:
        UserError: what the config asks for cannot be, training diverged, or a signal stopped it.
    """
    if not resume and sharding.is_primary():
        origin.begin(path, config)
    sharding.same_on_all("")  # the files are there
    own = origin.with_own_files(path, config)
    run, update = open_run(own if resume else config, path)
    run.config = own
    checkpoints = Checkpoints(path / CHECKPOINTS, config.logger_params.keep_checkpoints)
    found = (checkpoints.restore(run.state.items()) or {}) if resume else {}  # none yet: from the start
    if prepare and not found:
        run.state = prepare(run)
    if resume and not found:
        _check_not_gone(path, config)
    for item in found.values():
        run.state = run.state.replace(**item)
    run.update = int(run.state.updates)
    own = [SaveCheckpoints(checkpoints), DumpBlowUps()]
    if sharding.is_primary():
        own = [LogFile(), TensorBoard(), *own, *callbacks, Display(show)]
    before = read_rows(path / TRAIN_LOG, run.update)
    interrupted = _loop(run, update, own, (before[-1].get("wall_s") if before else None) or 0.0)
    if interrupted and run.update < run.total_updates:
        raise UserError(
            f"stopped by {run.stop} after saving; go on with: mjx-assist train --resume {path}"
        ) from KeyboardInterrupt()
    return run


def _check_not_gone(path: Path, config: RunConfig) -> None:
    """Raise `UserError` where a log is there that goes beyond a checkpoint, and no checkpoint is."""
    rows = read_rows(path / TRAIN_LOG)
    if rows and rows[-1].get("update", 0) > config.logger_params.checkpoint_frequency:
        raise UserError(
            f"--resume {str(path)!r}: its log goes to update {rows[-1]['update']}, but it has no checkpoint to go on "
            f"from. Put {CHECKPOINTS}/ back, or start a new run."
        )


def _loop(run: Run, update: Callable, callbacks: Sequence[Callback], wall: float) -> bool:
    """Updates until the end, a signal or a callback's ``run.stop``, each followed by the callbacks; was it a signal?"""
    first, blown = run.update, 0
    with ExitStack() as ends, StopSignals() as signals:
        for callback in callbacks:
            callback.on_start(run)
            ends.callback(callback.on_end, run)
        stopped = False  # what a callback asks for is done with the next update, on all hosts, and saved
        while run.update < run.total_updates and not stopped:
            began = time.perf_counter()
            run.state, log, run.blow_up = update(run.state)
            log = {name: float(x) for name, x in jax.device_get(log).items()}
            took = time.perf_counter() - began
            wall, steps = wall + took, run.control_steps
            run.update += 1
            run.row = {
                "update": run.update,
                "control_steps": run.control_steps,
                "wall_s": wall,
                "steps_per_s": (run.control_steps - steps) / took,
                **log,
            }
            _check(run.row)
            stopped = sharding.on_any(bool(signals.requested or run.stop))
            if stopped:
                run.stop = run.stop or signals.requested or "another host"
            for callback in callbacks:
                callback.on_update(run)
            per_walker = run.row["env/not_finite"] * run.config.ppo_params.n_steps
            blown = blown + 1 if per_walker > failures.MOST_BLOWN else 0
            failures.check_walkers(run, blown, first)
    return sharding.on_any(bool(signals.requested))


def _check(row: dict) -> None:
    for name, x in row.items():
        if not np.isfinite(x):
            raise UserError(f"training diverged at update {row['update']}: {name} is {x}.")
    if row["env/overflow"] > 0:
        raise UserError(f"update {row['update']}: warp dropped contacts or constraint rows it had no room for.")
