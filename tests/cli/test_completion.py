"""What Tab offers, and what `doctor` finds: asked in processes of their own, as a shell does."""

import importlib.metadata
import os
import subprocess
import sys

import pytest


def offered(line: str) -> list[str]:
    """The words that argcomplete's protocol gives for the line with the cursor at its end."""
    asked = {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "\n", "_ARGCOMPLETE_STDOUT_FILENAME": "/dev/stdout"}
    asked |= {"COMP_LINE": line, "COMP_POINT": str(len(line)), "_ARGCOMPLETE_SUPPRESS_SPACE": "1"}
    code = "import sys; sys.argv[0] = 'mjx-assist'; from mjx_assist.cli.main import main; sys.exit(main([]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **asked})
    return [word.strip() for word in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("mjx-assist evaluate walk22_z", {"walk22_zero_torque"}),
        ("mjx-assist train walk22_exo --env_params.num_e", {"--env_params.num_envs"}),
        pytest.param("mjx-assist eval", {"evaluate"}, marks=pytest.mark.slow),
        pytest.param("mjx-assist zoo --q", {"--quick"}, marks=pytest.mark.slow),
    ],
)
def test_tab_offers_commands_policies_flags_and_keys(line, words):
    assert words <= set(offered(line))


def test_doctor_tells_the_versions_that_are_installed(capsys):
    from mjx_assist.cli.main import main

    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    for package in ("mujoco", "jax", "numpy"):
        assert importlib.metadata.version(package) in next(line for line in said.splitlines() if f" {package} " in line)
