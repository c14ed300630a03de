"""A lock of one process, which ends with it."""

import subprocess
import sys

import pytest

from mjx_assist.errors import UserError
from mjx_assist.files.lock import locked

HOLD = """
import sys, pathlib
from mjx_assist.files.lock import locked
with locked(pathlib.Path(sys.argv[1]), str):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_told_and_a_killed_one_holds_nothing(tmp_path):
    path = tmp_path / ".lock"
    words = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(UserError, match=f"process {other.pid} has it"), locked(path, "process {} has it".format):
            raise AssertionError
        other.kill()
        other.wait()
    with locked(path, str):
        pass
    with locked(path, str):
        pass


def test_a_folder_that_is_not_there_is_for_others_to_tell(tmp_path):
    with locked(tmp_path / "none" / ".lock", str):
        pass
