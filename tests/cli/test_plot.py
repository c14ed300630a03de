"""What `mjx-assist plot` draws, and where."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import theirs
from small_runs import as_trained

from mjx_assist import config as configs
from mjx_assist.cli.main import main
from mjx_assist.eval.plots.curves import load
from mjx_assist.paths import SESSION_CONFIG


def finished(path: Path, seed: int) -> str:
    """A finished run with that seed; its folder."""
    path.mkdir()
    config = configs.from_dict({"env_params": {"seed": seed}})
    (path / SESSION_CONFIG).write_text(json.dumps(configs.to_dict(config)))
    as_trained(config, path)
    return str(path)


def test_plot_draws_a_run_into_it_and_several_where_told(tmp_path, capsys):
    runs = [finished(tmp_path / f"run_{seed}", seed) for seed in (1, 2)]
    assert main(["plot", runs[0]]) == 0
    assert (Path(runs[0]) / "plots" / "learning.png").is_file()
    assert main(["plot", *runs]) == 2
    assert "-o DIR" in capsys.readouterr().err
    assert main(["plot", *runs, "-o", str(tmp_path / "both")]) == 0
    assert (tmp_path / "both" / "learning.png").is_file()
    assert main(["plot", str(tmp_path / "both")]) == 2
    assert "is not a training run" in capsys.readouterr().err


def their_row(update: int, length: float, earned: float) -> dict:
    """Of a session's log, 20 s after the one before."""
    known = {"approx_kl": 0.01 * update, "entropy_loss": -30.0 + update, "clip_fraction": 0.1, "value_loss": 5.0}
    known |= {"explained_variance": 0.5, "learning_rate": 1e-4, "n_updates": 30 * update}
    when = datetime(2025, 7, 28, 16, 12, 47, 88954) + timedelta(seconds=20 * update)
    return {
        **(known if update else dict.fromkeys(known, -1)),
        "num_timesteps": 16384 * (update + 1),
        "average_num_timestep": length,
        "average_reward_per_episode": earned,
        "average_reward_dict_per_episode": {"forward_reward": 1e6},
        "time": when.strftime("%Y%m%d-%H%M%S.%f"),
    }


def test_the_log_of_a_session_of_myoassists_is_drawn_in_our_units(tmp_path: Path, capsys, refused):
    session = tmp_path / "their_session"
    theirs.write_session(session, theirs.tensors(np.random.default_rng(0)), theirs.config())
    lengths = [1.5, 0.0, 20.0, 60.0]  # in the second row no episode ended
    log = session / "train_log.json"
    log.write_text(json.dumps({"log_datas": [their_row(i, n, 0.5 * n) for i, n in enumerate(lengths)]}))
    curves = load(session, "train_log.jsonl")
    assert curves is not None and curves.target_kl == 0
    np.testing.assert_array_equal(curves.steps, 16384 * np.arange(1, 5))
    expected = {
        "reward": [0.5, np.nan, 0.5, 0.5],
        "episode_length": [1.5, np.nan, 20, 60],
        "kl/all": [np.nan, 0.01, 0.02, 0.03],
        "entropy": [np.nan, 29, 28, 27],
        "wall_s": [0, 20, 40, 60],
        "steps_per_s": [np.nan, *3 * [16384 / 20]],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(curves.columns[name], values, err_msg=name)
    assert not [name for name in curves.columns if name.startswith("env/")]
    assert main(["plot", str(session)]) == 0
    drawn = {Path(line).name for line in capsys.readouterr().out.splitlines()}
    assert drawn == {"learning.png", "optimisation.png", "speed.png"}
    for text in ("{", "[]", '{"log_datas": [{}]}'):
        log.write_text(text)
        assert "train_log.json" in refused("plot", session)
