"""Sides over people: pairs by person whatever the people cost, who is left out, and what the page says."""

import dataclasses
import json

import numpy as np
import pytest
from study_walks import SPEEDS, WALKS, figures, walk_nothing

from mjx_assist.cli.main import main
from mjx_assist.config.study import Walker
from mjx_assist.config.subject import Subject
from mjx_assist.eval.replay.conditions import Conditions, constant
from mjx_assist.eval.report.pages.study import write_study
from mjx_assist.eval.studies import matched, trials
from mjx_assist.eval.studies.conclusions import KEY_MODEL, POWER
from mjx_assist.eval.studies.sides import Physics, Trained, Walked
from mjx_assist.policy import bundle as bundles
from mjx_assist.training import study as studies

REDUCED = Physics("reduced")
PEOPLE = {
    "small": Subject(height=1.5, mass=50.0),
    "weak": Subject(height=1.6, mass=70.0, strength={"all": 0.5}),
    "mean": Subject(height=1.7, mass=75.0),
    "tall": Subject(height=1.9, mass=85.0),
    "heavy": Subject(height=2.0, mass=110.0),
}
COSTS = dict(zip(PEOPLE, (4.0, 6.0, 3.0, 2.5, 5.0), strict=True))  # W/kg
GAINS = dict(zip(PEOPLE, (-1.0, 0.5, -0.4, -0.2, -0.1), strict=True))


def trained(bundle, side, person, seed):
    env = dataclasses.replace(bundle.config.env_params, seed=seed, subject=PEOPLE[person])
    config = dataclasses.replace(bundle.config, env_params=env)
    own = dataclasses.replace(bundle, config=config)
    return Trained(side, f"{person} seed_{seed}", f"{side}/{person}/{seed}", own, person)


def study(bundle, noise=0.0, seeds=2, falls=(), people=tuple(PEOPLE)):
    rng = np.random.default_rng(0)
    policies = [trained(bundle, s, p, seed) for seed in range(seeds) for s in ("off", "on") for p in people]
    walks = []
    for one in policies:
        power = COSTS[one.person] + (GAINS[one.person] if one.side == "on" else 0.0) + noise * rng.normal()
        for asked in SPEEDS:
            found = figures(asked, power, fell=(one.side, one.person) in falls)
            walks.append(Walked(one.side, one.name, REDUCED.label, Conditions(command=constant(asked)), found))
    worn = {Walker(side, person): 2.0 for side in ("off", "on") for person in PEOPLE}
    return matched.result(policies, WALKS, [REDUCED], walks, worn)


def power_row(result):
    return next(row for row in result["differences"] if row["figure"] == KEY_MODEL + POWER)


def test_people_are_compared_with_themselves(untrained_bundle):
    row = power_row(study(untrained_bundle, noise=1e-3))
    assert [each["person"] for each in row["each"]] == list(PEOPLE)
    assert [each["difference"] for each in row["each"]] == pytest.approx(list(GAINS.values()), abs=0.01)
    assert row["difference"] == pytest.approx(np.mean(list(GAINS.values())), abs=0.01)
    assert (row["less"], row["surely_less"], row["surely_more"], row["trainings"]) == (4, 4, 1, 10)
    assert row["people_sd"] == pytest.approx(np.std(list(GAINS.values()), ddof=1), rel=0.02)
    assert row["difference_low"] < row["over_trainings_low"] < row["over_trainings_high"] < row["difference_high"]
    assert row["percent"] == pytest.approx(100 * np.mean([GAINS[p] / COSTS[p] for p in PEOPLE]), abs=0.3)
    assert row["ranks"]["height_m"]["r"] == pytest.approx(0.4)  # ranks 1 5 2 3 4 of 1..5 by height


def test_who_never_reached_the_speed_is_left_out_by_name(untrained_bundle):
    result = study(untrained_bundle, falls={("on", "weak")})
    row = power_row(result)
    assert row["left_out"] == ["weak"] and row["people"] == 4 and row["surely_more"] == 0
    assert any("left out, for no cost on one of the sides: weak" in note for note in result["notes"])
    assert power_row(study(untrained_bundle, falls={("on", p) for p in PEOPLE}))["difference"] is None


def test_the_page_says_who_gains(untrained_bundle, tmp_path):
    result = study(untrained_bundle, noise=0.01)
    assert [each["height_m"] for each in result["people"]] == pytest.approx([1.5, 1.6, 1.7, 1.9, 2.0], abs=1e-6)
    assert result["people"][1]["strength"] < 0.55 and result["interval"]["over"] == "people"
    assert result["sides"][0]["human"] == "myolegs22" and result["sides"][0]["median_policy"] is None
    told = write_study(tmp_path / "study", result).read_text()
    assert json.loads((tmp_path / "study" / "study.json").read_text()) == result
    for text in ("Who gains", "over people", "over trainings", "heavy", "4 of 5", "Searle", "5 people, 20 trainings"):
        assert text in told
    assert "different humans" not in told and (tmp_path / "study" / "people.png").is_file()
    assert "5 people, 4 of whom spend less (4 surely, 1 surely more)" in result["findings"][0]


def test_few_people_and_single_trainings_are_told(untrained_bundle):
    assert any("One training a person and side" in note for note in study(untrained_bundle, seeds=1)["notes"])
    two = study(untrained_bundle, people=("small", "tall"))["notes"]
    assert any("Only 2 people" in note for note in two) and not any("One training" in note for note in two)


def test_compare_pairs_policies_of_the_same_people(monkeypatch, untrained_bundle, tmp_path, capsys):
    monkeypatch.setattr(trials, "run", walk_nothing([]))
    monkeypatch.setattr(studies, "device_mass", lambda *_: 2.0)

    def saved(side, people):
        for seed, person in people:
            bundles.save(trained(untrained_bundle, side, person, seed).bundle, tmp_path / f"{side}_{person}")
        return [str(path) for path in tmp_path.glob(f"{side}_*")]

    on, off = saved("on", [(1, "small"), (2, "tall"), (3, "heavy")]), saved("off", [(4, "small"), (5, "tall")])
    words = ["compare", *on, "--against", *off, "--speeds", "1.1,1.25,1.4", "--model", "reduced"]
    assert main([*words, "--physics-rates", "", "--episodes", "1", "-o", str(tmp_path / "out")]) == 0
    result = json.loads((tmp_path / "out" / "study.json").read_text())
    assert power_row(result)["people"] == 2 and power_row(result)["left_out"] == ["height:2,mass:110"]
    assert "95 % over people" in capsys.readouterr().out
    heavy, small = tmp_path / "on_heavy", tmp_path / "off_small"
    words = ["compare", str(heavy), "--against", str(small), "--speeds", "1.1,1.25", "-o", str(tmp_path / "no")]
    assert main(words) == 2
    assert "nobody has trained on all sides" in capsys.readouterr().err
