"""An npz of others: plain arrays are read, one entry of plain data too, and no pickle runs."""

import os

import numpy as np
import pytest

from mjx_assist.errors import UserError
from mjx_assist.files.npz import read_npz

PLAIN = {
    "sample_rate": 100,
    "mass": np.float64(70.5),
    "count": np.int32(7),
    "names": ["right", "left"],
    "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big-endian": np.arange(3, dtype=">i4"),
    "nested": {"words": np.array(["a", "bc"]), "nothing": None, "flags": (True, False)},
}


class Runs:
    """Unpickling this would make a file."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return os.mkdir, (str(self.file),)


def test_plain_data_comes_back(tmp_path):
    np.savez(tmp_path / "a.npz", q_x=np.arange(4.0), meta_data=np.array(PLAIN, dtype=object))
    arrays, described = read_npz(tmp_path / "a.npz", ("meta_data",))
    np.testing.assert_array_equal(arrays["q_x"], np.arange(4.0))
    found = described["meta_data"]
    assert found["mass"] == 70.5 and found["count"] == 7 and found["names"] == ["right", "left"]
    np.testing.assert_array_equal(found["columns"], PLAIN["columns"])
    np.testing.assert_array_equal(found["big-endian"], [0, 1, 2])
    assert found["nested"]["words"].tolist() == ["a", "bc"] and found["nested"]["flags"] == [True, False]


def wrapped(runs):
    return {
        "in a dict": {"sample_rate": runs},
        "in an array": {"values": np.array([runs], dtype=object)},
        "itself": runs,
        "a function": {"call": os.system},
        "a class": {"kind": np.ndarray},
    }


@pytest.mark.parametrize("kind", wrapped(None))
def test_what_would_run_is_refused_and_does_not(tmp_path, kind):
    content = wrapped(Runs(tmp_path / "ran"))[kind]
    np.savez(tmp_path / "a.npz", q_x=np.arange(4.0), meta_data=np.array(content, dtype=object))
    if kind != "a class":
        with pytest.raises(UserError, match=r"a\.npz: meta_data holds more than plain data|meta_data cannot be read"):
            read_npz(tmp_path / "a.npz", ("meta_data",))
    with pytest.raises(UserError, match="meta_data holds pickled objects, which can run code"):
        read_npz(tmp_path / "a.npz")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY"])
def test_what_is_no_npz_is_named(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(UserError, match=r"a\.npz: cannot be read"):
        read_npz(tmp_path / "a.npz")
