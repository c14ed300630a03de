"""An observation that never varied in training is fed as its constant, by every form of a policy, and that is told."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from brax.training.acme.running_statistics import RunningStatisticsState
from brax.training.types import UInt64

from mjx_assist.errors import note
from mjx_assist.eval.replay.walk import Walk
from mjx_assist.eval.studies.cases import cases_of, compare
from mjx_assist.eval.view.player import Player, notes
from mjx_assist.hardware import graph
from mjx_assist.paths import data_path
from mjx_assist.policy import bundle as bundles
from mjx_assist.policy.held import held
from mjx_assist.ppo import networks, rollout
from mjx_assist.sim import action
from mjx_assist.sim.observation import normalise

FIXED = ("walk22_exo", "walk22_exo_onboard", "walk22_zero_torque")


def shipped(name):
    return bundles.load(data_path("models", "policies", name))


@pytest.fixture(scope="module")
def onboard():
    return shipped("walk22_exo_onboard")


@pytest.fixture(autouse=True)
def untold():
    note.cache_clear()


def asked(speed, name):
    """Seconds until the fall (None: none in 8 s) and mean speed of a walk that is asked for another speed at 2 s."""
    walk = Walk(shipped(name))
    for _ in range(60):
        walk.step()
    walk.ask_speed(speed)
    begin, place = walk.time, walk.walker.place()
    for _ in range(240):
        if not walk.step():
            return walk.time - begin, 0.0
    return None, (walk.walker.place() - place) / (walk.time - begin)


@pytest.mark.parametrize("name", FIXED)
def test_a_policy_of_one_speed_walks_on_when_it_is_asked_for_another(name):
    """As with the input at its constant: 1.2 to 1.3 m/s, where 1.251 m/s felled each of the three within 0.8 s."""
    fell, speed = asked(1.251, name)
    assert fell is None and 1.2 < speed < 1.3


def test_a_policy_of_many_speeds_still_follows():
    fell, speed = asked(1.6, "walk22_all")
    assert fell is None and speed > 1.45


@pytest.mark.parametrize("std", [1e-6, 1e-5, 9e-5])
def test_numpy_jax_and_onnx_feed_the_constant(onboard, std):
    """Whatever a constant input says now, the answer is the one to its constant; what varied still counts."""
    onnxruntime = pytest.importorskip("onnxruntime")
    assert onnxruntime
    names = list(onboard.observation.names)
    place = names.index("target_velocity")
    policy = dataclasses.replace(onboard.policy, std=onboard.policy.std.copy())
    policy.std[place] = std
    rng = np.random.default_rng(0)
    seen = policy.mean + policy.std * rng.normal(size=(20, len(names)))
    constant, other = seen.copy(), seen.copy()
    constant[:, place], other[:, place] = policy.mean[place], rng.uniform(-3, 3, 20)
    np.testing.assert_array_equal(policy.act(other), policy.act(constant))
    by_hand = np.clip((constant - policy.mean) / policy.std, -10, 10)
    np.testing.assert_allclose(normalise(other, policy.mean, policy.std), by_hand)

    mean, spread = jnp.asarray(policy.mean), jnp.asarray(policy.std)
    state = RunningStatisticsState(mean=mean, std=spread, count=UInt64(0, 1), summed_variance=jnp.zeros(len(names)))
    np.testing.assert_allclose(
        rollout.normalize(networks.PolicySpec((), (), (), ()), state, jnp.asarray(other, jnp.float32)),
        by_hand,
        atol=1e-3,
    )

    actions = action.make_action_spec(bundles.reduced_model(onboard))
    device = np.flatnonzero(~actions.muscle)
    signals = graph.seen(policy, ~actions.muscle)
    limits = np.array([[-100.0, 0.0]] * 2)
    wiring = graph.Wiring(signals, np.ones(len(signals)), device, np.full(2, 100.0), limits)
    session = graph.session(graph.build(policy, actions, wiring, {}).SerializeToString())
    answer = [session.run(None, {graph.INPUT: x[:, signals].astype(np.float32)})[0] for x in (other, constant)]
    assert place in signals
    np.testing.assert_array_equal(*answer)
    np.testing.assert_allclose(answer[0], graph.torque(policy, actions, wiring, constant), atol=2e-3)


def test_it_is_told_once_by_name_value_and_constant(onboard, capsys):
    walk = Walk(onboard)
    for speed in (1.25, 1.3, 1.35):
        walk.ask_speed(speed)
        walk.step()
    (said,) = capsys.readouterr().err.splitlines()
    assert "target_velocity is 1.3, but was 1.25" in said
    assert list(walk.unheard) == ["target_velocity"] and "1.35" in walk.unheard["target_velocity"]
    walk.ask_speed(1.25)
    walk.step()
    assert not walk.unheard


def test_any_input_can_be_a_constant(untrained_bundle, capsys):
    """A foot that was never loaded: fed as never loaded, and told when it is."""
    policy, names = untrained_bundle.policy, untrained_bundle.observation.names
    std = policy.std.copy()
    std[names.index("load.r_toes")] = 1e-6
    walk = Walk(dataclasses.replace(untrained_bundle, policy=dataclasses.replace(policy, std=std)), seed=3)
    while walk.step() and not walk.unheard:
        pass
    assert list(walk.unheard) == ["load.r_toes"] and "load.r_toes" in capsys.readouterr().err


def test_what_no_head_sees_is_not_told(untrained_bundle):
    policy, names = untrained_bundle.policy, untrained_bundle.observation.names
    place = names.index("target_velocity")
    std = policy.std.copy()
    std[place] = 1e-6
    blind = np.array([i for i in range(len(names)) if i != place])
    heads = tuple(
        dataclasses.replace(
            head, observation=blind, layers=((head.layers[0][0][blind], head.layers[0][1]), *head.layers[1:])
        )
        for head in policy.heads
    )
    assert held(dataclasses.replace(untrained_bundle, policy=dataclasses.replace(policy, std=std))).names
    blinded = dataclasses.replace(policy, std=std, heads=heads)
    assert not held(dataclasses.replace(untrained_bundle, policy=blinded)).names


def test_viewer_and_comparison_say_it(onboard):
    player = Player(onboard, "reduced", 100, 0, sleep=lambda _: None)
    player.ask(lambda p: p.faster(0.05))
    player.tick(lambda _: None)
    ((label, text),) = notes(player)
    assert label == "not heard" and text.startswith("target_velocity is 1.3, but was 1.25")
    found = compare({"onboard": onboard}, ["trained"], [1.4], steps=2, episodes=1, tell=lambda _: None)
    assert any("target_velocity is 1.4, but was 1.25" in note for note in found.result["notes"])
    assert cases_of({"onboard": onboard}, ["trained"])[0].trained_speeds == (1.25, 1.25)
