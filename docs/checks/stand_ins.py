"""Makes, in the current folder (a checkout), what the docs' commands take for given: a run, policies, models, files of
a laboratory, a session of MyoAssist's. All small; run with the environment that is checked."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import doc_commands
import numpy as np

ROOT = Path.cwd()
SIDES = {"without": {"config": "walk22_zero_torque"}, "powered": {"config": "walk22_exo"}}
WALKS = {
    "speeds": [1.2, 1.3],
    "models": ["reduced"],
    "physics_rates": [],
    "episodes": 1,
    "seconds": 2,
    "device_off_episodes": 0,
}


def make() -> None:
    sys.path[:0] = [str(ROOT / "tests" / "myoassist"), str(ROOT / "tests" / "eval" / "formats")]
    run = Path(doc_commands.RUN)
    mjx_assist(f"train walk22_exo --out {run.parent} --name {run.name} {doc_commands.SMALL}")
    mjx_assist(f"train walk22_exo_onboard --out {run.parent} --name train_session_onboard {doc_commands.SMALL}")
    shipped = ROOT / "models" / "policies"
    for name in ("my_policy", "b1", "b2", "b3"):
        shutil.copytree(shipped / "walk22_exo", name)
    for name in ("a1", "a2", "a3"):
        shutil.copytree(shipped / "walk22_zero_torque", name)
    mjx_assist("models export myolegs22 Tutorial_L1 -o my_model")
    shutil.copy(Path("my_model") / "model.xml", "my_model.xml")
    mjx_assist("init my_config.json --speeds 1.0,1.5")
    sizes = {key.lstrip("-"): int(value) for key, value in zip(*[iter(doc_commands.SMALL.split())] * 2, strict=True)}
    study = {"sides": SIDES, "seeds": 2, "overrides": {"env_params.backend": "mujoco", **sizes}, "walks": WALKS}
    Path("STUDY.json").write_text(json.dumps(study))
    _controllers()
    _laboratory()
    _myoassist()


def mjx_assist(words: str) -> None:
    subprocess.run([sys.executable, "-m", "mjx_assist", *shlex.split(words)], check=True)


def _controllers() -> None:
    """The files that docs/controllers.md and docs/extending.md print."""
    Path("mine.json").write_text(re.search(r"`mine.json` holds .*?`(\{.*?\})`", _page("controllers"))[1])
    section = _page("extending").split("## A device controller")[1]
    Path("my_package").mkdir()
    Path("my_package/__init__.py").touch()
    Path("my_package/controllers.py").write_text(re.search(r"```python\n(.*?)```", section, re.DOTALL)[1])
    Path("spring.json").write_text(re.search(r"```json\n(.*?)```", section, re.DOTALL)[1])


def _laboratory() -> None:
    """A recorded walk as a laboratory would have it, one with the device off, and forces as .c3d."""
    import test_c3d  # of the tests: it writes one

    mjx_assist("record walk22_exo -o walk.npz --steps 200")
    mjx_assist("record walk22_exo -o walk_zero_torque.npz --steps 200 --device off")
    mjx_assist("convert walk.npz -o ik.mot")
    mjx_assist("convert walk.npz -o grf_grf.mot")
    Path("grf_grf.mot").rename("grf.mot")
    test_c3d.make(Path("walk.c3d"), with_angles=False)


def _myoassist() -> None:
    """A config and a session in small, as the tests build them; the config is called THEIR.json and F.json."""
    import theirs

    for name in ("THEIR.json", "F.json"):
        Path(name).write_text(json.dumps(theirs.config()))
    theirs.write_session(Path("SESSION"), theirs.tensors(np.random.default_rng(0)), theirs.config())


def _page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


if __name__ == "__main__":
    make()
