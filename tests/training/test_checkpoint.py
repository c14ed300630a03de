"""Checkpoints: what was saved comes back bit for bit, damage costs one checkpoint and never the run."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest

from mjx_assist.errors import UserError
from mjx_assist.files import atomic
from mjx_assist.training import checkpoint
from mjx_assist.training.checkpoint import Checkpoints


def state(update):
    return {
        "weights": jax.random.normal(jax.random.PRNGKey(update), (40, 30)),
        "key": jax.random.PRNGKey(update),
        "updates": jnp.asarray(update, jnp.int32),
    }


def saved(folder, updates, keep=5):
    checkpoints = Checkpoints(folder, keep)
    for update in updates:
        checkpoints.save(update, {"training": state(update)})
    checkpoints.close()


def newest(folder):
    checkpoints = Checkpoints(folder, 5)
    found = checkpoints.restore({"training": state(0)})
    checkpoints.close()
    return found and found["training"]


def files(folder):
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def truncate(folder):
    for path in files(folder):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(folder):
    for path in files(folder):
        path.write_bytes(b"")


def scramble(folder):
    for path in files(folder):
        path.write_bytes(bytes(np.random.default_rng(0).integers(0, 256, path.stat().st_size, dtype=np.uint8)))


def flip_a_bit(folder):
    """In the largest file: the arrays."""
    path = max(files(folder), key=lambda path: path.stat().st_size)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes(content)


def remove_data(folder):
    for path in files(folder):
        if "METADATA" not in path.name.upper():
            path.unlink()


def remove_everything(folder):
    for path in files(folder):
        path.unlink()


DAMAGES = [truncate, empty, scramble, flip_a_bit, remove_data, remove_everything]


def test_a_checkpoint_comes_back_bit_for_bit(tmp_path):
    saved(tmp_path, [3])
    for found, expected in zip(jax.tree.leaves(newest(tmp_path)), jax.tree.leaves(state(3)), strict=True):
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype


def test_a_checkpoint_whose_writer_was_killed_before_it_noted_the_sums_is_read(tmp_path):
    saved(tmp_path, [3])
    (tmp_path / "3" / checkpoint.SUMS).unlink()
    assert newest(tmp_path)["updates"] == 3


def test_the_oldest_are_dropped(tmp_path):
    saved(tmp_path, range(1, 6), keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["4", "5"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_skipped_with_a_warning(tmp_path, damage, caplog):
    saved(tmp_path, [1, 2])
    damage(tmp_path / "2")
    assert newest(tmp_path)["updates"] == 1
    assert "checkpoint 2 cannot be read" in caplog.text


@pytest.mark.parametrize("damage", DAMAGES)
def test_training_on_after_damage_saves_readable_checkpoints_again(tmp_path, damage):
    """The run goes on from update 1 and comes to update 2 and 3 once more: both must be there for the next resume."""
    saved(tmp_path, [1, 3])
    damage(tmp_path / "3")
    checkpoints = Checkpoints(tmp_path, 5)
    assert checkpoints.restore({"training": state(0)})["training"]["updates"] == 1
    for update in (2, 3):
        checkpoints.save(update, {"training": state(update)})
        assert newest(tmp_path)["updates"] == update
    checkpoints.close()


def test_looking_at_a_damaged_checkpoint_removes_nothing(tmp_path):
    """`export` and `evaluate` restore too; only training, which writes anew, may clear away."""
    saved(tmp_path, [1, 2])
    truncate(tmp_path / "2")
    before = files(tmp_path)
    newest(tmp_path)
    assert files(tmp_path) == before


def test_no_checkpoint_is_none_and_none_that_can_be_read_is_an_error(tmp_path):
    assert newest(tmp_path) is None
    saved(tmp_path, [1])
    scramble(tmp_path / "1")
    with pytest.raises(UserError, match="no checkpoint there can be read"):
        newest(tmp_path)


def test_one_item_is_read_without_knowing_the_others(tmp_path):
    checkpoints = Checkpoints(tmp_path, 5)
    checkpoints.save(1, {"policy": state(1), "training": state(2)})
    found = checkpoints.restore({"policy": state(0)})
    checkpoints.close()
    assert list(found) == ["policy"] and found["policy"]["updates"] == 1


def full(*_, **__):
    raise OSError(28, "No space left on device")


FULL = r"2 could not be written \(\[Errno 28\] No space left on device\); earlier checkpoints are intact.*--resume"


def test_a_full_disk_is_said_and_earlier_checkpoints_stay(tmp_path, monkeypatch):
    saved(tmp_path, [1])
    checkpoints = Checkpoints(tmp_path, 5)
    monkeypatch.setattr(ocp.CheckpointManager, "save", full)
    with pytest.raises(UserError, match=FULL):
        checkpoints.save(2, {"training": state(2)})
    checkpoints.close()
    assert newest(tmp_path)["updates"] == 1


def test_a_disk_that_is_full_once_the_arrays_are_written_is_said_alike(tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path, 5)
    monkeypatch.setattr(atomic, "os", SimpleNamespace(replace=full))
    with pytest.raises(UserError, match=FULL):
        checkpoints.save(2, {"training": state(2)})
    checkpoints.close()
    assert newest(tmp_path)["updates"] == 2  # whole, and its sums are not there to be wrong
