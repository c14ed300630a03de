"""What users' files may hold: data, or a sentence. Every row once ended in a traceback, or was taken."""

import io
import json
import os
import zipfile

import numpy as np
import pytest

from mjx_assist.errors import UserError
from mjx_assist.files.logs import append_row, read_rows
from mjx_assist.files.untrusted import parse_json, read_json, read_npz

JSON = {
    "not JSON": (b"{", "is not JSON: Expecting property name"),
    "not UTF-8": (b'{"a": "\xff"}', "not text in UTF-8"),
    "a key twice": (b'{"a": 1, "b": {"c": 1, "c": 2}}', "key 'c' is given twice"),
    "deep": (b"[" * 100_000 + b"]" * 100_000, "nested more than 100 deep"),
    "less deep": (b"[" * 200 + b"1" + b"]" * 200, "nested more than 100 deep"),
    "many digits": (b'{"a": ' + b"9" * 5000 + b"}", "a whole number of 5000 digits"),
    "beyond a float": (b'{"a": 1e999}', "1e999 is larger than any number"),
}


@pytest.mark.parametrize(("content", "told"), JSON.values(), ids=JSON)
def test_json_that_is_refused(tmp_path, content, told):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"config 'x'.*{told}"):
        read_json(path, "config 'x'")


def test_json_that_is_read(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b'\xef\xbb\xbf{"a": [1, 2.5, null, "\xc3\xa9"]}')
    assert read_json(path, "") == {"a": [1, 2.5, None, "é"]}
    assert np.isnan(parse_json("NaN"))


def zipped(*members, method=zipfile.ZIP_STORED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


def npy(shape="(2,)", values=16, kind="<f8"):
    head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode() + bytes(values)


def encrypted():
    content = bytearray(zipped(("a.npy", npy())))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + place] |= 1
    return bytes(content)


NPZ = {
    "no zip": (b"hello", "File is not a zip file"),
    "pickles": (zipped(("a.npy", npy(kind="|O"))), "a holds pickled objects"),
    "a false size": (zipped(("a.npy", npy(shape="(999999999999,)"))), "says that it has shape"),
    "a negative size": (zipped(("a.npy", npy(shape="(-2, -1)"))), "says that it has shape"),
    "no array": (zipped(("a.npy", b"hello")), "cannot be read"),
    "encrypted": (encrypted(), "a.npy is encrypted"),
    "compressed otherwise": (zipped(("a.npy", npy()), method=zipfile.ZIP_BZIP2), "a way that NumPy does not write"),
    "cut": (zipped(("a.npy", npy()))[:-30], "cannot be read"),
}


@pytest.mark.parametrize(("content", "told"), NPZ.values(), ids=NPZ)
def test_npz_that_is_refused(tmp_path, content, told):
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"record x: .*{told}"):
        read_npz(path, "record x")


def test_npz_holds_what_numpy_wrote(tmp_path):
    arrays = {"a": np.arange(6.0).reshape(2, 3).T, "names": np.array(["x", "yy"]), "n": np.array(3)}
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", **arrays)
        for name, array in read_npz(tmp_path / "a.npz", "").items():
            np.testing.assert_array_equal(array, arrays[name])


@pytest.mark.parametrize("read", [read_json, read_npz])
def test_what_is_no_file_does_not_hang(tmp_path, read):
    for path, told in ((tmp_path / "none", "no such file"), (tmp_path, "not a plain file")):
        with pytest.raises(UserError, match=told):
            read(path, "x")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(UserError, match="not a plain file"):
            read(tmp_path / "pipe", "x")
    with pytest.raises(UserError, match="cannot be read"):
        read(tmp_path / ("n" * 5000), "x")


ROW = '{"update": 1, "control_steps": 64, "reward": 0.5}'
DAMAGED = ["garbage", ROW[:20], ROW + ROW, "{}", "[]", '{"update": "x"}', '{"update": [1]}', "\x00\x00", "[" * 5000]


@pytest.mark.parametrize("line", DAMAGED)
def test_a_damaged_line_of_a_log_is_left_out_and_said(tmp_path, line, caplog):
    path = tmp_path / "log.jsonl"
    path.write_bytes(f"{ROW}\n{line}\n\n".encode() + b"\xff\xfe\n" + ROW.replace("1", "2", 1).encode() + b"\n")
    assert [row["update"] for row in read_rows(path)] == [1, 2]
    assert "lines cannot be read and are left out, first line 2" in caplog.text


def test_a_row_is_whole_and_on_its_own_line_after_one_that_was_cut(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text(ROW + "\n" + ROW[:10])
    append_row(path, json.loads(ROW))
    append_row(path, json.loads(ROW))
    assert path.read_text().splitlines() == [ROW, ROW[:10], ROW, ROW]
