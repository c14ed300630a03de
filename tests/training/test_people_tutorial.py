"""docs/subjects.md from a torque table and three people's heights and masses to the page, in its three commands."""

import json
import re
import shlex

import pytest
import small_runs
from checkout import ROOT

from mjx_assist.cli.main import main
from mjx_assist.config.study import read_study
from mjx_assist.training import run


@pytest.fixture
def typed(tmp_path, monkeypatch):
    """The tutorial's files, and the words of its commands."""
    section = (ROOT / "docs" / "subjects.md").read_text().partition("## From a torque profile")[2].partition("\n## ")[0]
    tables = re.findall(r"^```csv\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    for table in tables:
        (tmp_path / ("people.csv" if table.startswith("name") else "torque.csv")).write_text(table)
    monkeypatch.chdir(tmp_path)
    lines = re.findall(r"^    (mjx-assist .*)$", section, re.MULTILINE)
    return [shlex.split(line, comments=True)[1:] for line in lines[:3]]


def test_the_tutorials_first_two_commands_make_a_study(typed, tmp_path, capsys):
    assert main(typed[0]) == 0 and main(typed[1]) == 0
    study, configs = read_study(tmp_path / "STUDY.json")
    assert [(w.side, w.person) for w in configs][-3:] == [("torque", name) for name in ("Ann", "Bob", "Eve")]
    driven = list(configs.values())[-1].env_params.device_controller
    assert (driven.type, driven.joint, driven.torque_unit, min(driven.torque)) == (
        *("spline", "*ankle_angle*", "N*m/kg"),
        pytest.approx(-0.5),
    )
    told = capsys.readouterr().out
    assert f"{3 * 3 * study.seeds} trainings" in told and "plantarflexion" in told
    assert main(typed[1]) == 2
    assert "is there already" in capsys.readouterr().err


@pytest.mark.slow
def test_the_third_ends_with_a_page(typed, tmp_path, monkeypatch, quick_gait):
    """At a small size, of the sides with a device. Nobody walks after two updates, so the page compares nobody."""
    monkeypatch.setattr(run, "_draw", lambda path: None)
    for words in typed[:2]:
        assert main(words) == 0
    tree = json.loads((tmp_path / "STUDY.json").read_text())
    sizes = {key: json.loads(text) if text[0] in "{0123456789" else text for key, text in small_runs.FLAGS.items()}
    tree["overrides"] |= {**sizes, "total_timesteps": 4}
    tree["overrides"].pop("init_from.source", None)
    tree["sides"].pop("none")
    tree |= {"seeds": 1, "walks": {**tree["walks"], "models": ["reduced"], "seconds": 0.2, "device_off_episodes": 0}}
    (tmp_path / "STUDY.json").write_text(json.dumps(tree))
    assert main(typed[2]) == 0
    result = json.loads((tmp_path / "study" / "study.json").read_text())
    assert [each["person"] for each in result["people"]] == ["Ann", "Bob", "Eve"]
    assert {round(row["person_mass_kg"], 1) for row in result["policies"]} == {55.0, 68.0, 82.0}
    assert (tmp_path / "study" / "torque" / "Ann" / "seed_1" / "policy" / "bundle.json").is_file()
    assert "Who gains" in (tmp_path / "study" / "study.html").read_text()


TABLES = {
    "no head": ("0,0\n50,-0.5\n", "must begin with the line gait_cycle_percent,ankle_angle_N_m_per_kg"),
    "no unit": ("gait_cycle_percent,torque\n0,0\n", "must begin with the line gait_cycle_percent"),
    "no number": ("gait_cycle_percent,ankle_angle_N_m\n0,0\n50,high\n", "the line '50,high' must be two numbers"),
    "a jump": ("gait_cycle_percent,ankle_angle_N_m\n0,0\n50,-20\n100,-9\n", "at 100 % (-9) is not that at 0 % (0)"),
    "upside down": ("gait_cycle_percent,ankle_angle_N_m\n50,-20\n10,0\n", "percent must increase"),
    "a slip of the unit": ("gait_cycle_percent,ankle_angle_N_m_per_kg\n0,0\n50,-40\n", "Did you mean N*m?"),
    "nothing": ("gait_cycle_percent,ankle_angle_N_m\n0,0\n50,0\n", "its torque is 0 throughout"),
    "empty": ("", "must begin with the line"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_is_no_torque_is_told(name, typed, tmp_path, capsys):
    text, told = TABLES[name]
    (tmp_path / "torque.csv").write_text(text)
    assert main(["subjects", "study", "people.csv", "--torque", "torque.csv", "-o", "S.json"]) == 2
    error = capsys.readouterr().err
    assert told in error and "torque.csv" in error and not (tmp_path / "S.json").exists()
