"""Where a run keeps its compiled programs."""

import os
import subprocess
import sys

import pytest
import small_runs

import mjx_assist
from mjx_assist.cli.main import main
from mjx_assist.policy import bundle as bundles
from mjx_assist.training.callbacks import Callback


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


class StopAtOnce(Callback):
    """Asks for the end after the first update."""

    def on_update(self, run):
        run.stop = "enough"


@pytest.mark.slow
def test_a_callback_ends_a_named_run_without_an_error_and_its_policy_is_there(quick_gait, tmp_path, capsys):
    config = mjx_assist.load_config("walk22_exo", {**small_runs.FLAGS, "total_timesteps": 40})
    run = mjx_assist.train(config, tmp_path, [StopAtOnce()], name="first_try")
    assert (run.path, run.update, run.stop) == (tmp_path / "first_try", 2, "enough")
    assert bundles.load(run.path / "policy").info["control_steps"] == run.control_steps == 8
    assert main(["train", "walk22_exo", "--out", str(tmp_path), "--name", "first_try"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert main(["train", "walk22_exo", "--out", str(tmp_path), "--name", "../x"]) == 2
    assert "--name '../x'" in capsys.readouterr().err
    assert mjx_assist.resume(run.path).update == 10
    assert "is finished" not in capsys.readouterr().out
    assert mjx_assist.resume(run.path).update == 10
    assert "is finished: it has its 40 control steps" in capsys.readouterr().out
