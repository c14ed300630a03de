"""What the documentation says exists: files, modules and names; docs/api.md and docs/extending.md run as printed."""

import ast
import importlib.util
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import doc_commands
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest
from checkout import ROOT
from printed import example
from synthetic_gait import synthetic_gait

from mjx_assist.cli.arguments import walker_keys
from mjx_assist.cli.main import COMMANDS, build_parser, main
from mjx_assist.cli.train import split_overrides
from mjx_assist.config.read import load_config, preset_names
from mjx_assist.eval.formats import convert
from mjx_assist.sim.physics import make
from mjx_assist.training import run

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
TYPED = [command for command in doc_commands.commands(ROOT) if command.text.startswith("mjx-assist ")]


def blocks(page: Path, language: str = "python") -> list[str]:
    """The fenced code of a page, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_exist(page: Path):
    ours = {path.name for folder in (ROOT, ROOT / "mjx_assist") for path in folder.iterdir()}
    named = re.findall(r"`((?:[a-z_0-9]+/)+[a-z_0-9]+\.(?:py|md|json|sh))(?:::\w+)?`", page.read_text())
    named = [name for name in named if name.split("/")[0] in ours]  # not another project's
    named += re.findall(r"\]\(([^)#:]+\.md)", page.read_text())
    places = (ROOT, ROOT / "mjx_assist", page.parent)
    assert not [name for name in named if not any((place / name).exists() for place in places)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_of_a_page_lead_somewhere(page: Path):
    """Files, pictures and headings, as they are read in the repository; the site's are checked where it is built."""
    text = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), f"{page.name}: {link}"
        assert not anchor or anchor in headings(target), f"{page.name}: {link}"


def headings(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("command", TYPED, ids=lambda command: f"{command.page}:{command.line}")
def test_a_printed_command_is_one_that_there_is(command: doc_commands.Command):
    """Its words and flags; a training's keys. What it does is checked by `make docs-check`."""
    words = shlex.split(command.typed)[1:]
    names = next(" ".join(words[:n]) for n in (2, 1) if " ".join(words[:n]) in COMMANDS)
    parser, parsers = build_parser(names)
    overrides = []
    if names == "train":
        words, overrides = split_overrides(words, parsers["train"].flags)
    arguments, rest = parser.parse_known_args(words)
    assert not rest
    if names == "train" and arguments.config in preset_names() and "$(" not in command.text:
        own = any(
            mark in command.text for mark in ("ik.mot", "my_model", "model/", "cohort.json")
        )  # files that docs-check makes
        start = [("init_from.source", arguments.init_from)] if arguments.init_from else []
        assert own or load_config(arguments.config, dict([*walker_keys(arguments), *start, *overrides]))


def test_comments_and_blocks_are_told_from_commands():
    page = "    mjx-assist plot A   # its curves\n\n```bash\nmake walk\n```\n`mjx-assist models list` "
    page += "`mjx-assist plot 'x # y'`\n"
    told = [text for _, text in doc_commands.printed(page)]
    assert told == ["mjx-assist plot A", "make walk", "mjx-assist plot 'x # y'"]


def test_the_slurm_script_gives_each_job_a_run_and_goes_on_with_it(tmp_path: Path):
    (script,) = blocks(ROOT / "docs" / "scaling.md", "bash")
    (tmp_path / "srun").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "srun").chmod(0o755)

    def typed(**job: str) -> str:
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", **job}
        done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
        return done.stdout

    tasks = [typed(SLURM_JOB_ID="7", SLURM_ARRAY_JOB_ID="6", SLURM_ARRAY_TASK_ID=task) for task in "12"]
    assert "--name walk_6_1 --env_params.seed 1 " in tasks[0] and "--name walk_6_2 --env_params.seed 2 " in tasks[1]
    assert "--name walk_9_1" in typed(SLURM_JOB_ID="9")
    run = tmp_path / "results" / "walk_6_1"
    run.mkdir(parents=True)
    (run / "session_config.json").touch()
    assert "--resume results/walk_6_1 " in typed(SLURM_JOB_ID="7", SLURM_ARRAY_JOB_ID="6", SLURM_ARRAY_TASK_ID="1")
    assert "--name walk_9_1" in typed(SLURM_JOB_ID="9")  # another experiment begins anew


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_names_that_a_page_imports_exist(page: Path):
    told = re.findall(r"`(mjx_assist(?:\.\w+)+)`", page.read_text())
    for dotted in told:
        module, _, name = dotted.rpartition(".")
        assert hasattr(importlib.import_module(module), name) or importlib.import_module(dotted), dotted
    for block in blocks(page):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("mjx_assist"):
                module = importlib.import_module(node.module)
                for alias in node.names:
                    found = hasattr(module, alias.name)
                    assert found or importlib.import_module(f"{node.module}.{alias.name}"), f"{page.name}: {alias.name}"


def test_the_doors_in_the_docs_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run, "_use_compilation_cache", lambda: None)
    scope: dict = {}
    for number, block in enumerate(blocks(ROOT / "docs" / "api.md")):
        exec(compile(block, f"docs/api.md, block {number + 1}", "exec"), scope)
    assert scope["run"].control_steps == 128 and (scope["run"].path / "policy" / "bundle.json").is_file()
    assert scope["state"].obs.shape == (scope["env"].observation_size,)
    assert {path.name for path in Path("report").iterdir()} >= {"report.html", "metrics.json", "strides.csv"}
    assert {path.name for path in Path("comparison").iterdir()} >= {"compare.html", "compare.json", "compare.csv"}
    assert "11 degrees of freedom; 39 coordinates" in capsys.readouterr().out
    doors = set(re.findall(r"`(\w+)[(.]", (ROOT / "docs" / "api.md").read_text().split("## Train")[0]))
    assert set(scope["mjx_assist"].__all__) <= doors


def test_a_backend_is_a_row(reduced, monkeypatch: pytest.MonkeyPatch):
    """Against MuJoCo's own Euler steps."""
    monkeypatch.setattr(make, "MAKERS", dict(make.MAKERS))
    exec(example("A physics backend"), {})
    backend = make.make_physics("euler", reduced.xml, 4, 1)
    model = mujoco.MjModel.from_xml_string(reduced.xml)
    model.opt.integrator = mujoco.mjtIntegrator.mjINT_EULER
    data = mujoco.MjData(model)
    data.qpos[:], data.act[:], data.ctrl[:] = model.key_qpos[0], 0.1, 0.2
    start = backend.start(data.qpos, data.qvel, data.act)
    mujoco.mj_step(model, data, nstep=4)
    after = backend.step(start, jnp.full(model.nu, 0.2))
    np.testing.assert_allclose(after.qpos, data.qpos, atol=1e-5)
    np.testing.assert_allclose(after.qvel, data.qvel, atol=1e-3)


def test_a_command_is_a_file_and_a_row(reduced, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    code = tmp_path / "joints.py"
    code.write_text(example("A command"))
    spec = importlib.util.spec_from_file_location("mjx_assist.cli.joints", code)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "mjx_assist.cli.joints", module)
    monkeypatch.setitem(COMMANDS, "joints", "the reduced model's joints and their ranges")
    assert main(["--help"]) == 0
    assert "the reduced model's joints" in capsys.readouterr().out
    assert main(["joints", "myolegs22", "Tutorial_L1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == reduced.model.njnt and lines[0].startswith(reduced.model.joint(0).name)
    assert main(["joints", "myolegs23"]) == 2
    assert "Did you mean 'myolegs26'" in capsys.readouterr().err


def test_a_format_is_a_file_and_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(convert, "FORMATS", dict(convert.FORMATS))
    exec(example("A file format"), {})
    record = synthetic_gait(duration=1.0)
    convert.write(record, tmp_path / "walk.tsv")
    back = convert.read([tmp_path / "walk.tsv"])
    assert back.record.joint_names == record.joint_names
    np.testing.assert_array_equal(back.record.qpos, record.qpos)
    assert "ground_reaction" in back.absent
