"""`mjx-assist import`: a session of MyoAssist's to a bundle, its config to ours, and what is neither."""

import json
from pathlib import Path

import numpy as np
import theirs

from mjx_assist import config as configs
from mjx_assist.cli.main import main
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
