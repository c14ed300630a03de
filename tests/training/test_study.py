"""Studies: every side is trained with every seed, goes on where it stopped, and the documented example runs."""

import dataclasses
import json
import re

import pytest
import small_runs
from checkout import ROOT

from mjx_assist import config as configs
from mjx_assist.cli.main import main
from mjx_assist.config.study import read_study
from mjx_assist.errors import UserError
from mjx_assist.eval.studies import trials
from mjx_assist.paths import TRAIN_LOG
from mjx_assist.policy import bundle as bundles
from mjx_assist.training import run
from mjx_assist.training import study as studies

SMALL = {"speeds": [1.2, 1.3], "models": ["reduced"], "physics_rates": [], "episodes": 1, "seconds": 0.2}
SIDES = {"zero": {"config": "walk22_zero_torque"}, "exo": {"config": "walk22_exo"}}


def write(tmp_path, **more):
    tree = {"sides": SIDES, "seeds": 2, "walks": {**SMALL, "device_off_episodes": 0}, **more}
    (tmp_path / "STUDY.json").write_text(json.dumps(tree))
    return ["study", str(tmp_path / "STUDY.json"), "-o", str(tmp_path / "out")]


@pytest.fixture
def trained(monkeypatch, untrained_bundle):
    """(side, seed) of the runs that were made, without training or walking; ``trained.error`` ends the next one."""

    class Trained(list):
        error: Exception | None = None

    made = Trained()

    def train_in(path, config, resume, callbacks=()):
        assert resume
        made.append((path.parent.name, config.env_params.seed))
        if made.error:
            raise made.error
        env = dataclasses.replace(untrained_bundle.config.env_params, seed=config.env_params.seed)
        own = dataclasses.replace(untrained_bundle.config, env_params=env)
        mean = untrained_bundle.policy.mean + len(made)
        policy = dataclasses.replace(untrained_bundle.policy, mean=mean)
        info = {**untrained_bundle.info, "control_steps": config.total_timesteps}
        bundles.save(dataclasses.replace(untrained_bundle, config=own, policy=policy, info=info), path / "policy")
        (path / TRAIN_LOG).write_text(json.dumps({"update": 1, "control_steps": config.total_timesteps}) + "\n")

    def walk(bundles, walks, processes, measure):
        figures = {"fell": True, "time_s": 0.2, "strides": 0, "body_mass_kg": 80.0, "muscle_power_w": {}, "device": []}
        yield from ((i, figures) for i in range(len(walks)))

    monkeypatch.setattr(run, "train_in", train_in)
    monkeypatch.setattr(studies, "_check", lambda *_: None)
    monkeypatch.setattr(studies, "device_mass", lambda *_: 0.0)
    monkeypatch.setattr(trials, "run", walk)
    monkeypatch.setattr("mjx_assist.eval.report.pages.study.write_study", lambda out, *_: out)
    return made


def test_every_side_is_trained_with_every_seed_in_turns(trained, tmp_path, capsys):
    assert main(write(tmp_path, first_seed=3)) == 0
    assert trained == [("zero", 3), ("exo", 3), ("zero", 4), ("exo", 4)]
    assert configs.load(tmp_path / "out" / "exo" / "seed_4" / "session_config.json").env_params.seed == 4
    assert "training 4 of 4: exo, seed 4" in capsys.readouterr().out


def test_a_study_goes_on_where_it_stopped_and_takes_more_seeds(trained, tmp_path, capsys):
    trained.error = UserError("stopped by SIGINT after saving; go on with: mjx-assist train --resume exo/seed_1")
    trained.error.__cause__ = KeyboardInterrupt()
    words = write(tmp_path)
    assert main(words) == 130
    assert "the same command with -o" in capsys.readouterr().err
    trained.error = None
    trained.clear()
    assert main(words) == 0
    assert trained == [("zero", 1), ("exo", 1), ("zero", 2), ("exo", 2)]
    trained.clear()
    assert main(words) == 0 and not trained
    assert main(write(tmp_path, seeds=3)) == 0
    assert trained == [("zero", 3), ("exo", 3)]


def test_a_folder_of_other_trainings_is_not_gone_on_with(trained, tmp_path, capsys):
    assert main(write(tmp_path)) == 0
    trained.clear()
    assert main(write(tmp_path, overrides={"env_params.num_envs": 128})) == 2
    assert "env_params.num_envs was 256 and would be 128" in capsys.readouterr().err and not trained


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"walks": {**SMALL, "speeds": [1.2, 7.0]}}, "speeds: zero: the reference gait knows 0.5 to 2 m/s, not 7"),
        ({"walks": {**SMALL, "physics_rates": [250]}}, "physics_rates: 250 Hz is not a multiple of zero's"),
        ({"overrides": {"init_from.source": "walk22_exa"}}, "Did you mean 'walk22_exo'"),
    ],
)
def test_what_only_the_walker_can_tell_is_told_before_anything_trains(quick_gait, tmp_path, capsys, more, told):
    assert main(write(tmp_path, **more)) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def example():
    """The study that docs/compare.md prints."""
    text = (ROOT / "docs" / "compare.md").read_text()
    return json.loads(re.search(r"^```json\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[1])


def small(tree, tmp_path):
    """The command for a study at a small size."""
    sizes = {key: json.loads(text) if text[0] in "{0123456789" else text for key, text in small_runs.FLAGS.items()}
    tree = {**tree, "overrides": {**tree["overrides"], "total_timesteps": 4, **sizes}, "seeds": 1}
    (tmp_path / "STUDY.json").write_text(
        json.dumps({**tree, "walks": {**tree["walks"], **SMALL, "device_off_episodes": 0}})
    )
    return ["study", str(tmp_path / "STUDY.json"), "-o", str(tmp_path / "out")]


@pytest.mark.slow
def test_a_study_trains_walks_and_reports_and_does_nothing_twice(quick_gait, tmp_path, monkeypatch, capsys):
    """Two sides that differ in how long they train."""
    sides = {"short": {"config": "walk22_exo"}, "long": {"config": "walk22_exo", "overrides": {"total_timesteps": 8}}}
    words = small({"sides": sides, "overrides": {}, "walks": {}}, tmp_path)
    monkeypatch.setattr(run, "_draw", lambda path: None)  # learning curves, which take longer than these trainings
    assert main(words) == 0
    result = json.loads((tmp_path / "out" / "study.json").read_text())
    assert [(s["side"], s["trainings"]) for s in result["sides"]] == [("short", 1), ("long", 1)]
    assert [row["walks"] for row in result["policies"]] == [2, 2]
    steps = [small_runs.rows(tmp_path / "out" / side / "seed_1")[-1]["control_steps"] for side in ("short", "long")]
    assert steps == [4, 8]
    assert (tmp_path / "out" / "study.html").is_file()
    before = (tmp_path / "out" / "walks.json").read_bytes()
    out = capsys.readouterr().out
    assert "training 2 of 2: long, seed 1" in out and "One training only: short, long" in out
    monkeypatch.setattr("mjx_assist.eval.report.pages.study.write_study", lambda out, *_: out)
    assert main(words) == 0
    assert (tmp_path / "out" / "walks.json").read_bytes() == before
    assert "training 1" not in capsys.readouterr().out


def test_the_documented_study_is_one(tmp_path):
    (tmp_path / "STUDY.json").write_text(json.dumps(example()))
    study, sides = read_study(tmp_path / "STUDY.json")
    assert list(sides) == ["none", "zero_torque", "powered"] and study.walks.at_speed == 1.25
    assert {config.env_params.max_target_velocity for config in sides.values()} == {1.6}


@pytest.mark.slow
def test_the_documented_study_runs(quick_gait, tmp_path):
    assert main(small(example(), tmp_path)) == 0
    result = json.loads((tmp_path / "out" / "study.json").read_text())
    assert [s["side"] for s in result["sides"]] == ["none", "zero_torque", "powered"]
    assert [round(s["device_mass_kg"], 2) for s in result["sides"]] == [0.0, 2.33, 2.33]
    assert {round(s["person_mass_kg"], 2) for s in result["sides"]} == {78.09}
