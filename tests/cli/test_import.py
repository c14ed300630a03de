"""`mjx-assist import`: a session of MyoAssist's to a bundle, its config to ours, and what is neither."""

import json
from pathlib import Path

import numpy as np
import pytest
import theirs

from mjx_assist import config as configs
from mjx_assist.cli.main import main
from mjx_assist.eval.view.strip import drawing
from mjx_assist.policy import bundle as bundles


def test_a_session_becomes_a_bundle(tmp_path: Path, capsys):
    session, out = tmp_path / "train_session", tmp_path / "bundle"
    tree = theirs.config(lumbar_joint_fixed_angle=0.0)
    theirs.write_session(session, theirs.tensors(np.random.default_rng(0)), tree)
    assert main(["import", str(session), "-o", str(out)]) == 0
    told = capsys.readouterr().out
    assert "44 observations, 24 actuators, 5,000 control steps" in told
    assert "on the reduced model it falls" in told and "--init-from" in told
    assert bundles.load(out).policy.output_activation == "tanh"


def test_a_config_becomes_ours(tmp_path: Path, capsys):
    path, out = tmp_path / "theirs.json", tmp_path / "ours.json"
    path.write_text(json.dumps(theirs.config()))
    assert main(["import", str(path), "-o", str(out)]) == 0
    assert "without effect" in capsys.readouterr().out
    assert configs.load(out).policy_params.activation == "tanh"


def test_a_session_is_no_run_of_ours_to_go_on_with_or_export(refused, tmp_path: Path):
    theirs.write_session(tmp_path / "s", theirs.tensors(np.random.default_rng(0)), theirs.config())
    assert f"--init-from {tmp_path / 's'}" in refused("train", "--resume", tmp_path / "s")
    assert "mjx-assist import" in refused("export", tmp_path / "s", "-o", tmp_path / "out")


def test_what_is_not_theirs_is_named(refused, tmp_path: Path):
    assert "no session of MyoAssist's" in refused("import", tmp_path, "-o", tmp_path / "out")
    (tmp_path / "ours.json").write_text("{}")
    assert "no config of MyoAssist's" in refused("import", tmp_path / "ours.json", "-o", tmp_path / "a.json")
    assert "is a .json file" in refused("import", tmp_path / "ours.json", "-o", tmp_path / "a")


@pytest.mark.slow
def test_an_imported_policy_is_reported_and_compared_on_the_model_that_it_knows(tmp_path: Path, monkeypatch):
    from mjx_assist.eval.view import strip

    monkeypatch.setattr(strip, "_gl_backends", lambda: [])
    theirs.write_session(tmp_path / "s", theirs.tensors(np.random.default_rng(0)), theirs.config())
    assert main(["import", str(tmp_path / "s"), "-o", str(tmp_path / "bundle")]) == 0
    brief = ["--episodes", "1", "--steps", "8"]
    assert main(["report", str(tmp_path / "bundle"), *brief, "-o", str(tmp_path / "report")]) == 0
    metrics = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert metrics["model_kind"] == "composed" and metrics["human"].startswith("myolegs22@lean=")
    assert "bundle · 20" in (tmp_path / "report" / "report.html").read_text()
    words = ["compare", str(tmp_path / "bundle"), "--conditions", "learned,zero_torque", "--labels", "on,off", *brief]
    assert main([*words, "-o", str(tmp_path / "comparison")]) == 0
    result = json.loads((tmp_path / "comparison" / "compare.json").read_text())
    assert result["model"] == "composed" and [case["case"] for case in result["cases"]] == ["on", "off"]


@pytest.mark.slow
def test_what_their_evaluate_param_list_asks_is_answered_with_a_film(tmp_path: Path):
    pytest.importorskip("imageio_ffmpeg")
    if drawing()[0] is None:
        pytest.skip("nothing draws off the screen here")
    theirs.write_session(tmp_path / "s", theirs.tensors(np.random.default_rng(0)), theirs.config())
    assert main(["analyze", str(tmp_path / "s"), "-o", str(tmp_path / "out")]) == 0
    (folder,) = (tmp_path / "out").iterdir()
    files = {path.name for path in folder.iterdir()}
    assert (folder / "replay.mp4").read_bytes()[4:8] == b"ftyp"
    assert {"gait_evaluated_data.json", "curves.csv", "over_time.png", "report.html"} <= files
