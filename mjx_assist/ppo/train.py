"""A training run: env and learner from a config, the loop, its log, checkpoints and progress display."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
from tensorboardX import SummaryWriter

from mjx_assist import config as configs
from mjx_assist.config import RunConfig
from mjx_assist.errors import UserError
from mjx_assist.ppo import learner, wiring
from mjx_assist.ppo.checkpoint import Checkpoints
from mjx_assist.ppo.networks import Mirror, PolicySpec
from mjx_assist.ppo.progress import Progress
from mjx_assist.sim import observation
from mjx_assist.sim.env import AssistEnv, auto_reset, make_env

CONFIG_FILE = "session_config.json"
LOG_FILE = "train_log.jsonl"


def make_policy_spec(config: RunConfig, env: AssistEnv) -> PolicySpec:
    """The config's heads wired to the env's observations and actuators."""
    actuators = observation.actuator_names(env.model)
    muscle = observation.is_muscle(env.model)
    groups = {
        "muscles": [a for a, m in zip(actuators, muscle, strict=True) if m],
        "device": [a for a, m in zip(actuators, muscle, strict=True) if not m],
    }
    mirror = None
    if wiring.mirrors(config.policy_params, observation.asymmetry(env.model)):
        index, sign = observation.mirror(env.observation_spec.names, observation.joint_mirror_signs(env.model))
        action = observation.mirror(actuators)[0]
        mirror = Mirror(tuple(map(int, index)), tuple(map(float, sign)), tuple(map(int, action)))
    names = env.observation_spec.names
    return wiring.policy_spec(config.policy_params, names, actuators, groups, env.action_spec.neutral, mirror)


def new_run_directory(out: Path) -> Path:
    """``out/train_session_<time>``, a fresh one."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for suffix in ("", *(f"-{i}" for i in range(1, 100))):
        path = out / f"train_session_{stamp}{suffix}"
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise UserError(f"--out {str(out)!r}: cannot make {path} ({error.strerror}).") from None
        return path
    raise UserError(f"--out {str(out)!r}: no free name for a run.")


def write_atomic(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old one or the new one, never half."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text)
    os.replace(temporary, path)


class StopSignals:
    """Notes SIGINT and SIGTERM instead of acting on them; a second SIGINT interrupts at once."""

    def __init__(self) -> None:
        self.requested = ""

    def __enter__(self) -> "StopSignals":
        self._before = {}
        if threading.current_thread() is threading.main_thread():
            self._before = {s: signal.signal(s, self._note) for s in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: object) -> None:
        if self.requested and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.requested = signal.Signals(number).name


def batched(env: AssistEnv) -> tuple[Callable, Callable]:
    """``reset(keys)`` and ``step(state, action)`` with auto-reset, over a batch of walkers."""
    return jax.vmap(env.reset), jax.vmap(lambda state, action: auto_reset(env, state, action))


def train(config: RunConfig, run: Path, resume: bool = False, show: bool = True) -> Path:
    """Train until ``total_timesteps`` control steps; ``run`` holds config, log, TensorBoard events and checkpoints.

    With ``resume`` go on from the newest checkpoint of ``run``. Ctrl-C and SIGTERM finish the update in progress and
    save a checkpoint first. Returns ``run``.
    """
    env = make_env(config.env_params)
    spec = make_policy_spec(config, env)
    num_envs, ppo = config.env_params.num_envs, config.ppo_params
    reset, step = batched(env)
    init, update = learner.make_learner(reset, step, spec, ppo, num_envs, env.observation_size)
    state = jax.jit(init)(jax.random.PRNGKey(config.env_params.seed))
    checkpoints = Checkpoints(run / "checkpoints", config.logger_params.keep_checkpoints)
    if resume:
        restored = checkpoints.restore(state)
        if restored is None:
            raise UserError(f"--resume {str(run)!r}: no checkpoint there can be read.")
        state = restored
    else:
        write_atomic(run / CONFIG_FILE, json.dumps(configs.to_dict(config), indent=2) + "\n")
    per_update = num_envs * ppo.n_steps
    total = -(-config.total_timesteps // per_update)
    done = int(state.updates)
    wall_before = _trim_log(run / LOG_FILE, done)
    update = jax.jit(update, donate_argnums=0)
    progress = Progress(total * per_update, done * per_update, show)
    start = time.perf_counter()
    try:
        with SummaryWriter(str(run)) as board, progress, StopSignals() as stop:
            while done < total and not stop.requested:
                began = time.perf_counter()
                state, log = update(state)
                log = {name: float(x) for name, x in jax.device_get(log).items()}
                done += 1
                now = time.perf_counter()
                row = {
                    "update": done,
                    "control_steps": done * per_update,
                    "wall_s": wall_before + now - start,
                    "steps_per_s": per_update / (now - began),
                    **log,
                }
                if not np.isfinite(row["value_loss"]):
                    raise UserError(f"training diverged at update {done}: the value loss is {row['value_loss']}.")
                if row["env/overflow"] > 0:
                    raise UserError(f"update {done}: warp dropped contacts or constraint rows it had no room for.")
                progress.update(row)
                if done % config.logger_params.logging_frequency == 0 or done == total:
                    with open(run / LOG_FILE, "a") as file:
                        file.write(json.dumps(row) + "\n")
                    for name, x in row.items():
                        board.add_scalar(name, x, row["control_steps"])
                if done % config.logger_params.checkpoint_frequency == 0 or done == total or stop.requested:
                    checkpoints.save(done, state)
        if done < total:
            raise UserError(
                f"stopped by {stop.requested} after saving; go on with: mjx-assist train --resume {run}"
            ) from KeyboardInterrupt()
    finally:
        checkpoints.close()
    return run


def _trim_log(path: Path, update: int) -> float:
    """Drop log rows after ``update`` (they will be written again) and return the wall time logged so far."""
    if not path.exists():
        return 0.0
    rows = [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]
    rows = [row for row in rows if row["update"] <= update]
    write_atomic(path, "".join(json.dumps(row) + "\n" for row in rows))
    return rows[-1]["wall_s"] if rows else 0.0
