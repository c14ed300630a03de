"""`mjx-assist subjects` and the flags that name a person: what they write, and what they refuse."""

import json
from pathlib import Path

import numpy as np
import pytest

from mjx_assist.cli.main import main
from mjx_assist.config.read import from_dict, load, to_dict
from mjx_assist.config.subject import Subject, to_text, to_tree
from mjx_assist.config.tree import build
from mjx_assist.model.human_key import parse, short
from mjx_assist.model.subjects import cohort

FULL = Subject(
    height=1.62,
    mass=55.0,
    sex="female",
    age=70.0,
    segment_lengths={"thigh_r": 0.39},
    strength={"plantarflexors_l": 0.5, "all": 0.9},
    contracture={"knee_angle_r": (-1.0, -0.2)},
    added_mass={"foot": 2.0},
)


def test_a_key_says_all_of_a_person():
    assert build(Subject, to_tree(to_text(FULL).removeprefix("@subject=")), "") == FULL
    key = parse(f"myolegs22+passive{to_text(FULL)}@lean=0.2")
    assert (key.human, key.body, key.subject, key.lean) == ("myolegs22", "passive", FULL, 0.2)
    assert short(f"myolegs22{to_text(FULL)}") == "myolegs22, 1.62 m 55 kg female 70 years"


def test_a_config_holds_a_person_or_its_file(tmp_path: Path):
    (tmp_path / "her.json").write_text(json.dumps({"about": "one", "height": 1.62, "mass": 55}))
    (tmp_path / "run.json").write_text(json.dumps({"env_params": {"subject": "her.json"}}))
    config = load(tmp_path / "run.json")
    assert config.env_params.subject == Subject(height=1.62, mass=55.0)
    assert config.env_params.human == "myolegs22@subject=height:1.62,mass:55"
    assert from_dict(to_dict(config)) == config


def test_a_cohort_is_drawn_as_the_population_is():
    people = cohort.draw(400, seed=1, women=0.25)
    assert people == cohort.draw(400, seed=1, women=0.25) != cohort.draw(400, seed=2, women=0.25)
    women = [person for person in people.values() if person["sex"] == "female"]
    assert len(women) == 100
    heights = np.array([person["height"] for person in women])
    assert heights.mean() == pytest.approx(1.5964, abs=3 * 0.0708 / 10)  # NHANES 2017-2018
    assert heights.std() == pytest.approx(0.0708, rel=0.25)


def test_draw_and_show(tmp_path: Path, capsys):
    file = str(tmp_path / "cohort.json")
    assert main(["subjects", "draw", "-n", "3", "--heights", "1.5,1.7", "--ages", "20,80", "-o", file]) == 0
    people = json.loads(Path(file).read_text())["subjects"]
    assert list(people) == ["S01", "S02", "S03"] and all(1.5 <= p["height"] <= 1.7 for p in people.values())
    capsys.readouterr()
    assert main(["subjects", "show", f"{file}#S02", "--json", str(tmp_path / "rows.json")]) == 0
    [row] = json.loads((tmp_path / "rows.json").read_text()).values()
    assert row["height_m"] == pytest.approx(people["S02"]["height"], abs=1e-6)
    assert f"{people['S02']['mass']:.1f}" in capsys.readouterr().out


def test_a_table_becomes_a_subject(tmp_path: Path, capsys):
    (tmp_path / "p.csv").write_text("segment,length\nthigh,0.41\nshank,0.42\n")
    out = tmp_path / "p.json"
    assert main(["subjects", "import", str(tmp_path / "p.csv"), "--height", "1.72", "-o", str(out)]) == 0
    assert json.loads(out.read_text()) == {"segment_lengths": {"thigh": 0.41, "shank": 0.42}, "height": 1.72}
    assert "mjx-assist train walk --human myolegs22 --subject" in capsys.readouterr().out


TRAIN, REPORT = ["train", "walk", "--dry-run"], ["models", "report", "myolegs22"]
COMMANDS = {
    "3 m": ([*TRAIN, "--height", "3"], "env_params.subject.height': must lie in 1.2..2.2 m"),
    "a negative mass": ([*TRAIN, "--mass", "-5"], "subject.mass': must lie in 30..200 kg"),
    "pounds": ([*TRAIN, "--height", "1.5", "--mass", "180"], "body mass index of 80 kg/m2; 12 to 70 are simulated"),
    "no height": ([*TRAIN, "--height", "nan"], "argument --height: must be a number"),
    "a child": ([*TRAIN, "--env_params.subject", '{"age": 7}'], "subject.age': must lie in 18..100 years"),
    "no key": ([*TRAIN, "--env_params.subject.hight", "1.7"], "'hight' is unknown. Did you mean 'height'"),
    "no sex": ([*TRAIN, "--env_params.subject.sex", "man"], "subject.sex': 'man' is unknown"),
    "no file": ([*TRAIN, "--env_params.subject", "none.json"], "subject': there is no file 'none.json'"),
    "no subject file": ([*TRAIN, "--subject", "none.json"], "subject file 'none.json' does not exist"),
    "no name of it": ([*TRAIN, "--subject", "cohort.json#S9"], "'S9' is unknown. Did you mean 'S2'? Allowed: S1, S2"),
    "a cohort": ([*TRAIN, "--subject", "cohort.json"], "as FILE#NAME: '' is unknown. Allowed: S1"),
    "no group": ([*TRAIN, "--subject", "cohort.json#S2"], "'cohort.json#S2': expected a group of keys, got 'tall'"),
    "a part of one": ([*TRAIN, "--subject", "one.json#S1"], "is of one person, so it has no #S1"),
    "a range": (
        [*TRAIN, "--env_params.subject", '{"contracture": {"a": [1]}}'],
        "contracture.a: must be the lowest and",
    ),
    "no segment": ([*REPORT, "--subject", "segment.json"], "segment_lengths: 'tigh' is unknown. Did you mean 'thigh'"),
    "in mm": ([*REPORT, "--subject", "mm.json"], "segment_lengths.thigh': must lie in 0.05..0.8 m"),
    "twice": (["models", "report", "myolegs22@subject=mass:60", "--mass", "70"], "names a subject already"),
    "a key": (["models", "report", "myolegs22@subject=tall"], "'tall' must be NAME:VALUE, such as height:1.62"),
    "a key's group": (["models", "report", "myolegs22@subject=mass:60,mass.x:1"], "'mass.x:1' must be NAME:VALUE"),
    "a truck": ([*TRAIN, "--env_params.subject", '{"added_mass": {"foot": 2000}}'], "foot': must lie in 0..100 kg"),
    "an own model": (["models", "report", "own.xml", "--mass", "70"], "a subject cannot be put on 'own.xml'"),
    "nobody": (["subjects", "draw", "--heights", "2.15,2.2", "--women", "1", "-o", "c.json"], "Widen the limits"),
    "upside down": (["subjects", "draw", "--heights", "1.9,1.5", "-o", "c.json"], "--heights: must be two numbers"),
    "a share": (["subjects", "draw", "--women", "50", "-o", "c.json"], "--women: must be a share, 0 to 1, not 50"),
    "old": (["subjects", "draw", "--ages", "70,120", "-o", "c.json"], "--ages: must lie in 18..100 years"),
    "no person": (["subjects", "import", "one.json", "-o", "c.json"], "a person is read from an OpenSim model"),
    "no human": (["subjects", "show", "one.json", "--human", "myoleg22"], "Did you mean 'myolegs22'"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused):
    monkeypatch.chdir(tmp_path)
    files = {
        "one": {"height": 1.7},
        "cohort": {"subjects": {"S1": {}, "S2": "tall"}},
        "segment": {"segment_lengths": {"tigh": 0.4}},
        "mm": {"segment_lengths": {"thigh": 410}},
    }
    for file, content in files.items():
        Path(f"{file}.json").write_text(json.dumps(content))
    arguments, sentence = COMMANDS[name]
    assert sentence in refused(*arguments)
