"""The challenge's rows, how they are judged, its table, and that a second call walks only what is new."""

import dataclasses
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from mjx_assist.cli import challenge as cli_challenge
from mjx_assist.cli.main import main
from mjx_assist.errors import UserError
from mjx_assist.eval.replay.conditions import AS_TRAINED
from mjx_assist.eval.studies import challenge, challenge_table, stress, trials
from mjx_assist.eval.studies.challenge import Target
from mjx_assist.policy import bundle as bundles


def outcome(seed=0, fell=False, error=0.05, r=0.95, **more):
    return {
        "seed": seed,
        "fell": fell,
        "time_s": 3.0 if fell else 30.0,
        "mean_speed_m_s": 1.2,
        "speed_asked_m_s": 1.25,
        "speed_error_m_s": error,
        "corr_reference": {"hip": r, "knee": r},
        "stride_length_m": 1.4,
        "cadence_steps_per_min": 108.0,
        **more,
    }


def test_speed_error_sees_what_is_off_for_long_and_not_the_stride():
    """Speed 0.1 above the command, with a sway at 1.8 Hz; and a command that steps by 0.4 m/s which nobody follows."""
    time = np.arange(0, 30, 0.01)

    def record(target):
        place = 1.35 * time + 0.02 * np.sin(2 * np.pi * 1.8 * time)
        return SimpleNamespace(time=time, target_velocity=target, qpos=place, column=lambda array, _: array)

    asked, error = trials.speed_error(record(np.full(time.size, 1.25)))
    assert asked == pytest.approx(1.25) and error == pytest.approx(0.1, abs=0.02)
    steps = np.where(time % 8 < 4, 1.15, 1.55)
    assert trials.speed_error(record(steps))[1] == pytest.approx(0.2, abs=0.02)


def test_rows_are_the_ones_that_are_asked_for():
    rows = challenge.rows()
    by_group = {group: [row for row in rows if row.group == group] for group in challenge.GROUPS}
    speeds = [row.conditions.command.speed for row in by_group["speeds"]]
    assert speeds == [(v, v) for v in (0.7, 0.8, 1.0, 1.25, 1.5, 1.7, 1.9)]
    slopes = [math.degrees(math.atan(row.conditions.randomization.slope[0])) for row in by_group["slopes"]]
    np.testing.assert_allclose(slopes, [-6, -4, -2, 0, 2, 4, 6], atol=1e-9)
    assert {row.kind for row in by_group["models"]} == {"full", "composed"}
    assert len({row.name for row in rows}) == len(rows)
    assert [row.group for row in challenge.rows(["pushes"])] == ["pushes"] * 4
    with pytest.raises(UserError, match="Did you mean 'slopes'"):
        challenge.rows(["slope"])


@pytest.mark.parametrize(
    ("target", "share", "error", "r", "expected"),
    [
        (Target(0.9), 0.9, 9.0, 0.0, True),
        (Target(0.9), 0.8, 0.0, 1.0, False),
        (Target(0.9, speed_error=0.1), 1.0, 0.1, 1.0, False),
        (Target(0.9, speed_error=0.1), 1.0, 0.09, 1.0, True),
        (Target(0.9, speed_error=0.1), 1.0, None, 1.0, False),
        (Target(1.0, correlation=0.9), 1.0, 0.0, 0.89, False),
        (Target(1.0, correlation=0.9), 1.0, 0.0, 0.9, True),
    ],
)
def test_a_row_is_met_only_if_all_that_it_asks_is(target, share, error, r, expected):
    assert challenge.met(target, share, {"speed_error_m_s": error, "hip_r": r, "knee_r": 1.0}) is expected


def test_a_judged_row_tells_asked_and_reached():
    row = challenge.rows(["speeds"])[3]
    found = challenge.judged(row, [outcome(seed, fell=seed == 3) for seed in range(10)])
    assert found["survived"] == 9 and found["met"]
    assert challenge_table.target_text(found) == "9 of 10 for 30 s, error < 0.1 m/s"
    cells = dict(zip(challenge_table.HEADER, challenge_table.cells(found), strict=True))
    assert cells["stood"] == "9 of 10" and cells["m/s error"] == "0.05" and cells["met"] == "yes"
    unknown = challenge.judged(row, [outcome(error=None, fell=True)])
    assert not unknown["met"] and challenge_table.cells(unknown)[7] == "-"


@pytest.fixture
def walked(monkeypatch):
    """Instead of walking: what was asked to walk."""
    asked = []

    def run(bundles, walks, processes=2):
        asked.extend(walks)
        yield from ((i, outcome(trial.seed)) for i, trial in reversed(list(enumerate(walks))))

    monkeypatch.setattr(trials, "run", run)
    return asked


def test_a_second_call_walks_only_what_is_new(walked, bundle_path, untrained_bundle, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["challenge", str(bundle_path), "-o", str(out), "--episodes", "2", "--only"]
    assert main([*words, "pushes"]) == 0
    assert len(walked) == 4
    assert "meets 2 of 2 rows" in capsys.readouterr().out
    assert main([*words, "pushes,models"]) == 0
    assert [trial.kind for trial in walked[4:]] == ["full", "full", "composed", "composed"]
    content = json.loads((out / cli_challenge.JSON).read_text())
    assert [row["group"] for row in content["policies"][0]["rows"]] == ["pushes"] * 2 + ["models"] * 2
    assert {path.name for path in out.iterdir()} >= {"challenge.md", "challenge.html", "overview.png", "gait.svg"}
    assert (out / "challenge.md").read_text().count("| yes |") == 4
    other = dataclasses.replace(untrained_bundle.policy, mean=untrained_bundle.policy.mean + 1)
    other = dataclasses.replace(untrained_bundle, policy=other)
    assert challenge.fingerprint(other) != challenge.fingerprint(untrained_bundle)
    assert main([*words, "nonsense"]) == 2


def test_a_controller_drives_every_policy_and_is_told(monkeypatch, bundle_path, tmp_path, capsys):
    """Rows walked with the learned head are not taken for those of another controller, nor the other way round."""
    driven = []

    def run(bundles, walks, processes=2):
        settings = [bundle.config.env_params.device_controller for bundle in bundles]
        driven.append([s.type if s else None for s in settings])
        yield from ((i, outcome(trial.seed)) for i, trial in enumerate(walks))

    monkeypatch.setattr(trials, "run", run)
    out = tmp_path / "out"
    words = ["challenge", str(bundle_path), str(bundle_path), "-o", str(out), "--episodes", "1", "--only", "pushes"]
    for controller, told in (([], "learned"), (["--controller", "zero_torque"], "zero_torque")):
        assert main([*words, *controller]) == 0
        content = json.loads((out / cli_challenge.JSON).read_text())
        assert [policy["controller"] for policy in content["policies"]] == [told] * 2
        assert (", --controller zero_torque: meets 2 of 2" in capsys.readouterr().out) == bool(controller)
        assert ("zero_torque" in (out / "challenge.html").read_text()) == bool(controller)
    assert driven == [[None, None], ["zero_torque", "zero_torque"]]
    assert main([*words, "--controller", "zero_torq"]) == 2
    assert "Did you mean 'zero_torque'" in capsys.readouterr().err


def test_several_policies_stand_side_by_side():
    row = challenge.rows(["speeds"])[0]
    rows = [challenge.judged(row, [outcome(fell=fell)]) for fell in (False, True)]
    policies = [{"name": f"p{i}", "walker": "w", "rows": [found]} for i, found in enumerate(rows)]
    assert "| 0.7 m/s | **1 of 1, 0.05 m/s** | 0 of 1, 0.05 m/s |" in challenge_table.markdown(policies)


def test_stress_walks_what_is_harmless_once_and_tells_what_is_borne(walked, bundle_path, tmp_path, capsys):
    sizes = sum(len(sweep.sizes) for sweep in stress.SWEEPS)
    words = ["evaluate", str(bundle_path), "--stress", "-o", str(tmp_path / "s"), "--episodes", "2", "--steps", "200"]
    assert main(words) == 0
    assert len(walked) == 2 * (sizes - len(stress.SWEEPS) + 1)
    assert sum(trial.conditions == AS_TRAINED for trial in walked) == 2
    content = json.loads((tmp_path / "s" / "stress.json").read_text())
    assert len(content["points"]) == sizes and content["borne"]["friction"] == 0.2
    assert (tmp_path / "s" / "stress.png").is_file()
    assert main(["evaluate", str(bundle_path), "-o", str(tmp_path)]) == 2
    assert main([*words[:-1], "30"]) == 2
    assert "never meet what begins after 5 s" in capsys.readouterr().err


def test_only_walks_that_met_the_push_count():
    """Of four, one fell before the first push at 4 s and one after it; with no push all four count."""
    walks = [outcome(time_s=30.0), outcome(time_s=30.0), outcome(fell=True, time_s=3.0), outcome(fell=True, time_s=9.0)]
    outcomes = {sweep.at(size): walks for sweep in stress.SWEEPS for size in sweep.sizes}
    by_size = {point["size"]: point for point in stress.by_sweep(stress.points(outcomes))["push_forward"]}
    assert (by_size[0]["survived"], by_size[0]["seeds"]) == (2, 4)
    assert (by_size[10]["survived"], by_size[10]["seeds"], by_size[10]["fell_before"]) == (2, 3, 1)
    none = {under: [outcome(fell=True, time_s=1.0)] for under in outcomes}
    hopeless = stress.by_sweep(stress.points(none))["push_forward"]
    assert hopeless[1]["seeds"] == 0 and stress.borne(hopeless) is None


def test_falls_within_ten_seconds_of_the_device_going_off_are_counted():
    """It goes off after 5 s: who fell before did not fall of it, nor who fell 11 s after."""
    walks = [{"fell": time < 33.0, "time_s": time} for time in (3.0, 5.5, 14.9, 16.1, 33.0)]
    assert stress.fell_after_off(walks) == 2
    assert stress.fell_after_off([*walks, {"fell": False, "time_s": 9.0}]) is None


def test_who_wears_no_device_is_not_stressed_with_its_going_off():
    bare, worn = (stress.trials("reduced", 20.0, [0], device) for device in (False, True))
    assert len(worn) == len(bare) + 1
    outcomes = {under: [outcome(0)] for under in bare}
    assert "device_off" not in stress.by_sweep(stress.points(outcomes))


def test_borne_is_the_size_up_to_which_all_hold():
    def point(size, stood):
        return {"size": size, "survived": stood, "seeds": 10}

    assert stress.borne([point(0, 10), point(1, 8), point(2, 7), point(3, 10)]) == 1
    assert stress.borne([point(0, 7)]) is None


def test_trials_in_other_processes_are_the_walks_of_this_one(bundle_path):
    bundle = bundles.load(bundle_path)
    walks = [trials.Trial(0, "reduced", 0.2, seed) for seed in (0, 1)]
    found = dict(trials.run([bundle], walks))
    trials._bundles[:] = [bundle]
    trials._session.cache_clear()
    for index, walk in enumerate(walks):
        assert found[index] == trials._walk(walk)
