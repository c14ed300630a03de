"""A worker that was forked from a process in which JAX has run ends with a sentence, instead of waiting for ever."""

import subprocess
import sys

import pytest

FORKS = """
import os, sys
from mjx_assist.errors import UserError
from mjx_assist.sim import forked
if {first}:
    forked.check()
if os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
try:
    forked.check()
except UserError as error:
    print(error, flush=True)
    os._exit(7)
os._exit(0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
@pytest.mark.parametrize(("first", "code"), [(True, 7), (False, 0)])
def test_a_fork_is_told_if_its_parent_had_an_env(first, code):
    done = subprocess.run(
        [sys.executable, "-c", FORKS.format(first=first)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == code, done.stderr
    assert ("was forked from process" in done.stdout and "start_method='spawn'" in done.stdout) is first
