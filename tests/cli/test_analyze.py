"""`mjx-assist analyze`: what evaluate_param_list asks, again, with each entry's walk in full."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from mjx_assist.cli.main import main
from mjx_assist.config.around import EvaluateParams
from mjx_assist.policy import bundle as bundles


@pytest.mark.slow
def test_each_entry_is_a_folder_with_all_that_was_walked(untrained_bundle, tmp_path: Path, capsys):
    entries = (EvaluateParams(num_timesteps=12), EvaluateParams(num_timesteps=8, max_target_velocity=1.5))
    config = dataclasses.replace(untrained_bundle.config, evaluate_param_list=entries)
    bundles.save(dataclasses.replace(untrained_bundle, config=config), tmp_path / "policy")
    assert main(["analyze", str(tmp_path / "policy"), "-o", str(tmp_path / "out"), "--no-film"]) == 0
    folders = [tmp_path / "out" / f"analyze_results_0_{number:02d}" for number in range(2)]
    assert [f"report {folder}" for folder in folders] == capsys.readouterr().out.splitlines()
    drawn = ("over_time", "every_stride", "angles_by_speed", "muscle_force", "muscle_excitation")
    for folder in folders:
        files = {path.name for path in folder.iterdir()}
        assert {"report.html", "metrics.json", "gait_evaluated_data.json"} <= files
        assert {f"{name}.{kind}" for name in drawn for kind in ("png", "svg")} <= files
    data = json.loads((folders[0] / "gait_evaluated_data.json").read_text())
    angle = data["series_data"]["joint_data"]["knee_angle_r"]["qpos"]
    assert len(angle) > 12 and np.isfinite(angle).all()


def test_a_policy_that_is_asked_nothing_is_told(refused, bundle_path: Path):
    assert "no evaluate_param_list" in refused("analyze", bundle_path)
