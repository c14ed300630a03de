"""An imported policy acts as PyTorch's would, as far as NumPy can follow its layers, and walks from a bundle."""

import copy
import json

import numpy as np
import pytest
import theirs

from mjx_assist.errors import UserError
from mjx_assist.eval.replay.replay import replay
from mjx_assist.model.assembly import compose
from mjx_assist.myoassist.policy import import_policy, is_policy
from mjx_assist.policy import bundle as bundles

UPRIGHT = theirs.config(lumbar_joint_fixed_angle=0.0)  # the model that other tests have reduced


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """(folder, the tensors in its zip)."""
    folder, named = tmp_path_factory.mktemp("theirs") / "train_session", theirs.tensors(np.random.default_rng(1))
    theirs.write_session(folder, named, UPRIGHT)
    return folder, named


@pytest.fixture(scope="module")
def imported(session):
    return import_policy(session[0])


def followed(named, net, seen):
    """tanh after every layer."""
    numbers = sorted({int(name.split(".")[2]) for name in named if f".{net}." in name})
    for number in numbers:
        layer = f"policy_network.{net}.{number}"
        seen = np.tanh(seen @ named[f"{layer}.weight"].T + named[f"{layer}.bias"])
    return seen


def test_its_actions_are_those_of_its_layers_on_raw_observations(session, imported):
    seen = 4.0 * np.random.default_rng(2).normal(size=(20, 44))
    seen[0] *= 10.0  # nothing is clipped
    human = followed(session[1], "human_policy_net", seen)
    exo = followed(session[1], "exo_policy_net", seen[:, [1, 0, 9, 8]])
    np.testing.assert_allclose(imported.policy.act(seen), np.concatenate([human, exo], axis=1), atol=1e-6)


def test_a_motor_gets_what_myosuite_makes_of_the_action(imported):
    """The middle of the control range plus the action times half of it."""
    from mjx_assist.sim.action import make_action_spec, to_control

    model = bundles.reduced_model(imported)
    low, high = model.actuator_ctrlrange.T
    action = np.random.default_rng(3).uniform(-1, 1, model.nu)
    control = to_control(make_action_spec(model, imported.config.env_params.device_action), action)
    np.testing.assert_allclose(control, 0.5 * (low + high) + 0.5 * (high - low) * action, atol=1e-6)


def test_its_order_is_the_composed_models(imported):
    full = compose("myolegs22", "Tutorial_L1").compile()
    assert imported.observation.names[17:39] == tuple(f"act.{full.actuator(i).name}" for i in range(22))
    assert imported.observation.names[39:] == (*(f"load.{sensor}" for sensor in theirs.SENSORS), "target_velocity")


def test_saved_and_opened_it_walks_the_same_steps_on_the_composed_model(imported, tmp_path):
    bundles.save(imported, tmp_path / "bundle")
    opened = bundles.load(tmp_path / "bundle")
    assert opened.config.env_params.model_kind == "composed" and opened.info["control_steps"] == 5000
    walks = [replay(bundle, "composed", 3, seed=0) for bundle in (imported, opened)]
    np.testing.assert_allclose(walks[0].qpos, walks[1].qpos, atol=1e-5)  # a bundle keeps 32 bits


def test_a_head_at_a_constant_is_off_and_held_there(tmp_path):
    tree = copy.deepcopy(UPRIGHT)
    entries = tree["policy_params"]["custom_policy_params"]["net_indexing_info"]["exo_actor"]["action"]
    entries.append({"type": "constant", "range_action": [22, 24], "default_value": 1.0})
    theirs.write_session(tmp_path / "s", theirs.tensors(np.random.default_rng(1)), tree)
    policy = import_policy(tmp_path / "s").policy
    assert [head.enabled for head in policy.heads] == [True, False]
    np.testing.assert_array_equal(policy.act(np.zeros(44))[22:], 1.0)


def test_a_pair_that_shares_its_weights_drives_each_leg_by_its_own_inputs(tmp_path):
    tree, named = copy.deepcopy(UPRIGHT), theirs.tensors(np.random.default_rng(4))
    custom = tree["policy_params"]["custom_policy_params"]
    sees = {"r": [1, 0, 9, 8], "l": [0, 1, 8, 9]}
    del custom["net_indexing_info"]["exo_actor"], custom["net_arch"]["exo_actor"]
    for first, (side, seen) in enumerate(sees.items(), start=22):
        custom["net_arch"][f"exo_actor_{side}"] = [8]
        head = {"observation": [{"type": "index", "index": seen}], "action": [theirs.mapping(first, first + 1)]}
        custom["net_indexing_info"][f"exo_actor_{side}"] = head
    one = {name: x for name, x in named.items() if ".exo_policy_net." not in name}
    for name, x in named.items():
        if ".exo_policy_net." in name:
            x = x[:1] if ".2." in name else x  # one command a side
            one |= {name.replace("exo_policy_net", f"exo_policy_net_{side}"): x for side in ("right", "left")}
    theirs.write_session(tmp_path / "s", one, tree)
    policy = import_policy(tmp_path / "s").policy
    seen = np.random.default_rng(5).normal(size=(10, 44))
    expected = [followed(one, "exo_policy_net_right", seen[:, order])[:, 0] for order in sees.values()]
    np.testing.assert_allclose(policy.act(seen)[:, 22:], np.transpose(expected), atol=1e-6)
    np.testing.assert_allclose(policy.act(seen)[:, :22], followed(one, "human_policy_net", seen), atol=1e-6)


def test_sessions_and_zips_are_known_and_other_folders_are_not(session, tmp_path):
    assert is_policy(session[0]) and is_policy(next((session[0] / "trained_models").glob("*.zip")))
    assert not is_policy(tmp_path) and not is_policy(tmp_path / "none.zip")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda named, tree: named.pop("policy_network.value_net.2.weight"), "layer 2 of value_net"),
        (lambda named, tree: named.update(log_std=np.zeros(20, np.float32)), "drives 20 actuators"),
        (lambda named, tree: tree["env_params"].update(env_id="other-v0"), "cannot be honoured"),
        (lambda named, tree: (tree.clear(), tree.update(total_timesteps=5)), "is not MyoAssist's"),
    ],
)
def test_a_zip_that_does_not_fit_its_config_is_named(tmp_path, damage, told):
    named, tree = theirs.tensors(np.random.default_rng(1)), copy.deepcopy(UPRIGHT)
    damage(named, tree)
    theirs.write_session(tmp_path / "s", named, tree)
    with pytest.raises(UserError, match=told):
        import_policy(tmp_path / "s")


def test_a_zip_without_its_session_asks_for_the_config(session, tmp_path):
    zip_file = next((session[0] / "trained_models").glob("*.zip"))
    alone = tmp_path / "a" / "b" / zip_file.name
    alone.parent.mkdir(parents=True)
    alone.write_bytes(zip_file.read_bytes())
    with pytest.raises(UserError, match="--config FILE"):
        import_policy(alone)
    (tmp_path / "config.json").write_text(json.dumps(UPRIGHT))
    assert import_policy(alone, tmp_path / "config.json").info["control_steps"] == 5000
