"""A run that starts from another's: what both have acts as there, what is new does nothing yet, and a table says so."""

import csv
import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from brax.envs.base import State
from small_runs import NETS, PPO, UPDATE

from mjx_assist import config as configs
from mjx_assist.cli import train as command
from mjx_assist.cli.main import main
from mjx_assist.errors import UserError
from mjx_assist.paths import data_path
from mjx_assist.policy import bundle as bundles
from mjx_assist.policy import shipped
from mjx_assist.ppo.rollout import Walkers
from mjx_assist.training import loop, run
from mjx_assist.training.export import policy_bundle, restored
from mjx_assist.training.transfer.start import initial_state
from mjx_assist.training.transfer.table import TABLE, Row, summary

TINY = {
    "total_timesteps": 2 * UPDATE,
    "env_params": {
        "backend": "mujoco",
        "num_envs": 8,
        "custom_max_episode_steps": 6,
        "observe_gait_phase": False,
        "reward_keys_and_weights": {"forward_reward": 1.0},
    },
    "policy_params": {"net_arch": NETS},
    "ppo_params": PPO,
    "logger_params": {"evaluation_frequency": 0},
}
WIRING = {"human_actor": {"action": ["muscles"]}, "exo_actor": {"action": ["device"]}, "common_critic": {}}
COMMANDED = "target_velocity"  # the same all the time in the source: its weights mean nothing


def config(init=None, env=None, **policy):
    tree = json.loads(json.dumps(TINY))
    tree["env_params"] |= env or {}
    tree["policy_params"] |= policy
    return configs.from_dict(tree | {"init_from": init})


def opened(folder, *args, **kwargs):
    """The session of a config, at the state that it starts with."""
    session, _ = loop.open_run(config(*args, **kwargs), folder)
    session.state = initial_state(session)
    return session


def bundle_of(session):
    return policy_bundle(session.config, session.env, session.spec, session.state, [])


def rows(folder):
    with open(folder / TABLE) as file:
        return [Row(**row) for row in csv.DictReader(file)]


def batched(env):
    """Walkers that are not simulated: what is taken over from a policy does not depend on how they move."""

    def state(key):
        key, draw = jax.random.split(key)
        zero, none = jnp.zeros(()), {"not_finite": jnp.zeros(()), "overflow": jnp.zeros(())}
        fixed = jnp.array([name == COMMANDED for name in env.observation_spec.names])
        obs = jnp.where(fixed, 1.25, jax.random.normal(draw, (env.observation_size,)))
        return State(key, obs, zero, zero, none, {"truncation": zero})

    def step(before, action):
        after = state(before.pipeline_state).replace(reward=jnp.exp(-(action**2).mean()))
        return after, after.obs

    return Walkers(jax.vmap(state), jax.vmap(step), env.params.num_envs, env.observation_size)


@pytest.fixture(scope="module", autouse=True)
def unsimulated():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "batched", batched)
        yield


@pytest.fixture(scope="module")
def source(tmp_path_factory, unsimulated):
    """A short run with its bundle in ``bundle/``; its heads have been given weights that matter."""
    run = tmp_path_factory.mktemp("source")

    def strong(session):
        random = np.random.default_rng(1)
        params = jax.tree.map(lambda x: random.normal(0, 0.3, x.shape).astype(np.float32), session.state.params)
        return session.state.replace(params=params)

    bundles.save(bundle_of(loop.train(config(), run, show=False, prepare=strong)), run / "bundle")
    return run


def seen(policy, count=16):
    return np.random.default_rng(0).normal(policy.mean, np.maximum(policy.std, 0.1), (count, policy.mean.size))


def outputs(bundle, head, values):
    """By the definition of the network, for observations by name: actuator -> ``[n]``, one side's under a mirror."""
    policy, own = bundle.policy, next(h for h in bundle.policy.heads if h.name == head)
    names = [bundle.observation.names[i] for i in own.observation]
    x = np.stack(
        [(values[n] - policy.mean[i]) / policy.std[i] for n, i in zip(names, own.observation, strict=True)], -1
    )
    for kernel, bias in own.layers[:-1]:
        x = x @ kernel + bias
        x = np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1)
    x = x @ own.layers[-1][0] + own.layers[-1][1]
    model = bundles.reduced_model(bundle)
    return {model.actuator(a).name: x[:, i] for i, a in enumerate(own.action)}


def named(bundle, count=16):
    """Some observations of a policy by name, with the speed that it always saw."""
    values = dict(zip(bundle.observation.names, seen(bundle.policy, count).T, strict=True))
    return values | {COMMANDED: np.full(count, bundle.policy.mean[bundle.observation.names.index(COMMANDED)])}


def test_common_observations_give_the_same_action_and_new_ones_change_nothing_at_first(source, tmp_path):
    theirs = bundles.load(source / "bundle")
    own = bundle_of(opened(tmp_path, {"source": str(source)}, {"observe_gait_phase": True}))
    values = named(theirs)
    for phase, speed in ((0.0, 1.25), (0.7, 0.8), (-1.0, 1.7)):
        now = values | {
            "phase.sin": np.full(16, phase),
            "phase.cos": np.full(16, -phase),
            COMMANDED: np.full(16, speed),
        }
        for head in ("human_actor", "exo_actor"):
            before, after = outputs(theirs, head, values), outputs(own, head, now)
            assert before.keys() == after.keys() and np.ptp(list(before.values())) > 0.1
            for name in before:
                np.testing.assert_allclose(after[name], before[name], rtol=1e-4, atol=1e-4)
    done = {row.name: (row.done, row.why) for row in rows(tmp_path) if row[:2] == ("human_actor", "inputs")}
    assert done["phase.sin"] == ("fresh", "") and done[COMMANDED] == ("fresh", "constant there")
    assert done["qpos.pelvis_tilt"] == ("loaded", "")


def test_permuted_names_and_the_other_side_of_a_mirror_are_matched(source, tmp_path):
    wiring = WIRING | {"human_actor": {"action": ["*_l", "*_r"]}}  # the left side, where the source has the right
    joints = {"observation_joint_pos_keys": list(reversed(configs.JOINT_POSITIONS))}
    own = bundle_of(opened(tmp_path, {"source": str(source)}, joints, net_indexing_info=wiring))
    theirs = bundles.load(source / "bundle")
    assert own.observation.names != theirs.observation.names
    values = dict(zip(theirs.observation.names, seen(theirs.policy).T, strict=True))
    values[COMMANDED] = np.full(16, 1.25)
    before = theirs.policy.act(np.stack([values[n] for n in theirs.observation.names], -1))
    after = own.policy.act(np.stack([values[n] for n in own.observation.names], -1))
    np.testing.assert_allclose(after, before, atol=1e-4)
    drives = {row.name for row in rows(tmp_path) if row[:2] == ("human_actor", "outputs")}
    assert drives and all(name.endswith("_l") for name in drives)


def test_what_is_not_there_is_fresh_and_a_new_actuator_drives_nothing_yet(source, tmp_path):
    wiring = {"human_actor": {"action": ["muscles", "device"]}, "common_critic": {}}
    arch = {"human_actor": [16], "common_critic": [16]}
    session = opened(tmp_path, {"source": str(source)}, net_arch=arch, net_indexing_info=wiring)
    device = outputs(bundle_of(session), "human_actor", named(bundle_of(session)))["Exo_R"]
    np.testing.assert_array_equal(device, 0.0)
    found = {row[:3]: row.done for row in rows(tmp_path)}
    assert (
        found["human_actor", "outputs", "Exo_R"] == "fresh" and found["human_actor", "outputs", "soleus_r"] == "loaded"
    )
    assert found["exo_actor", "network", "exo_actor"] == "dropped"
    assert "1: Exo_R" in summary(rows(tmp_path))


def test_a_frozen_head_stays_bit_for_bit_while_the_other_learns(source, tmp_path):
    init = {"source": str(source / "bundle"), "heads": {"human_actor": "freeze", "exo_actor": "reset"}}
    started = []

    def prepare(session):
        started.append(jax.device_get(initial_state(session)))
        return initial_state(session)

    session = loop.train(config(init), tmp_path, show=False, prepare=prepare)
    before, after = started[0].params["params"], jax.device_get(session.state.params["params"])
    same = {part: all(jax.tree.leaves(jax.tree.map(np.array_equal, before[part], after[part]))) for part in before}
    assert same == {name: name.startswith("human_actor") for name in before}
    own, theirs = bundle_of(session), bundles.load(source / "bundle")
    values = named(theirs)
    for name, action in outputs(theirs, "human_actor", values).items():
        np.testing.assert_allclose(outputs(own, "human_actor", values)[name], action, atol=1e-5)
    assert np.array_equal(before["human_actor_log_std"], theirs.policy.heads[0].log_std)

    find = {row[:3]: row for row in rows(tmp_path)}
    assert find["exo_actor", "network", "exo_actor"][3:] == ("fresh", "reset")
    assert find["human_actor", "hidden layers", "1 (16)"][3:] == ("loaded", "frozen")

    longer = dataclasses.replace(session.config, total_timesteps=192)  # going on does not start again
    resumed = loop.train(longer, tmp_path, resume=True, show=False, prepare=lambda _: pytest.fail("started again"))
    assert resumed.update == 3


def test_the_optimiser_comes_along_where_it_is_asked_for(source, tmp_path):
    _, _, _, there = restored(source, ("optimizer", "learning_rate"))
    moments = {}
    for wanted in (False, True):
        state = opened(tmp_path, {"source": str(source), "optimizer": wanted}).state
        moments[wanted] = jax.device_get(optax.tree_utils.tree_get(state.optimizer, "nu"))["params"]
    assert not any(np.any(x) for x in jax.tree.leaves(moments[False]))
    theirs = optax.tree_utils.tree_get(there.optimizer, "nu")["params"]
    for part in ("human_actor", "critic"):
        np.testing.assert_array_equal(moments[True][part]["out"]["kernel"], theirs[part]["out"]["kernel"])
    assert float(state.learning_rate) == float(there.learning_rate)
    assert int(optax.tree_utils.tree_get(state.optimizer, "count")) == 2 * 2 * 2  # updates, epochs, minibatches
    assert Row("optimiser", "moments", "human_actor", "loaded") in rows(tmp_path)


def test_one_head_from_a_policy_of_its_own_leaves_the_others_and_the_critic_fresh(source, tmp_path):
    options = {"human_actor": {"init_from": str(source / "bundle")}}
    session, _ = loop.open_run(config(head_options=options), tmp_path)
    fresh, state = session.state.params["params"], initial_state(session).params["params"]
    same = {part: all(jax.tree.leaves(jax.tree.map(np.array_equal, fresh[part], state[part]))) for part in fresh}
    assert same == {name: not name.startswith("human_actor") for name in fresh}


@pytest.mark.parametrize(
    ("init", "policy", "message"),
    [
        (
            {},
            {"net_arch": {"human_actor": [8], "exo_actor": [8], "common_critic": [16]}},
            r"layers \[16\].*\[8\].*reset",
        ),
        ({}, {"activation": "relu"}, "activation 'elu' there, 'relu' here"),
        ({}, {"mirror_symmetric": False}, "mirror_symmetric"),
        ({"optimizer": True}, {}, "a bundle has no optimiser state; give the run"),
        (
            {"heads": {"human_acto": "load"}},
            {"net_arch": {"human_acto": [16], "exo_actor": [8], "common_critic": [16]}},
            "Did you mean 'human_actor'",
        ),
    ],
)
def test_what_does_not_fit_is_a_plain_error(source, tmp_path, init, policy, message):
    if "net_arch" in policy:
        policy = policy | {"net_indexing_info": dict(zip(policy["net_arch"], WIRING.values(), strict=True))}
    with pytest.raises(UserError, match=message):
        opened(tmp_path, {"source": str(source / "bundle"), **init}, **policy)
    assert not (tmp_path / TABLE).exists()


@pytest.mark.parametrize(
    ("init", "message"),
    [
        ({"heads": {"exo_acto": "load"}}, "Did you mean 'exo_actor'"),
        ({"heads": {"exo_actor": "freze"}}, "Did you mean 'freeze'"),
        ({"heads": {"common_critic": "freeze"}}, "only heads that act"),
        ({"heads": {"exo_actor": "freeze"}, "normaliser": False}, "normaliser' is false"),
        ({"optimizer": True, "normaliser": False}, "optimizer' is true"),
        ({"head": {}}, "Did you mean 'heads'"),
    ],
)
def test_a_mistake_in_the_config_names_what_is_meant(init, message):
    with pytest.raises(UserError, match=message):
        config({"source": "walk22_exo", **init})


def test_a_source_is_a_folder_or_a_shipped_policy():
    assert shipped.find("walk22_exo") == data_path("models", "policies", "walk22_exo")
    with pytest.raises(UserError, match=r"does not exist.*Did you mean 'walk22_exo'"):
        shipped.find("walk22_ex")


def test_the_flag_is_short_for_the_source_and_is_recorded(tmp_path, monkeypatch, capsys):
    made = []
    monkeypatch.setattr(run, "start_jax", lambda *_: None)
    monkeypatch.setattr(run, "train_in", lambda path, config, *_: made.append(config))
    monkeypatch.setattr(command, "_tell", lambda _: None)
    words = ["train", "walk22_exo", "--out", str(tmp_path), "--init-from", "walk22_exo"]
    assert main([*words, "--init_from.heads.exo_actor", "reset"]) == 0
    assert made[0].init_from == configs.InitFrom("walk22_exo", {"exo_actor": "reset"})
    assert configs.to_dict(made[0])["init_from"]["source"] == "walk22_exo"
    assert main([*words[:-1], "walk22_ex"]) == 2 and main([*words, "--resume", str(tmp_path)]) == 2
    assert "leave --init-from out" in capsys.readouterr().err


@pytest.mark.parametrize("preset", sorted(data_path("configs").glob("transfer_*.json")), ids=lambda path: path.stem)
def test_the_scenarios_that_ship_start_from_policies_that_ship(preset):
    init = configs.load(preset).init_from
    theirs = bundles.load(shipped.find(init.source))
    own = configs.load(preset).policy_params.net_arch
    assert theirs.policy.critic is not None
    for head in theirs.policy.heads:
        assert [b.size for _, b in head.layers[:-1]] == list(own[head.name])
