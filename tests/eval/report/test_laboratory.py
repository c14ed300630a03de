"""A report of a laboratory's walk says what it knows, and nothing of what no file told."""

import json
import re

import numpy as np
import pytest
from laboratory_walk import TIME, angles, forces, write, write_forces

from mjx_assist.cli.main import main


@pytest.mark.slow
def test_of_a_treadmill_without_its_speed_and_without_muscles(tmp_path, capsys):
    """No speed, no distance, no metabolic cost, no comparison with healthy walking at some speed; forces and times."""
    still = {n: c for n, c in angles().items() if n != "pelvis_tx"}
    files = [write(tmp_path / "ik.mot", still), write_forces(tmp_path / "grf.mot", forces("1_{}", "2_{}"))]
    assert main(["convert", *map(str, files), "-o", str(tmp_path / "walk.npz")]) == 0
    assert "a walk? speed not known; stride 1.12 s, not known; body mass 78." in capsys.readouterr().out
    assert main(["report", str(tmp_path / "walk.npz"), "-o", str(tmp_path / "report")]) == 0
    shown = capsys.readouterr().out
    assert "Metabolic cost of transport" in shown and "3.3" in shown
    metrics = json.loads((tmp_path / "report" / "metrics.json").read_text())
    for name in ("speed_m_s", "speed_asked_m_s"):
        assert metrics[name] is None
    assert metrics["per_episode"][0]["distance_m"] is None
    for cost in metrics["metabolic"].values():
        assert cost["power_w_per_kg"] is None and cost["cost_of_transport_j_per_kg_m"] is None
    assert metrics["both"]["stride_time_s"] is not None and 1.0 < metrics["both"]["grf_peak_bw"] < 1.3
    assert abs(metrics["time_s"] - np.ptp(TIME)) < 1e-6
    assert not re.search(r"\bnan\b", (tmp_path / "report" / "report.html").read_text(), re.IGNORECASE)
