"""What the tests of commands share: a command that must fail, and training without its slow first steps."""

from collections.abc import Callable

import pytest

from mjx_assist.cli.main import main

Refused = Callable[..., str]


@pytest.fixture
def refused(capsys: pytest.CaptureFixture) -> Refused:
    """Run a command that must fail as a user's mistake; returns its one line."""

    def run(*arguments: object) -> str:
        assert main([str(word) for word in arguments]) == 2
        lines = capsys.readouterr().err.strip().splitlines()
        assert lines[-1].startswith("mjx-assist: error: ")
        assert "Traceback" not in "".join(lines)
        return lines[-1]

    return run
