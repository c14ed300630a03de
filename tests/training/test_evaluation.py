"""Evaluation beside training: what it finds, that it changes nothing, and which policy is the best."""

import dataclasses
import json
import os
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from small_runs import NETS, PPO, UPDATE, rows

from mjx_assist import config as configs
from mjx_assist import processes
from mjx_assist.errors import UserError
from mjx_assist.eval.replay.replay import replay
from mjx_assist.files.logs import read_rows
from mjx_assist.paths import EVALUATION_LOG
from mjx_assist.policy import bundle as bundles
from mjx_assist.reference import healthy
from mjx_assist.training import evaluation, loop
from mjx_assist.training.callbacks import Callback, Run

TINY = {
    "total_timesteps": 2 * UPDATE,
    "env_params": {"backend": "mujoco", "num_envs": 8, "reward_keys_and_weights": {"forward_reward": 1.0}},
    "policy_params": {"net_arch": NETS},
    "ppo_params": PPO,
}


def tiny(frequency: int):
    return configs.from_dict({**TINY, "logger_params": {"evaluation_frequency": frequency}})


def evaluations(run):
    return read_rows(run / EVALUATION_LOG)


def best_update(run):
    return bundles.load(run / evaluation.BEST).info["control_steps"] // UPDATE


# --- with real training and real walking


class Note(Callback):
    """What a callback of the user's sees."""

    def __init__(self):
        self.seen = []

    def on_start(self, session):
        self.seen.append(("start", session.update))

    def on_update(self, session):
        self.seen.append((session.row["update"], session.evaluation.get("update")))

    def on_end(self, session):
        self.seen.append(("end", session.update))


note = Note()


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory, untrained_bundle):
    """A run of two updates with an evaluation after the last."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(healthy, "healthy_gait", lambda model, name="schwartz2008": untrained_bundle.gait)
        return loop.train(
            tiny(2), tmp_path_factory.mktemp("evaluated"), show=False, callbacks=[evaluation.Evaluation(), note]
        ).path


def test_training_gives_the_same_numbers_with_and_without(evaluated, quick_gait, tmp_path):
    loop.train(tiny(0), tmp_path, show=False)
    assert rows(tmp_path) == rows(evaluated)
    assert not evaluations(tmp_path)
    assert not (tmp_path / evaluation.BEST).exists()


def test_the_last_policy_is_evaluated(evaluated):
    last = evaluations(evaluated)[-1]
    assert (last["update"], last["control_steps"], last["episodes"]) == (2, 128, 3)
    assert 0 < last["walking_time_s"] < 5  # it has hardly learned anything
    assert last["falls"] == 3
    assert list((evaluated / evaluation.FOLDER).glob("events.out.tfevents.*"))


def test_callbacks_see_every_update_and_the_last_evaluation(evaluated):
    assert note.seen[0] == ("start", 0)
    assert [seen[0] for seen in note.seen[1:-1]] == [1, 2]
    assert note.seen[-2:] == [(2, 2), ("end", 2)]


def test_best_is_a_bundle_that_walks_as_long_as_the_log_says(evaluated):
    best = max(evaluations(evaluated), key=evaluation.score)
    bundle = bundles.load(evaluated / evaluation.BEST)
    assert bundle.info["control_steps"] == best["control_steps"]
    walked = [replay(bundle, steps=1000, seed=seed).time[-1] for seed in range(3)]
    assert np.mean(walked) == pytest.approx(best["walking_time_s"], rel=1e-9)
    (kept,) = (evaluated / evaluation.FOLDER).glob("update_*")
    assert kept == (evaluated / evaluation.BEST).resolve()


# --- with processes that stand in for the walking


@dataclasses.dataclass
class Standing:
    """Updates without training, each followed by the callback."""

    path: object
    frequency: int
    total_updates: int = 4
    wait: bool = True
    stop_at: int = 0

    def go(self, first: int = 0):
        policy = SimpleNamespace(items=lambda: {"policy": {}})
        session = Run(tiny(self.frequency), self.path, None, None, None, policy, first, self.total_updates)
        callback = evaluation.Evaluation()
        callback.on_start(session)
        while not session.last:
            session.update += 1
            session.row = {"update": session.update, "control_steps": session.control_steps, "wall_s": 1.0}
            session.stop = "a signal" if session.update == self.stop_at else ""
            callback.on_update(session)
            callback._collect(session, wait=self.wait and not session.stop)
        callback.on_end(session)
        return session


@pytest.fixture
def stand_in(monkeypatch, untrained_bundle):
    """``stand_in(figures of each update)`` and the processes that were started."""
    processes = []
    start = evaluation.start
    monkeypatch.setattr(evaluation, "start", lambda *args: processes.append(start(*args)) or processes[-1])

    def bundle(config, env, spec, state, rows):
        return dataclasses.replace(untrained_bundle, info={"control_steps": 64 * stand_in.update})

    def stand_in(figures, exit_code=0, seconds=0.0):
        def command(folder, *_):
            said = json.dumps(figures[int(folder.name[-6:])])
            lines = [
                f"import sys, time; time.sleep({seconds})",
                f"open({str(folder / evaluation.FIGURES)!r}, 'w').write({said!r})",
                f"print('it broke'); sys.exit({exit_code})",
            ]
            return [sys.executable, "-S", "-c", "\n".join(lines)]

        monkeypatch.setattr(evaluation, "command", command)
        return processes

    def save(made, folder, save=bundles.save):
        stand_in.update = int(folder.name.removeprefix("update_"))
        save(bundle(None, None, None, None, None), folder)

    monkeypatch.setattr(evaluation, "policy_bundle", lambda *_: None)
    monkeypatch.setattr(evaluation.bundles, "save", save)
    return stand_in


def walked(time_s, correlation, falls=0):
    angles = ("hip", "knee", "ankle", "pelvis_tilt")
    episode = {
        "time_s": time_s,
        "distance_m": 1.25 * time_s,
        "mean_speed_m_s": 1.25,
        "corr_reference": dict.fromkeys(angles, correlation),
        "rmse_deg": dict.fromkeys(angles, None if correlation is None else 3.0),
    }
    return {"falls": falls, "episodes": [episode, episode]}


def test_best_is_by_walking_time_then_by_gait(stand_in, tmp_path):
    figures = {1: walked(2.0, 0.5), 2: walked(3.0, 0.4), 3: walked(2.5, 0.9), 4: walked(3.0, 0.6), 5: walked(3.0, 0.6)}
    stand_in(figures)
    best = []
    for update in figures:
        Standing(tmp_path, 1, total_updates=update).go(first=update - 1)
        best.append(best_update(tmp_path))
        assert len(list((tmp_path / evaluation.FOLDER).glob("update_*"))) == 1
    assert best == [1, 2, 2, 4, 4]
    assert [row["walking_time_s"] for row in evaluations(tmp_path)] == [2.0, 3.0, 2.5, 3.0, 3.0]


def test_lines_after_the_checkpoint_that_a_run_goes_on_from_are_dropped(stand_in, tmp_path):
    stand_in({update: walked(1.0 * update, 0.5) for update in range(1, 5)})
    Standing(tmp_path, 1, total_updates=3).go()
    Standing(tmp_path, 1, total_updates=4).go(first=2)
    assert [row["update"] for row in evaluations(tmp_path)] == [1, 2, 3, 4]


def test_what_a_killed_run_left_of_a_bundle_is_removed(stand_in, tmp_path):
    stand_in({1: walked(1.0, 0.5)})
    left = tmp_path / evaluation.FOLDER / ".update_000001.0a1b2c3d.part"
    left.mkdir(parents=True)
    Standing(tmp_path, 1, total_updates=1).go()
    assert not left.exists()


def test_a_run_that_was_copied_with_its_links_followed_goes_on(stand_in, tmp_path):
    stand_in({1: walked(1.0, 0.5), 2: walked(2.0, 0.5)})
    Standing(tmp_path, 1, total_updates=1).go()
    kept = (tmp_path / evaluation.BEST).resolve()
    (tmp_path / evaluation.BEST).unlink()
    kept.rename(tmp_path / evaluation.BEST)
    Standing(tmp_path, 1, total_updates=2).go(first=1)
    assert best_update(tmp_path) == 2


def test_all_are_evaluated_one_at_a_time_in_order_however_slow_they_are(stand_in, tmp_path):
    """Updates take no time here, evaluations do: what is evaluated, and the best, is as without a load."""
    figures = {update: walked(4.0 - abs(3.0 - update), None) for update in range(1, 9)}
    processes = stand_in(figures, seconds=0.1)
    session = Standing(tmp_path, 1, total_updates=8, wait=False).go()
    assert len(processes) == 8
    assert [row["update"] for row in evaluations(tmp_path)] == list(range(1, 9))
    assert best_update(tmp_path) == 3
    assert session.evaluation["update"] == 8 and session.evaluation["gait_quality"] is None


def test_it_runs_at_the_lowest_priority_in_our_session(tmp_path):
    script = "import os; print(os.getpriority(os.PRIO_PROCESS, 0), os.getsid(0), os.getpgid(0) == os.getpid())"
    script = f"import time; time.sleep(0.3); {script}"
    processes.start([sys.executable, "-S", "-c", script], tmp_path / "said").wait()
    assert (tmp_path / "said").read_text().split() == ["19", str(os.getsid(0)), "True"]


def test_a_failed_evaluation_is_a_warning(stand_in, tmp_path, caplog):
    stand_in({4: {}}, exit_code=2)
    Standing(tmp_path, 4).go()
    assert "evaluation of update 4 failed (exit code 2): it broke" in caplog.text
    assert not evaluations(tmp_path)
    assert not (tmp_path / evaluation.BEST).exists()


def test_what_a_stopped_run_did_not_evaluate_is_evaluated_when_it_goes_on(stand_in, tmp_path):
    figures = {update: walked(1.0 * update, 0.5) for update in (1, 2, 3)}
    processes = stand_in(figures, seconds=60.0)
    Standing(tmp_path, 1, total_updates=3, wait=False, stop_at=2).go()
    assert [process.poll() for process in processes] == [-9]
    assert not evaluations(tmp_path)
    stand_in(figures)
    Standing(tmp_path, 1, total_updates=3).go(first=2)
    assert [row["update"] for row in evaluations(tmp_path)] == [1, 2, 3]


def test_negative_frequency_is_refused():
    with pytest.raises(UserError, match=r"evaluation_frequency'.*got -1"):
        tiny(-1)


def test_means_leave_out_what_an_early_fall_cannot_tell():
    short, long = walked(1.0, None)["episodes"][0], walked(3.0, 0.8)["episodes"][0]
    told = evaluation.means({"falls": 1, "episodes": [short, long]})
    assert told["walking_time_s"] == 2.0
    assert (told["correlation/knee"], told["gait_quality"]) == (pytest.approx(0.8), pytest.approx(0.8))
    assert evaluation.means({"falls": 1, "episodes": [short]})["gait_quality"] is None
