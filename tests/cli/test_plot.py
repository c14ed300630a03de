"""What `mjx-assist plot` draws, and where."""

import json
from pathlib import Path

from small_runs import as_trained

from mjx_assist import config as configs
from mjx_assist.cli.main import main
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
