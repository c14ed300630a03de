"""STUDY.json: what it may say, and that a mistake is told with its key before anything is trained."""

import json

import pytest

from mjx_assist.cli.main import main
from mjx_assist.config.study import Walks, read_study

GOOD = {"sides": {"none": {"config": "walk22_none"}, "exo": {"config": "walk22_exo"}}}


def write(tmp_path, tree):
    path = tmp_path / "STUDY.json"
    path.write_text(tree if isinstance(tree, str) else json.dumps(tree))
    return path


def test_a_sides_overrides_go_over_the_studys_and_its_file_is_beside_it(tmp_path):
    (tmp_path / "own.json").write_text(json.dumps({"env_params": {"num_envs": 64}}))
    sides = {"own": {"config": "own.json"}, "exo": {"config": "walk22_exo", "overrides": {"ppo_params.gamma": 0.9}}}
    tree = {"sides": sides, "first_seed": 7, "overrides": {"ppo_params.gamma": 0.95, "total_timesteps": 1000}}
    study, configs = read_study(write(tmp_path, tree))
    assert (study.seeds, study.walks) == (5, Walks())
    assert [configs[name].ppo_params.gamma for name in ("own", "exo")] == [0.95, 0.9]
    assert configs["own"].env_params.num_envs == 64
    assert [config.env_params.seed for config in configs.values()] == [7, 7]
    assert configs["exo"].total_timesteps == 1000


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
