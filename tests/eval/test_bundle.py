"""The bundle on disk: what was saved comes back; anything else is refused by name."""

import json

import numpy as np
import pytest

from mjx_assist.errors import UserError
from mjx_assist.eval import bundle as bundles


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
    with pytest.raises(UserError, match="allow_pickle"):
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
