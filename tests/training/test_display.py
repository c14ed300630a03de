"""What is shown and logged while a run goes on: live display, plain lines, Weights & Biases; and stopping it."""

import io
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from checkout import ROOT
from rich.console import Console

from mjx_assist import config as configs
from mjx_assist.errors import UserError
from mjx_assist.training import display, loop, run, wandb_log
from mjx_assist.training.callbacks import Callback, Run

ROW = {
    "steps_per_s": 9000.0,
    "reward": 0.7,
    "episode_length": 321.0,
    "kl": 0.02,
    "kl/human_actor": 0.0125,
    "kl/exo_actor": 0.0075,
    "explained_variance": 0.83,
    "learning_rate": 3e-4,
    "entropy": -4.0,
    "value_loss": 0.1,
    "env/forward_reward": 0.3,
    "env/impact_penalty": -0.2,
    "env/foot_tracking_reward": 0.1,
    "env/foot_force_penalty": -0.05,
    "env/muscle_activation_penalty": -0.001,
    "env/velocity_error": 0.05,
    "env/not_finite": 0.0,
    "env/overflow": 0.0,
}
EVALUATION = {"update": 2, "control_steps": 128, "walking_time_s": 12.5, "falls": 1, "gait_quality": None}


def make_session(path, total_updates=4, curriculum=None, rewards=None, **more):
    env = {"num_envs": 8, "curriculum": curriculum, "reward_keys_and_weights": rewards or {}}
    config = configs.from_dict({"env_params": env, "ppo_params": {"n_steps": 8, "batch_size": 64}})
    return Run(config, path, None, None, None, None, 0, total_updates, **more)


def updates(session, callback, until=None):
    """Run updates that bring `ROW`, each followed by the callback."""
    while session.update < (until or session.total_updates):
        session.update += 1
        session.row = {"update": session.update, "control_steps": session.control_steps, "wall_s": 1.0, **ROW}
        callback.on_update(session)


# --- the terminal


def test_the_table_shows_what_is_learned_with_the_largest_terms_first(tmp_path):
    session = make_session(tmp_path, row=ROW, evaluation=EVALUATION)
    console = Console(file=io.StringIO(), width=110)
    console.print(display.table(session))
    shown = console.file.getvalue()
    for text in ("321 steps", "0.83", "0.0125", "0.0075", "12.5 s", "+0.3000", "-0.2000"):
        assert text in shown
    terms = ["forward_reward", "impact_penalty", "foot_tracking_reward", "foot_force_penalty"]
    assert sorted(terms, key=shown.index) == terms
    assert "muscle_activation_penalty" not in shown
    assert "non-finite" not in shown


def test_a_term_of_the_users_own_is_among_the_largest(tmp_path):
    own = "my_package.rewards:upright"
    session = make_session(tmp_path, rewards={"extra_terms": {own: 0.3}}, row={**ROW, f"env/{own}": -0.25})
    console = Console(file=io.StringIO(), width=110)
    console.print(display.table(session))
    terms = ["forward_reward", own, "impact_penalty"]
    assert sorted(terms, key=console.file.getvalue().index) == terms


def test_simulations_that_blew_up_are_shown(tmp_path):
    console = Console(file=io.StringIO(), width=110)
    console.print(display.table(make_session(tmp_path, row={**ROW, "env/not_finite": 3e-6})))
    assert "3 per M" in console.file.getvalue()


def test_the_mean_level_is_shown_where_there_are_levels(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(ROW, "env/level", 3.456)
    faster = {"levels": 8, "by_level": {"max_target_velocity": [1.25, 1.9]}}
    session = make_session(tmp_path, curriculum=faster, row=ROW)
    console = Console(file=io.StringIO(), width=110)
    console.print(display.table(session))
    assert "3.46 of 7" in console.file.getvalue()
    shown = display.Display(True)
    shown.on_start(session)
    updates(session, shown)
    assert "level 3.46" in capsys.readouterr().err.splitlines()[-1]


def test_a_terminal_gets_a_live_display(tmp_path, monkeypatch):
    stream = io.StringIO()
    stream.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    session, shown = make_session(tmp_path), display.Display(True)
    shown.on_start(session)
    updates(session, shown)
    shown.on_end(session)
    text = stream.getvalue()
    assert "256 of 256 control steps" in text
    assert "9,000 steps/s" in text
    assert "KL human_actor" in text


def test_a_log_file_gets_plain_lines(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(display, "PLAIN_INTERVAL", 0.0)
    session, shown = make_session(tmp_path), display.Display(True)
    shown.on_start(session)
    updates(session, shown)
    shown.on_end(session)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("%")[0].strip() for line in lines] == ["25.0", "50.0", "75.0", "100.0"]
    assert all("episode 321 steps" in line and "\x1b" not in line for line in lines)


def test_nothing_is_shown_to_who_does_not_want_it(tmp_path, capsys):
    session, shown = make_session(tmp_path), display.Display(False)
    shown.on_start(session)
    updates(session, shown)
    shown.on_end(session)
    assert capsys.readouterr() == ("", "")


# --- Weights & Biases


class FakeWandb(SimpleNamespace):
    """The parts of the package that we use; ``logged`` and ``asked`` are what reached it."""

    class Error(Exception):
        pass

    def __init__(self):
        super().__init__(logged=[], asked=[], finished=[])

    def init(self, **asked):
        self.asked.append(asked)
        return SimpleNamespace(
            id=asked["id"] or f"id{len(self.asked)}",
            log=self.logged.append,
            define_metric=lambda name, step_metric: self.logged.append((name, step_metric)),
            finish=lambda exit_code: self.finished.append(exit_code),
        )


@pytest.fixture
def wandb(monkeypatch):
    fake = FakeWandb()
    monkeypatch.setitem(sys.modules, "wandb", fake)
    return fake


def test_wandb_gets_every_row_and_every_evaluation_once(wandb, tmp_path):
    session, callback = make_session(tmp_path), wandb_log.WeightsAndBiases("gaits", "five seeds")
    callback.on_start(session)
    updates(session, callback, until=2)
    session.evaluation = EVALUATION
    updates(session, callback)
    callback.on_end(session)
    (asked,) = wandb.asked
    assert (asked["project"], asked["group"], asked["name"]) == ("gaits", "five seeds", tmp_path.name)
    assert asked["config"] == configs.to_dict(session.config)
    metric, *logged = wandb.logged
    assert metric == ("*", "control_steps")
    assert [row["update"] for row in logged if "update" in row] == [1, 2, 3, 4]
    (evaluated,) = (row for row in logged if "update" not in row)
    assert evaluated == {
        "control_steps": 128,
        "evaluation/update": 2,
        "evaluation/control_steps": 128,
        "evaluation/walking_time_s": 12.5,
        "evaluation/falls": 1,
    }
    assert wandb.finished == [0]


def test_a_resumed_run_goes_on_in_the_same_wandb_record(wandb, tmp_path):
    for _ in range(2):
        session, callback = make_session(tmp_path), wandb_log.WeightsAndBiases()
        callback.on_start(session)
        callback.on_end(session)
    assert [asked["id"] for asked in wandb.asked] == [None, "id1"]
    assert all(asked["resume"] == "allow" for asked in wandb.asked)
    assert wandb.finished == [1, 1]  # neither came to its end


def test_wandb_that_is_not_installed_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(UserError, match=r"pip install 'mjx-assist\[wandb\]'"):
        wandb_log.WeightsAndBiases()


def test_wandb_that_does_not_let_us_in_is_one_sentence(wandb, monkeypatch, tmp_path):
    def refuse(**_):
        raise wandb.Error("no API key")

    monkeypatch.setattr(wandb, "init", refuse)
    with pytest.raises(UserError, match="--wandb: no API key"):
        wandb_log.WeightsAndBiases().on_start(make_session(tmp_path))


# --- stopping


def test_what_a_callback_stops_ends_with_the_next_update_marked_as_the_last(tmp_path):
    class Stop(Callback):
        def on_update(self, session):
            last.append(session.last)
            session.stop = "enough"

    last: list[bool] = []
    session = make_session(tmp_path, total_updates=10)
    loop._loop(session, lambda state: (state, {k: np.float32(x) for k, x in ROW.items()}, None), [Stop()], 0.0)
    assert (session.update, session.stop, last) == (2, "enough", [False, True])


def test_the_callback_in_the_docs_tells_records_and_stops(tmp_path, monkeypatch, capsys):
    """The example runs as it is printed, but for the training itself."""
    code = (ROOT / "docs" / "training.md").read_text().split("```python\n")[1].split("```")[0]
    rewards = iter([0.2, 0.1, 0.5, 0.8, 0.9, 0.9])

    def without_training(path, config, resume, callbacks):
        session = make_session(path, total_updates=6)
        session.config = config

        def update(state):
            return state, {k: np.float32(x) for k, x in {**ROW, "reward": next(rewards)}.items()}, None

        loop._loop(session, update, callbacks, 0.0)
        stopped.append((session.update, session.stop))

    stopped: list = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run, "train_in", without_training)
    exec(compile(code, "docs/training.md", "exec"), {"__name__": "example"})
    assert stopped == [(5, "reward 0.7")]
    told = capsys.readouterr().out.splitlines()
    assert told[:4] == [f"update {u}: reward {r}" for u, r in ((1, "0.200"), (3, "0.500"), (4, "0.800"), (5, "0.900"))]
    assert told[4] == f"ended after {5 * 256 * 8} control steps"
