"""STUDY.json: what it may say, and that a mistake is told with its key before anything is trained."""

import json

import pytest

from mjx_assist.cli.main import main
from mjx_assist.config.study import Walker, Walks, read_study
from mjx_assist.config.subject import Subject

GOOD = {"sides": {"none": {"config": "walk22_none"}, "exo": {"config": "walk22_exo"}}}


FILES = {
    "giants.csv": "name,height,mass\nIda,3,70\n",
    "no_one.json": '{"subjects": {}}',
    "twins.csv": "name,height,mass\nAnn,1.7,70\nBob,1.7,70\n",
    "spaced.csv": "name,height\nAnn B,1.7\n",
    "ok.csv": "name,height\nAnn,1.7\n",
    "one.json": '{"env_params": {"subject": {"height": 1.6}}}',
}


def write(tmp_path, tree):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    path = tmp_path / "STUDY.json"
    path.write_text(tree if isinstance(tree, str) else json.dumps(tree))
    return path


def test_a_sides_overrides_go_over_the_studys_and_its_file_is_beside_it(tmp_path):
    (tmp_path / "own.json").write_text(json.dumps({"env_params": {"num_envs": 64}}))
    sides = {"own": {"config": "own.json"}, "exo": {"config": "walk22_exo", "overrides": {"ppo_params.gamma": 0.9}}}
    tree = {"sides": sides, "first_seed": 7, "overrides": {"ppo_params.gamma": 0.95, "total_timesteps": 1000}}
    study, configs = read_study(write(tmp_path, tree))
    assert (study.seeds, study.walks) == (5, Walks())
    assert [configs[Walker(name)].ppo_params.gamma for name in ("own", "exo")] == [0.95, 0.9]
    assert configs[Walker("own")].env_params.num_envs == 64
    assert [config.env_params.seed for config in configs.values()] == [7, 7]
    assert configs[Walker("exo")].total_timesteps == 1000


def test_a_study_over_people_has_a_config_for_everybody_on_every_side(tmp_path):
    (tmp_path / "people.csv").write_text("# ours\nName, mass ,height,Sex\nAnn,55,1.6,Female\nBob,,1.8,\n")
    _, configs = read_study(write(tmp_path, {**GOOD, "subjects": "people.csv", "seeds": 2}))
    assert list(configs) == [Walker(side, person) for side in ("none", "exo") for person in ("Ann", "Bob")]
    assert configs[Walker("exo", "Ann")].env_params.subject == Subject(height=1.6, mass=55.0, sex="female")
    assert configs[Walker("none", "Bob")].env_params.subject == Subject(height=1.8)
    assert str(Walker("exo", "Ann")) == "exo, Ann" and str(Walker("exo")) == "exo"


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        ("{", "is not JSON"),
        ("[]", "must hold one JSON object"),
        ({}, "'sides': must name at least two, got 0"),
        ({"sides": {"exo": {"config": "walk22_exo"}}}, "at least two, got 1"),
        ({**GOOD, "seed": 3}, "'seed' is unknown. Did you mean 'seeds'?"),
        ({**GOOD, "seeds": 0}, "'seeds': must be positive, got 0"),
        ({**GOOD, "seeds": "five"}, "'seeds': expected int, got 'five'"),
        ({**GOOD, "first_seed": -1}, "'first_seed': must lie in 0..4294967295"),
        ({"sides": {**GOOD["sides"], "a b": {"config": "walk22_exo"}}}, "'a b' is to be a folder"),
        ({"sides": {**GOOD["sides"], "c": {}}}, "'sides.c': config must be given"),
        ({"sides": {**GOOD["sides"], "c": {"confg": "x"}}}, "Did you mean 'config'?"),
        ({"sides": {**GOOD["sides"], "c": {"config": "walk22_exa"}}}, "'sides.c': there is no file 'walk22_exa'"),
        ({**GOOD, "overrides": {"ppo_params.gama": 0.9}}, "Did you mean 'gamma'?"),
        ({**GOOD, "overrides": {"ppo_params.gamma": 2}}, "must lie in 0..1, got 2"),
        ({**GOOD, "overrides": {"env_params.seed": 2}}, "env_params.seed comes from the study"),
        ({**GOOD, "walks": {"speeds": [1.25]}}, "'speeds': must be two or more"),
        ({**GOOD, "walks": {"speeds": [1.25, 1.25]}}, "'speeds': must differ from each other"),
        ({**GOOD, "walks": {"speeds": [1.0, -1.25]}}, "must be positive, got -1.25"),
        ({**GOOD, "walks": {"speeds": [1.0, 1.2], "at_speed": 1.5}}, "'at_speed': must lie among"),
        ({**GOOD, "walks": {"models": ["reduced", "ful"]}}, "'models': 'ful' is unknown. Did you mean 'full'?"),
        ({**GOOD, "walks": {"models": []}}, "'models': must name at least one of reduced, full"),
        ({**GOOD, "walks": {"physics_rates": [0]}}, "physics_rates[0]': must be positive"),
        ({**GOOD, "subjects": "nobody.json"}, "subject file 'nobody.json' does not exist"),
        ({**GOOD, "overrides": {"env_params.cohort": {"a": {}}}}, "is one training for all"),
        ({**GOOD, "subjects": 5}, "'subjects': expected"),
        (
            {**GOOD, "subjects": "giants.csv"},
            "'sides.none', Ida: config key 'env_params.subject.height': must lie in 1.2",
        ),
        ({**GOOD, "subjects": "no_one.json"}, "nobody is in"),
        ({**GOOD, "subjects": ["twins.csv"]}, "'subjects': 'Ann' and 'Bob' are the same person, who counts once"),
        ({**GOOD, "subjects": "spaced.csv"}, "'subjects': 'Ann B' is to be a folder"),
        ({**GOOD, "subjects": "twins.csv#Eve"}, "'Eve' is unknown. Allowed: Ann, Bob"),
        (
            {**GOOD, "subjects": "twins.csv", "overrides": {"env_params.subject": {}}},
            "comes from the study: 'subjects'",
        ),
        ({**GOOD, "subjects": "ok.csv", "sides": {**GOOD["sides"], "c": {"config": "one.json"}}}, "has a subject"),
        ({**GOOD, "walks": {"episodes": 0}}, "'walks.episodes': must be positive"),
    ],
)
def test_what_a_study_cannot_be_is_told_with_its_key(tmp_path, capsys, tree, told):
    assert main(["study", str(write(tmp_path, tree)), "-o", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert told in error and "STUDY.json" in error
    assert not (tmp_path / "out").exists()


def test_a_study_that_is_not_there_is_told(tmp_path, capsys):
    assert main(["study", str(tmp_path / "no.json"), "-o", str(tmp_path / "out")]) == 2
    assert "no.json': there is no such file" in capsys.readouterr().err
