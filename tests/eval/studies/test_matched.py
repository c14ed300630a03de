"""Sides at the same speed: trainings whose cost follows a known curve, whatever speeds they happen to walk at."""

import dataclasses
import json

import numpy as np
import pytest

from mjx_assist.cli.main import main
from mjx_assist.config.device import ZeroTorque
from mjx_assist.config.study import Walks
from mjx_assist.errors import UserError
from mjx_assist.eval.replay.conditions import Conditions, constant
from mjx_assist.eval.report.pages.study import page, write_study
from mjx_assist.eval.studies import matched, sides, trainings, trials
from mjx_assist.eval.studies.conclusions import COST, KEY_MODEL, POWER
from mjx_assist.eval.studies.sides import Physics, Trained, Walked
from mjx_assist.policy import bundle as bundles
from mjx_assist.training import study as studies

SPEEDS = (1.1, 1.25, 1.4)
WALKS = Walks(speeds=SPEEDS, at_speed=1.25, episodes=1)
REDUCED, FULL = Physics("reduced"), Physics("full")
MASS, DEVICE = 80.0, 2.0


def curve(speed):
    """W/kg of the person; people's costs rise so (Ralston 1958): a part for standing, one with the speed's square."""
    return 2.0 + 1.1 * speed**2


def policy(bundle, side, seed):
    env = dataclasses.replace(bundle.config.env_params, seed=seed)
    config = dataclasses.replace(bundle.config, env_params=env)
    return Trained(side, f"seed_{seed}", f"runs/{side}/{seed}", dataclasses.replace(bundle, config=config))


def figures(speed, power, seed=0, fell=False, share=0.0):
    joint = {"joint": "ankle_angle_r", "torque_peak_nm": 60.0, "torque_rate_peak_nm_per_s": 900.0}
    joint |= {"power_peak_w": 150.0, "positive_power_w": 9.0, "torque_limit_nm": 100.0}
    joint |= {"torque_limit_share_peak": 0.6, "time_at_limit_share": share}
    watts = {"umberger2010": power * (MASS - DEVICE), "bhargava2004": 0.8 * power * (MASS - DEVICE)}
    walked = {"seed": seed, "fell": fell, "time_s": 3.0 if fell else 20.0, "strides": 30, "speed_m_s": speed}
    return {**walked, "body_mass_kg": MASS, "muscle_power_w": watts, "device": [joint]}


def study(bundle, offsets, physics=(REDUCED,), fast=0.0, fallen=(), share=0.0, factor=None):
    """The result for sides whose trainings' costs are ``curve`` plus an offset each (W/kg); those of "on" walk at
    ``fast`` m/s more than they are asked; those in ``fallen`` fall at the fastest speed."""
    policies = [policy(bundle, side, seed) for side, each in offsets.items() for seed, _ in enumerate(each, 1)]
    walked = []
    for part in physics:
        for one in policies:
            offset = offsets[one.side][one.seed - 1]
            for asked in SPEEDS:
                speed = asked + (fast if one.side == "on" else 0.0)
                power = (curve(speed) + offset) * (factor or {}).get((one.side, part.label), 1.0)
                fell = one.name in fallen and asked == max(SPEEDS)
                found = figures(speed, power + 50 * fell, fell=fell, share=share)
                walked.append(Walked(one.side, one.name, part.label, Conditions(command=constant(asked)), found))
    return matched.result(policies, WALKS, list(physics), walked, dict.fromkeys(offsets, DEVICE))


def row(rows, figure=KEY_MODEL + POWER, **where):
    return next(r for r in rows if r["figure"] == figure and all(r[k] == v for k, v in where.items()))


def test_a_cost_is_read_off_where_the_parabola_of_its_walks_is():
    speed = np.array([1.05, 1.1, 1.26, 1.31, 1.44])
    assert matched.read_off(speed, curve(speed), 1.25) == pytest.approx(curve(1.25))
    near = np.array([1.2, 1.3])  # a line through two
    assert matched.read_off(near, curve(near), 1.25) == pytest.approx(curve(near).mean())
    assert matched.read_off([1.24, 1.25, 1.26], [3.0, 5.0, 4.0], 1.25) == pytest.approx(4.0)  # no slope to be told
    assert matched.read_off([1.3, 1.4, 1.5], [3.0, 4.0, 5.0], 1.25) is None  # nothing is extrapolated
    assert matched.read_off([], [], 1.25) is None


def test_a_side_that_walks_faster_is_not_dearer_at_the_same_speed(untrained_bundle):
    """Both sides' costs lie on one curve; as asked, the faster side costs 0.25 W/kg more, at the same speed nothing."""
    result = study(untrained_bundle, {"off": [0.1, 0.0, -0.1], "on": [0.1, 0.0, -0.1]}, fast=0.09)
    told = row(result["differences"], side="on", against="off")
    assert told["difference"] == pytest.approx(0.0, abs=1e-9)
    assert told["paired"] == pytest.approx(0.0, abs=1e-9)
    assert row(result["means"], side="on")["mean"] == pytest.approx(curve(1.25))


def test_every_training_counts_once_in_w_per_kg_of_the_person(untrained_bundle):
    off, on = [0.30, 0.00, -0.20, 0.10, -0.05], [-0.5, -0.2, -0.45, -0.6]
    result = study(untrained_bundle, {"off": off, "on": on})
    told = row(result["differences"])
    assert (told["difference"], told["difference_low"], told["difference_high"]) == pytest.approx(
        trainings.welch(on, off)
    )
    costs = [[curve(1.25) + x for x in side] for side in (on, off)]
    assert (told["percent"], told["percent_low"], told["percent_high"]) == pytest.approx(trainings.percent(*costs))
    assert told["paired"] == pytest.approx(np.mean(np.subtract(on, off[:4]))) and told["pairs"] == 4
    cost = row(result["means"], KEY_MODEL + COST, side="off")["mean"]
    assert cost == pytest.approx((curve(1.25) + np.mean(off) + 1.2) / 1.25)  # 1.2 W/kg at rest
    side = result["sides"][0]
    assert (side["body_mass_kg"], side["device_mass_kg"], side["person_mass_kg"]) == (80.0, 2.0, 78.0)
    assert result["sides"][0]["median_policy"] == "seed_2"  # of 0.30, 0.10, 0.00, -0.05, -0.20
    assert result["sides"][1]["median_policy"] == "seed_1"  # of four the cheaper of the two in the middle
    assert "5 trainings" in result["findings"][0] and "Fewer than five trainings: on" in " ".join(result["notes"])


def test_walks_that_fell_do_not_count_and_are_told(untrained_bundle):
    offsets = {"off": [0.0, 0.1], "on": [0.0, 0.1]}
    result = study(untrained_bundle, offsets, fallen=("seed_1",), share=0.2)
    assert row(result["differences"])["difference"] == pytest.approx(0.0, abs=1e-3)
    told = " ".join(result["notes"])
    assert "seed_1 (1 of 3 walks, asked 1.4 m/s)" in told
    assert "torque limit: seed_1 (20 % of the time)" in told


def test_one_training_a_side_has_no_interval_and_that_is_told(untrained_bundle):
    result = study(untrained_bundle, {"off": [0.0], "on": [-0.4]})
    told = row(result["differences"])
    assert told["difference"] == pytest.approx(-0.4) and told["difference_low"] is None and told["paired"] is None
    assert "says nothing about people or other trainings" in result["notes"][0]
    assert "no interval" in result["findings"][0]


def test_a_training_that_never_reached_the_speed_is_left_out_aloud(untrained_bundle):
    result = study(untrained_bundle, {"off": [0.0, 0.1], "on": [0.0, 0.1]}, fast=0.3)
    assert row(result["differences"])["difference"] is None
    assert result["sides"][1]["median_policy"] is None
    told = " ".join(result["notes"])
    assert "on, reduced model, as trained: no cost at 1.25 m/s: seed_1 (reached 1.40 to 1.70 m/s)" in told


def test_a_difference_that_turns_with_the_physics_is_told(untrained_bundle):
    offsets = {"off": [0.0, 0.1, 0.05], "on": [-0.2, -0.1, -0.15]}
    dear = {("on", FULL.label): 1.3}
    result = study(untrained_bundle, offsets, physics=(REDUCED, FULL), factor=dear)
    assert any("depends on the physics" in note for note in result["notes"])
    assert not any("physics" in note for note in study(untrained_bundle, offsets, physics=(REDUCED, FULL))["notes"])


def test_of_those_who_were_up_when_the_device_went_off_the_fallen_are_counted():
    fell = {"fell": True}
    walks = [{**fell, "time_s": 3.0}, {**fell, "time_s": 7.5}, {**fell, "time_s": 6.0}, {"fell": False, "time_s": 15.0}]
    assert matched._device_off(walks) == {"walks": 3, "falls": 2, "earliest_s": 1.0}
    assert matched._device_off([]) is None


def test_the_page_says_who_walked_what_it_cost_and_what_is_not_known(untrained_bundle, tmp_path):
    result = study(untrained_bundle, {"off": [0.3, 0.0, -0.2], "on": [-0.5, -0.2, -0.45]}, physics=(REDUCED, FULL))
    told = write_study(tmp_path / "study", result).read_text()
    assert json.loads((tmp_path / "study" / "study.json").read_text()) == result
    for text in ("60 % of 100.0", "not known", "full model", "median", "78.0", "Welch", "Fieller", "3 against 3"):
        assert text in told
    assert "http" not in told
    assert {p.suffix for p in (tmp_path / "study").iterdir()} == {".html", ".json", ".png", ".svg"}
    nothing = study(untrained_bundle, {"off": [0.0], "on": [0.0]}, fast=0.3)
    assert "cannot be compared" in page(nothing, [])


def test_speeds_and_rates_are_those_that_all_were_trained_for(untrained_bundle):
    def trained(low, high, rate=240):
        env = dataclasses.replace(
            untrained_bundle.config.env_params,
            min_target_velocity=low,
            max_target_velocity=high,
            physics_sim_framerate=rate,
        )
        config = dataclasses.replace(untrained_bundle.config, env_params=env)
        return Trained("a", "p", "p", dataclasses.replace(untrained_bundle, config=config))

    walks = sides.with_speeds(Walks(), [trained(0.8, 1.8), trained(1.0, 2.0)])
    assert walks.speeds == (1.0, 1.2, 1.4, 1.6, 1.8) and walks.at_speed == 1.4
    assert sides.with_speeds(Walks(), [trained(1.25, 1.25)]).speeds == (1.2, 1.225, 1.25, 1.275, 1.3)
    assert sides.with_speeds(Walks(physics_rates=(960, 480)), [trained(1, 1.5, 960)]).physics_rates == (480,)
    for walks, policies, told in (
        (Walks(), [trained(0.8, 1.0), trained(1.2, 1.4)], "none in common"),
        (Walks(speeds=(1.0, 9.0)), [trained(1, 1)], "knows 0.5 to 2 m/s, not 9"),
        (Walks(physics_rates=(250,)), [trained(1, 1)], "not a multiple of p's control_framerate 30"),
    ):
        with pytest.raises(UserError, match=told):
            sides.with_speeds(walks, policies)


def test_physics_at_another_rate_is_the_same_model_in_smaller_steps(untrained_bundle):
    bundle = Physics("reduced", 960).of(untrained_bundle)
    model, other = bundles.reduced_model(untrained_bundle), bundles.reduced_model(bundle)
    assert (other.opt.timestep, model.opt.timestep) == pytest.approx((1 / 960, 1 / 240), rel=1e-5)
    np.testing.assert_allclose(other.body_mass, model.body_mass, rtol=1e-6)
    assert bundle.config.env_params.physics_sim_framerate == 960


@pytest.fixture
def walked(monkeypatch):
    """Instead of walking: what was asked to walk, by policy."""
    asked = []

    def run(bundles, walks, processes, measure):
        asked.extend((bundles[trial.policy], trial) for trial in walks)
        for i, trial in enumerate(walks):
            yield i, figures(trial.conditions.command.speed[0], 3.0, trial.seed)

    monkeypatch.setattr(trials, "run", run)
    return asked


def save(bundle, path, seed):
    bundles.save(policy(bundle, "", seed).bundle, path)
    return str(path)


def test_compare_takes_several_trainings_a_side_and_walks_each_once(walked, untrained_bundle, tmp_path, capsys):
    ours = [save(untrained_bundle, tmp_path / f"a{seed}", seed) for seed in (1, 2)]
    theirs = [save(untrained_bundle, tmp_path / f"b{seed}", seed) for seed in (3, 4)]
    words = ["compare", *ours, "--against", *theirs, "--speeds", "1.1,1.25,1.4", "-o", str(tmp_path / "out")]
    assert main([*words, "--episodes", "2"]) == 0
    result = json.loads((tmp_path / "out" / "study.json").read_text())
    assert [(s["side"], s["trainings"]) for s in result["sides"]] == [("b3 and 1 more", 2), ("a1 and 1 more", 2)]
    assert result["physics"] == ["reduced model, as trained", "reduced model, 960 Hz", "full model"]
    # Four policies, three physics, three speeds, two seeds; as trained ten more in which the device goes off.
    assert len(walked) == 4 * 3 * 3 * 2 + 4 * 10
    rates = {bundle.config.env_params.physics_sim_framerate for bundle, _ in walked}
    assert rates == {240, 960} and {trial.kind for _, trial in walked} == {"reduced", "full"}
    assert "a1 and 1 more against b3 and 1 more at 1.25 m/s" in capsys.readouterr().out


def test_walks_that_the_folder_holds_are_not_walked_again(walked, untrained_bundle, tmp_path):
    policies = [policy(untrained_bundle, side, seed) for seed, side in enumerate(("off", "on"))]
    walks = dataclasses.replace(WALKS, models=("reduced",), physics_rates=(), device_off_episodes=0)
    first = studies.compare(policies, walks, tmp_path, 1)
    assert len(walked) == 2 * 3
    assert studies.compare(policies, walks, tmp_path, 1) == first and len(walked) == 2 * 3
    studies.compare(policies, dataclasses.replace(walks, episodes=2), tmp_path, 1)
    assert [trial.seed for _, trial in walked[6:]] == [1] * 6
    (tmp_path / "walks.json").write_text('{"half')  # is made again
    assert studies.compare(policies, walks, tmp_path, 1) == first


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--against", "SAME"), "are the same policy"),
        (("--against", "OTHER", "--conditions", "learned"), "--conditions does not go with --against"),
        (("--against", "OTHER", "--speeds", "1.25"), "'speeds': must be two or more"),
        (("--against", "OTHER", "--speeds", "1,1.2", "--at", "1.5"), "'at_speed': must lie among"),
        (("--against", "OTHER", "--physics-rates", "fast"), "--physics-rates: must be whole numbers"),
        (("--at", "1.25"), "--at goes with --against only"),
        (("--physics-rates", "960"), "--physics-rates goes with --against only"),
    ],
)
def test_compare_refuses_sides_that_it_cannot_compare(walked, untrained_bundle, tmp_path, capsys, flags, told):
    places = {"SAME": save(untrained_bundle, tmp_path / "a", 1), "OTHER": save(untrained_bundle, tmp_path / "b", 2)}
    words = [places.get(word, word) for word in flags]
    assert main(["compare", str(tmp_path / "a"), *words, "-o", str(tmp_path / "out")]) == 2
    assert told in capsys.readouterr().err
    assert not walked


def test_only_a_device_that_is_driven_goes_off(walked, untrained_bundle):
    env = dataclasses.replace(untrained_bundle.config.env_params, device_controller=ZeroTorque())
    passive = dataclasses.replace(untrained_bundle, config=dataclasses.replace(untrained_bundle.config, env_params=env))
    policies = [Trained("a", "learned", "", untrained_bundle), Trained("b", "zero", "", passive)]
    sides.walk(policies, WALKS, 1, {}, lambda key, found: None)
    off = [bundle.config.env_params.device_controller for bundle, t in walked if t.conditions.randomization.device_off]
    assert off == [None] * 10
