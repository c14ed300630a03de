"""A zip of Stable-Baselines3 is read without PyTorch, and nothing that is pickled in it runs."""

import zipfile

import numpy as np
import pytest
import theirs

from mjx_assist.errors import UserError
from mjx_assist.myoassist import torch_zip


class Touches:
    """Pickled, it makes a file when it is opened."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_every_tensor_comes_back_to_the_bit(tmp_path):
    named = theirs.tensors(np.random.default_rng(0))
    found, told = torch_zip.read(theirs.write_session(tmp_path, named, {}, steps=7))
    assert found.keys() == named.keys() and told["num_timesteps"] == 7
    for name, tensor in named.items():
        np.testing.assert_array_equal(found[name], tensor)


def test_a_transposed_view_is_read_by_its_strides():
    storage = np.arange(6, dtype=np.float32)
    np.testing.assert_array_equal(torch_zip._tensor(storage, 0, (3, 2), (1, 3)), storage.reshape(2, 3).T)


def test_what_would_run_code_is_refused_and_does_not_run(tmp_path):
    made = tmp_path / "made"
    path = theirs.write_session(tmp_path / "session", {"log_std": Touches(made)}, {})
    with pytest.raises(UserError, match=r"more than tensors \(.*open\)"):
        torch_zip.read(path)
    assert not made.exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"no zip", "no Stable-Baselines3 policy"),
        ({"data": b"{}"}, "it has no policy.pth"),
        ({"policy.pth": b"old"}, "no Stable-Baselines3 policy"),
        ({"policy.pth": theirs.saved({"x": 1.0})}, "does not hold tensors"),
        ({"policy.pth": theirs.saved({"x": np.zeros(3)})[:-60]}, "no Stable-Baselines3 policy"),
    ],
)
def test_what_is_no_policy_is_named(tmp_path, content, told):
    path = tmp_path / "model.zip"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in content.items():
                archive.writestr(name, data)
    with pytest.raises(UserError, match=told):
        torch_zip.read(path)


@pytest.mark.parametrize(("offset", "size", "stride"), [(5, (2,), (1,)), (0, (2, 4), (3, 1)), (-1, (1,), (1,))])
def test_a_tensor_beyond_its_storage_is_refused(offset, size, stride):
    with pytest.raises(UserError, match="beyond its storage"):
        torch_zip._tensor(np.zeros(6, np.float32), offset, size, stride)
