"""docs/design.md from the first command to the page, at a small size."""

import json

import pytest
import small_runs

from mjx_assist.cli.main import main

STUDY = {"designs": 8, "population": 4, "seeds": 1, "seconds": 4.2, "confirm": {"best": 1, "seeds": 1}}


@pytest.mark.slow
def test_a_family_is_trained_searched_and_confirmed(tmp_path, capsys):
    """Nobody walks after two updates: the page says so, and the search goes on from its file."""
    pytest.importorskip("cma")
    words = ["train", "walk22_family", "--out", str(tmp_path), "--name", "family_1", *small_runs.flags(2)]
    assert main(words) == 0
    sizes = {key: json.loads(text) if text[0] in "{0123456789" else text for key, text in small_runs.FLAGS.items()}
    confirm = {**STUDY["confirm"], "total_timesteps": 4, "overrides": sizes}
    study = {**STUDY, "policies": [str(tmp_path / "family_1")], "confirm": confirm}
    (tmp_path / "STUDY.json").write_text(json.dumps(study))
    out = tmp_path / "best"
    words = ["optimize", str(tmp_path / "STUDY.json"), "-o", str(out)]
    assert main(words) == 0
    told = capsys.readouterr()
    assert "Best of 8 designs" in told.out and "no design keeps the constraints" in told.out
    result = json.loads((out / "design.json").read_text())
    assert result["designs"] == 8 and {row["side"] for row in result["confirmed"]} <= {
        "no_torque",
        "best_1",
        "no_torque_by_the_family",
        "best_1_by_the_family",
    }
    assert {path.name for path in out.iterdir()} >= {"design.html", "torque.csv", "device.json", "designs.jsonl"}
    assert (out / "torque.csv").read_text().startswith("gait_cycle_percent,profile_N_m")
    before = (out / "designs.jsonl").read_bytes()
    assert main(words) == 0
    assert (out / "designs.jsonl").read_bytes() == before
    assert main(["evaluate", str(tmp_path / "family_1"), "--design", "peak_torque=0.5", "--episodes", "1"]) == 2
    assert "Plantarflexion is negative" in capsys.readouterr().err


def test_a_policy_of_no_family_is_not_searched(tmp_path, capsys):
    pytest.importorskip("cma")
    (tmp_path / "STUDY.json").write_text(json.dumps({"policies": ["walk22_exo"]}))
    assert main(["optimize", str(tmp_path / "STUDY.json"), "-o", str(tmp_path / "out")]) == 2
    assert "not trained for a family of devices" in capsys.readouterr().err
