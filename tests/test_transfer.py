"""A head that starts from another run's: acts as it did there, stays so when frozen, and must fit."""

import json

import jax
import numpy as np
import pytest

from mjx_assist import config as configs
from mjx_assist.errors import UserError
from mjx_assist.eval import bundle as bundles
from mjx_assist.eval.export import policy_bundle
from mjx_assist.ppo import train
from mjx_assist.transfer import load_heads

TINY = {
    "total_timesteps": 128,
    "env_params": {
        "backend": "mujoco",
        "num_envs": 8,
        "custom_max_episode_steps": 6,
        "reward_keys_and_weights": {"forward_reward": 1.0},
    },
    "policy_params": {"net_arch": {"human_actor": [16], "exo_actor": [8], "common_critic": [16]}},
    "ppo_params": {"n_steps": 8, "batch_size": 32, "n_epochs": 2},
    "logger_params": {"evaluation_frequency": 0},
}


def config(human=None, **policy):
    tree = json.loads(json.dumps(TINY))
    tree["policy_params"] |= policy
    if human:
        tree["policy_params"]["head_options"] = {"human_actor": human}
    return configs.from_dict(tree)


def bundle_of(session):
    return policy_bundle(session.config, session.env, session.spec, session.state, [])


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A bundle of a short run."""
    folder = tmp_path_factory.mktemp("source")
    bundles.save(bundle_of(train.train(config(), folder / "run_", show=False)), folder / "bundle")
    return folder / "bundle"


def test_a_loaded_frozen_head_acts_as_in_its_own_run_after_training_the_other(source, tmp_path):
    own = config({"init_from": str(source), "frozen": True})
    after = bundle_of(train.train(own, tmp_path, show=False, prepare=load_heads)).policy
    before = bundles.load(source).policy
    observations = np.random.default_rng(0).normal(before.mean, before.std, (16, before.mean.size))
    muscles = np.concatenate([after.heads[0].action, after.mirror.action[after.heads[0].action]])
    device = np.setdiff1d(np.arange(after.neutral.size), muscles)
    actions = [policy.act(observations) for policy in (before, after)]
    np.testing.assert_allclose(actions[1][:, muscles], actions[0][:, muscles], atol=1e-6)
    assert np.abs(actions[1][:, device] - actions[0][:, device]).max() > 1e-6


def test_what_was_not_loaded_starts_fresh_and_a_head_that_learns_moves(source, tmp_path):
    own = config({"init_from": str(source)})
    session, _ = train.open_session(own, tmp_path)
    fresh, loaded = session.state, load_heads(session)
    for part in ("critic", "exo_actor", "human_actor_log_std"):
        same = jax.tree.map(np.array_equal, fresh.params["params"][part], loaded.params["params"][part])
        assert all(jax.tree.leaves(same)), part
    trained = bundle_of(train.train(own, tmp_path, show=False, prepare=load_heads)).policy
    assert not np.array_equal(trained.heads[0].layers[0][0], bundles.load(source).policy.heads[0].layers[0][0])


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"net_arch": {"human_actor": [8], "exo_actor": [8], "common_critic": [16]}}, "hidden layers.*16.*8"),
        ({"activation": "relu"}, "activation.*elu.*relu"),
        ({"mirror_symmetric": False}, "drives"),
    ],
)
def test_a_head_that_does_not_fit_is_a_plain_error(source, tmp_path, policy, message):
    session, _ = train.open_session(config({"init_from": str(source)}, **policy), tmp_path)
    with pytest.raises(UserError, match=rf"head_options.human_actor.init_from.*{message}"):
        load_heads(session)


def test_a_source_that_is_no_policy_is_a_plain_error(tmp_path):
    session, _ = train.open_session(config({"init_from": str(tmp_path / "nothing")}), tmp_path)
    with pytest.raises(UserError, match="does not exist"):
        load_heads(session)
