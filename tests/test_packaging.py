"""The wheel works alone: installed in a bare environment outside the checkout, with its data inside it."""

import json
import os
import subprocess
import sys
import sysconfig
import warnings
from pathlib import Path

import pytest
from checkout import ROOT

from mjx_assist.policy import bundle as bundles

SHIPPED = "import mjx_assist.paths as d; print(d.data_path('models', 'policies', 'walk22_exo'), d.__file__, sep='\\n')"


class Bare:
    """A fresh environment with nothing but the wheel, which finds its dependencies (only) where the tests do."""

    def __init__(self, folder: Path, wheel: Path):
        self.folder = folder
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True)
        self.bin = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
        pip = [sys.executable, "-m", "pip", "--python", self.bin / "python", "install", "--quiet"]
        subprocess.run([*pip, "--no-deps", "--no-index", wheel], check=True)
        site = Path(self.run("python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip())
        paths = dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
        (site / "dependencies.pth").write_text("\n".join(paths) + "\n")

    def run(self, program: str, *arguments: object) -> subprocess.CompletedProcess:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        command = [str(self.bin / program), *map(str, arguments)]
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Bare:
    folder = tmp_path_factory.mktemp("bare")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    return Bare(folder, wheel)


def test_installed_wheel_evaluates_the_shipped_policy(bare: Bare, untrained_bundle: bundles.Bundle):
    shipped, module = (Path(line) for line in bare.run("python", "-c", SHIPPED).stdout.splitlines())
    assert module.is_relative_to(bare.folder)
    assert shipped.is_relative_to(bare.folder)
    if not (ROOT / "models" / "policies" / "walk22_exo").is_dir():
        warnings.warn("the repository ships no policy yet: an untrained one stands in", stacklevel=1)
        bundles.save(untrained_bundle, shipped)
    figures = bare.folder / "figures.json"
    done = bare.run("mjx-assist", "evaluate", shipped, "--steps", "30", "--episodes", "1", "--json", figures)
    assert done.returncode == 0, done.stderr
    (episode,) = json.loads(figures.read_text())["episodes"]
    assert 1 <= episode["steps"] <= 30
    assert episode["distance_m"] > 0


def test_installed_wheel_knows_its_presets_and_models(bare: Bare):
    refused = bare.run("mjx-assist", "train", "walk22_exo", "--env_params.num_envs", "7")
    assert refused.returncode == 2
    assert "does not divide" in refused.stderr
    assert "myolegs22\n" in bare.run("mjx-assist", "models", "list").stdout


def test_wheel_carries_licence_and_notice(bare: Bare):
    licences = next(bare.folder.glob("env/lib*/python*/site-packages/mjx_assist-*.dist-info/licenses"))
    for name in ("LICENSE", "NOTICE"):
        assert (licences / name).read_bytes() == (ROOT / name).read_bytes()


def test_installed_wheel_writes_pages_from_the_templates_in_it(bare: Bare):
    code = """if True:
        from pathlib import Path
        from mjx_assist.eval.report import html
        from mjx_assist.eval.report.pages import challenge as challenge_page
        print(Path(html.__file__).parent / "templates")
        print(challenge_page.page([{"name": "a < b", "walker": "w", "rows": []}], b"", b""))
    """
    done = bare.run("python", "-c", code)
    assert done.returncode == 0, done.stderr
    folder, page = done.stdout.split("\n", 1)
    assert Path(folder).is_relative_to(bare.folder)
    assert page.startswith("<!doctype html>") and "a &lt; b" in page
    ours = ROOT / "mjx_assist" / "eval" / "report" / "templates"
    shipped = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    assert shipped == {path.name: path.read_bytes() for path in ours.iterdir()}
