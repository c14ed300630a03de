"""The bundle on disk: what was saved comes back; anything else is refused by name."""

import dataclasses
import json

import numpy as np
import pytest

from mjx_assist.errors import UserError
from mjx_assist.model.mjcf import with_physics_rate
from mjx_assist.policy import bundle as bundles


def test_round_trip_keeps_the_policy_and_all_it_needs(untrained_bundle, bundle_path):
    loaded = bundles.load(bundle_path)
    assert loaded.config == untrained_bundle.config
    assert loaded.observation == untrained_bundle.observation
    assert loaded.xml == untrained_bundle.xml
    assert loaded.info == untrained_bundle.info
    assert loaded.coupling.full_joint_names == untrained_bundle.coupling.full_joint_names
    np.testing.assert_array_equal(loaded.coupling.polycoef, untrained_bundle.coupling.polycoef)
    obs = np.random.default_rng(0).normal(size=(5, loaded.observation.size))
    np.testing.assert_array_equal(loaded.policy.act(obs), untrained_bundle.policy.act(obs))
    np.testing.assert_allclose(loaded.gait.qpos, untrained_bundle.gait.qpos, atol=1e-6)
    assert [row["control_steps"] for row in loaded.learning_curve] == [1000, 2000, 3000]


def flip_byte(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


@pytest.mark.parametrize("rate", [240, 480, 960, 1920, 7680])
def test_every_physics_rate_can_be_read_back(untrained_bundle, tmp_path, rate):
    """MJCF holds six digits of the timestep: 1/960 s is 0.00104167 there."""
    config = untrained_bundle.config
    env = dataclasses.replace(config.env_params, physics_sim_framerate=rate)
    changed = {
        "config": dataclasses.replace(config, env_params=env),
        "xml": with_physics_rate(untrained_bundle.xml, rate),
    }
    bundles.save(dataclasses.replace(untrained_bundle, **changed), tmp_path / "bundle")
    assert bundles.load(tmp_path / "bundle").config.env_params.physics_sim_framerate == rate


@pytest.mark.parametrize("name", ["arrays.npz", "model.xml"])
def test_a_flipped_byte_is_found(bundle_path, name):
    flip_byte(bundle_path / name)
    with pytest.raises(UserError, match=rf"corrupt: {name}.*checksum"):
        bundles.load(bundle_path)


@pytest.mark.parametrize("name", ["arrays.npz", "model.xml"])
def test_a_missing_file_is_named(bundle_path, name):
    (bundle_path / name).unlink()
    with pytest.raises(UserError, match=rf"corrupt: {name} is missing"):
        bundles.load(bundle_path)


def test_broken_json_is_named(bundle_path):
    manifest = bundle_path / "bundle.json"
    manifest.write_text(manifest.read_text()[:-20])
    with pytest.raises(UserError, match=r"bundle.json is not JSON"):
        bundles.load(bundle_path)


def edit_manifest(path, change):
    manifest = json.loads((path / "bundle.json").read_text())
    change(manifest)
    (path / "bundle.json").write_text(json.dumps(manifest))


def test_another_schema_version_is_named(bundle_path):
    edit_manifest(bundle_path, lambda m: m.update(schema_version=99))
    with pytest.raises(UserError, match=r"schema version 99.*version 1"):
        bundles.load(bundle_path)


def test_arrays_that_hold_pickles_are_refused(bundle_path):
    with np.load(bundle_path / "arrays.npz") as file:
        arrays = dict(file)
    arrays["normaliser/mean"] = np.array([{"an": "object"}], dtype=object)
    np.savez(bundle_path / "arrays.npz", **arrays)
    checksum = bundles._sha256(bundle_path / "arrays.npz")
    edit_manifest(bundle_path, lambda m: m["sha256"].update({"arrays.npz": checksum}))
    with pytest.raises(UserError, match="holds pickled objects"):
        bundles.load(bundle_path)


def test_saving_never_replaces_something_else(untrained_bundle, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(UserError, match="not a policy bundle"):
        bundles.save(untrained_bundle, tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "keep"


def test_a_failed_save_leaves_the_old_bundle_and_no_parts(untrained_bundle, bundle_path, monkeypatch):
    def full_disk(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full_disk)
    with pytest.raises(UserError, match="No space left"):
        bundles.save(untrained_bundle, bundle_path)
    assert [p.name for p in bundle_path.parent.iterdir()] == [bundle_path.name]
    bundles.load(bundle_path)


def leaves(tree, path=()):
    """Paths to every value of a JSON tree, the branches too."""
    yield path
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield from leaves(value, (*path, key))


def put(tree, path, value):
    """A copy of a JSON tree with one value replaced, or without it (``value`` is KeyError)."""
    tree = json.loads(json.dumps(tree))
    node = tree
    for key in path[:-1]:
        node = node[key]
    if value is KeyError:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return tree


def test_a_manifest_with_any_entry_missing_or_of_another_type_never_ends_in_a_traceback(bundle_path):
    """It loads (some entries are free text) or it is a UserError; and what loads can act."""
    file = bundle_path / "bundle.json"
    manifest = json.loads(file.read_text())
    paths = [p for p in leaves(manifest) if p and len(p) <= 3 and p[0] != "config"]
    paths += [("config",), ("config", "env_params"), ("config", "env_params", "msk_key")]
    assert len(paths) > 100
    refused = 0
    for path in paths[::3]:
        for value in (KeyError, None, -7, "x", [], {}, [1.5, None]):
            file.write_text(json.dumps(put(manifest, path, value)))
            try:
                loaded = bundles.load(bundle_path)
                loaded.policy.act(np.zeros(loaded.observation.size))
            except UserError:
                refused += 1
    assert refused > 100


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("head/human_actor/observation", lambda x: x + 1000),
        ("head/human_actor/action", lambda x: x + 1000),
        ("head/human_actor/kernel_0", lambda x: x[:-1]),
        ("head/human_actor/bias_1", lambda x: x[:-1]),
        ("head/human_actor/kernel_0", lambda x: x * np.nan),
        ("normaliser/mean", lambda x: x[:-1]),
        ("normaliser/std", lambda x: x * 0),
        ("neutral", lambda x: x[:-1]),
        ("mirror/index", lambda x: x + 1000),
        ("mirror/action", lambda x: x.astype(float)),
        ("coupling/source", lambda x: x + 1000),
        ("coupling/polycoef", lambda x: x[:-1]),
        ("reference/qpos", lambda x: x[:, :, :-1]),
        ("reference/speed", lambda x: x[:-1]),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused_when_opened(bundle_path, name, change):
    """Checksums find accidents; these are whole files whose content cannot walk."""
    with np.load(bundle_path / "arrays.npz") as file:
        arrays = dict(file)
    arrays[name] = change(arrays[name])
    np.savez(bundle_path / "arrays.npz", **arrays)
    checksum = bundles._sha256(bundle_path / "arrays.npz")
    edit_manifest(bundle_path, lambda m: m["sha256"].update({"arrays.npz": checksum}))
    with pytest.raises(UserError, match="corrupt"):
        bundles.load(bundle_path)
