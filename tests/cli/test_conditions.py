"""The flags that say under what a policy walks, and what it is told that it was not trained for."""

import math

import pytest

from mjx_assist.cli.arguments import Parser, add_policy
from mjx_assist.cli.conditions import add_conditions, under
from mjx_assist.cli.main import main
from mjx_assist.config.words import MODEL_KINDS
from mjx_assist.eval.replay.beyond import beyond
from mjx_assist.eval.replay.conditions import AS_TRAINED
from mjx_assist.policy import shipped
from mjx_assist.policy.trained import trained
from mjx_assist.training.export import load_policy


def asked(bundle, *flags):
    parser = Parser()
    add_policy(parser, MODEL_KINDS)
    add_conditions(parser)
    return under(parser.parse_args(["x", *flags]), bundle)


def test_flags_are_the_conditions_of_the_walk(untrained_bundle):
    _, conditions = asked(
        untrained_bundle, "--speed", "1.5", "--slope", "-4", "--push=-20,3", "--terrain", "random:0.04"
    )
    assert conditions.command.speed == (1.5, 1.5)
    assert conditions.randomization.slope == pytest.approx([math.tan(math.radians(-4))] * 2)
    assert conditions.push == (-20.0, 3.0)
    assert (conditions.terrain_type, conditions.terrain_params) == ("random", "0.04")
    off, _ = asked(untrained_bundle, "--device", "off")
    assert off.config.env_params.device_controller.type == "zero_torque"
    assert asked(untrained_bundle)[1] == AS_TRAINED


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--speed", "9"], "--speed 9: the policy's reference gait knows"),
        (["--slope", "70"], "--slope 70: must lie in -30..30 degrees"),
        (["--push", "hard"], "--push hard: must be N*s"),
        (["--push", "20,4,90"], "--push 20,4,90: needs a walker in three dimensions"),
        (["--turn", "ten"], "--turn ten: must be degrees a second"),
        (["--turn", "eight:0"], "--turn eight:0: must be degrees a second"),
        (["--turn", "20"], "--turn 20: needs a walker in three dimensions"),
        (["--terrain", "randm:0.1"], "Did you mean 'random'"),
        (["--device", "aus"], "--device aus: must be on or off"),
        (["--device", "off", "--controller", "profile"], "give one of them"),
    ],
)
def test_what_no_walk_can_be_under_is_refused(refused, bundle_path, flags, told):
    assert told in refused("evaluate", bundle_path, *flags)


def test_a_walk_under_flags_tells_what_is_new_and_writes_it(bundle_path, tmp_path, capsys):
    file = tmp_path / "figures.json"
    words = ["evaluate", str(bundle_path), "--slope", "5", "--steps", "3", "--episodes", "1", "--json", str(file)]
    assert main(words) == 0
    assert "not trained for a slope of +5° (trained for 1.25 m/s, level ground)" in capsys.readouterr().err
    assert '"slope"' in file.read_text()


def test_what_a_policy_was_trained_for_is_read_off_its_config():
    """Against docs/policies.md: 0.7 to 1.9 m/s, rough ground to 6 cm, pushes to 25 N*s, slopes of 0.12."""
    bundle = load_policy("walk22_all")
    known = trained(bundle.config.env_params)
    assert (known.speed, known.slope, known.push) == ((0.7, 1.9), (-0.12, 0.12), 25.0)
    assert known.grounds == pytest.approx({"random": 0.06, "harmonic_sinusoidal": 0.12}, rel=0.05)
    for flags, new in ((["--slope", "4", "--push", "20"], False), (["--slope", "9"], True), (["--push", "40"], True)):
        conditions = asked(bundle, *flags)[1]
        assert (beyond(bundle, conditions) is not None) == new, flags


def test_policies_have_names_and_a_misspelt_one_answers_with_the_nearest(refused, capsys):
    assert main(["policies"]) == 0
    printed = capsys.readouterr().out
    assert all(f"{name}\n" in printed for name in shipped.names())
    assert "Did you mean 'walk22_exo'" in refused("evaluate", "walk22_exoo")
