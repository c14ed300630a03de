"""Where a run keeps its compiled programs."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("environment", "folder"),
    [({"XDG_CACHE_HOME": "/tmp/x"}, "/tmp/x/mjx-assist/jax"), ({"JAX_COMPILATION_CACHE_DIR": "/tmp/y"}, "/tmp/y")],
)
def test_compiled_programs_are_kept_in_the_users_cache(environment: dict, folder: str):
    script = "from mjx_assist.training import run; run._use_compilation_cache(); import jax; "
    script += "print(jax.config.jax_compilation_cache_dir)"
    clean = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}
    done = subprocess.run([sys.executable, "-c", script], env={**clean, **environment}, capture_output=True, text=True)
    assert done.stdout.strip() == folder
