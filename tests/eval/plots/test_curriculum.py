"""The figure of a curriculum: its areas and colours are the shares and rates of success of the log."""

import json
from fnmatch import fnmatchcase

import numpy as np
import pytest

from mjx_assist.config.schema import EnvParams
from mjx_assist.curriculum.check import schedulable
from mjx_assist.eval.plots import curriculum, curves, training
from mjx_assist.paths import TRAIN_LOG

LEVELS, ROWS = 3, 120
SHARE = np.array([0.5, 0.3, 0.2])
ENDED = np.array([0.02, 0.01, 0.0])  # nobody ever ended an episode at the highest level
RATE = np.array([0.75, 0.25, 0.0])


def write_run(path, levels=True, scale=1.0):
    """A run whose walkers stay where they are; what is scheduled rises from 0 to ``scale``."""
    path.mkdir(parents=True)
    rows = []
    for i in range(ROWS):
        row = {"update": i + 1, "control_steps": 10_000 * (i + 1)}
        row |= {"env/curriculum/safe_height": scale * i / (ROWS - 1), "env/curriculum/randomization.slope": 0.5}
        if levels:
            row["env/level"] = float(SHARE @ np.arange(LEVELS))
            for k in range(LEVELS):
                ended = ENDED[k] * (1 + i % 2)  # more episodes end in every other update
                row[f"env/level_share/{k}"] = SHARE[k]
                row[f"env/level_ended/{k}"], row[f"env/level_promoted/{k}"] = ended, RATE[k] * ended
        rows.append(row)
    (path / TRAIN_LOG).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def axes(runs):
    """The figure's panels by title."""
    log, panels = training.FIGURES["curriculum"]
    drawn = training.draw_figure([curves.load(run, log) for run in runs], panels, "")
    return {ax.get_title(loc="left"): ax for ax in drawn.axes if ax.get_visible()}


def test_a_run_with_a_curriculum_has_a_picture_of_it_and_another_has_none(tmp_path):
    run = write_run(tmp_path / "run")
    assert [path.stem for path in training.draw([run], tmp_path / "plots")] == ["curriculum"]
    log = tmp_path / "without" / TRAIN_LOG
    log.parent.mkdir()
    log.write_text(json.dumps({"control_steps": 1, "reward": 1.0}) + "\n")
    assert "curriculum" not in [path.stem for path in training.draw([log.parent], tmp_path / "others")]


def test_areas_are_the_shares_stacked_from_the_lowest_level_up(tmp_path):
    ax = axes([write_run(tmp_path / "run")])["Walkers at each level"]
    tops = [area.get_paths()[0].vertices[:, 1].max() for area in ax.collections]
    np.testing.assert_allclose(tops, np.cumsum(SHARE))
    x = ax.collections[0].get_paths()[0].vertices[:, 0]
    assert (x.min(), x.max()) == (pytest.approx(0.01), pytest.approx(0.01 * ROWS))  # millions


def test_colours_are_promoted_over_ended_and_blank_where_no_episode_ended(tmp_path):
    for runs in ([write_run(tmp_path / "a")], [write_run(tmp_path / "b"), write_run(tmp_path / "c")]):
        rate = axes(runs)["Success by level"].collections[0].get_array().reshape(LEVELS, -1)
        assert rate.shape == (LEVELS, curriculum.BINS)
        np.testing.assert_allclose(rate[:2].filled(np.nan), np.repeat(RATE[:2, None], curriculum.BINS, axis=1))
        assert rate.mask[2].all()


def test_each_episode_counts_once_in_the_rate_of_several_updates(tmp_path):
    """30 episodes of which none is lifted and 10 of which all are: a quarter, not the mean of the two rates."""
    run = curves.Curves(
        "run",
        {
            "control_steps": np.array([1.0, 2.0]),
            "env/level_ended/0": np.array([30.0, 10.0]),
            "env/level_promoted/0": np.array([0.0, 10.0]),
        },
        0.0,
    )
    counts = [curriculum._binned(run, f"env/level_{name}/0", np.array([0, 2])) for name in ("promoted", "ended")]
    assert counts[0] / counts[1] == pytest.approx(0.25)


def test_every_scheduled_value_is_drawn_by_its_name(tmp_path):
    panels = axes([write_run(tmp_path / "run", scale=0.8)])
    (line,) = (line for line in panels["Lowest pelvis"].lines if line.get_linewidth() > 1)
    assert line.get_ydata()[-1] == pytest.approx(0.8, abs=0.01)
    assert panels["Randomization"].get_legend_handles_labels()[1] == ["slope"]


def test_a_schedule_without_levels_has_its_values_alone(tmp_path):
    panels = axes([write_run(tmp_path / "run", levels=False)])
    assert set(panels) == {"Lowest pelvis", "Randomization"}


def test_everything_that_can_be_scheduled_has_a_panel():

    _, panels = training.FIGURES["curriculum"]
    for key in schedulable(EnvParams()):
        assert sum(fnmatchcase(f"env/curriculum/{key}", panel.keys) for panel in panels) == 1, key


@pytest.mark.parametrize("levels", [2, 3, 6, 10, 11, 50])
def test_few_of_many_levels_are_named_the_lowest_among_them(levels):
    ticks = curriculum._ticks(levels)
    assert ticks[0] == 0 and ticks[-1] < levels and len(ticks) <= 6
