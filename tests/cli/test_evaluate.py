"""What `mjx-assist evaluate` writes, and what it says of bundles that are damaged."""

import json
from pathlib import Path

from full_disk import largest_file

from mjx_assist.cli.main import main

EPISODE_KEYS = ["seed", "steps", "time_s", "distance_m", "mean_speed_m_s", "fell", "corr_reference", "rmse_deg"]
ANGLES = ["hip", "knee", "ankle", "pelvis_tilt"]


def test_evaluate_writes_the_figures_of_every_episode(bundle_path: Path, tmp_path: Path, capsys):
    file = tmp_path / "new" / "figures.json"
    arguments = ["--steps", "6", "--episodes", "2", "--seed", "3", "--json", str(file)]
    assert main(["evaluate", str(bundle_path), *arguments]) == 0
    figures = json.loads(file.read_text())
    assert [list(episode) for episode in figures["episodes"]] == [EPISODE_KEYS] * 2
    assert [episode["seed"] for episode in figures["episodes"]] == [3, 4]
    assert all(episode["steps"] == 6 for episode in figures["episodes"])
    assert all(list(episode[key]) == ANGLES for episode in figures["episodes"] for key in EPISODE_KEYS[-2:])
    out = capsys.readouterr()
    assert "fell in 0 of 2 episodes" in out.out
    assert "seed 4" in out.err


def test_a_flipped_byte_is_a_corrupt_bundle(refused, bundle_path: Path):
    arrays = bundle_path / "arrays.npz"
    content = bytearray(arrays.read_bytes())
    content[len(content) // 2] ^= 1
    arrays.write_bytes(content)
    assert "is corrupt: arrays.npz" in refused("evaluate", bundle_path)


def test_a_cut_manifest_is_a_corrupt_bundle(refused, bundle_path: Path):
    manifest = bundle_path / "bundle.json"
    manifest.write_text(manifest.read_text()[:-100])
    assert "is corrupt: bundle.json" in refused("evaluate", bundle_path)


def test_a_bundle_of_another_schema_version_says_so(refused, bundle_path: Path):
    manifest = bundle_path / "bundle.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "schema_version": 99}))
    assert "schema version 99" in refused("evaluate", bundle_path)


def test_a_folder_that_is_neither_run_nor_bundle_says_so(refused, tmp_path: Path):
    assert "neither a training run nor a policy bundle" in refused("evaluate", tmp_path)


def test_no_space_for_the_figures_leaves_no_half_file(refused, bundle_path: Path, tmp_path: Path):
    file = tmp_path / "figures.json"
    with largest_file(64):
        message = refused("evaluate", bundle_path, "--steps", "2", "--episodes", "1", "--json", file)
    assert str(file) in message
    assert "cannot be written" in message
    assert not [path for path in tmp_path.iterdir() if "figures" in path.name]
