"""Runs that are killed, stopped, out of space or given NaN: what is left is sound, and goes on as if nothing was."""

import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from full_disk import largest_file
from small_runs import CONFIG, UPDATE, assert_equals, rows

from mjx_assist import config as configs
from mjx_assist.cli.main import main
from mjx_assist.cli.surroundings import REFUSALS
from mjx_assist.errors import UserError
from mjx_assist.paths import TRAIN_LOG
from mjx_assist.ppo import networks, rollout
from mjx_assist.training import callbacks, export, loop

UPDATES = 6


def tiny(updates=UPDATES, **top):
    return configs.from_dict({**CONFIG, "total_timesteps": updates * UPDATE, **top})


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The run that nothing happened to."""
    run = tmp_path_factory.mktemp("finished")
    loop.train(tiny(), run, show=False)
    return run


# --- killed


def started(*words):
    command = [sys.executable, "-m", "mjx_assist", "train", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def wait_until(true, process, what, limit=900.0):
    end = time.monotonic() + limit
    while not true():
        assert process.poll() is None, f"ended before {what}: {process.stderr.read()[-2000:]}"
        assert time.monotonic() < end, f"not within {limit:g} s: {what}"
        time.sleep(0.0005)


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()


def being_written(run):
    """Whether a checkpoint beside a finished one is half there."""
    with contextlib.suppress(FileNotFoundError):
        names = [path.name for path in (run / "checkpoints").iterdir()]
        return any(name.isdigit() for name in names) and any("tmp" in name for name in names)
    return False


@pytest.fixture
def config_file(tmp_path):
    """The config that `killed` trains, longer than any kill takes."""
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps({**CONFIG, "total_timesteps": 100 * UPDATE}))
    return path


@pytest.mark.slow
def test_killed_while_a_checkpoint_is_written_it_goes_on_bit_for_bit(finished, config_file, tmp_path, caplog):
    out = tmp_path / "results"
    process = started(config_file, "--out", out)
    wait_until(lambda: any(being_written(run) for run in out.glob("*")), process, "a checkpoint is being written")
    kill(process)
    (run,) = out.iterdir()
    assert main(["train", "--resume", str(run), "--total_timesteps", str(UPDATES * UPDATE)]) == 0
    assert_equals(run, finished)
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == ["4", "5", "6"]  # and no leftovers


@pytest.mark.slow
def test_killed_again_and_again_at_random_moments_it_equals_the_run_that_was_not(finished, tmp_path):
    """Wherever the kill falls: in an update, in the log, in a checkpoint's writing or an old one's removal."""
    rng = np.random.default_rng(0)
    whole, out = tmp_path / "whole", tmp_path / "results"
    loop.train(tiny(60), whole, show=False)
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps({**CONFIG, "total_timesteps": 60 * UPDATE}))

    def updates():
        with contextlib.suppress(IndexError, FileNotFoundError):
            return len((next(iter(out.iterdir())) / TRAIN_LOG).read_text().splitlines())
        return 0

    process = started(path, "--out", out)
    for _ in range(8):
        before = updates()
        wait_until(lambda before=before: updates() > before, process, "an update")
        time.sleep(rng.uniform(0.0, 0.5))
        kill(process)
        (run,) = out.iterdir()
        process = started("--resume", run)
    assert process.wait() == 0, process.stderr.read()
    process.stderr.close()
    assert_equals(run, whole)


# --- stopped


class Interrupt(callbacks.Callback):
    """Sends this process a signal after an update."""

    def __init__(self, number, update):
        self.number, self.update = number, update

    def on_update(self, session):
        if session.update == self.update:
            os.kill(os.getpid(), self.number)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_before_it_stops(finished, tmp_path, number):
    seldom = tiny(logger_params={"checkpoint_frequency": 100, "evaluation_frequency": 0})
    with pytest.raises(UserError, match=rf"{number.name} after saving.*--resume") as error:
        loop.train(seldom, tmp_path, show=False, callbacks=[Interrupt(number, 2)])
    assert isinstance(error.value.__cause__, KeyboardInterrupt)  # exit code 130
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["3"]
    loop.train(seldom, tmp_path, resume=True, show=False)
    assert_equals(tmp_path, finished)


# --- damaged


@pytest.mark.slow
def test_a_damaged_checkpoint_costs_its_updates_and_no_more(finished, tmp_path, caplog):
    loop.train(tiny(4), tmp_path, show=False)
    for file in (tmp_path / "checkpoints" / "4").rglob("*"):
        if file.is_file():
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    loop.train(tiny(), tmp_path, resume=True, show=False)
    assert "checkpoint 4 cannot be read" in caplog.text
    assert_equals(tmp_path, finished)


# --- out of space


class Full(callbacks.Callback):
    """After an update no file may grow beyond ``size`` bytes."""

    def __init__(self, update, size):
        self.update, self.size, self.open = update, size, contextlib.ExitStack()

    def on_update(self, session):
        if session.update == self.update:
            self.open.enter_context(largest_file(self.size))


@pytest.mark.parametrize(
    ("size", "told"), [(4096, "checkpoint .*could not be written"), pytest.param(1024, ".", marks=pytest.mark.slow)]
)
def test_out_of_space_is_said_and_the_last_checkpoint_goes_on(finished, tmp_path, size, told):
    """4096 bytes are enough for the log and not for a checkpoint, 1024 are not enough for the log either."""
    full = Full(3, size)
    with full.open, pytest.raises((UserError, OSError), match=told) as error:
        loop.train(tiny(), tmp_path, show=False, callbacks=[full])
    if isinstance(error.value, UserError):
        assert "--resume" in str(error.value)
    else:
        assert error.value.errno in REFUSALS  # one sentence and exit code 2, as tests/cli/test_main.py shows
    assert export.export_run(tmp_path).info["control_steps"] == 3 * UPDATE
    loop.train(tiny(), tmp_path, resume=True, show=False)
    assert_equals(tmp_path, finished)
    gc.collect()  # coroutines that the full disk left behind warn here, and not in another test


# --- a simulation that blows up

WALKER, TICK = 3, 5


def breaking(env, tick=TICK):
    """`loop.batched` with a walker whose hip becomes NaN in its ``tick``-th control step (counted over episodes)."""
    honest = HONEST(env)

    def counting_reset(keys):
        state = honest.reset(keys)
        return state.replace(info={**state.info, "ticks": jnp.zeros(len(keys))})

    def breaking_step(state, action):
        hit = (jnp.arange(len(action)) == WALKER) & (state.info["ticks"] == tick)
        body = state.pipeline_state.physics
        body = body.replace(qpos=jnp.where(hit[:, None] & (jnp.arange(body.qpos.shape[1]) == 4), jnp.nan, body.qpos))
        info = {**state.info, "ticks": state.info["ticks"] + 1}
        return honest.step(state.replace(pipeline_state=state.pipeline_state.replace(physics=body), info=info), action)

    return honest._replace(reset=counting_reset, step=breaking_step)


HONEST = loop.batched


def test_nan_in_one_walker_stays_with_it():
    """A rollout with and without: the others' trajectories are the same bit for bit, and it starts an episode anew."""
    session, _ = loop.open_run(tiny(), None)
    model, state = networks.ActorCritic(session.spec), session.state

    @jax.jit  # one program for both: two may round differently
    def rolled_out(tick):
        walking = breaking(session.env, tick)
        start = walking.reset(jax.random.split(jax.random.PRNGKey(0), 8))
        key, walkers = jax.random.PRNGKey(1), np.arange(8)
        args = model, state.params, state.normaliser, start, state.episodes, key, walkers, tiny().ppo_params
        return rollout.rollout(walking.step, *args)

    after, _, seen, log, blow_up = jax.device_get(rolled_out(TICK))
    _, _, straight, straight_log, none = jax.device_get(rolled_out(-1))
    others = np.arange(8) != WALKER
    for name, x, expected in zip(seen._fields, seen, straight, strict=True):
        assert np.isfinite(x).all(), name
        np.testing.assert_array_equal(x[:, others], expected[:, others], err_msg=name)
        np.testing.assert_array_equal(x[:TICK, WALKER], expected[:TICK, WALKER], err_msg=name)
    assert seen.done[TICK, WALKER] == seen.terminated[TICK, WALKER] == 1.0 and seen.reward[TICK, WALKER] == 0.0
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(after))
    assert float(log.metrics["not_finite"]) * 64 == pytest.approx(1) and straight_log.metrics["not_finite"] == 0
    assert all(np.isfinite(x) for x in log.metrics.values())
    assert blow_up.found == 1 and none.found == 0
    np.testing.assert_array_equal(blow_up.action[0], seen.action[TICK, WALKER])


def test_a_run_with_nan_in_it_counts_it_keeps_it_and_goes_on(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(loop, "batched", breaking)
    session = loop.train(tiny(2), tmp_path, show=False)
    log = rows(tmp_path)
    assert [round(row["env/not_finite"] * 64) for row in log] == [1, 0]
    assert all(np.isfinite(list(row.values())).all() for row in log)
    for x in jax.tree.leaves(jax.device_get(session.state)):
        assert np.isfinite(np.asarray(x, np.float64)).all()
    assert "update 1: 1 simulations blew up" in caplog.text
    (dump,) = (tmp_path / callbacks.DUMPS).glob("*.npz")
    with np.load(dump) as kept:
        assert sorted(kept) == ["act", "action", "qpos", "qvel", "time"]
        assert all(np.isfinite(kept[name]).all() for name in kept)
        assert kept["qpos"].shape == (session.env.model.nq,) and kept["action"].shape == (session.env.model.nu,)
    assert (tmp_path / callbacks.DUMPS / "model.xml").read_text() == session.env.xml


def test_a_learner_that_diverges_ends_the_run_before_it_is_saved(tmp_path, monkeypatch):
    """Not finite in anything that is logged: the newest checkpoint is from before."""
    honest = loop.open_run

    def poisoned(*arguments):
        session, update = honest(*arguments)

        def third_is_bad(state):
            state, log, blow_up = update(state)
            return state, {**log, "grad_norm": jnp.where(state.updates == 3, jnp.nan, log["grad_norm"])}, blow_up

        return session, third_is_bad

    monkeypatch.setattr(loop, "open_run", poisoned)
    with pytest.raises(UserError, match="diverged at update 3: grad_norm is nan"):
        loop.train(tiny(), tmp_path, show=False)
    assert export.export_run(tmp_path).info["control_steps"] == 2 * UPDATE
