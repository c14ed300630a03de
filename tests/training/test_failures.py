"""What ends a training before its end: exit code, a sentence of what is lost and what is safe, nothing left behind."""

import os
import shutil
import signal

import jax
import pytest
from small_runs import CONFIG

from mjx_assist import config as configs
from mjx_assist.cli.main import main
from mjx_assist.errors import UserError
from mjx_assist.paths import TRAIN_LOG
from mjx_assist.training import failures, loop, run
from mjx_assist.training.callbacks import Run
from mjx_assist.training.display import Display

WORDS = ["train", "walk22_exo", "--env_params.backend", "mujoco", "--ppo_params.batch_size", "64"]


@pytest.fixture
def ended(tmp_path, monkeypatch, capsys):
    """Train, where what takes the place of building the run ends it; (exit code, the sentence, what is left)."""

    def train(end, place=loop, name="open_run"):
        monkeypatch.setattr(place, name, end)
        code = main([*WORDS, "--out", str(tmp_path / "out")])
        folder = tmp_path / "out"
        err = capsys.readouterr().err
        assert "Traceback" not in err
        return code, err.strip().splitlines()[-1], [*folder.iterdir()] if folder.exists() else []

    return train


@pytest.fixture
def heard():
    """SIGHUP is not ignored, as it is under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def raising(error):
    def end(config, path, *_):
        raise error(path) if callable(error) else error

    return end


@pytest.mark.parametrize(
    ("message", "size"),
    [
        ("RESOURCE_EXHAUSTED: Out of memory allocating 17179869184 bytes.", "17,179,869,184 bytes (16.0 GiB)"),
        ("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 12.50GiB.", "12.50GiB"),
        ("RESOURCE_EXHAUSTED: the pool is empty", "more than there is"),
    ],
)
def test_out_of_memory_says_how_much_and_what_to_lower(ended, message, size):
    code, sentence, left = ended(raising(jax.errors.JaxRuntimeError(message)))
    assert (code, left) == (2, [])
    assert f"out of memory: {size} could not be had" in sentence
    assert "env_params.num_envs (256)" in sentence and "lower one of them" in sentence and "batch_size (64)" in sentence


def test_another_error_of_jax_is_not_hidden(tmp_path):
    with pytest.raises(jax.errors.JaxRuntimeError), failures.in_words(tmp_path, configs.from_dict(CONFIG)):
        raise jax.errors.JaxRuntimeError("INTERNAL: a bug")


def test_a_full_disk_says_what_is_safe(tmp_path):
    told = r"cannot be written \(No space left.*newest checkpoint is intact.*--resume"
    with pytest.raises(UserError, match=told), failures.in_words(tmp_path, configs.from_dict(CONFIG)):
        raise OSError(28, "No space left on device", str(tmp_path / TRAIN_LOG))


@pytest.mark.parametrize("error", [FileNotFoundError(2, "No such file"), UserError("checkpoint cannot be written")])
def test_a_folder_that_is_removed_is_named(tmp_path, error):
    gone = tmp_path / "run"
    gone.mkdir()
    told = "is gone: it was removed or moved"
    with pytest.raises(UserError, match=told), failures.in_words(gone, configs.from_dict(CONFIG)):
        shutil.rmtree(gone)
        raise error


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals of POSIX")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_before_the_first_update_takes_back_what_was_written(ended, name, heard):
    def kill(*_):
        os.kill(os.getpid(), getattr(signal, name))

    code, sentence, left = ended(kill)
    assert (code, left) == (130, [])
    assert f"stopped by {name} before the first update: nothing was learned yet" in sentence


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals of POSIX")
def test_a_signal_before_there_is_a_folder_is_a_sentence(ended):
    before = signal.getsignal(signal.SIGTERM)
    code, sentence, left = ended(lambda *_: os.kill(os.getpid(), signal.SIGTERM), run, "start_jax")
    assert (code, sentence, left) == (130, "mjx-assist: error: stopped by SIGTERM", [])
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals of POSIX")
def test_nohup_is_respected():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with loop.StopSignals() as signals:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not signals.requested
            os.kill(os.getpid(), signal.SIGTERM)
            assert signals.requested == "SIGTERM"
    finally:
        signal.signal(signal.SIGHUP, before)


def walked(shares, tmp_path):
    """Updates in which these shares of walkers blow up."""
    config = configs.from_dict({**CONFIG, "total_timesteps": 64 * len(shares)})
    each = iter(shares)

    def update(state):
        return state, {"env/not_finite": next(each) / config.ppo_params.n_steps, "env/overflow": 0.0}, None

    session = Run(config, tmp_path, None, None, None, None, 0, len(shares))
    loop._loop(session, update, [], 0.0)
    return session.update


@pytest.mark.parametrize("shares", [[0.9] * 20, [0.0] * 3 + [0.6] * 9, [0.9, 0.9], [4.0]])
def test_walkers_that_blow_up_at_every_update_end_a_run(shares, tmp_path):
    with pytest.raises(
        UserError, match=r"most walkers blew up in each of the last [125] updates.*raise env_params.phys"
    ):
        walked(shares, tmp_path)


@pytest.mark.parametrize("shares", [[0.9, 0.9, 0.9, 0.9, 0.1] * 4, [0.4] * 9, [0.1, 0.9]])
def test_walkers_that_blow_up_now_and_then_do_not(shares, tmp_path):
    assert walked(shares, tmp_path) == len(shares)


def test_a_closed_terminal_stops_a_run_and_it_is_saved(monkeypatch, tmp_path):
    session = Run(configs.from_dict(CONFIG), tmp_path, None, None, None, None, 0, 4)
    display = Display(True)
    display.on_start(session)
    monkeypatch.setattr(display, "_tell", lambda _: (_ for _ in ()).throw(BrokenPipeError(32, "Broken pipe")))
    display.on_update(session)
    assert session.stop == "a closed terminal or pipe"
    display.on_update(session)
    display.on_end(session)
