"""Curves: which figures there are, what they show, and that numbers on them are those of the logs."""

import json

import numpy as np
import pytest

from mjx_assist.errors import UserError
from mjx_assist.eval.plots import curves, training
from mjx_assist.eval.plots.curves import load
from mjx_assist.paths import EVALUATION_LOG, TRAIN_LOG

ROWS = 200


def write_run(path, level=0.0, evaluations=3, rows=ROWS, columns=None):
    """A made-up run whose reward climbs by 1 from ``level``; ``columns``: more of its log."""
    path.mkdir(parents=True)
    log = [
        {
            "update": i + 1,
            "control_steps": 10_000 * (i + 1),
            "wall_s": 2.0 * i,
            "steps_per_s": 5000.0,
            "reward": level + i / (ROWS - 1),
            **(columns or {}),
            "env/forward_reward": 0.1,
            "env/impact_penalty": -0.1,
            "env/not_finite": 1e-6,
            "kl/human_actor": 0.01,
            "kl/exo_actor": 0.02,
            "learning_rate": 3e-4,
            "explained_variance": 0.5,
            "episodes": float(i % 2),
            "episode_length": 100.0 * (i % 2),
        }
        for i in range(rows)
    ]
    walks = [
        {"update": 50 * (i + 1), "control_steps": 500_000 * (i + 1), "walking_time_s": 3.0 * i, "correlation/hip": None}
        for i in range(evaluations)
    ]
    (path / TRAIN_LOG).write_text("".join(json.dumps(row) + "\n" for row in log) + '{"upd')
    (path / EVALUATION_LOG).write_text("".join(json.dumps(row) + "\n" for row in walks))
    (path / "session_config.json").write_text('{"ppo_params": {"target_kl": 0.02}}')
    return path


def panel(runs, figure, title):
    """The axes with a title, drawn from the runs' logs."""
    log, panels = training.FIGURES[figure]
    drawn = training.draw_figure([load(run, log) for run in runs], panels, "")
    (ax,) = (ax for ax in drawn.axes if ax.get_title(loc="left") == title)
    return ax


def bold(ax):
    """The data of the widest line."""
    return max(ax.lines, key=lambda line: line.get_linewidth()).get_data()


def test_a_picture_for_each_figure_that_the_run_has_numbers_for(tmp_path):
    run = write_run(tmp_path / "run", evaluations=0)
    pictures = training.draw([run], tmp_path / "plots")
    assert [path.stem for path in pictures] == ["learning", "reward_terms", "optimisation", "speed"]
    assert all(path.read_bytes()[1:4] == b"PNG" for path in pictures)


def test_a_curve_is_the_logs_column_in_its_unit(tmp_path):
    ax = panel([write_run(tmp_path / "run")], "speed", "Non-finite resets")
    x, y = bold(ax)
    np.testing.assert_allclose(x, 0.01 * np.arange(1, ROWS + 1))
    np.testing.assert_allclose(y, 1.0)  # per million
    assert ax.get_ylabel() == "per million control steps"
    assert ax.get_xlabel() == "control steps (millions)"


def test_an_update_in_which_no_episode_ended_has_no_episode_length(tmp_path):
    _, y = bold(panel([write_run(tmp_path / "run")], "learning", "Episode length"))
    np.testing.assert_array_equal(y, 100.0)


def test_reward_terms_are_those_of_the_log(tmp_path):
    log, panels = training.FIGURES["reward_terms"]
    figure = training.draw_figure([load(write_run(tmp_path / "run"), log)], panels, "")
    assert [ax.get_title(loc="left") for ax in figure.axes if ax.get_visible()] == ["forward reward", "impact penalty"]


def test_terms_of_the_users_own_have_a_panel_and_their_schedules_none_of_it(tmp_path):
    own = {"env/my_package.rewards:upright": -0.25, "env/my_package.rewards:level_feet": 0.5}
    own |= {"env/curriculum/reward_keys_and_weights.my_package.rewards:upright": 0.3}
    ax = panel([write_run(tmp_path / "run", columns=own)], "reward_terms", "Terms of your own")
    last = {line.get_label(): line.get_ydata()[-1] for line in ax.lines if not line.get_label().startswith("_")}
    assert last == {"rewards:upright": -0.25, "rewards:level feet": 0.5}


def test_kl_has_a_curve_for_each_head_and_the_target(tmp_path):
    ax = panel([write_run(tmp_path / "run")], "optimisation", "KL divergence of an update")
    last = {line.get_label(): line.get_ydata()[-1] for line in ax.lines if not line.get_label().startswith("_")}
    assert last == {
        "human actor": pytest.approx(0.01),
        "exo actor": pytest.approx(0.02),
        "target of all heads": pytest.approx(0.02),
    }


def test_several_runs_have_their_mean_and_standard_deviation(tmp_path):
    levels = [0.0, 1.0, 5.0]
    ax = panel([write_run(tmp_path / f"run{level}", level) for level in levels], "learning", "Reward")
    _, y = bold(ax)
    (band,) = ax.collections
    np.testing.assert_allclose(y[-1], np.mean(levels) + 1, atol=0.02)
    top = band.get_paths()[0].vertices[:, 1].max()
    assert top == pytest.approx(np.mean(levels) + 1 + np.std(levels, ddof=1), abs=0.02)
    assert sum(line.get_linewidth() < 1 for line in ax.lines) == 3


def test_runs_of_different_length_are_averaged_where_all_have_values(tmp_path):
    runs = [write_run(tmp_path / "long"), write_run(tmp_path / "short", rows=ROWS // 2)]
    x, _ = bold(panel(runs, "learning", "Reward"))
    assert x[-1] == pytest.approx(0.01 * ROWS / 2)


def test_what_was_never_known_has_no_panel(tmp_path):
    log, panels = training.FIGURES["evaluation"]
    figure = training.draw_figure([load(write_run(tmp_path / "run"), log)], panels, "")
    assert [ax.get_title(loc="left") for ax in figure.axes if ax.get_visible()] == ["Walking time"]


def test_a_running_mean_keeps_a_line_a_line():
    y = np.linspace(0.0, 1.0, 300)
    np.testing.assert_allclose(curves.running_mean(y)[3:-3], y[3:-3], atol=1e-12)


def test_a_folder_of_runs_is_its_runs(tmp_path):
    runs = [write_run(tmp_path / "seeds" / name) for name in ("seed_1", "seed_2")]
    assert training.runs_in(tmp_path / "seeds") == runs
    assert training.runs_in(runs[0]) == [runs[0]]
    with pytest.raises(UserError, match="not a training run"):
        training.runs_in(tmp_path)
