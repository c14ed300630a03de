"""The zoo in its folder: which rows there are, rows that are kept, made or failed, on the way to the table."""

import dataclasses
import json

import pytest
from small_runs import CONFIG

from mjx_assist.cli.main import main
from mjx_assist.config.read import from_dict, load_config
from mjx_assist.errors import UserError
from mjx_assist.training import zoo


def test_all_that_planar_and_spatial_humans_can_wear_and_some_of_eighty_muscles():
    rows = zoo.compositions()
    assert len(rows) == len(set(rows)) == 2 * 14 + 5
    assert {human for human, _ in rows} == {"myolegs22", "myolegs26", "myolegs"}
    assert set(zoo.compositions(quick=True)) <= set(rows) and len(zoo.QUICK) == 5


@pytest.mark.parametrize(
    ("only", "rows"),
    [
        (["myolegs26/none"], [("myolegs26", "none")]),
        (["KFoot_L1"], [("myolegs22", "KFoot_L1"), ("myolegs26", "KFoot_L1"), ("myolegs", "KFoot_L1")]),
        (["myolegs2?/Open*_A_L1"], [("myolegs22", "OpenSourceLeg_A_L1"), ("myolegs26", "OpenSourceLeg_A_L1")]),
        (["myolegs22/none", "myolegs22/n*"], [("myolegs22", "none")]),
    ],
)
def test_patterns_choose_rows(only, rows):
    assert zoo.compositions(only) == rows


def test_a_pattern_that_names_no_row_is_a_mistake():
    with pytest.raises(UserError, match=r"--only: 'myolegs22/KFot_L1' is unknown. Did you mean 'myolegs22/KFoot_L1'"):
        zoo.compositions(["myolegs22/KFot_L1"])


def test_the_one_config_goes_on_every_body():
    base = load_config("walk")
    made = zoo.config_of(base, ("myolegs26", "none"), 1000, 7)
    assert (made.env_params.human, made.env_params.device_key) == ("myolegs26", None)
    assert (made.total_timesteps, made.env_params.seed) == (1000, 7)
    assert zoo.config_of(base, ("myolegs22", "Tutorial_L1"), None, None) == base


def tiny(tmp_path, **env):
    """A config file whose training takes one update."""
    path = tmp_path / "tiny.json"
    config = {**CONFIG, "total_timesteps": 64, "env_params": {**CONFIG["env_params"], **env}}
    path.write_text(json.dumps(config))
    return path


def test_a_row_that_cannot_be_made_is_told_with_its_reason(tmp_path, capsys):
    config, out = tiny(tmp_path, reference_data_path="not_there.csv"), tmp_path / "zoo"
    rows = ["zoo", "-o", str(out), "--only", "myolegs22/none", "--config", str(config), "--episodes", "1"]
    assert main(rows) == 0
    (row,) = json.loads((out / "zoo.json").read_text())["rows"]
    assert "not_there.csv" in row["error"]
    assert "not_there.csv" in (out / "zoo.html").read_text()
    assert "0 of 1 walkers meet what is asked; 1 could not be made." in capsys.readouterr().out


def test_a_row_that_is_done_is_not_made_again(tmp_path):
    config, walks = from_dict({**CONFIG, "total_timesteps": 64}), zoo.Walks(1)
    composition = ("myolegs22", "Tutorial_L1")
    folder = tmp_path / "_".join(composition)
    folder.mkdir()
    kept = {"key": zoo._key(config, walks), "human": composition[0], "device": composition[1], "misses": []}
    (folder / zoo.ROW).write_text(json.dumps(kept))
    told = []
    assert zoo.make([(composition, config)], walks, tmp_path, told.append) == [kept]
    assert not told and not (folder / zoo.RUN).exists()
    # one that was walked otherwise is
    assert zoo._known(folder / zoo.RUN, config, dataclasses.replace(walks, episodes=2)) is None


@pytest.mark.slow
def test_quick_zoo_of_tiny_trainings(tmp_path):
    """Five bodies, one update each: nobody walks, and page and table say so."""
    config, out = tiny(tmp_path, fit_to_body=True), tmp_path / "zoo"
    words = ["zoo", "--quick", "-o", str(out), "--config", str(config), "--episodes", "1", "--seconds", "1"]
    assert main(words) == 0
    rows = json.loads((out / "zoo.json").read_text())["rows"]
    assert [(row["human"], row["device"]) for row in rows] == list(zoo.QUICK)
    assert all("error" not in row and row["misses"] for row in rows)
    assert (out / "zoo.html").read_text().count("<img") == 5
    made = {path: path.stat().st_mtime_ns for path in out.rglob("train_log.jsonl")}
    assert main(words) == 0  # again: all rows are there
    assert {path: path.stat().st_mtime_ns for path in out.rglob("train_log.jsonl")} == made
